//! SnAp-n: real-time recurrent learning that keeps of each weight what reaches a unit within n steps (Menick et al. 2021).
//!
//!   J_t = M ⊙ (D_t J_{t−1}) + F_t,  M = 1 where a unit is reached from the weight's own by at most n − 1 connections
//!
//! With n = 1 each unit remembers its own weights alone, as [`Snap1`](super::Snap1) does at less cost; once n passes the longest of
//! the shortest ways between units, nothing is left out. Signals within a step, and what the output remembers, are whole.

use super::online::{Kept, Online};
use super::{Carried, Credit, CreditMethod, CreditNeeds};
use crate::axis::{Cite, Place};
use crate::error::Result;
use crate::network::Network;
use crate::neuron::UnitDynamics;
use crate::solver::Solver;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Sparse n-step approximation of real-time recurrent learning (`[credit.snap-n]`).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct SnapN {
    /// n: what reaches a unit by at most n − 1 connections is kept.
    #[schemars(extend("minimum" = 1, "maximum" = 1_000_000, "x-hint" = "1 or 2; the more, the closer to rtrl"))]
    pub n: usize,
    /// Updates after every so many steps of the data, each by the mean loss of what was judged since the last one, the influence of all
    /// earlier steps included. Default: one update at the end of the sequence.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend(
        "minimum" = 1, "maximum" = 10_000_000,
        "x-hint" = "1 learns at every step; leave it out to learn at the end"
    ))]
    pub every: Option<usize>,
}

impl CreditMethod for SnapN {
    fn check(&self, _: &Place) -> Result<()> {
        Ok(())
    }

    fn cites(&self) -> Vec<Cite> {
        vec![Cite::of("menick2021")]
    }

    fn needs(&self) -> CreditNeeds {
        CreditNeeds {
            exact: false,
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
        vec![Self { n: 1, every: None }, Self { n: 2, every: Some(2) }]
    }

    fn build(&self, _: Solver, _: &Network, _: usize) -> Box<dyn Credit> {
        Box::new(Online { kept: Kept::Full { hops: Some(self.n) }, every: self.every })
    }
}
