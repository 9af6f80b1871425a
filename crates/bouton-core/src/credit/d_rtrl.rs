//! D-RTRL: diagonal real-time recurrent learning.
//!
//!   ε_t = (∂h_t/∂h_{t−1}) ε_{t−1} + (∂h_t/∂d_t) s_{t−delay} of each unit alone, taught by the signals of the same step
//!
//! What units send to each other is left out of the traces (Marschall, Cho & Savin 2020, who order such rules by what they leave
//! out). For one population without loops it is the gradient itself.

use super::online::{Kept, Online};
use super::through_time::ThroughTime;
use super::{Carried, Credit, CreditMethod, CreditNeeds};
use crate::axis::{Cite, Place};
use crate::error::Result;
use crate::network::{Network, Path};
use crate::neuron::UnitDynamics;
use crate::solver::Solver;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Diagonal real-time recurrent learning (`[credit.d-rtrl]`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct DRtrl {
    /// Updates after every so many steps of the data, each by the mean loss of what was judged since the last one, the influence of all
    /// earlier steps included. Default: one update at the end of the sequence.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend(
        "minimum" = 1, "maximum" = 10_000_000,
        "x-hint" = "1 learns at every step; leave it out to learn at the end"
    ))]
    pub every: Option<usize>,
}

impl CreditMethod for DRtrl {
    fn check(&self, _: &Place) -> Result<()> {
        Ok(())
    }

    fn cites(&self) -> Vec<Cite> {
        vec![Cite::of("marschall2020")]
    }

    fn needs(&self) -> CreditNeeds {
        let carries = if self.every.is_some() { Carried::Eligibility } else { Carried::Nothing };
        CreditNeeds {
            exact: false,
            online: self.every.is_some(),
            carries,
            ..CreditNeeds::gradient(UnitDynamics::Stepping)
        }
    }

    fn steps_mut(&mut self) -> Vec<&mut usize> {
        Vec::new()
    }

    fn copies(&self) -> usize {
        4
    }

    fn examples() -> Vec<Self> {
        vec![Self { every: None }, Self { every: Some(2) }]
    }

    fn build(&self, _: Solver, _: &Network, _: usize) -> Box<dyn Credit> {
        match self.every {
            None => Box::new(ThroughTime::whole(Path::D_RTRL)),
            every => Box::new(Online { kept: Kept::Eligibility(Path::D_RTRL), every }),
        }
    }
}
