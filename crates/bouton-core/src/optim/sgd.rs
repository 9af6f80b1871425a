//! Stochastic gradient descent.
//!
//! coupled decay (PyTorch):   g ← g + λw,  m ← μm + g,  Δ = −η m
//! decoupled decay (Haiku):   m ← μm + g,  Δ = −η m − ηλ w
//!
//! Nesterov's momentum looks a step ahead: μm + g in the place of the last m.

use super::{Hyper, Optim, OptimMethod, Rate, tile};
use crate::Result;
use crate::axis::PerLayer;
use crate::axis::{Cite, Place};
use bouton_kernels::{Real, View, ViewMut, dispatch};
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
    #[schemars(extend(
        "minimum" = 0, "maximum" = 1e6,
        "x-hint" = "the optimiser descends by itself; 0.01 to 0.1 are usual"
    ))]
    pub lr: PerLayer,
    /// Momentum μ. Default 0.
    #[serde(default)]
    #[schemars(extend("minimum" = 0, "exclusiveMaximum" = 1, "x-hint" = "0 is none; 0.9 is usual"))]
    pub momentum: f64,
    /// Let the step look ahead: Δ = −η(μm + g) with the new m (Nesterov's momentum, as in PyTorch). Default false.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub nesterov: bool,
    /// Weight decay λ of weights (not of biases). Default 0.
    #[serde(default)]
    #[schemars(extend("minimum" = 0, "maximum" = 1e6, "x-hint" = "0 is none"))]
    pub decay: f64,
    /// Where the decay enters.
    #[serde(default)]
    pub decay_style: Decay,
    /// Factor on the rate of biases. Default 1.
    #[serde(default = "one")]
    #[schemars(extend("minimum" = 0, "maximum" = 1e6, "x-hint" = "0 keeps biases as they are"))]
    pub bias_scale: f64,
}

fn one() -> f64 {
    1.0
}

impl Optim for Sgd {
    fn slots(&self) -> usize {
        usize::from(self.momentum != 0.0)
    }

    fn rate(&self, layer: usize, units: bool) -> Rate {
        Rate::Scheduled(self.lr.at(layer) * if units { self.bias_scale } else { 1.0 })
    }

    fn propose(&self, hyper: Hyper, w: View<'_>, g: View<'_>, slots: &mut [ViewMut<'_>], delta: ViewMut<'_>) {
        let decay = if hyper.decays { self.decay } else { 0.0 };
        let (coupled, decoupled) = match self.decay_style {
            Decay::Coupled => (decay, 0.0),
            Decay::Decoupled => (0.0, decay),
        };
        let ahead = f64::from(u8::from(self.nesterov));
        let c = [-hyper.rate, self.momentum, coupled, -hyper.rate * decoupled, ahead];
        dispatch!(w.dtype(), T => {
            let c = c.map(T::constant);
            match slots {
                [] => tile(w.slice::<T>(), g.slice(), [], delta, move |w, g, []| (descend(c, w, g, T::constant(0.0)).0, [])),
                [m, ..] => tile(w.slice::<T>(), g.slice(), [m.slice_mut()], delta, move |w, g, [m]| {
                    let (delta, m) = descend(c, w, g, m);
                    (delta, [m])
                }),
            }
        });
    }
}

/// Δ and the new momentum.
#[inline(always)]
fn descend<T: Real>([rate, momentum, coupled, decoupled, ahead]: [T; 5], w: T, g: T, m: T) -> (T, T) {
    let g = g + coupled * w;
    let m = momentum * m + g;
    // Exactly m without a look ahead.
    let step = m + ahead * (g + momentum * m - m);
    (rate * step + decoupled * w, m)
}

impl OptimMethod for Sgd {
    fn check(&self, at: &Place) -> Result<()> {
        let moving = !self.nesterov || self.momentum > 0.0;
        at.require(moving, "nesterov", self.nesterov, "false without momentum", "set momentum = 0.9")?;
        at.per_connection("lr", &self.lr)
    }

    fn cites(&self) -> Vec<Cite> {
        Vec::new()
    }

    fn weight_decay(&self) -> f64 {
        self.decay
    }

    fn examples() -> Vec<Self> {
        let base = Self {
            lr: PerLayer::All(0.1),
            momentum: 0.0,
            nesterov: false,
            decay: 0.0,
            decay_style: Decay::Coupled,
            bias_scale: 1.0,
        };
        let moving = Self { momentum: 0.9, decay: 0.01, ..base.clone() };
        let ahead = Self { nesterov: true, decay_style: Decay::Decoupled, bias_scale: 0.5, ..moving.clone() };
        vec![base, moving, ahead]
    }

    fn build(&self) -> Box<dyn Optim> {
        Box::new(self.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_look_ahead_is_the_gradient_and_the_next_momentum() {
        let (w, g, m) = (0.5, 0.3, -0.2);
        let step = |ahead| descend([-0.1, 0.9, 0.01, 0.0, ahead], w, g, m);
        // PyTorch: d = g + λw; m ← μm + d; Δ = −η m, or −η (d + μ m).
        let d = 0.3 + 0.01 * 0.5;
        let next = 0.9 * -0.2 + d;
        assert_eq!(step(0.0), (-0.1 * next, next));
        let (delta, kept) = step(1.0);
        assert!((delta + 0.1 * (d + 0.9 * next)).abs() < 1e-15 && kept == next, "{delta}");
    }
}
