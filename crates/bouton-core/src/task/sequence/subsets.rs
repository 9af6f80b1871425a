//! The training set cut into parts that are seen one after the other; one test set, no task boundaries.

use super::{SequenceMethod, SequenceSpec, SequenceTraits};
use crate::axis::{Cite, Place};
use crate::error::Result;
use crate::task::{Dataset, Part, TaskSpec};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// A training set in parts (`[sequence.subsets]`).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Subsets {
    /// Number of parts, of equal size, in file order.
    #[schemars(extend(
        "minimum" = 1, "maximum" = 1_000_000_000,
        "x-hint" = "60 parts of MNIST have 1,000 samples each"
    ))]
    pub parts: usize,
}

impl SequenceMethod for Subsets {
    fn check(&self, at: &Place, task: &TaskSpec) -> Result<()> {
        let samples = task.samples();
        let need = format!("from 1 to {samples}, the training samples");
        let hint = "60 parts of MNIST have 1,000 samples each";
        at.require(self.parts <= samples, "parts", self.parts, &need, hint)
    }

    fn cites(&self) -> Vec<Cite> {
        Vec::new()
    }

    fn traits(&self) -> SequenceTraits {
        SequenceTraits { ends: false, pieces: Some(self.parts), ..SequenceTraits::TASKS }
    }

    fn widths(&self, classes: usize) -> Vec<usize> {
        vec![classes]
    }

    fn shape(&self, shape: [usize; 3]) -> [usize; 3] {
        shape
    }

    fn parts(&self, sets: &[Arc<Dataset>], _: u64) -> Vec<Part> {
        vec![Part::whole(sets[0].clone())]
    }

    fn order_bytes(&self, _: u128) -> u128 {
        128 * self.parts as u128
    }

    fn smoke(&self) -> SequenceSpec {
        SequenceSpec::Subsets(Self { parts: self.parts.min(2) })
    }

    fn examples() -> Vec<Self> {
        vec![Self { parts: 3 }]
    }
}
