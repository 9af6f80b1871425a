//! MESU: a normal distribution over the weight; uncertain weights move, and are made certain by what they learn.
//!
//! w = μ + σ ε,  ε ~ N(0, 1);  g_μ = g,  g_σ = g ε, both clipped to ±`clip`/σ
//! μ ← μ + `rate` σ² (−g_μ + (μ_0 − μ)/(N σ_0²)),  σ ← σ + ½ `spread-rate` (−σ² g_σ + σ (σ_0² − σ²)/(N σ_0²)),  μ_0 = 0
//!
//! Metaplasticity from synaptic uncertainty: Bonnet et al., Bayesian continual learning and forgetting in neural networks,
//! arXiv:2504.13569. N is the memory window. The weight is drawn once for each update, g is the gradient at that sample.

use super::{Draw, Scalar};
use bouton_kernels::Real;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A weight drawn from its own normal distribution at each update (`[synapse.mesu]`).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct Mesu {
    /// Step size of μ. Default 1.6.
    pub rate: f64,
    /// Step size of σ; times `clip` below 2, so that σ stays positive. Default 2.1.
    pub spread_rate: f64,
    /// σ_0: standard deviation of the prior and of a fresh weight, around what the wiring drew. Default 0.3.
    pub spread: f64,
    /// N: updates after which unused certainty is forgotten. Default 6e5.
    pub window: f64,
    /// Bound of a gradient, in units of 1/σ. Default 0.36.
    pub clip: f64,
}

impl Default for Mesu {
    fn default() -> Self {
        Self { rate: 1.6, spread_rate: 2.1, spread: 0.3, window: 6e5, clip: 0.36 }
    }
}

impl Scalar<4> for Mesu {
    const STATE: &'static [&'static str] = &["mesu.mean", "mesu.spread", "mesu.deviation"];
    const HIDDEN: Option<usize> = Some(0);
    const RAW: bool = true;
    const DRAWS: bool = true;
    const SAMPLED: bool = true;

    #[inline(always)]
    fn begin<T: Real>(&self, drawn: T, draw: Draw) -> [T; 4] {
        let (spread, deviation) = (T::lit(self.spread), draw.normal::<T>(0));
        [drawn + spread * deviation, drawn, spread, deviation]
    }

    #[inline(always)]
    fn take<T: Real>(&self, delta: T, [_, mean, spread, deviation]: [T; 4], draw: Draw) -> [T; 4] {
        let clipped = |step: T| {
            let bound = T::lit(self.clip) / spread;
            step.max(-bound).min(bound)
        };
        let prior = self.spread * self.spread;
        let (variance, forget) = (spread * spread, T::lit(1.0 / (self.window * prior)));
        let to_mean = variance * (clipped(delta) - mean * forget);
        let to_spread = variance * clipped(delta * deviation) + spread * (T::lit(prior) - variance) * forget;
        let mean = mean + T::lit(self.rate) * to_mean;
        let spread = spread + T::lit(0.5 * self.spread_rate) * to_spread;
        let deviation = draw.normal::<T>(0);
        [mean + spread * deviation, mean, spread, deviation]
    }

    fn answer<T: Real>(&self, [_, mean, spread, _]: [T; 4], draw: Option<Draw>) -> T {
        draw.map_or(mean, |draw| mean + spread * draw.normal::<T>(0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(index: u64) -> Draw {
        Draw { key: 6, index }
    }

    #[test]
    fn fresh_weights_have_the_prior_around_what_was_drawn() {
        let n = 40_000;
        let deviations: Vec<f64> = (0..n).map(|i| Mesu::default().begin(0.25, at(i))[0] - 0.25).collect();
        let variance = deviations.iter().map(|d| d * d).sum::<f64>() / n as f64;
        assert!((variance.sqrt() - 0.3).abs() < 0.005, "{variance}");
    }

    #[test]
    fn one_step_by_hand() {
        let rule = Mesu { rate: 2.0, spread_rate: 3.0, spread: 0.5, window: 10.0, clip: 0.5 };
        let (mean, spread) = (0.8, 0.25);
        // The bound is 2.
        for (g, deviation) in [(0.5, 1.5), (-0.5, 1.5), (1.8, -1.2), (-7.0, 0.1)] {
            let new = rule.take(-g, [9.0, mean, spread, deviation], at(1));
            let (gm, gs) = (f64::clamp(g, -2.0, 2.0), f64::clamp(g * deviation, -2.0, 2.0));
            let v = 0.0625;
            let m = mean + 2.0 * (-v * gm + v * (0.0 - mean) / (10.0 * 0.25));
            let s = spread + 1.5 * (-v * gs + spread * (0.25 - v) / (10.0 * 0.25));
            assert!((new[1] - m).abs() < 1e-14 && (new[2] - s).abs() < 1e-14, "{g} {new:?}");
            assert_eq!(new[0], new[1] + new[2] * new[3]);
        }
    }

    #[test]
    fn the_spread_stays_positive_and_returns_to_the_prior() {
        let rule = Mesu::default();
        let mut values = rule.begin(0.0_f64, at(0));
        for t in 0..50 {
            values = rule.take(-1e6, [values[0], values[1], values[2], 1.0], at(t));
            assert!(values[2] > 0.0);
        }
        let brief = Mesu { window: 20.0, ..rule };
        for t in 0..2000 {
            values = brief.take(0.0, values, at(t));
        }
        assert!((values[2] - 0.3).abs() < 1e-6 && values[1].abs() < 1e-3, "{values:?}");
    }
}
