//! Rectified linear units: s = max(0, d); the output population of such a network is linear.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Feed-forward rectified linear units (`[neuron.relu]`). No parameters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Relu {}
