//! Contrastive learning (Movellan 1991): a free phase against a phase with the output clamped to the target.

use super::warm_start::WarmStart;
use super::{Acts, Contrast, Credit, CreditMethod, CreditNeeds, Nudge};
use crate::axis::{Cite, Place};
use crate::error::Result;
use crate::network::Network;
use crate::solver::Solver;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Contrastive learning (`[credit.contrastive-learning]`): coupled learning with β = 1.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct ContrastiveLearning {
    /// Most sweeps of the free phase.
    #[schemars(extend(
        "minimum" = 1, "maximum" = 10_000_000,
        "x-hint" = "a phase needs sweeps; 20 free and 4 nudged ones are a start"
    ))]
    pub free_steps: usize,
    /// Most sweeps of the clamped phase.
    #[schemars(extend(
        "minimum" = 1, "maximum" = 10_000_000,
        "x-hint" = "a phase needs sweeps; 20 free and 4 nudged ones are a start"
    ))]
    pub nudged_steps: usize,
}

impl ContrastiveLearning {
    pub(super) fn rule(&self, solver: Solver) -> Contrast {
        Contrast {
            phases: Box::new((Nudge::Positive, 1.0)),
            clamp: true,
            corrected: false,
            free_steps: self.free_steps,
            nudged_steps: self.nudged_steps,
            solver,
            warm_start: WarmStart::default(),
        }
    }
}

impl CreditMethod for ContrastiveLearning {
    fn check(&self, _: &Place) -> Result<()> {
        Ok(())
    }

    fn cites(&self) -> Vec<Cite> {
        vec![Cite::of("movellan1991")]
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
        vec![Self { free_steps: 300, nudged_steps: 300 }]
    }

    fn build(&self, solver: Solver, _: &Network, _: usize) -> Box<dyn Credit> {
        Box::new(self.rule(solver))
    }
}
