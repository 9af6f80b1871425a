//! How a weight takes an update.

mod plain;

pub use plain::Plain;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The synapse axis of a recipe: `[synapse.<name>]`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum SynapseSpec {
    /// A real number that takes every proposal as it is.
    Plain(Plain),
}

impl Default for SynapseSpec {
    fn default() -> Self {
        Self::Plain(Plain::default())
    }
}
