//! Coupled learning (Stern et al. 2021): the output is clamped at o* − β ∂ℓ/∂o and the hidden units settle again.

use super::Nudge;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Coupled learning (`[credit.coupled-learning]`).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct CoupledLearning {
    /// How far the clamp moves from the free output towards the target, β > 0.
    pub beta: f64,
    /// Which phases are contrasted.
    #[serde(default)]
    pub nudge: Nudge,
    /// Most sweeps of the free phase.
    pub free_steps: usize,
    /// Most sweeps of each clamped phase.
    pub nudged_steps: usize,
}
