//! Settling rate units: s moves towards a fixed point of ∂Φ/∂s.
//!
//! With drive d = ∂Φ/∂s and a nudge of force f and stiffness k (f − k·s = −β ∂ℓ/∂s):
//! - prototypical, nudge inside:  s ← σ(d + f − k s)            (Ernoult et al. 2019; Laborieux et al. 2021)
//! - prototypical, nudge outside: s ← σ(d) + f − k s            (Ernoult et al. 2019, 2020)
//! - energy:  s ← clip(s + ε(−s + ρ'(s) d + f − k s), 0, 1), output ρ(s)   (Scellier & Bengio 2017)

use super::Activation;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Which of the three dynamics of the literature a settling unit follows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Dynamics {
    /// s ← σ(∂Φ/∂s): discrete, step 1.
    #[default]
    Prototypical,
    /// ds/dt = −∂E/∂s, integrated with step `dt` and clipped to the activation's range.
    Energy,
}

/// Where the nudge of the output enters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum NudgePosition {
    /// Inside σ: weight increments equal BPTT's as β → 0, for any smooth σ.
    #[default]
    Inside,
    /// Outside σ, as in the tables of Ernoult et al. 2019 and 2020; with the shifted sigmoid this descends ¼ of the
    /// binary cross-entropy.
    Outside,
}

/// Settling rate units (`[neuron.settle]`).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct Settle {
    /// Activation σ (or ρ) of hidden units.
    pub activation: Activation,
    /// Activation of the output population; default: the same as `activation`.
    pub output: Option<Activation>,
    /// Which dynamics.
    pub dynamics: Dynamics,
    /// Step ε of the energy dynamics, in units of the membrane time constant. Default 0.5; the prototypical dynamics
    /// have no such step.
    pub dt: f64,
    /// Where the nudge enters.
    pub nudge: NudgePosition,
}

impl Default for Settle {
    fn default() -> Self {
        Self {
            activation: Activation::default(),
            output: None,
            dynamics: Dynamics::default(),
            dt: 0.5,
            nudge: NudgePosition::default(),
        }
    }
}
