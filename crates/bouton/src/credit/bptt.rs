//! Backpropagation through time: the exact gradient of ℓ(s(T)) through the sweeps of a settling network.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Backpropagation through time (`[credit.bptt]`).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Bptt {
    /// Sweeps T from zero to the outcome.
    pub steps: usize,
    /// Last sweeps the gradient goes through ("truncated", TBP). Default: all.
    #[serde(default)]
    pub truncate: Option<usize>,
}
