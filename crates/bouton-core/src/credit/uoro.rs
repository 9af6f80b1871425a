//! UORO: unbiased online recurrent optimisation (Tallec & Ollivier 2018).
//!
//!   J_t ≈ s_t θ_tᵀ,  E[s_t θ_tᵀ] = J_t
//!
//! Two vectors in the place of the influence of all parameters on all states: the gradient on average, with noise that many samples or
//! small rates have to average out.

use super::online::{Kept, Online};
use super::{Carried, Credit, CreditMethod, CreditNeeds};
use crate::axis::{Cite, Place};
use crate::error::Result;
use crate::network::Network;
use crate::neuron::UnitDynamics;
use crate::solver::Solver;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Unbiased online recurrent optimisation (`[credit.uoro]`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct Uoro {
    /// Updates after every so many steps of the data, each by the mean loss of what was judged since the last one, the influence of all
    /// earlier steps included. Default: one update at the end of the sequence.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend(
        "minimum" = 1, "maximum" = 10_000_000,
        "x-hint" = "1 learns at every step; leave it out to learn at the end"
    ))]
    pub every: Option<usize>,
}

impl CreditMethod for Uoro {
    fn check(&self, _: &Place) -> Result<()> {
        Ok(())
    }

    fn cites(&self) -> Vec<Cite> {
        vec![Cite::of("tallec2018")]
    }

    fn needs(&self) -> CreditNeeds {
        CreditNeeds {
            exact: false,
            online: self.every.is_some(),
            carries: Carried::RankOne,
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
        Box::new(Online { kept: Kept::RankOne, every: self.every })
    }
}
