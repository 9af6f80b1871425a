//! Real-time recurrent learning: the exact gradient, forward in time (Williams & Zipser 1989).
//!
//!   J_t = D_t J_{t−1} + F_t,  ∂ℓ/∂θ = Σ_t (∂ℓ_t/∂s_t) J_t
//!
//! J has a row for each parameter and a column for each state, so that the work of a step is their product times the units: a rule for
//! small networks, for sequences without an end, and to compare others with.

use super::online::{Kept, Online};
use super::{Carried, Credit, CreditMethod, CreditNeeds};
use crate::axis::{Cite, Place};
use crate::error::Result;
use crate::network::Network;
use crate::neuron::UnitDynamics;
use crate::solver::Solver;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Real-time recurrent learning (`[credit.rtrl]`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct Rtrl {
    /// Updates after every so many steps of the data, each by the mean loss of what was judged since the last one, the influence of all
    /// earlier steps included. Default: one update at the end of the sequence.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend(
        "minimum" = 1, "maximum" = 10_000_000,
        "x-hint" = "1 learns at every step; leave it out to learn at the end"
    ))]
    pub every: Option<usize>,
}

impl CreditMethod for Rtrl {
    fn check(&self, _: &Place) -> Result<()> {
        Ok(())
    }

    fn cites(&self) -> Vec<Cite> {
        vec![Cite::of("williams1989")]
    }

    fn needs(&self) -> CreditNeeds {
        CreditNeeds {
            exact: self.every.is_none(),
            online: self.every.is_some(),
            carries: Carried::All,
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
        Box::new(Online { kept: Kept::Full { hops: None }, every: self.every })
    }
}
