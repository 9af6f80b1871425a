//! Recurrent backpropagation: λ = ∂ℓ/∂s + Jᵀλ at the free fixed point (Almeida 1987, Pineda 1987).
//!
//! The adjoint iteration is BPTT through sweeps that all stand at the fixed point: one recorded sweep, walked back
//! again and again.

use super::bptt::Unroll;
use crate::solver::Solver;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Recurrent backpropagation (`[credit.recurrent-backprop]`).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct RecurrentBackprop {
    /// Most sweeps of the free phase.
    #[schemars(extend(
        "minimum" = 1, "maximum" = 10_000_000,
        "x-hint" = "a phase needs sweeps; 20 free and 4 nudged ones are a start"
    ))]
    pub free_steps: usize,
    /// Iterations of the adjoint.
    #[schemars(extend(
        "minimum" = 1, "maximum" = 10_000_000,
        "x-hint" = "a phase needs sweeps; 20 free and 4 nudged ones are a start"
    ))]
    pub adjoint_steps: usize,
}

impl RecurrentBackprop {
    pub(super) fn rule(&self, solver: Solver) -> Unroll {
        Unroll {
            solver: solver.reversed(),
            free: self.free_steps.saturating_sub(1),
            recorded: 1,
            repeat: self.adjoint_steps,
        }
    }
}
