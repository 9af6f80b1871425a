//! Softmax cross-entropy: ℓ = −ln softmax(o)_y.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Cross-entropy of the softmax of the readout (`[objective.softmax-cross-entropy]`). No parameters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct SoftmaxCrossEntropy {}
