//! Zero-divergence inference learning (Song et al. 2020): predictive coding whose weights learn at the moment when the error reaches
//! them, which makes it backpropagation.
//!
//! With γ = 1 and values that start at the pass, the error of the population k before the output is exactly −∂ℓ/∂x after k steps, and
//! everything below it is still as it was in the pass. That holds where populations follow each other, so skips are refused.

use super::predictive::{Moves, Predictive, Updates, Values};
use super::{Credit, CreditMethod, CreditNeeds};
use crate::axis::{Cite, Place};
use crate::error::Result;
use crate::network::Network;
use crate::solver::Solver;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Zero-divergence inference learning (`[credit.z-il]`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct ZIl {
    /// Which quantity of a unit is its value. Default "output".
    pub values: Values,
}

impl CreditMethod for ZIl {
    fn check(&self, _: &Place) -> Result<()> {
        Ok(())
    }

    fn cites(&self) -> Vec<Cite> {
        vec![Cite::of("song2020")]
    }

    fn needs(&self) -> CreditNeeds {
        CreditNeeds { exact: true, chain: true, ..CreditNeeds::inference() }
    }

    fn steps_mut(&mut self) -> Vec<&mut usize> {
        Vec::new()
    }

    fn copies(&self) -> usize {
        10
    }

    fn examples() -> Vec<Self> {
        vec![Self { values: Values::Output }, Self { values: Values::Drive }]
    }

    fn build(&self, _: Solver, _: &Network, _: usize) -> Box<dyn Credit> {
        Box::new(Predictive {
            name: "z-il",
            moves: Moves::Values(self.values),
            updates: Updates::AsErrorsArrive,
            steps: None,
            rate: 1.0,
            precision: [1.0, 1.0],
            tolerance: None,
            nudge: None,
        })
    }
}
