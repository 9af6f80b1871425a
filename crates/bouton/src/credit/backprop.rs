//! Backpropagation through a feed-forward network (Rumelhart, Hinton & Williams 1986): BPTT of one sweep.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Backpropagation (`[credit.backprop]`). No parameters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Backprop {}
