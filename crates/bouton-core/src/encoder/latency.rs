//! Time to first spike: a value x in (0, 1] sends one spike at step (T − 1)(1 − x), rounded; nothing comes of a zero.

use super::{EncoderMethod, Steps, fill};
use crate::axis::Cite;
use crate::rng::Key;
use bouton_kernels::{View, ViewMut, dispatch};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One spike, the earlier the larger the value (`[encoder.latency]`).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Latency {
    /// Number of steps T.
    #[schemars(extend("minimum" = 1, "maximum" = 10_000_000, "x-hint" = "25 to 100 are usual"))]
    pub steps: usize,
}

impl EncoderMethod for Latency {
    fn cites(&self) -> Vec<Cite> {
        Vec::new()
    }

    fn shown(&self, own: Steps) -> Option<Steps> {
        (own.steps == 1).then_some(Steps { steps: self.steps, ..own })
    }

    fn spikes(&self, _: bool) -> bool {
        true
    }

    fn encode(&self, _: Steps, x: View<'_>, _: &dyn Fn(usize) -> Key, out: ViewMut<'_>) {
        let last = (self.steps - 1) as f64;
        let spikes = |t: usize, x: f64| x > 0.0 && (last * (1.0 - x.min(1.0))).round() == t as f64;
        dispatch!(x.dtype(), T => fill::<T>(x, out, |_, t, x| f64::from(u8::from(spikes(t, x)))));
    }

    fn send_back(&self, _: Steps, _: View<'_>, _: ViewMut<'_>) -> bool {
        false
    }

    fn examples() -> Vec<Self> {
        vec![Self { steps: 6 }]
    }
}
