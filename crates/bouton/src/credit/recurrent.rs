//! Recurrent backpropagation: λ = ∂ℓ/∂s + Jᵀλ at the free fixed point (Almeida 1987, Pineda 1987).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Recurrent backpropagation (`[credit.recurrent-backprop]`).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct RecurrentBackprop {
    /// Most sweeps of the free phase.
    pub free_steps: usize,
    /// Iterations of the adjoint.
    pub adjoint_steps: usize,
}
