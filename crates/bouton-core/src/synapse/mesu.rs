//! MESU: a normal distribution over the weight; uncertain weights move, and are made certain by what they learn.
//!
//! w = μ + σ ε,  ε ~ N(0, 1);  g_μ = ⟨g⟩,  g_σ = ⟨g ε⟩, both clipped to ±`clip`/σ
//! μ ← μ + `rate` σ² (−g_μ + (μ_0 − μ)/(N σ_0²)),  σ ← σ + ½ `spread-rate` (−σ² g_σ + σ (σ_0² − σ²)/(N σ_0²)),  μ_0 = 0
//!
//! Metaplasticity from synaptic uncertainty: Bonnet et al., Bayesian continual learning and forgetting in neural networks,
//! arXiv:2504.13569. N is the memory window, g the gradient at a sample, ⟨ ⟩ the mean over the draws of an update, `run.train-draws`.

use super::{
    Draw, ElementwiseSynapse, Info, SignKeys, Site, Synapse, SynapseMethod, UpdateRule, WeightTraits,
};
use crate::Result;
use crate::axis::PerLayer;
use crate::axis::{Cite, Place};
use bouton_kernels::Real;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A weight drawn from its own normal distribution at each update (`[synapse.mesu]`).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct Mesu {
    /// Step size of μ. Default 1.6.
    #[schemars(extend("exclusiveMinimum" = 0, "maximum" = 1e6, "x-hint" = "1.6 is usual"))]
    pub rate: f64,
    /// Step size of σ; times `clip` below 2, so that σ stays positive. Default 2.1.
    #[schemars(extend("minimum" = 0, "maximum" = 1e6, "x-hint" = "2.1 is usual"))]
    pub spread_rate: f64,
    /// σ_0: standard deviation of the prior. Default 0.3.
    #[schemars(extend("exclusiveMinimum" = 0, "maximum" = 1e6, "x-hint" = "0.3 is usual"))]
    pub spread: f64,
    /// σ of a fresh weight, around what the wiring drew, one for all connections or one each from the input side on. Default:
    /// σ_0.
    #[schemars(extend("exclusiveMinimum" = 0, "maximum" = 1e6, "x-hint" = "1/√fan_in is usual"))]
    pub start: Option<PerLayer>,
    /// N: updates after which unused certainty is forgotten. Default 6e5.
    #[schemars(extend("exclusiveMinimum" = 0, "maximum" = 1e12, "x-hint" = "6e5 is usual"))]
    pub window: f64,
    /// Bound of a gradient, in units of 1/σ. Default 0.36.
    #[schemars(extend("exclusiveMinimum" = 0, "maximum" = 1e6, "x-hint" = "0.36 is usual"))]
    pub clip: f64,
}

impl Default for Mesu {
    fn default() -> Self {
        Self { rate: 1.6, spread_rate: 2.1, spread: 0.3, start: None, window: 6e5, clip: 0.36 }
    }
}

impl Mesu {
    /// The rule of connection `layer`.
    pub(super) fn at(&self, layer: usize) -> MesuRule {
        let Self { rate, spread_rate, spread, window, clip, .. } = *self;
        let start = self.start.as_ref().map_or(spread, |start| start.at(layer));
        MesuRule { rate, spread_rate, spread, start, window, clip }
    }
}

/// The rule with the σ of its fresh weights.
#[derive(Clone, Copy, Debug)]
pub(super) struct MesuRule {
    rate: f64,
    spread_rate: f64,
    spread: f64,
    start: f64,
    window: f64,
    clip: f64,
}

impl UpdateRule<6> for MesuRule {
    const STATES: &'static [&'static str] =
        &["mesu.mean", "mesu.spread", "mesu.deviation", "mesu.mean-sum", "mesu.spread-sum"];
    const INFO: Info = Info {
        latent: Some(0),
        own_step_size: true,
        stochastic: true,
        bayesian: true,
        changes_at_task_end: false,
    };

    #[inline(always)]
    fn init<T: Real>(&self, drawn: T, draw: Draw) -> [T; 6] {
        let (spread, deviation, none) = (T::constant(self.start), draw.normal::<T>(0), T::constant(0.0));
        [drawn + spread * deviation, drawn, spread, deviation, none, none]
    }

    #[inline(always)]
    fn accumulate<T: Real>(&self, delta: T, values: [T; 6], draw: Draw) -> [T; 6] {
        let [_, mean, spread, former, to_mean, to_spread] = values;
        let deviation = draw.normal::<T>(0);
        [mean + spread * deviation, mean, spread, deviation, to_mean + delta, to_spread + delta * former]
    }

    #[inline(always)]
    fn update<T: Real>(&self, delta: T, values: [T; 6], draw: Draw) -> [T; 6] {
        let [_, mean, spread, former, means, spreads] = values;
        let clipped = |step: T| {
            let bound = T::constant(self.clip) / spread;
            step.max(-bound).min(bound)
        };
        let prior = self.spread * self.spread;
        let (variance, forget) = (spread * spread, T::constant(1.0 / (self.window * prior)));
        let to_mean = variance * (clipped(means + delta) - mean * forget);
        let to_spread =
            variance * clipped(spreads + delta * former) + spread * (T::constant(prior) - variance) * forget;
        let mean = mean + T::constant(self.rate) * to_mean;
        let spread = spread + T::constant(0.5 * self.spread_rate) * to_spread;
        let (deviation, none) = (draw.normal::<T>(0), T::constant(0.0));
        [mean + spread * deviation, mean, spread, deviation, none, none]
    }

    fn sample_or_mean<T: Real>(&self, [_, mean, spread, ..]: [T; 6], draw: Option<Draw>) -> T {
        draw.map_or(mean, |draw| mean + spread * draw.normal::<T>(0))
    }
}

