//! Phase coding (Kim et al. 2018, "weighted spikes"): a value in [0, 1] as a binary number of `period` digits, the first digit first, and
//! again from the start when the period is over.
//!
//!   q = min(⌊x·2^K⌋, 2^K − 1),  shown at step t: b_k·2^−(1+k),  k = t mod K,  b_k the digit k of q
//!
//! A spike is shown with the weight of its phase, so that what is shown over a period adds up to q/2^K. Values below 0 count as 0.

use super::{EncoderMethod, Steps, fill};
use crate::axis::Cite;
use crate::rng::Key;
use bouton_kernels::{View, ViewMut, dispatch};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Digits of a value, one a step, each with its weight (`[encoder.phase]`).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Phase {
    /// Number of steps.
    #[schemars(extend("minimum" = 1, "maximum" = 10_000_000, "x-hint" = "whole periods: 8, 16, 24"))]
    pub steps: usize,
    /// Steps of a period, digits K of a value. Default 8.
    #[serde(default = "eight")]
    #[schemars(extend("minimum" = 1, "maximum" = 24, "x-hint" = "8, the digits of a pixel"))]
    pub period: usize,
}

fn eight() -> usize {
    8
}

impl Phase {
    /// What is shown of `x` at step `t`.
    fn at(self, t: usize, x: f64) -> f64 {
        let (all, k) = (1_u32 << self.period, t % self.period);
        // Truncated, and 0 for anything below.
        let q = ((x * f64::from(all)) as u32).min(all - 1);
        f64::from(q >> (self.period - 1 - k) & 1) / f64::from(2_u32 << k)
    }
}

impl EncoderMethod for Phase {
    fn cites(&self) -> Vec<Cite> {
        vec![Cite::of("kim2018")]
    }

    fn shown(&self, own: Steps) -> Option<Steps> {
        (own.steps == 1).then_some(Steps { steps: self.steps, ..own })
    }

    fn spikes(&self, samples: bool) -> bool {
        samples
    }

    fn encode(&self, _: Steps, x: View<'_>, _: &dyn Fn(usize) -> Key, out: ViewMut<'_>) {
        dispatch!(x.dtype(), T => fill::<T>(x, out, |_, t, x| self.at(t, x)));
    }

    fn send_back(&self, _: Steps, _: View<'_>, _: ViewMut<'_>) -> bool {
        false
    }

    fn examples() -> Vec<Self> {
        vec![Self { steps: 8, period: 4 }]
    }
}
