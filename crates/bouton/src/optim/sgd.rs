//! Stochastic gradient descent.
//!
//! coupled decay (PyTorch):   g ← g + λw,  m ← μm + g,  Δ = −η m
//! decoupled decay (Haiku):   m ← μm + g,  Δ = −η m − ηλ w

use crate::wiring::PerLayer;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Where weight decay enters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Decay {
    /// Added to the gradient before the momentum (PyTorch).
    #[default]
    Coupled,
    /// Outside the momentum: w ← (1 − ηλ)w.
    Decoupled,
}

/// Stochastic gradient descent (`[optim.sgd]`).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Sgd {
    /// Learning rate η, one for all connections or one each from the input side on; a bias uses the rate of the
    /// connection that enters its population.
    pub lr: PerLayer,
    /// Momentum μ. Default 0.
    #[serde(default)]
    pub momentum: f64,
    /// Weight decay λ of weights (not of biases). Default 0.
    #[serde(default)]
    pub decay: f64,
    /// Where the decay enters.
    #[serde(default)]
    pub decay_style: Decay,
    /// Factor on the rate of biases. Default 1.
    #[serde(default = "one")]
    pub bias_scale: f64,
}

fn one() -> f64 {
    1.0
}
