//! The plain synapse: w ← w + Δ.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A real-valued weight (`[synapse.plain]`). No parameters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Plain {}
