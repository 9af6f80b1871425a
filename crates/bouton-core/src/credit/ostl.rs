//! OSTL: online spatio-temporal learning (Bohnstingl et al. 2022).
//!
//!   ε_t = (∂h_t/∂h_{t−1}) ε_{t−1} + (∂h_t/∂d_t) s_{t−delay} within each population, connections with itself included,
//!   ∂ℓ/∂W ≈ Σ_t (∂ℓ_t/∂s_t) (∂s_t/∂h_t) ε_t with ∂ℓ_t/∂s_t by backpropagation within the step.
//!
//! Space and time are parted: what a population remembers counts for its own weights, and only what happens within a step comes
//! down to it from those above. For one population, however it is joined with itself, it is the gradient itself. On units whose
//! gradient doesn't go by way of the reset and without such connections it is OTTT (Xiao et al. 2022).

use super::through_time::ThroughTime;
use super::{Credit, CreditMethod, CreditNeeds};
use crate::axis::{Cite, Place};
use crate::error::Result;
use crate::network::{Network, Path};
use crate::neuron::UnitDynamics;
use crate::solver::Solver;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Online spatio-temporal learning (`[credit.ostl]`). No parameters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Ostl {}

impl CreditMethod for Ostl {
    fn check(&self, _: &Place) -> Result<()> {
        Ok(())
    }

    fn cites(&self) -> Vec<Cite> {
        vec![Cite::of("bohnstingl2022")]
    }

    fn needs(&self) -> CreditNeeds {
        CreditNeeds { exact: false, ..CreditNeeds::gradient(UnitDynamics::Stepping) }
    }

    fn steps_mut(&mut self) -> Vec<&mut usize> {
        Vec::new()
    }

    fn copies(&self) -> usize {
        4
    }

    fn examples() -> Vec<Self> {
        vec![Self {}]
    }

    fn build(&self, _: Solver, _: &Network, _: usize) -> Box<dyn Credit> {
        Box::new(ThroughTime::whole(Path::OSTL))
    }
}
