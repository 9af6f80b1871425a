//! Adam: m ← β₁m + (1−β₁)g, v ← β₂v + (1−β₂)g², Δ = −η m̂/(√v̂ + ε).
//!
//! Kingma & Ba 2015; decoupled decay: Loshchilov & Hutter 2019.

use super::{Hyper, Optim, OptimMethod, Rate, tile};
use crate::Result;
use crate::axis::PerLayer;
use crate::axis::{Cite, Place};
use bouton_kernels::{Elem, View, ViewMut, dispatch};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Adam (`[optim.adam]`); its decay is added to the gradient.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Adam {
    /// Learning rate η, one for all connections or one each from the input side on.
    #[schemars(extend(
        "minimum" = 0, "maximum" = 1e6,
        "x-hint" = "the optimiser descends by itself; 1e-3 is usual"
    ))]
    pub lr: PerLayer,
    /// Decay β₁ of the first moment. Default 0.9.
    #[serde(default = "beta1")]
    #[schemars(extend("minimum" = 0, "exclusiveMaximum" = 1, "x-hint" = "0.9 is usual"))]
    pub beta1: f64,
    /// Decay β₂ of the second moment. Default 0.999.
    #[serde(default = "beta2")]
    #[schemars(extend("minimum" = 0, "exclusiveMaximum" = 1, "x-hint" = "0.999 is usual"))]
    pub beta2: f64,
    /// ε. Default 1e-8.
    #[serde(default = "eps")]
    #[schemars(extend("exclusiveMinimum" = 0, "maximum" = 1e6, "x-hint" = "1e-8 is usual"))]
    pub eps: f64,
    /// Weight decay λ of weights (not of biases). Default 0.
    #[serde(default)]
    #[schemars(extend("minimum" = 0, "maximum" = 1e6, "x-hint" = "0 is none"))]
    pub decay: f64,
    /// Learning rate of biases and of the gains of a normalisation, whatever the schedule. Default: `lr`.
    #[serde(default)]
    #[schemars(extend(
        "minimum" = 0, "maximum" = 1e6,
        "x-hint" = "leave it out for the learning rate of the connection that leads to the units"
    ))]
    pub unit_lr: Option<f64>,
    /// Whether ε joins √v before the bias of the second moment is corrected, as PyTorch did until 1.2. Default false.
    #[serde(default)]
    pub early_eps: bool,
}

/// AdamW (`[optim.adamw]`): Adam with w ← (1 − ηλ)w beside it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct AdamW {
    /// Learning rate η, one for all connections or one each from the input side on.
    #[schemars(extend(
        "minimum" = 0, "maximum" = 1e6,
        "x-hint" = "the optimiser descends by itself; 1e-3 is usual"
    ))]
    pub lr: PerLayer,
    /// Decay β₁ of the first moment. Default 0.9.
    #[serde(default = "beta1")]
    #[schemars(extend("minimum" = 0, "exclusiveMaximum" = 1, "x-hint" = "0.9 is usual"))]
    pub beta1: f64,
    /// Decay β₂ of the second moment. Default 0.999.
    #[serde(default = "beta2")]
    #[schemars(extend("minimum" = 0, "exclusiveMaximum" = 1, "x-hint" = "0.999 is usual"))]
    pub beta2: f64,
    /// ε. Default 1e-8.
    #[serde(default = "eps")]
    #[schemars(extend("exclusiveMinimum" = 0, "maximum" = 1e6, "x-hint" = "1e-8 is usual"))]
    pub eps: f64,
    /// Weight decay λ of weights (not of biases). Default 0.01.
    #[serde(default = "adamw_decay")]
    #[schemars(extend("minimum" = 0, "maximum" = 1e6, "x-hint" = "0 is none"))]
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

impl Optim for Adam {
    fn slots(&self) -> usize {
        2
    }

    fn rate(&self, layer: usize, units: bool) -> Rate {
        match self.unit_lr {
            Some(rate) if units => Rate::Constant(rate),
            _ => Rate::Scheduled(self.lr.at(layer)),
        }
    }

