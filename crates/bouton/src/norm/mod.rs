//! Normalisation of a population's drive, before its units see it.

mod batch;

pub use batch::{BatchNorm, Norm, Normalised, Statistics};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The normalisation of a recipe: `[norm.<name>]`, for every population but the input.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum NormSpec {
    /// Drives as they are.
    #[default]
    None,
    /// Batch normalisation (Ioffe & Szegedy 2015).
    Batch(BatchNorm),
}
