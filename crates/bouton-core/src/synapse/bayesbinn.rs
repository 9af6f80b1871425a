//! BayesBiNN: a distribution over weights of ±1, learned by the Bayesian learning rule.
//!
//! w = scale·b,  b = tanh((λ + δ)/τ),  δ = ½ ln(u/(1 − u)),  u ~ U(0, 1)
//! s = scale·(1 − b² + ε)/(τ (1 − tanh² λ + ε)),  ε = 10⁻¹⁰
//! λ ← λ − `rate` (N ⟨s g⟩ + λ − λ_prior)
//!
//! Meng, Bachmann & Khan, Training binary neural networks using the Bayesian learning rule, ICML 2020; when a task ends,
//! its posterior becomes the prior. g is the gradient of the mean loss at a sample, ⟨ ⟩ the mean over the draws
//! of an update, `run.train-draws`; answers of the network are those of the mean weights, scale·tanh λ. In single precision 1 − tanh² λ is 0 beyond |λ| ≈ 9, where s is
//! up to 1/τ; the published code has that too.

use super::{
    Draw, ElementwiseSynapse, Info, SignKeys, SignOfZero, Site, Synapse, SynapseMethod, UpdateRule,
    WeightTraits,
};
use crate::Result;
use crate::axis::{Cite, Place};
use bouton_kernels::Real;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A weight near ±1, drawn from its own distribution at each update (`[synapse.bayesbinn]`).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct BayesBiNn {
    /// Step size of λ, above 0 and up to 1. Default 1e-3.
    #[schemars(extend("exclusiveMinimum" = 0, "maximum" = 1, "x-hint" = "1e-3 is usual"))]
    pub rate: f64,
    /// N: samples that the posterior stands for, those of a task. Default 60000.
    #[schemars(extend(
        "exclusiveMinimum" = 0, "maximum" = 1e12,
        "x-hint" = "the number of samples of a task"
    ))]
    pub samples: f64,
    /// τ: temperature of the relaxed weight. Default 0.01.
    #[schemars(extend("exclusiveMinimum" = 0, "maximum" = 1e6, "x-hint" = "0.01 is usual"))]
    pub temperature: f64,
    /// |λ| of a fresh weight, with the sign that the wiring drew. Default 10.
    #[schemars(extend("minimum" = 0, "maximum" = 1e6, "x-hint" = "10 is usual"))]
    pub start: f64,
    /// Size of the weight. Default 1; networks without normalisation need about 1/√fan_in.
    #[schemars(extend(
        "exclusiveMinimum" = 0, "maximum" = 1e6,
        "x-hint" = "1, or about 1/√fan_in without normalisation"
    ))]
    pub scale: f64,
}

impl Default for BayesBiNn {
    fn default() -> Self {
        Self { rate: 1e-3, samples: 6e4, temperature: 1e-2, start: 10.0, scale: 1.0 }
    }
}

impl BayesBiNn {
    /// A weight drawn from λ, and its s.
    #[inline(always)]
    fn sample<T: Real>(&self, lambda: T, draw: Draw) -> [T; 2] {
        let (one, tiny, tau) = (T::constant(1.0), T::constant(1e-10), T::constant(self.temperature));
        let u = draw.uniform::<f64>(0);
        let bit = ((lambda + T::constant(0.5 * (u / (1.0 - u)).ln())) / tau).tanh();
        let (mean, scale) = (lambda.tanh(), T::constant(self.scale));
        [scale * bit, scale * (one - bit * bit + tiny) / (tau * (one - mean * mean + tiny))]
    }
}

