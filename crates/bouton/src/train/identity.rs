//! What makes two runs the same: recipe, data, and the program.
//!
//! A finished run is done if recipe, data and build are equal. An unfinished one goes on if recipe and data are, and the
//! number of its [`crate::ARITHMETIC`]. The newest run that fits decides; if there are runs of the recipe and none fits,
//! the newest tells what differs.

use super::checkpoints::Checkpoints;
use super::provenance::Provenance;
use super::run::RunOptions;
use super::rundir::{RunDir, RunLock};
use super::status::State;
use crate::ARITHMETIC;
use crate::error::{Error, Result};
use crate::recipe::Recipe;
use crate::task::{Checksums, checksums};

/// What earlier runs of the same recipe mean to a new one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Earlier {
    /// A finished run is done if data and build are the same, too, an unfinished one goes on; others are in the way.
    #[default]
    Same,
    /// A finished run is done if the data are the same, whatever the build; others are passed over.
    AnyBuild,
    /// Nothing: a new run begins.
    Ignored,
}

/// Who is about to run.
pub(super) struct Identity {
    recipe: String,
    /// None if they are not on this machine: whatever was trained, nothing else can be.
    data: Option<Checksums>,
    build: Option<String>,
    earlier: Earlier,
}

/// What there is of a run already.
#[derive(Debug)]
pub enum FoundRun {
    /// It is finished.
    Done(RunDir),
    /// It can go on.
    Unfinished(RunDir),
    /// Nothing.
    Nothing,
}

/// What `runs`, those of `recipe` from the newest to the oldest, mean to [`run`](super::run()). Whether another process is
/// writing the unfinished one is not looked at, see [`RunDir::idle`].
///
/// # Errors
/// [`Error::Config`] if there are runs, but with other data or of another program.
pub fn find_run(recipe: &Recipe, options: &RunOptions<'_>, runs: Vec<RunDir>) -> Result<FoundRun> {
    Identity::new(recipe, options)?.look(runs)
}

/// Who writes a run.
pub(super) enum Claim {
    /// Nobody: it is finished.
    Done(RunDir),
    /// This process, in this folder.
    Ours(RunDir, RunLock),
}

impl Identity {
    /// Who `options` and their data make of `recipe`.
    pub fn new(recipe: &Recipe, options: &RunOptions<'_>) -> Result<Self> {
        let data = match checksums(recipe, options.data.as_deref()) {
            Err(Error::DataMissing { .. }) => None,
            found => Some(found?),
        };
        Ok(Self { recipe: recipe.hash(), data, build: options.build.clone(), earlier: options.earlier })
    }

    /// What the provenance of a new run says of it.
    pub fn sign(&self, provenance: Provenance) -> Provenance {
        let Checksums { files: data, unpublished } = self.data.clone().unwrap_or_default();
        Provenance { commit: self.build.clone(), data, unpublished, ..provenance }
    }

    /// What is to be said of data that are not the published ones of their name.
    pub fn strange(&self) -> Option<String> {
        let data = self.data.as_ref().filter(|data| !data.unpublished.is_empty())?;
        Some(format!(
            "{}: not the published files of that name, so results do not count for claims",
            data.unpublished.join(", ")
        ))
    }

    /// The run in the folder of `options` that this one repeats or goes on with.
    ///
    /// # Errors
    /// [`Error::Config`] if there are runs of the recipe, but with other data or of another program, or if another process
    /// is writing the one to go on with.
    pub fn find(&self, options: &RunOptions<'_>) -> Result<FoundRun> {
        let found = self.look(RunDir::of_recipe(&options.out, &self.recipe)?)?;
        if let FoundRun::Unfinished(run) = &found {
            run.idle()?;
        }
        Ok(found)
    }

    /// The one of `runs`, newest first, that this one repeats or goes on with.
    fn look(&self, runs: Vec<RunDir>) -> Result<FoundRun> {
        if self.earlier == Earlier::Ignored {
            return Ok(FoundRun::Nothing);
        }
        let mut refusal = None;
        for run in runs {
            let done = run.status()?.state == State::Done;
            match self.differences(&run, done)? {
                None if done => return Ok(FoundRun::Done(run)),
                None => return Ok(FoundRun::Unfinished(run)),
                Some(what) => refusal = refusal.or_else(|| Some(refused(&run, done, &what))),
            }
        }
        match refusal {
            Some(error) if self.earlier == Earlier::Same => Err(error),
            _ => Ok(FoundRun::Nothing),
        }
    }

    /// As [`Identity::find`], with the right to write what goes on or begins; a new run is called after `recipe`.
    pub fn claim(&self, recipe: &Recipe, options: &RunOptions<'_>) -> Result<Claim> {
        let _door = RunDir::door(&options.out)?;
        let dir = match self.find(options)? {
            FoundRun::Done(run) => return Ok(Claim::Done(run)),
            FoundRun::Unfinished(run) => run,
            FoundRun::Nothing => RunDir::create(&options.out, &recipe.name, recipe.seed, &self.recipe)?,
        };
        let lock = dir.lock()?;
        // Whoever was writing it may have ended it since.
        let ended = dir.status()?.state == State::Done;
        Ok(if ended { Claim::Done(dir) } else { Claim::Ours(dir, lock) })
    }

    /// How `run` differs from this one, in words; nothing if it does not.
    fn differences(&self, run: &RunDir, done: bool) -> Result<Option<String>> {
        if !done && Checkpoints::new(run.checkpoints(), None).is_empty()? {
            // There is nothing to go on with: it begins with whatever there is now.
            return Ok(None);
        }
        let began = match Provenance::read(&run.provenance()) {
            Ok(began) => began,
            Err(error) => return Ok(Some(format!("without a readable provenance ({error})"))),
        };
        let mut differ = Vec::new();
        if !Recipe::load(run.recipe()).is_ok_and(|recipe| recipe.hash() == self.recipe) {
            differ.push("its recipe.toml was changed since".to_owned());
        }
        let data = self.data.iter().flat_map(|data| &data.files);
        if let Some((file, _)) = data.clone().find(|(file, sum)| began.data.get(*file) != Some(sum)) {
            differ.push(format!("with other data ({file})"));
        }
        let now =
            self.sign(Provenance { bouton: env!("CARGO_PKG_VERSION").into(), ..began.clone() }).program();
        if done && self.earlier == Earlier::Same && now != began.program() {
            differ.push(format!("by another build ({}, this is {now})", began.program()));
        }
        if !done && began.arithmetic != Some(ARITHMETIC) {
            let number = began.arithmetic.map_or("none".into(), |n| n.to_string());
            differ.push(format!("with another arithmetic (number {number}, this is {ARITHMETIC})"));
        }
        Ok(Some(differ.join(" and ")).filter(|words| !words.is_empty()))
    }
}

fn refused(run: &RunDir, done: bool, differ: &str) -> Error {
    let path = run.path().display();
    let (state, hint) = if done {
        ("a finished", "--again trains once more, in a folder of its own")
    } else {
        ("an unfinished", "bring back what it began with, or begin anew with --again")
    };
    Error::config(format!("{path} is {state} run of this recipe, but {differ}")).with_hint(hint)
}
