//! What the training loop tells whoever watches: a progress bar, a dashboard, a test.

use super::metrics::Record;
use crate::objective::Metric;
use std::collections::BTreeMap;
use std::path::Path;

/// Something that happened during a run.
#[derive(Clone, Copy, Debug)]
pub enum Event<'a> {
    /// Training is about to begin or to go on.
    Start {
        /// The run directory, if one is written.
        run: Option<&'a Path>,
        /// Updates done by an earlier process whose checkpoint this run goes on from.
        resumed_at: Option<u64>,
        /// Updates of the whole run.
        updates: u64,
        /// Epochs of the whole run.
        epochs: usize,
        /// Training samples.
        samples: usize,
        /// Weights and biases.
        parameters: usize,
    },
    /// The weights have moved once.
    Update {
        /// Updates done so far.
        update: u64,
        /// Updates of the whole run.
        updates: u64,
        /// Epochs completed so far.
        epoch: usize,
        /// Mean loss per sample of the batch, before the update.
        loss: f64,
        /// The metric by which networks are compared, of the batch, before the update; none if nothing was compared.
        score: Option<(&'static Metric, f64)>,
    },
    /// A point was written to `metrics.jsonl`.
    Metrics {
        /// The point.
        record: &'a Record,
    },
    /// A checkpoint was written.
    Checkpoint {
        /// Its file.
        path: &'a Path,
        /// Updates done so far.
        update: u64,
    },
    /// Something worth reading once.
    Note {
        /// One line.
        text: &'a str,
    },
    /// All updates are done.
    Finish {
        /// Updates of the whole run.
        updates: u64,
        /// Seconds of work of this process.
        wall: f64,
        /// The last test metrics.
        values: &'a BTreeMap<String, f64>,
    },
}

/// Whoever watches a run. Called on the training thread: return soon.
pub trait Observer {
    /// Takes note of `event`.
    fn on(&mut self, event: &Event<'_>);
}

/// Watches nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct Silent;

impl Observer for Silent {
    fn on(&mut self, _: &Event<'_>) {}
}

impl<F: FnMut(&Event<'_>)> Observer for F {
    fn on(&mut self, event: &Event<'_>) {
        self(event);
    }
}