impl UpdateRule<5> for BayesBiNn {
    const STATES: &'static [&'static str] =
        &["bayesbinn.lambda", "bayesbinn.slope", "bayesbinn.prior", "bayesbinn.sum"];
    const INFO: Info = Info {
        latent: Some(0),
        own_step_size: true,
        stochastic: true,
        bayesian: true,
        changes_at_task_end: true,
    };

    #[inline(always)]
    fn init<T: Real>(&self, drawn: T, draw: Draw) -> [T; 5] {
        let lambda = T::constant(self.start) * SignOfZero::Plus.sign(drawn);
        let [w, slope] = self.sample(lambda, draw);
        [w, lambda, slope, T::constant(0.0), T::constant(0.0)]
    }

    #[inline(always)]
    fn accumulate<T: Real>(&self, delta: T, [_, lambda, slope, prior, sum]: [T; 5], draw: Draw) -> [T; 5] {
        let [w, next] = self.sample(lambda, draw);
        [w, lambda, next, prior, sum + T::constant(self.samples) * slope * delta]
    }

    #[inline(always)]
    fn update<T: Real>(&self, delta: T, [_, lambda, slope, prior, sum]: [T; 5], draw: Draw) -> [T; 5] {
        let pull = sum + T::constant(self.samples) * slope * delta - (lambda - prior);
        let lambda = lambda + T::constant(self.rate) * pull;
        let [w, slope] = self.sample(lambda, draw);
        [w, lambda, slope, prior, T::constant(0.0)]
    }

    fn on_task_end<T: Real>(&self, [w, lambda, slope, _, sum]: [T; 5]) -> [T; 5] {
        [w, lambda, slope, lambda, sum]
    }

    /// Drawn without temperature: ±`scale`.
    fn sample_or_mean<T: Real>(&self, [_, lambda, ..]: [T; 5], draw: Option<Draw>) -> T {
        let size = T::constant(self.scale);
        draw.map_or_else(|| size * lambda.tanh(), |draw| size * draw.sign(lambda))
    }
}

impl SynapseMethod for BayesBiNn {
    fn check(&self, _: &Place) -> Result<()> {
        Ok(())
    }

    fn cites(&self) -> Vec<Cite> {
        vec![Cite::of("meng2020")]
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
        Draw { key: 3, index }
    }

    #[test]
    fn samples_have_the_mean_tanh_lambda_at_a_low_temperature() {
        let rule = BayesBiNn { temperature: 1e-6, ..BayesBiNn::default() };
        for lambda in [-1.0, 0.0, 0.4] {
            let n = 40_000;
            let mean = (0..n).map(|i| rule.sample::<f64>(lambda, at(i))[0]).sum::<f64>() / n as f64;
            assert!((mean - lambda.tanh()).abs() < 0.02, "{lambda} {mean}");
        }
    }

    /// s is dw/dλ divided by the variance, d tanh λ/dλ.
    #[test]
    fn the_slope_is_the_derivative_of_the_sample() {
        let rule = BayesBiNn { temperature: 0.7, scale: 0.5, ..BayesBiNn::default() };
        for (i, lambda) in [-0.8, 0.1, 1.3].into_iter().enumerate() {
            let h = 1e-5;
            let w = |lambda| rule.sample::<f64>(lambda, at(i as u64))[0];
            let by_lambda = (w(lambda + h) - w(lambda - h)) / (2.0 * h);
            let slope = by_lambda / (1.0 - lambda.tanh().powi(2));
            assert!((rule.sample(lambda, at(i as u64))[1] - slope).abs() < 1e-8 * slope.max(1.0));
        }
    }

    #[test]
    fn lambda_follows_the_gradient_and_relaxes_to_the_prior() {
        let rule = BayesBiNn { rate: 0.1, samples: 100.0, ..BayesBiNn::default() };
        let new = rule.update(-0.06, [1.0, 2.0, 0.5, 3.0_f64, 0.0], at(0));
        // 2 − 0.1 (100 · 0.5 · 0.06 + 2 − 3)
        assert!((new[1] - 1.8).abs() < 1e-15 && new[3] == 3.0);
        // Half of the gradient at each of two draws of the same slope.
        let gathered = rule.accumulate(-0.03, [1.0, 2.0, 0.5, 3.0, 0.0], at(0));
        assert_eq!((gathered[1], gathered[3]), (2.0, 3.0));
        let twice = rule.update(-0.03, [gathered[0], 2.0, 0.5, 3.0, gathered[4]], at(1));
        assert!((twice[1] - 1.8).abs() < 1e-15 && twice[4] == 0.0);
        let mut values = rule.init(-0.3_f64, at(1));
        assert_eq!((values[1], values[3]), (-10.0, 0.0));
        for _ in 0..200 {
            values = rule.update(0.0, values, at(2));
        }
        assert!(values[1].abs() < 1e-8);
    }

    #[test]
    fn the_posterior_of_a_task_is_the_prior_of_the_next() {
        let rule = BayesBiNn::default();
        let ended = rule.on_task_end([0.9, -2.5, 0.25, 1.0, 0.0]);
        assert_eq!(ended, [0.9, -2.5, 0.25, -2.5, 0.0]);
        let new = rule.update(0.0, ended, at(0));
        assert_eq!(new[1], -2.5, "nothing pulls on it");
    }
}
