//! SnAp-1: the sparse one-step approximation of real-time recurrent learning (Menick et al. 2021).
//!
//!   ε_t = (∂h_t/∂h_{t−1} + w_ii ∂h_t/∂d_t ∂s_{t−1}/∂h_{t−1}) ε_{t−1} + (∂h_t/∂d_t) s_{t−delay}
//!
//! A trace stays where its weight has an effect within one step: in the unit that it leads to, whose weight w_ii to itself is
//! kept. Signals are those of the same step. Where units are joined with themselves alone it is the gradient itself.

use super::through_time::ThroughTime;
use super::{Credit, CreditMethod, CreditNeeds};
use crate::axis::{Cite, Place};
use crate::error::Result;
use crate::network::{Network, Path};
use crate::neuron::UnitDynamics;
use crate::solver::Solver;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The sparse one-step approximation of real-time recurrent learning (`[credit.snap-1]`). No parameters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Snap1 {}

impl CreditMethod for Snap1 {
    fn check(&self, _: &Place) -> Result<()> {
        Ok(())
    }

    fn cites(&self) -> Vec<Cite> {
        vec![Cite::of("menick2021")]
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
        Box::new(ThroughTime::whole(Path::SNAP_1))
    }
}
