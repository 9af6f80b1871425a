//! D-RTRL: diagonal real-time recurrent learning.
//!
//!   ε_t = (∂h_t/∂h_{t−1}) ε_{t−1} + (∂h_t/∂d_t) s_{t−delay} of each unit alone, taught by the signals of the same step
//!
//! What units send to each other is left out of the traces (Marschall, Cho & Savin 2020, who order such rules by what they leave
//! out). For one population without loops it is the gradient itself.

use super::through_time::ThroughTime;
use super::{Credit, CreditMethod, CreditNeeds};
use crate::axis::{Cite, Place};
use crate::error::Result;
use crate::network::{Network, Path};
use crate::neuron::UnitDynamics;
use crate::solver::Solver;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Diagonal real-time recurrent learning (`[credit.d-rtrl]`). No parameters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct DRtrl {}

impl CreditMethod for DRtrl {
    fn check(&self, _: &Place) -> Result<()> {
        Ok(())
    }

    fn cites(&self) -> Vec<Cite> {
        vec![Cite::of("marschall2020")]
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
        Box::new(ThroughTime::whole(Path::D_RTRL))
    }
}
