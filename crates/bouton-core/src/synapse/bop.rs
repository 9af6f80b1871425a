//! Bop, the binary optimiser: no hidden weight, only a momentum that must insist before a weight flips.
//!
//! m ← (1 − γ) m + γ g;  w ← −w where m·sign(w) > `threshold`
//!
//! Helwegen, Widdicombe, Geiger, Liu, Cheng & Nusselder, Latent weights do not exist: rethinking binarized neural network
//! optimization, NeurIPS 2019. g is the gradient itself: the optimiser of the recipe moves only biases and gains.

use super::{
    Draw, ElementwiseSynapse, Info, SignKeys, SignOfZero, Site, Synapse, SynapseMethod, UpdateRule,
    WeightTraits,
};
use crate::Result;
use crate::axis::{Cite, Place};
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

impl UpdateRule<2> for Bop {
    const STATES: &'static [&'static str] = &["bop.momentum"];
    const INFO: Info = Info {
        latent: None,
        own_step_size: true,
        stochastic: false,
        bayesian: false,
        changes_at_task_end: false,
    };

    #[inline(always)]
    fn init<T: Real>(&self, drawn: T, _: Draw) -> [T; 2] {
        [T::constant(self.scale) * SignOfZero::Plus.sign(drawn), T::constant(0.0)]
    }

    #[inline(always)]
    fn update<T: Real>(&self, delta: T, [weight, momentum]: [T; 2], _: Draw) -> [T; 2] {
        // Weighting both sides keeps γ = 1 exact; delta is −g.
        let momentum = T::constant(1.0 - self.gamma) * momentum - T::constant(self.gamma) * delta;
        let against = momentum * SignOfZero::Plus.sign(weight);
        [T::select(T::constant(self.threshold) - against, weight, -weight), momentum]
    }
}

impl SynapseMethod for Bop {
    fn check(&self, _: &Place) -> Result<()> {
        Ok(())
    }

    fn cites(&self) -> Vec<Cite> {
        vec![Cite::of("helwegen2019")]
    }

    fn traits(&self) -> WeightTraits {
        WeightTraits::bits(Self::INFO, self.scale, SignOfZero::Plus)
    }

    fn sign_keys(&mut self) -> Option<SignKeys<'_>> {
        None
    }

    fn device(&mut self) -> Option<&mut Option<String>> {
        None
    }

    fn examples() -> Vec<Self> {
        vec![Self::default()]
    }

    fn build(&self, _: Site) -> Result<Box<dyn Synapse>> {
        Ok(Box::new(ElementwiseSynapse(*self)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DRAW: Draw = Draw { key: 0, index: 0 };

    #[test]
    fn without_momentum_nothing_flips() {
        let synapse = Bop::default();
        let mut values = synapse.init(-0.3_f32, DRAW);
        for _ in 0..1000 {
            values = synapse.update(0.0, values, DRAW);
            assert_eq!(values, [-1.0, 0.0]);
        }
    }

    #[test]
    fn with_gamma_one_it_flips_exactly_where_the_gradient_exceeds_the_threshold() {
        let synapse = Bop { gamma: 1.0, threshold: 0.5, scale: 0.25 };
        for w in [0.25, -0.25] {
            for g in (-40..=40).map(|k| f64::from(k) * 0.125) {
                let new = synapse.update(-g, [w, 7.0], DRAW);
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
                values = synapse.update(-g(t), values, DRAW);
                values[0] < 0.0
            })
        };
        // 1 − 0.9ⁿ > ½ from the seventh gradient on.
        assert_eq!(updates(&|_| 1.0), Some(6));
        assert_eq!(updates(&|t| if t % 2 == 0 { 1.0 } else { -1.0 }), None);
        assert_eq!(updates(&|_| -1.0), None);
    }
}
