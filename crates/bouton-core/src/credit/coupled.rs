//! Coupled learning (Stern et al. 2021): the output is clamped at o* − β ∂ℓ/∂o and the hidden units settle again.

use super::warm_start::WarmStart;
use super::{Acts, Contrast, Credit, CreditMethod, CreditNeeds, Nudge};
use crate::axis::{Cite, Place};
use crate::error::Result;
use crate::network::Network;
use crate::solver::Solver;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Coupled learning (`[credit.coupled-learning]`).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct CoupledLearning {
    /// How far the clamp moves from the free output towards the target, β > 0.
    #[schemars(extend(
        "exclusiveMinimum" = 0, "maximum" = 1e6,
        "x-hint" = "without a nudge there is no gradient; 0.1 to 0.5 are usual, and `nudge` chooses the sign"
    ))]
    pub beta: f64,
    /// Which phases are contrasted.
    #[serde(default)]
    pub nudge: Nudge,
    /// Most sweeps of the free phase.
    #[schemars(extend(
        "minimum" = 1, "maximum" = 10_000_000,
        "x-hint" = "a phase needs sweeps; 20 free and 4 nudged ones are a start"
    ))]
    pub free_steps: usize,
    /// Most sweeps of each clamped phase.
    #[schemars(extend(
        "minimum" = 1, "maximum" = 10_000_000,
        "x-hint" = "a phase needs sweeps; 20 free and 4 nudged ones are a start"
    ))]
    pub nudged_steps: usize,
}

impl CoupledLearning {
    pub(super) fn rule(&self, solver: Solver) -> Contrast {
        Contrast {
            phases: Box::new((self.nudge, self.beta)),
            clamp: true,
            corrected: false,
            free_steps: self.free_steps,
            nudged_steps: self.nudged_steps,
            solver,
            warm_start: WarmStart::default(),
        }
    }
}

impl CreditMethod for CoupledLearning {
    fn check(&self, _: &Place) -> Result<()> {
        Ok(())
    }

    fn cites(&self) -> Vec<Cite> {
        vec![Cite::of("stern2021")]
    }

    fn needs(&self) -> CreditNeeds {
        CreditNeeds::phases(Acts::Clamp)
    }

    fn steps_mut(&mut self) -> Vec<&mut usize> {
        vec![&mut self.free_steps, &mut self.nudged_steps]
    }

    fn copies(&self) -> usize {
        8
    }

    fn examples() -> Vec<Self> {
        let of = |nudge| Self { beta: 1e-4, nudge, free_steps: 300, nudged_steps: 300 };
        [Nudge::Positive, Nudge::Negative, Nudge::RandomSign, Nudge::Symmetric].map(of).to_vec()
    }

    fn build(&self, solver: Solver, _: &Network, _: usize) -> Box<dyn Credit> {
        Box::new(self.rule(solver))
    }
}
