//! Squared error: ℓ = ½‖s − y‖² with one-hot y.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// ½‖s − y‖² per sample (`[objective.squared-error]`). No parameters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct SquaredError {}
