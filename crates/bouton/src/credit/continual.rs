//! Continual equilibrium propagation (Ernoult et al. 2020): θ ← θ − (η/β)·[∂Φ/∂θ(s_t) − ∂Φ/∂θ(s_{t+1})] at every
//! nudged step t.

use super::Nudge;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Continual equilibrium propagation (`[credit.continual-eq-prop]`).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct ContinualEqProp {
    /// Strength β > 0 of the nudge.
    pub beta: f64,
    /// Sign of the nudge; `symmetric` is not possible, because the weights move during the phase. Default positive.
    #[serde(default = "positive")]
    pub nudge: Nudge,
    /// Sweeps T of the free phase.
    pub free_steps: usize,
    /// Sweeps K of the nudged phase, each followed by an update.
    pub nudged_steps: usize,
}

fn positive() -> Nudge {
    Nudge::Positive
}
