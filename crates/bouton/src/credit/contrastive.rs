//! Contrastive learning (Movellan 1991): a free phase against a phase with the output clamped to the target.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Contrastive learning (`[credit.contrastive-learning]`): coupled learning with β = 1.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct ContrastiveLearning {
    /// Most sweeps of the free phase.
    pub free_steps: usize,
    /// Most sweeps of the clamped phase.
    pub nudged_steps: usize,
}
