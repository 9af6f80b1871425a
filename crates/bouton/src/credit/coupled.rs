//! Coupled learning (Stern et al. 2021): the output is clamped at o* − β ∂ℓ/∂o and the hidden units settle again.

use super::memory::Memory;
use super::{Contrast, Nudge};
use crate::solver::Solver;
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

impl CoupledLearning {
    pub(super) fn rule(&self, solver: Solver) -> Contrast {
        Contrast {
            nudge: self.nudge,
            beta: self.beta,
            clamp: true,
            corrected: false,
            free_steps: self.free_steps,
            nudged_steps: self.nudged_steps,
            solver,
            memory: Memory::default(),
        }
    }
}
