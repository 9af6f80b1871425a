//! The plain synapse: w ← w + Δ.

use super::Scalar;
use bouton_kernels::Real;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A real-valued weight (`[synapse.plain]`). No parameters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Plain {}

impl Scalar<0> for Plain {
    #[inline(always)]
    fn take<T: Real>(&self, delta: T, weight: T, _: [T; 0]) -> (T, [T; 0]) {
        (weight + delta, [])
    }
}
