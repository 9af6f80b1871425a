//! Limits that a recipe sets to a run, for those who feed a learner by hand.

use crate::optim::UpdateSpec;
use crate::recipe::{Recipe, RunSpec};
use crate::task::{ContinualSpec, Images};

/// Keys of a recipe that hand-fed learning has to heed where a run heeds them elsewhere.
pub(super) struct RunLimits {
    /// Most updates of the run, and of a task.
    pub run: Option<u64>,
    pub task: Option<u64>,
    /// Whether a run varies images.
    pub augmented: bool,
    /// Batches of an update.
    pub batches: usize,
}

impl RunLimits {
    /// Every key of the tables that are about more than the learner itself is named, so that a new one is decided on here.
    pub fn of(recipe: &Recipe) -> Self {
        let Recipe {
            // Words.
            name: _,
            about: _,
            cite: _,
            // What a learner is made of, and does by itself.
            seed: _,
            precision: _,
            signs: _,
            encoder: _,
            time: _,
            network: _,
            population: _,
            connection: _,
            neuron: _,
            norm: _,
            wiring: _,
            synapse: _,
            anchor: _,
            objective: _,
            credit: _,
            solver: _,
            optim: _,
            // Factors by the epoch that is told.
            schedule: _,
            // Done by the learner, except for batches that wait for others.
            update,
            // Tasks that begin and end when told.
            sequence: _,
            continual,
            task,
            run,
        } = recipe;
        let augmented = varies(&task.shown());
        let batches = gathered(update);
        Self { run: updates(run), task: updates_of_a_task(continual), augmented, batches }
    }
}

/// Most updates of a run.
fn updates(run: &RunSpec) -> Option<u64> {
    let RunSpec {
        updates,
        // Done when the learner is made.
        from: _,
        // Done by the learner.
        test_draws: _,
        train_draws: _,
        // About what a run measures and writes.
        checkpoint_every: _,
        keep_checkpoints: _,
        log_every: _,
        test_every: _,
        patience: _,
        flip_samples: _,
    } = run;
    *updates
}

/// Batches of an update.
fn gathered(update: &UpdateSpec) -> usize {
    let UpdateSpec {
        accumulate: _,
        // Done by the learner.
        clip_norm: _,
        clip_value: _,
        warm_up: _,
    } = update;
    update.batches()
}

/// Most updates of a task.
fn updates_of_a_task(continual: &ContinualSpec) -> Option<u64> {
    let ContinualSpec {
        updates,
        // Done by the learner, and here.
        scenario: _,
        joint: _,
        reset_optimiser: _,
        replay: _,
        // About what a run measures.
        recent: _,
    } = continual;
    *updates
}

/// Whether a run varies images.
fn varies(images: &Images) -> bool {
    let Images {
        shift,
        flip,
        // Heeded by an epoch.
        batch: _,
        shuffle: _,
        // Which samples, how often, and what they look like: the caller has them.
        epochs: _,
        train: _,
        validation: _,
        test: _,
        pixels: _,
        pad: _,
        size: _,
        normalise: _,
    } = images;
    *shift > 0 || *flip
}
