//! The whole sample at every step: a constant current.

use super::{EncoderMethod, Steps, fill};
use crate::axis::Cite;
use crate::rng::Key;
use bouton_kernels::{View, ViewMut, add_rows, dispatch};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The whole sample at every step (`[encoder.constant]`).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Constant {
    /// Number of steps.
    #[schemars(extend("minimum" = 1, "maximum" = 10_000_000, "x-hint" = "4 to 100 are usual"))]
    pub steps: usize,
}

impl EncoderMethod for Constant {
    fn cites(&self) -> Vec<Cite> {
        Vec::new()
    }

    fn shown(&self, own: Steps) -> Option<Steps> {
        (own.steps == 1).then_some(Steps { steps: self.steps, ..own })
    }

    fn spikes(&self, samples: bool) -> bool {
        samples
    }

    fn encode(&self, _: Steps, x: View<'_>, _: &dyn Fn(usize) -> Key, out: ViewMut<'_>) {
        dispatch!(x.dtype(), T => fill::<T>(x, out, |_, _, x| x));
    }

    fn send_back(&self, _: Steps, g: View<'_>, mut to: ViewMut<'_>) -> bool {
        let samples = to.rows();
        for t in 0..self.steps {
            add_rows(to.reborrow(), g.rows_range(t * samples..(t + 1) * samples));
        }
        true
    }

    fn examples() -> Vec<Self> {
        vec![Self { steps: 3 }]
    }
}
