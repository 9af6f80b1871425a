//! BiMU: a Bernoulli distribution over ±1 whose variance sets the step, with a memory of about N updates.
//!
//! w = scale·b,  b = tanh((λ + ½ ln(u/(1 − u)))/τ),  u ~ U(0, 1);  G = `gain`·⟨g ∂w/∂λ⟩,  ∂w/∂λ = scale·(1 − b²)/τ
//! v = 1 − tanh² λ,  D = 1/(κ v + 2 G tanh λ + 2 |G| + 1/`rate-max`),  λ ← λ − D (`rate`·G + λ κ v/N)
//!
//! Equations of the released code of Cottart et al., github.com/kellian-cottart/active-continual-learning-bayesianbinn;
//! defaults are its values for 1000 permuted tasks with `neuron.gate`. v is the variance of a weight of ±1 with mean tanh λ, and
//! the protection of Laborieux et al. (2021) for m = 1. ⟨ ⟩ is the mean over the draws of an update, `run.train-draws`; drawn
//! answers have weights of ±`scale`. A zero gradient still forgets: the released code leaves λ alone when all are zero.

use super::{
    Draw, ElementwiseSynapse, Info, SignKeys, Site, Synapse, SynapseMethod, UpdateRule, WeightTraits,
};
use crate::Result;
use crate::axis::{Cite, Place};
use bouton_kernels::Real;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A weight near ±`scale`, drawn from its own distribution at each update (`[synapse.bimu]`).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct BiMu {
    /// Step size of λ. Default 4.9.
    #[schemars(extend("exclusiveMinimum" = 0, "maximum" = 1e6, "x-hint" = "4.9 is usual"))]
    pub rate: f64,
    /// c: factor on the gradient. Default 161.3.
    #[schemars(extend("exclusiveMinimum" = 0, "maximum" = 1e6, "x-hint" = "161.3 is usual"))]
    pub gain: f64,
    /// κ: weight of the variance in the curvature. Default 3.76.
    #[schemars(extend("minimum" = 0, "maximum" = 1e6, "x-hint" = "3.76 is usual"))]
    pub kappa: f64,
    /// Largest factor D on a gradient. Default 0.0023.
    #[schemars(extend("exclusiveMinimum" = 0, "maximum" = 1e6, "x-hint" = "0.0023 is usual"))]
    pub rate_max: f64,
    /// N: updates after which unused certainty is forgotten. Default 700.
    #[schemars(extend("exclusiveMinimum" = 0, "maximum" = 1e12, "x-hint" = "700 is usual"))]
    pub window: f64,
    /// τ: temperature of the relaxed weight. Default 1.
    #[schemars(extend("exclusiveMinimum" = 0, "maximum" = 1e6, "x-hint" = "1 is usual"))]
    pub temperature: f64,
    /// Size of the weight. Default 1; networks without normalisation need about 1/√fan_in.
    #[schemars(extend(
        "exclusiveMinimum" = 0, "maximum" = 1e6,
        "x-hint" = "1, or about 1/√fan_in without normalisation"
    ))]
    pub scale: f64,
}

impl Default for BiMu {
    fn default() -> Self {
        Self {
            rate: 4.9,
            gain: 161.3,
            kappa: 3.76,
            rate_max: 0.0023,
            window: 700.0,
            temperature: 1.0,
            scale: 1.0,
        }
    }
}

impl BiMu {
    /// A relaxed weight.
    #[inline(always)]
    fn sample<T: Real>(&self, lambda: T, draw: Draw) -> T {
        T::constant(self.scale) * ((lambda + draw.logistic()) * T::constant(1.0 / self.temperature)).tanh()
    }

    /// The part of a draw with the weight `w` in the step of λ.
    #[inline(always)]
    fn part<T: Real>(&self, delta: T, w: T) -> T {
        let bit = w * T::constant(1.0 / self.scale);
        delta
            * (T::constant(self.scale / self.temperature)
                * (T::constant(1.0) - bit * bit).max(T::constant(0.0)))
    }
}

impl UpdateRule<3> for BiMu {
    const STATES: &'static [&'static str] = &["bimu.lambda", "bimu.sum"];
    const INFO: Info = Info {
        latent: Some(0),
        own_step_size: true,
        stochastic: true,
        bayesian: true,
        changes_at_task_end: false,
    };

    #[inline(always)]
    fn init<T: Real>(&self, drawn: T, draw: Draw) -> [T; 3] {
        [self.sample(drawn, draw), drawn, T::constant(0.0)]
    }

    #[inline(always)]
    fn accumulate<T: Real>(&self, delta: T, [w, lambda, sum]: [T; 3], draw: Draw) -> [T; 3] {
        [self.sample(lambda, draw), lambda, sum + self.part(delta, w)]
    }

    #[inline(always)]
    fn update<T: Real>(&self, delta: T, [w, lambda, sum]: [T; 3], draw: Draw) -> [T; 3] {
        let (one, two) = (T::constant(1.0), T::constant(2.0));
        let g = -(sum + self.part(delta, w)) * T::constant(self.gain);
        let mean = lambda.tanh();
        let variance = T::constant(self.kappa) * (one - mean * mean);
        let curvature = variance + two * g * mean + two * g.abs() + T::constant(1.0 / self.rate_max);
        let lambda = lambda
            - (T::constant(self.rate) * g + lambda * variance * T::constant(1.0 / self.window)) / curvature;
        [self.sample(lambda, draw), lambda, T::constant(0.0)]
    }

    /// Drawn without temperature: ±`scale`.
    fn sample_or_mean<T: Real>(&self, [_, lambda, _]: [T; 3], draw: Option<Draw>) -> T {
        let size = T::constant(self.scale);
        draw.map_or_else(|| size * lambda.tanh(), |draw| size * draw.sign(lambda))
    }
}

