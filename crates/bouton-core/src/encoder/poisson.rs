//! Rate coding: at every step a value x sends a spike with probability min(rate·x, 1), each step and sample for itself.

use super::{EncoderMethod, Steps, fill};
use crate::axis::Cite;
use crate::rng::{Key, Stream};
use bouton_kernels::{View, ViewMut, dispatch};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Spikes at random (`[encoder.poisson]`). In training they are drawn anew every time a sample is seen; in tests they are those of
/// the sample.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Poisson {
    /// Number of steps.
    #[schemars(extend("minimum" = 1, "maximum" = 10_000_000, "x-hint" = "25 to 100 are usual"))]
    pub steps: usize,
    /// Spikes per step of a value of 1. Default 1.
    #[serde(default = "one")]
    #[schemars(extend("exclusiveMinimum" = 0, "maximum" = 1e6, "x-hint" = "0.1 to 1 are usual"))]
    pub rate: f64,
}

fn one() -> f64 {
    1.0
}

impl EncoderMethod for Poisson {
    fn cites(&self) -> Vec<Cite> {
        Vec::new()
    }

    fn shown(&self, own: Steps) -> Option<Steps> {
        (own.steps == 1).then_some(Steps { steps: self.steps, ..own })
    }

    fn spikes(&self, _: bool) -> bool {
        true
    }

    fn encode(&self, _: Steps, x: View<'_>, key: &dyn Fn(usize) -> Key, out: ViewMut<'_>) {
        let mut draws: Vec<Stream> = (0..x.rows()).map(|r| key(r).stream()).collect();
        let mut spikes = |sample: usize, x: f64| draws[sample].uniform() < self.rate * x;
        dispatch!(x.dtype(), T => fill::<T>(x, out, |sample, _, x| f64::from(u8::from(spikes(sample, x)))));
    }

    fn send_back(&self, _: Steps, _: View<'_>, _: ViewMut<'_>) -> bool {
        false
    }

    fn examples() -> Vec<Self> {
        vec![Self { steps: 5, rate: 0.5 }]
    }
}
