//! BiMU: a Bernoulli distribution over ±1 whose variance sets the step, with a memory of about N updates.
//!
//! G = `gain`·g,  v = 1 − tanh² λ,  D = 1/(κ v + 2 G tanh λ + 2 |G| + 1/`rate-max`)
//! λ ← λ − D (`rate`·G + λ κ v/N);  w = ±1 with mean tanh λ
//!
//! Equations of the released code of Cottart et al., github.com/kellian-cottart/active-continual-learning-bayesianbinn;
//! defaults are its values for 1000 permuted tasks. v is the variance of the weight, and the protection of Laborieux et
//! al. (2021) for m = 1. The weight is drawn once for each update, g is the gradient at that sample. A zero
//! gradient still forgets: the released code leaves λ alone when all gradients are zero.

use super::{Draw, Scalar};
use bouton_kernels::Real;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A weight of ±`scale`, drawn from its own distribution at each update (`[synapse.bimu]`).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct BiMu {
    /// Step size of λ. Default 4.9.
    pub rate: f64,
    /// c: factor on the gradient. Default 161.3.
    pub gain: f64,
    /// κ: weight of the variance in the curvature. Default 3.76.
    pub kappa: f64,
    /// Largest factor D on a gradient. Default 0.0023.
    pub rate_max: f64,
    /// N: updates after which unused certainty is forgotten. Default 700.
    pub window: f64,
    /// Size of the weight. Default 1; networks without normalisation need about 1/√fan_in.
    pub scale: f64,
}

impl Default for BiMu {
    fn default() -> Self {
        Self { rate: 4.9, gain: 161.3, kappa: 3.76, rate_max: 0.0023, window: 700.0, scale: 1.0 }
    }
}

impl BiMu {
    /// ±`scale` with mean `scale`·tanh λ.
    #[inline(always)]
    fn sample<T: Real>(&self, lambda: T, draw: Draw) -> T {
        let size = T::lit(self.scale);
        T::select((lambda + lambda).sigmoid() - draw.uniform(0), size, -size)
    }
}

impl Scalar<2> for BiMu {
    const STATE: &'static [&'static str] = &["bimu.lambda"];
    const HIDDEN: Option<usize> = Some(0);
    const RAW: bool = true;
    const DRAWS: bool = true;
    const SAMPLED: bool = true;

    #[inline(always)]
    fn begin<T: Real>(&self, drawn: T, draw: Draw) -> [T; 2] {
        [self.sample(drawn, draw), drawn]
    }

    #[inline(always)]
    fn take<T: Real>(&self, delta: T, [_, lambda]: [T; 2], draw: Draw) -> [T; 2] {
        let (one, two) = (T::lit(1.0), T::lit(2.0));
        let g = -delta * T::lit(self.gain);
        let mean = lambda.tanh();
        let variance = T::lit(self.kappa) * (one - mean * mean);
        let curvature = variance + two * g * mean + two * g.abs() + T::lit(1.0 / self.rate_max);
        let lambda =
            lambda - (T::lit(self.rate) * g + lambda * variance * T::lit(1.0 / self.window)) / curvature;
        [self.sample(lambda, draw), lambda]
    }

    fn answer<T: Real>(&self, [_, lambda]: [T; 2], draw: Option<Draw>) -> T {
        draw.map_or_else(|| T::lit(self.scale) * lambda.tanh(), |draw| self.sample(lambda, draw))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(index: u64) -> Draw {
        Draw { key: 4, index }
    }

    #[test]
    fn samples_have_the_mean_tanh_lambda() {
        let rule = BiMu { scale: 0.5, ..BiMu::default() };
        for lambda in [-1.0, 0.0, 0.4] {
            let n = 40_000;
            let mean = (0..n).map(|i| rule.sample::<f64>(lambda, at(i))).sum::<f64>() / n as f64;
            assert!((mean - 0.5 * lambda.tanh()).abs() < 0.01, "{lambda} {mean}");
        }
    }

    #[test]
    fn one_step_by_hand() {
        let rule = BiMu { rate: 2.0, gain: 3.0, kappa: 0.5, rate_max: 0.25, window: 10.0, scale: 1.0 };
        for (lambda, g) in [(0.7, 0.2), (0.7, -0.2), (-1.1, 0.4), (0.0, 0.0)] {
            let (m, big): (f64, f64) = (f64::tanh(lambda), 3.0 * g);
            let v = 0.5 * (1.0 - m * m);
            let d = 1.0 / (v + 2.0 * big * m + 2.0 * big.abs() + 4.0);
            let expected = lambda - d * (2.0 * big + lambda * v / 10.0);
            let found = rule.take(-g, [1.0, lambda], at(0))[1];
            assert!((found - expected).abs() < 1e-14, "{lambda} {g}");
        }
    }

    #[test]
    fn steps_are_bounded_and_certainty_is_forgotten_within_the_window() {
        let rule = BiMu::default();
        let jump = rule.take(-1e9, [1.0, 0.0_f64], at(0))[1];
        assert!((jump + 0.5 * rule.rate).abs() < 1e-3, "{jump}");
        let eager = BiMu { rate_max: 1e9, ..rule };
        let mut values = [1.0, 0.5_f64];
        for _ in 0..700 {
            values = eager.take(0.0, values, at(0));
        }
        assert!((values[1] - 0.5 * (-1f64).exp()).abs() < 1e-3, "{}", values[1]);
    }
}
