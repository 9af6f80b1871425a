//! Adam: m ← β₁m + (1−β₁)g, v ← β₂v + (1−β₂)g², Δ = −η m̂/(√v̂ + ε).
//!
//! Kingma & Ba 2015; decoupled decay: Loshchilov & Hutter 2019.

use crate::wiring::PerLayer;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Adam (`[optim.adam]`); its decay is added to the gradient.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Adam {
    /// Learning rate η, one for all connections or one each from the input side on.
    pub lr: PerLayer,
    /// Decay β₁ of the first moment. Default 0.9.
    #[serde(default = "beta1")]
    pub beta1: f64,
    /// Decay β₂ of the second moment. Default 0.999.
    #[serde(default = "beta2")]
    pub beta2: f64,
    /// ε. Default 1e-8.
    #[serde(default = "eps")]
    pub eps: f64,
    /// Weight decay λ of weights (not of biases). Default 0.
    #[serde(default)]
    pub decay: f64,
}

/// AdamW (`[optim.adamw]`): Adam with w ← (1 − ηλ)w beside it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct AdamW {
    /// Learning rate η, one for all connections or one each from the input side on.
    pub lr: PerLayer,
    /// Decay β₁ of the first moment. Default 0.9.
    #[serde(default = "beta1")]
    pub beta1: f64,
    /// Decay β₂ of the second moment. Default 0.999.
    #[serde(default = "beta2")]
    pub beta2: f64,
    /// ε. Default 1e-8.
    #[serde(default = "eps")]
    pub eps: f64,
    /// Weight decay λ of weights (not of biases). Default 0.01.
    #[serde(default = "adamw_decay")]
    pub decay: f64,
}

fn beta1() -> f64 {
    0.9
}

fn beta2() -> f64 {
    0.999
}

fn eps() -> f64 {
    1e-8
}

fn adamw_decay() -> f64 {
    0.01
}
