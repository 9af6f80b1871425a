//! Where the command line meets the engines of the library. Each function here is one call.

use bouton::recipe::Recipe;
use bouton::train::{Observer, RunDir};
use bouton::{Error, Result};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// How `bouton run` was called.
pub struct RunOptions<'a> {
    /// Folder of run directories.
    pub out: PathBuf,
    /// Folder of data sets; default: the user's.
    pub data: Option<PathBuf>,
    /// Run again although a finished run of this recipe is there.
    pub again: bool,
    /// Asked after every update: whether to checkpoint and stop.
    pub interrupt: &'a dyn Fn() -> bool,
    /// The command line, for provenance.
    pub command: Vec<String>,
}

/// How a run ended.
pub enum Outcome {
    /// All updates are done.
    Finished {
        /// Its directory.
        run: PathBuf,
        /// The last test metrics.
        values: BTreeMap<String, f64>,
    },
    /// A finished run of the same recipe was there already.
    AlreadyDone {
        /// Its directory.
        run: PathBuf,
    },
}

/// Trains.
pub fn run(_: &Recipe, _: &RunOptions<'_>, _: &mut dyn Observer) -> Result<Outcome> {
    Err(Error::config("training is not part of this build"))
}

/// Writes the report of a run and returns its path.
pub fn report(_: &RunDir) -> Result<PathBuf> {
    Err(Error::config("reports are not part of this build"))
}

/// One row of the table that `check` prints.
pub struct Property {
    /// What is claimed.
    pub name: String,
    /// What was measured, or why it does not apply.
    pub finding: String,
    /// Whether it holds; absent if it does not apply.
    pub passed: Option<bool>,
}

/// Checks what theory says about a recipe.
pub fn check(_: &Recipe, _: Option<&Path>) -> Result<Vec<Property>> {
    Err(Error::config("checks are not part of this build"))
}

/// What `reproduce` was asked for.
pub struct Reproduction {
    /// Folder name below `recipes/`.
    pub paper: String,
    /// Only this claim.
    pub claim: Option<String>,
    /// Seeds per claim.
    pub seeds: usize,
    /// A scaled-down version that never counts.
    pub quick: bool,
    /// Only tell what would be done.
    pub dry_run: bool,
    /// Folder of run directories.
    pub out: PathBuf,
    /// Folder of data sets.
    pub data: Option<PathBuf>,
}

/// Compares the claims of a paper with own runs.
pub fn reproduce(_: &Reproduction) -> Result<()> {
    Err(Error::config("reproduction is not part of this build"))
}
