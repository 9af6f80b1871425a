//! Who is connected to whom, with which three kernels (forward, pull to input, pull to weight).

mod dense;
mod identity;

pub use dense::{BiasInit, Dense, FeedbackSpec, Init, PerLayer};
pub use identity::Identity;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The wiring axis of a recipe: `[wiring.<name>]`, used between successive layers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum WiringSpec {
    /// Every unit to every unit.
    Dense(Dense),
}

impl Default for WiringSpec {
    fn default() -> Self {
        Self::Dense(Dense::default())
    }
}
