//! The unit of work: one command line per point, which this program, a shell or a batch system can carry out.

use super::Point;
use bouton::Result;
use bouton::recipe::Recipe;
use bouton::train::{FoundRun, RunDir, RunOptions, find_run, shell};
use std::ffi::OsString;
use std::path::PathBuf;

/// What all points of a sweep have in common.
#[derive(Debug)]
pub(crate) struct Unit {
    /// The words that start this program.
    pub program: Vec<OsString>,
    /// The file of the recipe.
    pub recipe: PathBuf,
    /// Folder of run directories.
    pub out: PathBuf,
    /// Folder of data sets; none for the user's.
    pub data: Option<PathBuf>,
    /// Threads of each run.
    pub threads: usize,
    /// Whether points are trained anew, whatever runs there are.
    pub again: bool,
}

/// Where the work on a point stands.
pub(crate) enum Stand {
    /// Nothing is left to do: the finished run.
    Done(RunDir),
    /// Another process is writing this run.
    Busy(RunDir),
    /// It can go on, or begin.
    Left(Option<RunDir>),
}

impl Stand {
    /// The run of the point, if there is one.
    pub fn run(&self) -> Option<&RunDir> {
        match self {
            Self::Done(run) | Self::Busy(run) => Some(run),
            Self::Left(run) => run.as_ref(),
        }
    }
}

impl Unit {
    /// Threads of each of so many runs at once: as many as were asked for, or a share of the cores.
    pub fn share(threads: Option<u16>, jobs: u16, points: usize) -> usize {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let share = (cores / usize::from(jobs).min(points).max(1)).max(1);
        threads.map_or(share, usize::from)
    }

    /// What follows the program's name.
    pub fn words(&self, point: &Point) -> Vec<OsString> {
        let mut words: Vec<OsString> = vec!["run".into(), self.recipe.clone().into()];
        words.extend(point.overrides.iter().map(OsString::from));
        words.extend(["--out".into(), self.out.clone().into()]);
        if let Some(data) = &self.data {
            words.extend(["--data".into(), data.clone().into()]);
        }
        words.extend(["--threads".into(), self.threads.to_string().into()]);
        words.extend(self.again.then(|| "--again".into()));
        words
    }

    /// The command, for those who start it elsewhere.
    pub fn command(&self, point: &Point) -> Vec<String> {
        let words = self.words(point).into_iter().map(|word| word.to_string_lossy().into_owned());
        std::iter::once("bouton".into()).chain(words).collect()
    }

    /// The command line for a shell.
    pub fn line(&self, point: &Point) -> String {
        shell(&self.command(point))
    }

    /// Where `recipe` stands by its `runs`, the newest first: asked as its run would ask.
    ///
    /// # Errors
    /// Why its run would be refused.
    pub fn stand(&self, recipe: &Recipe, runs: Vec<RunDir>) -> Result<Stand> {
        if runs.is_empty() || self.again {
            return Ok(Stand::Left(None));
        }
        let options = RunOptions {
            data: self.data.clone(),
            build: crate::BUILD.map(Into::into),
            ..RunOptions::new(&self.out)
        };
        Ok(match find_run(recipe, &options, runs)? {
            FoundRun::Done(run) => Stand::Done(run),
            FoundRun::Unfinished(run) if run.idle().is_err() => Stand::Busy(run),
            FoundRun::Unfinished(run) => Stand::Left(Some(run)),
            FoundRun::Nothing => Stand::Left(None),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bouton::Error;

    #[test]
    fn a_command_line_can_be_given_to_a_shell() {
        let unit = Unit {
            program: Vec::new(),
            recipe: "my recipe.toml".into(),
            out: "runs".into(),
            data: Some("sets".into()),
            threads: 2,
            again: false,
        };
        let point = Point {
            overrides: vec!["seed=2".into(), "optim={sgd={lr=0.1}}".into()],
            keys: Vec::new(),
            hash: String::new(),
            recipe: Err(Error::config("")),
        };
        let line =
            "bouton run 'my recipe.toml' seed=2 'optim={sgd={lr=0.1}}' --out runs --data sets --threads 2";
        assert_eq!(unit.line(&point), line);
        assert_eq!(Unit { again: true, ..unit }.line(&point), format!("{line} --again"));
    }
}
