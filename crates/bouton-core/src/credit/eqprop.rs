//! Equilibrium propagation (Scellier & Bengio 2017): dL/dθ = −d/dβ|₀ ∂Φ/∂θ(s^β).

use super::Contrast;
use super::warm_start::WarmStart;
use super::{Acts, Credit, CreditMethod, CreditNeeds};
use crate::axis::variant_name;
use crate::axis::{Cite, Place};
use crate::error::Result;
use crate::network::Network;
use crate::solver::Solver;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Which nudged phases are contrasted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Nudge {
    /// 0 and +β: bias O(β).
    Positive,
    /// −β and 0: bias O(β).
    Negative,
    /// 0 and ±β with a sign drawn per mini-batch: bias O(β²) in expectation.
    RandomSign,
    /// −β and +β ("centred", "third phase", N = 2): bias O(β²).
    #[default]
    Symmetric,
}

/// Where the free phase starts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Start {
    /// From zero, for every batch.
    #[default]
    Zero,
    /// From the free states of the batch before (Scellier et al. 2023).
    PreviousBatch,
    /// From the free state that the same sample had last time ("persistent particles", Scellier & Bengio 2017).
    Persistent,
}

/// Equilibrium propagation (`[credit.eq-prop]`).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct EqProp {
    /// Strength β > 0 of the nudge.
    #[schemars(extend(
        "exclusiveMinimum" = 0, "maximum" = 1e6,
        "x-hint" = "without a nudge there is no gradient; 0.1 to 0.5 are usual, and `nudge` chooses the sign"
    ))]
    pub beta: f64,
    /// Which phases are contrasted.
    #[serde(default)]
    pub nudge: Nudge,
    /// Most sweeps T of the free phase.
    #[schemars(extend(
        "minimum" = 1, "maximum" = 10_000_000,
        "x-hint" = "a phase needs sweeps; 20 free and 4 nudged ones are a start"
    ))]
    pub free_steps: usize,
    /// Most sweeps K of each nudged phase.
    #[schemars(extend(
        "minimum" = 1, "maximum" = 10_000_000,
        "x-hint" = "a phase needs sweeps; 20 free and 4 nudged ones are a start"
    ))]
    pub nudged_steps: usize,
    /// Where the free phase starts in training (evaluation starts from zero).
    #[serde(default)]
    pub start: Start,
    /// Whether nudged phases follow the transposed network around the free state, which makes their response the adjoint
    /// at any angle between the weights of a vector field (asymmetric equilibrium propagation, arXiv 2602.03670).
    /// Default false.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub corrected: bool,
}

impl EqProp {
    pub(super) fn rule(&self, solver: Solver, network: &Network, samples: usize) -> Contrast {
        Contrast {
            phases: Box::new((self.nudge, self.beta)),
            clamp: false,
            corrected: self.corrected,
            free_steps: self.free_steps,
            nudged_steps: self.nudged_steps,
            solver,
            warm_start: WarmStart::new(self.start, network, samples),
        }
    }
}

impl CreditMethod for EqProp {
    fn check(&self, _: &Place) -> Result<()> {
        Ok(())
    }

    fn cites(&self) -> Vec<Cite> {
        let nudge = match self.nudge {
            Nudge::Positive | Nudge::RandomSign => "scellier2017",
            Nudge::Negative => "scellier2023",
            Nudge::Symmetric => "laborieux2021",
        };
        let start = match self.start {
            Start::Zero => None,
            Start::PreviousBatch => Some("scellier2023"),
            Start::Persistent => Some("scellier2017"),
        };
        let nudge = Cite::setting(nudge, format!("nudge = \"{}\"", variant_name(&self.nudge)));
        let start = start.map(|key| Cite::setting(key, format!("start = \"{}\"", variant_name(&self.start))));
        [Cite::of("scellier2017"), nudge].into_iter().chain(start).collect()
    }

    fn needs(&self) -> CreditNeeds {
        let pushes = (self.nudge != Nudge::Positive).then_some(self.beta);
        let Self { start, corrected, .. } = *self;
        CreditNeeds { pushes, start, corrected, ..CreditNeeds::phases(Acts::Nudge) }
    }

    fn steps_mut(&mut self) -> Vec<&mut usize> {
        vec![&mut self.free_steps, &mut self.nudged_steps]
    }

    fn copies(&self) -> usize {
        8
    }

    fn examples() -> Vec<Self> {
        let of = |nudge, start| Self {
            beta: 1e-4,
            nudge,
            free_steps: 300,
            nudged_steps: 300,
            start,
            corrected: false,
        };
        vec![
            of(Nudge::Symmetric, Start::Zero),
            of(Nudge::Positive, Start::PreviousBatch),
            of(Nudge::Negative, Start::Persistent),
            of(Nudge::RandomSign, Start::Zero),
            Self { corrected: true, ..of(Nudge::Symmetric, Start::Zero) },
        ]
    }

    fn build(&self, solver: Solver, network: &Network, samples: usize) -> Box<dyn Credit> {
        Box::new(self.rule(solver, network, samples))
    }
}
