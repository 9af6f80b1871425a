//! Before a claim is run: its scaled-down version and how long the whole one will take.

use super::Claim;
use crate::Result;
use crate::recipe::Recipe;
use crate::task::{Images, Quick, SyntheticImages, TaskSpec};
use crate::train::Trainer;
use std::path::Path;
use std::time::Instant;

/// Batches that [`estimate`] asks to be timed.
pub const TIMED_BATCHES: u64 = 20;

/// Updates before the clock starts: caches and threads warm up, and weights get their packed form.
const WARM_UP: u64 = 2;

/// Bytes of images that are made up to see how long a run takes.
pub const MOST_MADE_UP: usize = 1 << 29;

/// What timing a few batches found.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Timing {
    /// Seconds of the timed batches.
    pub seconds: f64,
    /// How many batches were timed.
    pub batches: u64,
    /// Updates of the whole run.
    pub updates: u64,
}

/// How long one seed of a claim will take.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Estimate {
    /// Updates of the whole run.
    pub updates: u64,
    /// Seconds of training; testing after every epoch comes on top, about a tenth.
    pub seconds: f64,
}

/// The scaled-down version of `recipe`: at most 2,000 training and 500 test samples, at most 2 epochs
/// or 100 updates a task. It shows that
/// things work, never that a result is reproduced.
#[must_use]
pub fn quick(recipe: &Recipe) -> Recipe {
    let mut small = recipe.clone();
    small.continual.updates = recipe.continual.updates.map(|n| n.min(100));
    small.task.method_mut().quicken(Quick { train: 2000, test: 500, epochs: 2 });
    small
}

/// Extrapolates one seed of `claim` from [`TIMED_BATCHES`] batches, which `time` trains: usually [`time_batches`].
///
/// # Errors
/// Those of `time`, and of a recipe that cannot be read.
pub fn estimate(claim: &Claim, time: impl FnOnce(&Recipe, u64) -> Result<Timing>) -> Result<Estimate> {
    let timing = time(&claim.recipe()?, TIMED_BATCHES)?;
    let seconds = timing.seconds / timing.batches.max(1) as f64 * timing.updates as f64;
    Ok(Estimate { updates: timing.updates, seconds })
}

/// `recipe` on made-up images of the shape and number of its data set's, for the time that it takes where the data are not; none
/// if it is about no images, about several sets, or about more than [`MOST_MADE_UP`] bytes of them.
#[must_use]
pub fn made_up(recipe: &Recipe) -> Option<Recipe> {
    let (set, shown) = (recipe.task.method().set()?, recipe.task.shown());
    let (shape, classes) = recipe.task.shape();
    let train = shown.train.unwrap_or(set.train);
    let bytes = train.checked_mul(shape.iter().product())?;
    if !recipe.sequence.method().sets().is_empty() || bytes > MOST_MADE_UP {
        return None;
    }
    let Images { batch, epochs, validation, .. } = shown;
    let task = SyntheticImages { shape, classes, train, validation, test: 2 * classes, batch, epochs };
    Some(Recipe { task: TaskSpec::Synthetic(task), ..recipe.clone() })
}

/// Trains the first `batches` batches of `recipe`, or as many as it has, with data from `folder` (default: the user's) and
/// throws them away.
///
/// # Errors
/// Those of [`Trainer::new`] and [`Trainer::learn`].
pub fn time_batches(recipe: &Recipe, batches: u64, folder: Option<&Path>) -> Result<Timing> {
    let mut trainer = Trainer::new(recipe, folder)?;
    let updates = trainer.updates();
    let warm_up = WARM_UP.min(updates.saturating_sub(1));
    let batches = batches.min(updates - warm_up);
    for _ in 0..warm_up {
        trainer.learn()?;
    }
    let clock = Instant::now();
    for _ in 0..batches {
        trainer.learn()?;
    }
    Ok(Timing { seconds: clock.elapsed().as_secs_f64(), batches, updates })
}
