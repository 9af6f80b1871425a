//! One measured point, to every place that keeps it: `metrics.jsonl` and TensorBoard's event file.

use super::metrics::{MetricsWriter, Record, read};
use super::rundir::RunDir;
use super::tensorboard::EventWriter;
use crate::error::Result;
use std::collections::BTreeMap;
use std::time::Instant;

/// The writers of a run.
#[derive(Debug)]
pub(super) struct Log {
    metrics: MetricsWriter,
    events: EventWriter,
    last: BTreeMap<String, BTreeMap<String, f64>>,
    started: Instant,
}

impl Log {
    /// Opens the files of `dir`, cut back to update `resumed` if the run goes on from there.
    pub fn open(dir: &RunDir, resumed: Option<u64>) -> Result<Self> {
        let metrics = MetricsWriter::open(&dir.metrics(), resumed)?;
        let kept = read(&dir.metrics())?.records;
        let last = kept.into_iter().map(|r| (r.split, r.values)).collect();
        Ok(Self { metrics, events: EventWriter::create(dir.path(), resumed)?, last, started: Instant::now() })
    }

    /// Writes one point and returns its record.
    pub fn write(
        &mut self,
        step: u64,
        epoch: u64,
        split: &str,
        values: BTreeMap<String, f64>,
    ) -> Result<Record> {
        let wall = self.metrics.wall() + self.started.elapsed().as_secs_f64();
        let record = Record { step, epoch, wall, split: split.to_owned(), values };
        self.metrics.write(&record)?;
        self.events.record(&record)?;
        self.last.insert(split.to_owned(), record.values.clone());
        Ok(record)
    }

    /// The last values of a split.
    pub fn last(&self, split: &str) -> Option<BTreeMap<String, f64>> {
        self.last.get(split).cloned()
    }
}
