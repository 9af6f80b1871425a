//! Predictive coding under the fixed-prediction assumption (Millidge, Tschantz & Buckley 2022): while errors settle, predictions and
//! slopes stay those of the pass. At rest the errors are those of backpropagation, whatever the network.

use super::predictive::{Moves, Predictive, Updates};
use super::{Credit, CreditMethod, CreditNeeds};
use crate::axis::{Cite, Place};
use crate::error::Result;
use crate::network::Network;
use crate::solver::Solver;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Predictive coding with fixed predictions (`[credit.fixed-prediction]`).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct FixedPrediction {
    /// Steps of inference. Default: one for each hidden population, which with `rate = 1` is exact.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("minimum" = 1, "maximum" = 10_000_000, "x-hint" = "leave it out with rate = 1; 100 are usual with 0.1"))]
    pub steps: Option<usize>,
    /// γ: how far an error goes towards rest in a step. Default 1.
    #[schemars(extend("exclusiveMinimum" = 0, "maximum" = 1, "x-hint" = "1 is exact after as many steps as there are layers"))]
    pub rate: f64,
}

impl Default for FixedPrediction {
    fn default() -> Self {
        Self { steps: None, rate: 1.0 }
    }
}

impl CreditMethod for FixedPrediction {
    fn check(&self, at: &Place) -> Result<()> {
        at.require(
            self.rate == 1.0 || self.steps.is_some(),
            "rate",
            self.rate,
            "steps to come to rest in",
            "give steps too, some 10/rate, or leave rate out",
        )
    }

    fn cites(&self) -> Vec<Cite> {
        vec![Cite::of("millidge2022")]
    }

    fn needs(&self) -> CreditNeeds {
        CreditNeeds { exact: self.steps.is_none(), ..CreditNeeds::inference() }
    }

    fn steps_mut(&mut self) -> Vec<&mut usize> {
        self.steps.iter_mut().collect()
    }

    fn copies(&self) -> usize {
        8
    }

    fn examples() -> Vec<Self> {
        vec![Self::default(), Self { steps: Some(400), rate: 0.1 }]
    }

    fn build(&self, _: Solver, _: &Network, _: usize) -> Box<dyn Credit> {
        Box::new(Predictive {
            name: "fixed-prediction",
            moves: Moves::Frozen,
            updates: Updates::AtTheEnd,
            steps: self.steps,
            rate: self.rate,
            precision: [1.0, 1.0],
            tolerance: None,
            nudge: None,
        })
    }
}
