//! Going on with a finished run: a longer run of the same recipe that begins where the first one ended.
//!
//! What it comes to is what the longer run comes to from the beginning, bit for bit. Where the end of a run changes more than a longer
//! one would (synapses and optimisers that change when a task ends), it is refused.

use super::checkpoint::Checkpoint;
use super::checkpoints::Checkpoints;
use super::rundir::RunDir;
use super::status::State;
use super::{Trainer, atomic};
use crate::error::{Error, Result};
use crate::recipe::Recipe;
use crate::task::Quick;
use std::path::Path;

/// A finished run, and where a longer one goes on.
pub(super) struct Shorter<'a> {
    run: &'a RunDir,
    checkpoint: Checkpoint,
}

impl<'a> Shorter<'a> {
    /// `run`, if it is a shorter run of the recipe of `trainer`.
    ///
    /// # Errors
    /// [`Error::Config`] or [`Error::Incompatible`] if it is not.
    pub fn new(run: &'a RunDir, trainer: &Trainer) -> Result<Self> {
        Ok(Self { run, checkpoint: check(run, trainer)? })
    }

    /// Puts what it left into the folder of the longer run, which has no checkpoint yet.
    pub fn put_into(&self, longer: &RunDir) -> Result<()> {
        let from = self.run;
        for entry in std::fs::read_dir(from.path()).map_err(|e| Error::io(from.path(), e))?.flatten() {
            let name = entry.file_name();
            if entry.path() == from.metrics() || name.to_string_lossy().starts_with("events.out") {
                copy(&entry.path(), &longer.path().join(name))?;
            }
        }
        let checkpoints = Checkpoints::new(longer.checkpoints(), None);
        let best = Checkpoints::new(from.checkpoints(), None).best();
        if best.exists() {
            copy(&best, &checkpoints.best())?;
        }
        // Last: as long as there is no checkpoint, a run has not begun.
        checkpoints.save(&self.checkpoint)?;
        longer.note(&format!("begins with what {} left", from.path().display()))
    }
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    atomic::write(to, std::fs::read(from).map_err(|e| Error::io(from, e))?)
}

/// The last checkpoint of `from`, as one of the longer run.
fn check(from: &RunDir, trainer: &Trainer) -> Result<Checkpoint> {
    let (place, recipe) = (from.path().display(), &trainer.recipe);
    let refused = |what: &str, hint: &str| Err(Error::config(format!("{place} {what}")).with_hint(hint));
    if from.status()?.state != State::Done {
        return refused("is not finished", "the same command goes on with it; --extend is for finished runs");
    }
    if apart_from_length(&Recipe::load(from.recipe())?) != apart_from_length(recipe) {
        return refused(
            "has another recipe",
            "only epochs, run.updates and run.patience may differ: bouton run RUN --extend task.….epochs=50",
        );
    }
    ends_without_trace(recipe)?;
    let Some(found) = Checkpoints::new(from.checkpoints(), None).newest()? else {
        return refused("has no checkpoint", "train it anew");
    };
    if found.step >= trainer.updates() {
        let (done, wanted) = (found.step, trainer.updates());
        let hint = "give it more epochs, or a larger run.updates";
        return refused(&format!("made {done} updates already, which are no less than {wanted}"), hint);
    }
    let position = trainer.task_stream.train.position(found.step.saturating_sub(1));
    if !position.ends_epoch {
        return refused("stopped within an epoch", "its last line is that of a part of an epoch: train anew");
    }
    let mut checkpoint = found.checkpoint;
    checkpoint.meta.insert("recipe".to_owned(), recipe.hash());
    Ok(checkpoint)
}

/// The recipe with everything that makes a run longer at its shortest.
fn apart_from_length(recipe: &Recipe) -> Recipe {
    let mut recipe = recipe.clone();
    let most = Quick { train: usize::MAX, test: usize::MAX, epochs: 1 };
    recipe.task.method_mut().quicken(most);
    (recipe.run.updates, recipe.run.patience) = (None, None);
    (recipe.name, recipe.about, recipe.cite) = (String::new(), String::new(), Vec::new());
    recipe
}

/// Refuses recipes where the end of a task changes what a longer one learns from.
fn ends_without_trace(recipe: &Recipe) -> Result<()> {
    let sequence = recipe.sequence.method().traits();
    let synapse = recipe.synapses().any(|(_, synapse)| synapse.method().traits().info.changes_at_task_end);
    let why = match () {
        () if sequence.several => "runs of several tasks",
        () if synapse => "runs whose synapses change when a task ends",
        () if recipe.continual.reset_optimiser => "runs that forget the optimiser's state when a task ends",
        () => return Ok(()),
    };
    Err(Error::incompatible(format!("--extend is not for {why}"), "train the longer run from the beginning"))
}