impl SynapseMethod for Mesu {
    fn check(&self, at: &Place) -> Result<()> {
        if let Some(start) = &self.start {
            at.per_connection("start", start)?;
        }
        let positive = self.spread_rate * self.clip < 2.0;
        let need = "below 2/clip, so that the spread stays positive";
        at.require(positive, "spread-rate", self.spread_rate, need, "lower it, or clip")
    }

    fn cites(&self) -> Vec<Cite> {
        vec![Cite::of("bonnet2025")]
    }

    fn traits(&self) -> WeightTraits {
        WeightTraits::real(MesuRule::INFO, true)
    }

    fn sign_keys(&mut self) -> Option<SignKeys<'_>> {
        None
    }

    fn device(&mut self) -> Option<&mut Option<String>> {
        None
    }

    fn examples() -> Vec<Self> {
        vec![Self::default(), Self { start: Some(PerLayer::All(0.1)), ..Self::default() }]
    }

    fn build(&self, site: Site) -> Result<Box<dyn Synapse>> {
        Ok(Box::new(ElementwiseSynapse(self.at(site.layer))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(index: u64) -> Draw {
        Draw { key: 6, index }
    }

    #[test]
    fn fresh_weights_spread_around_what_was_drawn() {
        let second = Mesu { start: Some(PerLayer::Each(vec![0.7, 0.1])), ..Mesu::default() }.at(1);
        for (rule, spread) in [(Mesu::default().at(1), 0.3), (second, 0.1)] {
            let n = 40_000;
            let deviations: Vec<f64> = (0..n).map(|i| rule.init(0.25, at(i))[0] - 0.25).collect();
            let variance = deviations.iter().map(|d| d * d).sum::<f64>() / n as f64;
            assert!((variance.sqrt() / spread - 1.0).abs() < 0.02, "{variance}");
        }
    }

    #[test]
    fn draws_of_an_update_are_added_before_they_are_clipped() {
        let rule = Mesu { clip: 0.5, ..Mesu::default() }.at(0);
        let first = rule.accumulate(3.0, [9.0, 0.8, 0.25, 1.5, 0.0, 0.0], at(0));
        assert!(first[..3] == [0.8 + 0.25 * first[3], 0.8, 0.25] && first[4..] == [3.0, 4.5]);
        let after = rule.update(-2.5, first, at(1));
        let (to_mean, to_spread) = (0.5, f64::clamp(4.5 - 2.5 * first[3], -2.0, 2.0));
        let alone = rule.update(to_mean, [0.0, 0.8, 0.25, to_spread / to_mean, 0.0, 0.0], at(1));
        assert!(after.iter().zip(alone).all(|(a, b)| (a - b).abs() < 1e-14) && after[4..] == [0.0; 2]);
    }

    #[test]
    fn one_step_by_hand() {
        let spec = Mesu { rate: 2.0, spread_rate: 3.0, spread: 0.5, start: None, window: 10.0, clip: 0.5 };
        let rule = spec.at(0);
        let (mean, spread) = (0.8, 0.25);
        // The bound is 2.
        for (g, deviation) in [(0.5, 1.5), (-0.5, 1.5), (1.8, -1.2), (-7.0, 0.1)] {
            let new = rule.update(-g, [9.0, mean, spread, deviation, 0.0, 0.0], at(1));
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
        let rule = Mesu::default().at(0);
        let mut values = rule.init(0.0_f64, at(0));
        for t in 0..50 {
            values = rule.update(-1e6, [values[0], values[1], values[2], 1.0, 0.0, 0.0], at(t));
            assert!(values[2] > 0.0);
        }
        let brief = Mesu { window: 20.0, ..Mesu::default() }.at(0);
        for t in 0..2000 {
            values = brief.update(0.0, values, at(t));
        }
        assert!((values[2] - 0.3).abs() < 1e-6 && values[1].abs() < 1e-3, "{values:?}");
    }
}
