//! Recurrent backpropagation: λ = ∂ℓ/∂s + Jᵀλ at the free fixed point (Almeida 1987, Pineda 1987).
//!
//! The adjoint iteration is BPTT through sweeps that all stand at the fixed point: one recorded sweep, walked back
//! again and again.

use super::bptt::BpttRule;
use super::{Credit, CreditMethod, CreditNeeds};
use crate::axis::{Cite, Place};
use crate::error::Result;
use crate::network::Network;
use crate::neuron::UnitDynamics;
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
    pub(super) fn rule(&self, solver: Solver) -> BpttRule {
        BpttRule {
            solver: solver.reversed(),
            free: self.free_steps.saturating_sub(1),
            recorded: 1,
            repeat: self.adjoint_steps,
        }
    }
}

impl CreditMethod for RecurrentBackprop {
    fn check(&self, _: &Place) -> Result<()> {
        Ok(())
    }

    fn cites(&self) -> Vec<Cite> {
        vec![Cite::of("almeida1987"), Cite::of("pineda1987")]
    }

    fn needs(&self) -> CreditNeeds {
        CreditNeeds::gradient(UnitDynamics::Settling)
    }

    fn steps_mut(&mut self) -> Vec<&mut usize> {
        vec![&mut self.free_steps, &mut self.adjoint_steps]
    }

    fn copies(&self) -> usize {
        8
    }

    fn examples() -> Vec<Self> {
        vec![Self { free_steps: 200, adjoint_steps: 200 }]
    }

    fn build(&self, solver: Solver, _: &Network, _: usize) -> Box<dyn Credit> {
        Box::new(self.rule(solver))
    }
}
