//! Predictive coding (Whittington & Bogacz 2017): values settle under the energy, then weights follow their errors.
//!
//!   F = Σ_p ½π‖ε_p‖² + π_out ℓ(s_out),   x ← x − γ ∂F/∂x,   ∂ℓ/∂W ≈ ∂F/∂W
//!
//! Values start at the pass, where only the output is in error, and answers are those of the pass. With `incremental` weights move
//! at every step of the values (Salvatori et al. 2024). With a nudge the output is drawn to s⁰ − β ∂ℓ/∂s or s⁰ + β ∂ℓ/∂s, and
//! gradients count 1/β times (Pinchetti et al. 2024). As π_out → 0, ∂F/∂W / π_out is the gradient of the loss.

use super::predictive::{Moves, Predictive, Updates, Values, check_rate};
use super::{Credit, CreditMethod, CreditNeeds, Nudge};
use crate::axis::{Cite, Place};
use crate::error::Result;
use crate::network::Network;
use crate::solver::Solver;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Predictive coding (`[credit.predictive-coding]`).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct PredictiveCoding {
    /// Which quantity of a unit is its value. Default "output".
    pub values: Values,
    /// Most steps of inference. Default 20.
    #[schemars(extend("minimum" = 1, "maximum" = 10_000_000, "x-hint" = "10 to 100 are usual"))]
    pub steps: usize,
    /// γ: how far a value goes along its slope in a step. Default 0.1.
    #[schemars(extend("exclusiveMinimum" = 0, "maximum" = 2, "x-hint" = "0.05 to 0.5 are usual"))]
    pub rate: f64,
    /// Precision π of what is predicted of hidden units. Default 1.
    #[schemars(extend("exclusiveMinimum" = 0, "maximum" = 1e6, "x-hint" = "1 is usual"))]
    pub precision: f64,
    /// Precision π_out of the output; gradients are those of the energy, not divided by it. Default 1.
    #[schemars(extend("exclusiveMinimum" = 0, "maximum" = 1e6, "x-hint" = "1 is usual"))]
    pub output_precision: f64,
    /// Largest step of a value at which a sample has settled and stops. Default: all steps are taken.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("exclusiveMinimum" = 0, "maximum" = 1, "x-hint" = "1e-4 is a start"))]
    pub tolerance: Option<f64>,
    /// Whether weights move at every step of the values. Default false.
    pub incremental: bool,
    /// How the output is drawn towards the target and away from it. Default: the loss itself acts on it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nudge: Option<Nudge>,
    /// β: how far, of a nudge. Default, if there is one: 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("exclusiveMinimum" = 0, "maximum" = 1e6, "x-hint" = "0.1 to 1 are usual"))]
    pub beta: Option<f64>,
}

impl Default for PredictiveCoding {
    fn default() -> Self {
        Self {
            values: Values::default(),
            steps: 20,
            rate: 0.1,
            precision: 1.0,
            output_precision: 1.0,
            tolerance: None,
            incremental: false,
            nudge: None,
            beta: None,
        }
    }
}

impl CreditMethod for PredictiveCoding {
    fn check(&self, at: &Place) -> Result<()> {
        check_rate(at, self.rate, self.precision)?;
        let drawn = self.nudge.is_some();
        at.require(
            drawn || self.beta.is_none(),
            "beta",
            "given",
            "a nudge to be the strength of",
            "give nudge = \"positive\" too, or leave beta out",
        )?;
        let away = self.nudge.is_some_and(|nudge| nudge != Nudge::Positive);
        at.require(
            !(self.incremental && away),
            "incremental",
            "true",
            "left out with a nudge away from the target: weights would climb the energy that values descend",
            "use nudge = \"positive\"",
        )
    }

    fn cites(&self) -> Vec<Cite> {
        let nudged = self.nudge.map(|_| Cite::setting("pinchetti2024", "nudge"));
        let incremental = self.incremental.then(|| Cite::setting("salvatori2024", "incremental = true"));
        [Cite::of("whittington2017")].into_iter().chain(nudged).chain(incremental).collect()
    }

    fn needs(&self) -> CreditNeeds {
        CreditNeeds { online: self.incremental, ..CreditNeeds::inference() }
    }

    fn steps_mut(&mut self) -> Vec<&mut usize> {
        vec![&mut self.steps]
    }

    fn copies(&self) -> usize {
        8
    }

    fn examples() -> Vec<Self> {
        let first = Self::default();
        let nudged = |nudge| Self { nudge: Some(nudge), beta: Some(0.5), ..first };
        vec![
            first,
            Self { values: Values::Drive, tolerance: Some(1e-5), steps: 50, ..first },
            Self { incremental: true, steps: 5, ..first },
            Self { precision: 2.0, output_precision: 0.5, ..first },
            nudged(Nudge::Positive),
            nudged(Nudge::Negative),
            nudged(Nudge::Symmetric),
            nudged(Nudge::RandomSign),
            Self { incremental: true, steps: 5, ..nudged(Nudge::Positive) },
        ]
    }

    fn build(&self, _: Solver, _: &Network, _: usize) -> Box<dyn Credit> {
        Box::new(Predictive {
            name: "predictive-coding",
            moves: Moves::Values(self.values),
            updates: if self.incremental { Updates::EveryStep } else { Updates::AtTheEnd },
            steps: Some(self.steps),
            rate: self.rate,
            precision: [self.precision, self.output_precision],
            tolerance: self.tolerance,
            nudge: self.nudge.map(|nudge| (nudge, self.beta.unwrap_or(1.0))),
        })
    }
}
