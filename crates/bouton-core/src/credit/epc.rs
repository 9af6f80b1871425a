//! Error-based predictive coding, ePC (Goemaere et al. 2025): the energy of predictive coding as a function of errors, which the loss
//! reaches at once however deep the network, while values would pass it on step by step.
//!
//!   s = σ(d) + ε,   ε ← ε − γ ∂F/∂ε,   F = Σ ½π‖ε‖² + π_out ℓ(s_out)
//!
//! Its fixed points are those of predictive coding. After a single step hidden weights learn γ π times what backpropagation says.

use super::predictive::{Moves, Predictive, Updates, check_rate};
use super::{Credit, CreditMethod, CreditNeeds};
use crate::axis::{Cite, Place};
use crate::error::Result;
use crate::network::Network;
use crate::solver::Solver;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Error-based predictive coding (`[credit.epc]`).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct Epc {
    /// Most steps of inference. Default 5.
    #[schemars(extend("minimum" = 1, "maximum" = 10_000_000, "x-hint" = "1 to 20 are usual"))]
    pub steps: usize,
    /// γ: how far an error goes along its slope in a step. Default 0.1.
    #[schemars(extend("exclusiveMinimum" = 0, "maximum" = 2, "x-hint" = "0.01 to 0.1 are usual"))]
    pub rate: f64,
    /// Precision π of hidden units. Default 1.
    #[schemars(extend("exclusiveMinimum" = 0, "maximum" = 1e6, "x-hint" = "1 is usual"))]
    pub precision: f64,
    /// Precision π_out of the output. Default 1.
    #[schemars(extend("exclusiveMinimum" = 0, "maximum" = 1e6, "x-hint" = "1 is usual"))]
    pub output_precision: f64,
    /// Largest step of an error at which a sample has settled and stops. Default: all steps are taken.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("exclusiveMinimum" = 0, "maximum" = 1, "x-hint" = "1e-4 is a start"))]
    pub tolerance: Option<f64>,
}

impl Default for Epc {
    fn default() -> Self {
        Self { steps: 5, rate: 0.1, precision: 1.0, output_precision: 1.0, tolerance: None }
    }
}

impl CreditMethod for Epc {
    fn check(&self, at: &Place) -> Result<()> {
        check_rate(at, self.rate, self.precision)
    }

    fn cites(&self) -> Vec<Cite> {
        vec![Cite::of("goemaere2025")]
    }

    fn needs(&self) -> CreditNeeds {
        CreditNeeds::inference()
    }

    fn steps_mut(&mut self) -> Vec<&mut usize> {
        vec![&mut self.steps]
    }

    fn copies(&self) -> usize {
        8
    }

    fn examples() -> Vec<Self> {
        let first = Self::default();
        vec![first, Self { steps: 1, ..first }, Self { precision: 2.0, tolerance: Some(1e-5), ..first }]
    }

    fn build(&self, _: Solver, _: &Network, _: usize) -> Box<dyn Credit> {
        Box::new(Predictive {
            name: "epc",
            moves: Moves::Errors,
            updates: Updates::AtTheEnd,
            steps: Some(self.steps),
            rate: self.rate,
            precision: [self.precision, self.output_precision],
            tolerance: self.tolerance,
            nudge: None,
        })
    }
}