    fn propose(&self, hyper: Hyper, w: View<'_>, g: View<'_>, slots: &mut [ViewMut<'_>], delta: ViewMut<'_>) {
        let decay = if hyper.decays { self.decay } else { 0.0 };
        // √v·k + ε·k = k(√v + ε), with k = 1/√(1−β₂ᵗ).
        let early = (1.0 - self.beta2.powf(hyper.step as f64)).sqrt();
        let eps = if self.early_eps { self.eps / early } else { self.eps };
        let c = constants(hyper, [self.beta1, self.beta2, eps], decay, 0.0);
        dispatch!(w.dtype(), T => adam::<T>(c, w, g, slots, delta));
    }
}

impl Optim for AdamW {
    fn slots(&self) -> usize {
        2
    }

    fn rate(&self, layer: usize, _: bool) -> Rate {
        Rate::Scheduled(self.lr.at(layer))
    }

    fn propose(&self, hyper: Hyper, w: View<'_>, g: View<'_>, slots: &mut [ViewMut<'_>], delta: ViewMut<'_>) {
        let decay = if hyper.decays { self.decay } else { 0.0 };
        let c = constants(hyper, [self.beta1, self.beta2, self.eps], 0.0, decay);
        dispatch!(w.dtype(), T => adam::<T>(c, w, g, slots, delta));
    }
}

/// β₁, 1−β₁, β₂, 1−β₂, ε, −η/(1−β₁ᵗ), 1/(1−β₂ᵗ), coupled λ, −η·decoupled λ.
fn constants(hyper: Hyper, [beta1, beta2, eps]: [f64; 3], coupled: f64, decoupled: f64) -> [f64; 9] {
    let t = hyper.step as f64;
    let (first, second) = (1.0 - beta1.powf(t), 1.0 - beta2.powf(t));
    let rate = hyper.rate;
    [beta1, 1.0 - beta1, beta2, 1.0 - beta2, eps, -rate / first, 1.0 / second, coupled, -rate * decoupled]
}

fn adam<T: Elem>(c: [f64; 9], w: View<'_>, g: View<'_>, slots: &mut [ViewMut<'_>], delta: ViewMut<'_>) {
    let [m, v] = slots else { unreachable!("Adam keeps two moments") };
    let [b1, a1, b2, a2, eps, rate, second, coupled, decoupled] = c.map(T::constant);
    tile(w.slice(), g.slice(), [m.slice_mut(), v.slice_mut()], delta, move |w: T, g: T, [m, v]: [T; 2]| {
        let g = g + coupled * w;
        let m = b1 * m + a1 * g;
        let v = b2 * v + a2 * g * g;
        (rate * m / ((v * second).sqrt() + eps) + decoupled * w, [m, v])
    });
}

impl OptimMethod for Adam {
    fn check(&self, at: &Place) -> Result<()> {
        at.per_connection("lr", &self.lr)
    }

    fn cites(&self) -> Vec<Cite> {
        vec![Cite::of("kingma2015")]
    }

    fn weight_decay(&self) -> f64 {
        self.decay
    }

    fn examples() -> Vec<Self> {
        let (lr, unit_lr) = (PerLayer::All(0.01), None);
        let base =
            Self { lr, beta1: beta1(), beta2: beta2(), eps: eps(), decay: 0.0, unit_lr, early_eps: false };
        vec![base.clone(), Self { decay: 0.01, unit_lr: Some(0.001), early_eps: true, ..base }]
    }

    fn build(&self) -> Box<dyn Optim> {
        Box::new(self.clone())
    }
}

impl OptimMethod for AdamW {
    fn check(&self, at: &Place) -> Result<()> {
        at.per_connection("lr", &self.lr)
    }

    fn cites(&self) -> Vec<Cite> {
        vec![Cite::of("loshchilov2019")]
    }

    fn weight_decay(&self) -> f64 {
        self.decay
    }

    fn examples() -> Vec<Self> {
        let lr = PerLayer::All(0.01);
        vec![Self { lr, beta1: beta1(), beta2: beta2(), eps: eps(), decay: adamw_decay() }]
    }

    fn build(&self) -> Box<dyn Optim> {
        Box::new(self.clone())
    }
}
