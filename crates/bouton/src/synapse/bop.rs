//! Bop, the binary optimiser: no hidden weight, only a momentum that must insist before a weight flips.
//!
//! m ← (1 − γ) m + γ g;  w ← −w where m·sign(w) > `threshold`
//!
//! Helwegen, Widdicombe, Geiger, Liu, Cheng & Nusselder, Latent weights do not exist: rethinking binarized neural network
//! optimization, NeurIPS 2019. g is the gradient itself: the optimiser of the recipe moves only biases and gains.

use super::{Draw, Scalar, SignOfZero};
use bouton_kernels::Real;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A weight of ±`scale` that flips when its gradients agree (`[synapse.bop]`).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct Bop {
    /// γ: share of the newest gradient in the momentum, above 0 and up to 1. Default 1e-4.
    #[schemars(extend("exclusiveMinimum" = 0, "maximum" = 1, "x-hint" = "1e-4 is usual"))]
    pub gamma: f64,
    /// Momentum against the weight beyond which it flips. Default 1e-8.
    #[schemars(extend("minimum" = 0, "maximum" = 1e6, "x-hint" = "1e-8 is usual"))]
    pub threshold: f64,
    /// Size of the weight. Default 1; networks without normalisation need about 1/√fan_in.
    #[schemars(extend(
        "exclusiveMinimum" = 0, "maximum" = 1e6,
        "x-hint" = "1, or about 1/√fan_in without normalisation"
    ))]
    pub scale: f64,
}

impl Default for Bop {
    fn default() -> Self {
        Self { gamma: 1e-4, threshold: 1e-8, scale: 1.0 }
    }
}

impl Scalar<2> for Bop {
    const STATE: &'static [&'static str] = &["bop.momentum"];
    const RAW: bool = true;

    #[inline(always)]
    fn begin<T: Real>(&self, drawn: T, _: Draw) -> [T; 2] {
        [T::lit(self.scale) * SignOfZero::Plus.sign(drawn), T::lit(0.0)]
    }

    #[inline(always)]
    fn take<T: Real>(&self, delta: T, [weight, momentum]: [T; 2], _: Draw) -> [T; 2] {
        // Weighting both sides keeps γ = 1 exact; delta is −g.
        let momentum = T::lit(1.0 - self.gamma) * momentum - T::lit(self.gamma) * delta;
        let against = momentum * SignOfZero::Plus.sign(weight);
        [T::select(T::lit(self.threshold) - against, weight, -weight), momentum]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DRAW: Draw = Draw { key: 0, index: 0 };

    #[test]
    fn without_momentum_nothing_flips() {
        let synapse = Bop::default();
        let mut values = synapse.begin(-0.3_f32, DRAW);
        for _ in 0..1000 {
            values = synapse.take(0.0, values, DRAW);
            assert_eq!(values, [-1.0, 0.0]);
        }
    }

    #[test]
    fn with_gamma_one_it_flips_exactly_where_the_gradient_exceeds_the_threshold() {
        let synapse = Bop { gamma: 1.0, threshold: 0.5, scale: 0.25 };
        for w in [0.25, -0.25] {
            for g in (-40..=40).map(|k| f64::from(k) * 0.125) {
                let new = synapse.take(-g, [w, 7.0], DRAW);
                let flips = g * w.signum() > 0.5;
                assert_eq!(new, [if flips { -w } else { w }, g], "{w} {g}");
            }
        }
    }

    #[test]
    fn gradients_must_agree_long_enough() {
        let synapse = Bop { gamma: 0.1, threshold: 0.5, scale: 1.0 };
        let updates = |g: &dyn Fn(usize) -> f64| {
            let mut values = [1.0, 0.0];
            (0..100).find(|&t| {
                values = synapse.take(-g(t), values, DRAW);
                values[0] < 0.0
            })
        };
        // 1 − 0.9ⁿ > ½ from the seventh gradient on.
        assert_eq!(updates(&|_| 1.0), Some(6));
        assert_eq!(updates(&|t| if t % 2 == 0 { 1.0 } else { -1.0 }), None);
        assert_eq!(updates(&|_| -1.0), None);
    }
}