impl SynapseMethod for BiMu {
    fn check(&self, _: &Place) -> Result<()> {
        Ok(())
    }

    fn cites(&self) -> Vec<Cite> {
        vec![Cite::of("bimu")]
    }

    fn traits(&self) -> WeightTraits {
        WeightTraits::drawn_bits(Self::INFO, self.scale)
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

    fn at(index: u64) -> Draw {
        Draw { key: 4, index }
    }

    #[test]
    fn answers_have_the_mean_tanh_lambda_and_so_have_cold_samples() {
        let rule = BiMu { scale: 0.5, temperature: 1e-6, ..BiMu::default() };
        for lambda in [-1.0, 0.0, 0.4] {
            let n = 40_000;
            let mean = |of: &dyn Fn(Draw) -> f64| (0..n).map(|i| of(at(i))).sum::<f64>() / n as f64;
            let drawn = mean(&|draw| rule.sample(lambda, draw));
            let answered = mean(&|draw| rule.sample_or_mean([0.0, lambda, 0.0], Some(draw)));
            for found in [drawn, answered, rule.sample_or_mean([0.0, lambda, 0.0], None)] {
                assert!((found - 0.5 * lambda.tanh()).abs() < 0.01, "{lambda} {found}");
            }
        }
    }

    #[test]
    fn the_part_of_a_draw_is_the_derivative_of_its_sample() {
        let rule = BiMu { temperature: 0.7, scale: 0.5, ..BiMu::default() };
        for (i, lambda) in [-0.8, 0.1, 1.3].into_iter().enumerate() {
            let w = |lambda| rule.sample::<f64>(lambda, at(i as u64));
            let slope = (w(lambda + 1e-5) - w(lambda - 1e-5)) / 2e-5;
            assert!((rule.part(3.0, w(lambda)) - 3.0 * slope).abs() < 1e-8);
        }
    }

    #[test]
    fn one_step_by_hand() {
        let rule = BiMu { rate: 2.0, gain: 3.0, kappa: 0.5, rate_max: 0.25, window: 10.0, ..BiMu::default() };
        for (lambda, g) in [(0.7, 0.2), (0.7, -0.2), (-1.1, 0.4), (0.0, 0.0)] {
            let (m, big): (f64, f64) = (f64::tanh(lambda), 3.0 * g * (1.0 - 0.36));
            let v = 0.5 * (1.0 - m * m);
            let d = 1.0 / (v + 2.0 * big * m + 2.0 * big.abs() + 4.0);
            let expected = lambda - d * (2.0 * big + lambda * v / 10.0);
            let found = rule.update(-g, [0.6, lambda, 0.0], at(0));
            assert!((found[1] - expected).abs() < 1e-14 && found[2] == 0.0, "{lambda} {g}");
        }
    }

    #[test]
    fn what_draws_gathered_counts_like_one_gradient() {
        let rule = BiMu::default();
        let first = rule.accumulate(0.01, [0.5, 0.3, 0.0], at(0));
        assert!(first[1] == 0.3 && first[2] == 0.0075 && first[0] != 0.5);
        let after = rule.update(0.02, first, at(1));
        let whole = first[2] + rule.part(0.02, first[0]);
        assert_eq!(after[1], rule.update(whole, [0.0, 0.3, 0.0], at(1))[1], "∂w/∂λ is 1 where w is 0");
    }

    #[test]
    fn steps_are_bounded_and_certainty_is_forgotten_within_the_window() {
        let rule = BiMu::default();
        let jump = rule.update(-1e9, [0.0, 0.0_f64, 0.0], at(0))[1];
        assert!((jump + 0.5 * rule.rate).abs() < 1e-3, "{jump}");
        let eager = BiMu { rate_max: 1e9, ..rule };
        let mut values = [1.0, 0.5_f64, 0.0];
        for _ in 0..700 {
            values = eager.update(0.0, values, at(0));
        }
        assert!((values[1] - 0.5 * (-1f64).exp()).abs() < 1e-3, "{}", values[1]);
    }
}
