//! The same images with pixels in another order for every task.

use super::{SequenceMethod, SequenceSpec, SequenceTraits};
use crate::axis::{Cite, Place};
use crate::error::Result;
use crate::rng::Key;
use crate::task::part::{InputTransform, order};
use crate::task::{Dataset, Part, TaskSpec};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// Permuted pixels (`[sequence.permuted]`).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Permuted {
    /// Number of tasks.
    #[schemars(extend("minimum" = 1, "maximum" = 100_000, "x-hint" = "10 is usual"))]
    pub tasks: usize,
    /// Rows and columns of zeros put around every image before its pixels are permuted. Default 0.
    #[serde(default)]
    #[schemars(extend("minimum" = 0, "maximum" = 64, "x-hint" = "2 turns 28×28 into 32×32"))]
    pub pad: usize,
    /// Leave the first task's pixels in place. Default false: every task is permuted.
    #[serde(default)]
    pub first_identity: bool,
}

impl SequenceMethod for Permuted {
    fn check(&self, _: &Place, _: &TaskSpec) -> Result<()> {
        Ok(())
    }

    fn cites(&self) -> Vec<Cite> {
        vec![Cite::setting("vandeven2019", "scenarios of continual learning")]
    }

    fn traits(&self) -> SequenceTraits {
        SequenceTraits { keeps_places: false, ..SequenceTraits::TASKS }
    }

    fn widths(&self, classes: usize) -> Vec<usize> {
        vec![classes; self.tasks]
    }

    fn shape(&self, [c, h, w]: [usize; 3]) -> [usize; 3] {
        [c, h + 2 * self.pad, w + 2 * self.pad]
    }

    fn parts(&self, sets: &[Arc<Dataset>], seed: u64) -> Vec<Part> {
        // Tasks share the list of samples.
        let whole = Part::whole(sets[0].clone());
        let seen =
            |order| Part { transform: InputTransform::Permuted { pad: self.pad, order }, ..whole.clone() };
        let pixels = seen(None).features();
        let of = |t: usize| {
            let permuted = t > 0 || !self.first_identity;
            permuted.then(|| Arc::new(order(pixels, &Key::new(seed).of("pixels", t as u64))))
        };
        (0..self.tasks).map(|t| seen(of(t))).collect()
    }

    fn order_bytes(&self, pixels: u128) -> u128 {
        8 * self.tasks as u128 * pixels
    }

    fn smoke(&self) -> SequenceSpec {
        SequenceSpec::Permuted(self.clone())
    }

    fn examples() -> Vec<Self> {
        vec![
            Self { tasks: 3, pad: 1, first_identity: true },
            Self { tasks: 2, pad: 0, first_identity: false },
        ]
    }
}
