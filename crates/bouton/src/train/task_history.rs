//! What a run knows about its tasks: the accuracies after each, and each task's own normalisation.

use super::forgetting;
use crate::error::{Error, Result};
use crate::network::{Network, Visitor};
use bouton_kernels::Mat;
use std::collections::BTreeMap;

/// Accuracies on every task after every task, and the normalisations that tasks were left with.
#[derive(Clone, Debug, Default)]
pub struct TaskHistory {
    /// Accuracy on every task before training; empty if it was not measured.
    pub baseline: Vec<f64>,
    /// R: one row per finished task, one column per task; NaN where a task was not tested.
    pub rows: Vec<Vec<f64>>,
    /// Normalisation of each finished task ([`Network::norms`]), where tasks have their own.
    pub norms: Vec<Vec<Mat>>,
}

impl TaskHistory {
    /// The metrics of [`forgetting::summary`].
    pub fn summary(&self) -> BTreeMap<String, f64> {
        let baseline = (!self.baseline.is_empty()).then_some(&self.baseline[..]);
        forgetting::summary(&self.rows, baseline)
    }

    pub(super) fn visit(&mut self, visitor: &mut Visitor<'_>) -> Result<()> {
        for (task, mats) in self.norms.iter_mut().enumerate() {
            for (k, mat) in mats.iter_mut().enumerate() {
                visitor(&format!("task.{task}.norm.{k}"), mat)?;
            }
        }
        Ok(())
    }

    /// Everything but the matrices, as text that reads back to the same bits.
    pub(super) fn to_text(&self) -> String {
        let row = |r: &Vec<f64>| r.iter().map(|x| format!("{x:?}")).collect::<Vec<_>>().join(" ");
        let rows = std::iter::once(&self.baseline).chain(&self.rows).map(row);
        format!("{}\n{}", self.norms.len(), rows.collect::<Vec<_>>().join("\n"))
    }

    /// The inverse of [`TaskHistory::to_text`] in a run of `tasks` tasks; the matrices have the right shapes and wait to be
    /// filled.
    pub(super) fn from_text(text: &str, network: &Network, tasks: usize) -> Result<Self> {
        let bad = || Error::checkpoint("the accuracies of the finished tasks are garbled");
        let mut lines = text.split('\n');
        let norms = lines.next().and_then(|n| n.parse().ok()).filter(|n| *n <= tasks).ok_or_else(bad)?;
        let row = |line: &str| {
            line.split_whitespace().map(str::parse).collect::<std::result::Result<Vec<f64>, _>>()
        };
        let mut rows = lines.map(row).collect::<std::result::Result<Vec<_>, _>>().map_err(|_| bad())?;
        if rows.is_empty() {
            return Err(bad());
        }
        let baseline = rows.remove(0);
        Ok(Self { baseline, rows, norms: vec![network.norms(); norms] })
    }
}
