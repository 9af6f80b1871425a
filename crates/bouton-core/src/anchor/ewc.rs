//! Elastic weight consolidation: Ω_t is the diagonal of the Fisher information at the end of task t.
//!
//! L + (λ/2) Σ_t Σ_i F_i^t (θ_i − θ_i^t)²,  F = E_x E_{y∼p(y|x)} [(∂ ln p(y|x)/∂θ)²].
//! Kirkpatrick et al., PNAS 114:3521 (2017); online: F̃ ← γF̃ + F with one anchor (Schwarz et al. 2018). The four
//! estimators of F are those compared by van de Ven (2025).

use super::{Anchor, AnchorMethod, AnchorNeeds, Importance};
use crate::axis::Cite;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How the Fisher information is estimated.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Fisher {
    /// Expectation over all labels, weighted by their probability.
    #[default]
    Exact,
    /// One label per sample, drawn from the network's own answer.
    Sampled,
    /// The true label of each sample.
    Empirical,
    /// The square of the mean gradient of each batch: not the Fisher information, but often used for it.
    Batched,
}

/// One penalty per task (`[anchor.ewc]`).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct Ewc {
    /// Strength λ. Default 1.
    #[schemars(extend("minimum" = 0, "maximum" = 1e15, "x-hint" = "100 to 5000 are usual"))]
    pub lambda: f64,
    /// How the Fisher information is estimated.
    pub fisher: Fisher,
    /// Samples of the task that take part, in file order. Default: all.
    #[schemars(extend("minimum" = 1, "maximum" = 1_000_000_000, "x-hint" = "leave it out for all samples"))]
    pub samples: Option<usize>,
    /// Shuffle the importances within each parameter: the control that should not help. Default false.
    pub shuffle: bool,
}

impl Default for Ewc {
    fn default() -> Self {
        Self { lambda: 1.0, fisher: Fisher::Exact, samples: None, shuffle: false }
    }
}

impl Anchor for Ewc {
    fn strength(&self) -> f64 {
        self.lambda / 2.0
    }

    fn importance(&self) -> Importance {
        Importance::Fisher(self.fisher, self.samples)
    }

    fn merge_importance(&self, old: f64, new: f64) -> f64 {
        old + new
    }

    fn recentres(&self) -> bool {
        false
    }

    fn shuffles(&self) -> bool {
        self.shuffle
    }

    fn hidden(&self) -> bool {
        false
    }
}

/// One decaying penalty (`[anchor.online-ewc]`).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct OnlineEwc {
    /// Strength λ. Default 1.
    #[schemars(extend("minimum" = 0, "maximum" = 1e15, "x-hint" = "100 to 5000 are usual"))]
    pub lambda: f64,
    /// What is left of the earlier tasks' importance after a task, γ. Default 1.
    #[schemars(extend("minimum" = 0, "maximum" = 1, "x-hint" = "1 forgets nothing"))]
    pub decay: f64,
    /// How the Fisher information is estimated.
    pub fisher: Fisher,
    /// Samples of the task that take part, in file order. Default: all.
    #[schemars(extend("minimum" = 1, "maximum" = 1_000_000_000, "x-hint" = "leave it out for all samples"))]
    pub samples: Option<usize>,
}

impl Default for OnlineEwc {
    fn default() -> Self {
        Self { lambda: 1.0, decay: 1.0, fisher: Fisher::Exact, samples: None }
    }
}

impl Anchor for OnlineEwc {
    fn strength(&self) -> f64 {
        self.lambda / 2.0
    }

    fn importance(&self) -> Importance {
        Importance::Fisher(self.fisher, self.samples)
    }

    fn merge_importance(&self, old: f64, new: f64) -> f64 {
        self.decay * old + new
    }

    fn recentres(&self) -> bool {
        true
    }

    fn shuffles(&self) -> bool {
        false
    }

    fn hidden(&self) -> bool {
        false
    }
}

impl AnchorMethod for Ewc {
    fn cites(&self) -> Vec<Cite> {
        vec![Cite::of("kirkpatrick2017")]
    }

    fn needs(&self) -> AnchorNeeds {
        AnchorNeeds { log_likelihood: true, ..AnchorNeeds::SAMPLES }
    }

    fn examples() -> Vec<Self> {
        let estimators = [Fisher::Exact, Fisher::Sampled, Fisher::Empirical, Fisher::Batched];
        let of =
            |fisher| Self { lambda: 10.0, fisher, shuffle: fisher == Fisher::Batched, ..Self::default() };
        estimators.map(of).to_vec()
    }

    fn build(&self) -> Option<Box<dyn Anchor>> {
        Some(Box::new(*self))
    }
}

impl AnchorMethod for OnlineEwc {
    fn cites(&self) -> Vec<Cite> {
        vec![Cite::of("schwarz2018")]
    }

    fn needs(&self) -> AnchorNeeds {
        AnchorNeeds { log_likelihood: true, ..AnchorNeeds::SAMPLES }
    }

    fn examples() -> Vec<Self> {
        let estimators = [Fisher::Exact, Fisher::Sampled, Fisher::Empirical, Fisher::Batched];
        estimators.map(|fisher| Self { lambda: 10.0, decay: 0.5, fisher, samples: Some(7) }).to_vec()
    }

    fn build(&self) -> Option<Box<dyn Anchor>> {
        Some(Box::new(*self))
    }
}
