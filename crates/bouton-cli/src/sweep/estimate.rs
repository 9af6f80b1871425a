//! What a sweep will take, and what that is known from.

use super::Point;
use bouton::claims::{TIMED_BATCHES, time_batches};
use bouton::recipe::Recipe;
use bouton::train::Entry;
use bouton::{Error, Result};
use std::path::Path;

/// How long one point takes.
pub(crate) struct Estimate {
    /// Seconds of a point.
    pub seconds: f64,
    /// What the number rests on.
    pub basis: String,
}

impl Estimate {
    /// The mean of the finished runs of the same sweep; none if there are none.
    pub fn of_finished(runs: &[&Entry]) -> Option<Self> {
        let seconds = runs.iter().map(|run| run.wall).sum::<f64>() / runs.len() as f64;
        let basis = match runs.len() {
            1 => "what the finished point took".into(),
            n => format!("the mean of {n} finished points"),
        };
        (!runs.is_empty()).then_some(Self { seconds, basis })
    }

    /// The first updates of `recipe` on `threads` threads, timed and thrown away.
    ///
    /// # Errors
    /// Those of the updates, [`Error::DataMissing`] among them.
    pub fn timed(recipe: &Recipe, threads: usize, data: Option<&Path>) -> Result<Self> {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
        let pool = pool.map_err(|e| Error::config(format!("cannot start {threads} threads: {e}")))?;
        let timing = pool.install(|| time_batches(recipe, TIMED_BATCHES, data))?;
        let seconds = timing.seconds / timing.batches.max(1) as f64 * timing.updates as f64;
        let basis = format!("timed updates of the first: {}; tests come on top", timing.batches);
        Ok(Self { seconds, basis })
    }
}

/// Bytes that training the largest of `points` holds at least.
pub(crate) fn memory<'a>(points: impl Iterator<Item = &'a Point>) -> u64 {
    points.filter_map(Point::memory).max().unwrap_or(0)
}

impl Point {
    /// Bytes that training it holds at least; none if it is refused.
    pub fn memory(&self) -> Option<u64> {
        let memory = self.recipe.as_ref().ok()?.memory().ok()?;
        Some(memory.total())
    }
}
