//! Synaptic intelligence: Ω_t is a weight's share of the loss decrease along the way of task t.
//!
//! ω ← ω − g·Δθ at every step;  Ω += max(ω, 0)/((θ_end − θ_start)² + ξ);  L + c Σ Ω (θ − θ_end)².
//! Zenke, Poole & Ganguli, ICML 2017. g is the gradient of the loss without the penalty and negative shares count as
//! zero, as in the authors' code; `gradient = "total"` and `clip = false` are the choices of van de Ven & Tolias.

use super::{Anchor, AnchorMethod, AnchorNeeds, Importance};
use crate::axis::Cite;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Which gradient the path integral takes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum PathGradient {
    /// Of the loss alone.
    #[default]
    Loss,
    /// Of the loss and the penalty.
    Total,
}

/// Synaptic intelligence (`[anchor.si]`).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct SynapticIntelligence {
    /// Strength c. Default 0.1.
    #[schemars(extend("minimum" = 0, "maximum" = 1e15, "x-hint" = "0.1 is usual"))]
    pub c: f64,
    /// Damping ξ. Default 0.1.
    #[schemars(extend("exclusiveMinimum" = 0, "maximum" = 1e6, "x-hint" = "0.1 is usual"))]
    pub xi: f64,
    /// Which gradient the path integral takes.
    pub gradient: PathGradient,
    /// Count negative shares as zero. Default true.
    pub clip: bool,
    /// ConsolidationState the hidden weight of a binary synapse instead of the weight that the loss sees. Default true.
    pub hidden: bool,
}

impl Default for SynapticIntelligence {
    fn default() -> Self {
        Self { c: 0.1, xi: 0.1, gradient: PathGradient::Loss, clip: true, hidden: true }
    }
}

/// The numbers of a path integral.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Path {
    /// Damping ξ.
    pub xi: f64,
    /// Whether the gradient contains the penalty.
    pub total: bool,
    /// Whether negative shares count as zero.
    pub clip: bool,
}

impl Path {
    /// Importance of a weight that contributed `share` while moving by `distance`.
    pub fn importance(self, share: f64, distance: f64) -> f64 {
        let share = if self.clip { share.max(0.0) } else { share };
        share / (distance * distance + self.xi)
    }
}

impl Anchor for SynapticIntelligence {
    fn strength(&self) -> f64 {
        self.c
    }

    fn importance(&self) -> Importance {
        let total = self.gradient == PathGradient::Total;
        Importance::Path(Path { xi: self.xi, total, clip: self.clip })
    }

    fn merge_importance(&self, old: f64, new: f64) -> f64 {
        old + new
    }

    fn hidden(&self) -> bool {
        self.hidden
    }

    fn recentres(&self) -> bool {
        true
    }

    fn shuffles(&self) -> bool {
        false
    }
}

impl AnchorMethod for SynapticIntelligence {
    fn cites(&self) -> Vec<Cite> {
        vec![Cite::of("zenke2017")]
    }

    fn needs(&self) -> AnchorNeeds {
        AnchorNeeds::TASKS
    }

    fn examples() -> Vec<Self> {
        let total = Self { gradient: PathGradient::Total, clip: false, hidden: false, ..Self::default() };
        vec![Self::default(), total]
    }

    fn build(&self) -> Option<Box<dyn Anchor>> {
        Some(Box::new(*self))
    }
}
