//! The plain synapse: w ← w + Δ.

use super::{Draw, Scalar};
use bouton_kernels::Real;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A real-valued weight (`[synapse.plain]`). No parameters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Plain {}

impl Scalar<1> for Plain {
    const STATE: &'static [&'static str] = &[];

    #[inline(always)]
    fn begin<T: Real>(&self, drawn: T, _: Draw) -> [T; 1] {
        [drawn]
    }

    #[inline(always)]
    fn take<T: Real>(&self, delta: T, [weight]: [T; 1], _: Draw) -> [T; 1] {
        [weight + delta]
    }
}
