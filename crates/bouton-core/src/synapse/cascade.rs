//! The cascade: a binary weight whose every further event of its own sign takes it a level deeper, where the next flip is
//! less probable.
//!
//! An event against the weight flips it with probability q_i, to level 1; one with the weight deepens it from level i to
//! i + 1 with probability p_i:
//!
//! q_i = x^(i−1) for i < n,  q_n = x^(n−1)/(1 − x),  p_i = xⁱ/(1 − x);  one level only: q = 1
//!
//! Fusi, Drew & Abbott, Neuron 45:599 (2005), for as many potentiations as depressions. The proposal Δ is an event with
//! probability min(1, |Δ|/`step`), a potentiation if Δ > 0 and else a depression.

use super::{
    Draw, Info, SignKeys, SignOfZero, Site, Synapse, SynapseMethod, UniformRule, UniformSynapse, WeightTraits,
};
use crate::Result;
use crate::axis::{Cite, Place};
use bouton_kernels::Real;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A weight of ±`scale` with metaplastic levels (`[synapse.cascade]`).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct Cascade {
    /// n: levels of either sign, 1 to 30. Default 5.
    #[schemars(extend("minimum" = 1, "maximum" = 30, "x-hint" = "5 is usual"))]
    pub levels: usize,
    /// x: ratio of the probabilities of neighbouring levels, above 0 and up to ½. Default ½.
    #[schemars(extend("exclusiveMinimum" = 0, "maximum" = 0.5, "x-hint" = "0.5 is usual"))]
    pub ratio: f64,
    /// |Δ| that makes an event certain. Default 0.01.
    #[schemars(extend(
        "exclusiveMinimum" = 0, "maximum" = 1e6,
        "x-hint" = "about the largest proposal: the learning rate, with Adam"
    ))]
    pub step: f64,
    /// Size of the weight. Default 1; networks without normalisation need about 1/√fan_in.
    #[schemars(extend(
        "exclusiveMinimum" = 0, "maximum" = 1e6,
        "x-hint" = "1, or about 1/√fan_in without normalisation"
    ))]
    pub scale: f64,
}

impl Default for Cascade {
    fn default() -> Self {
        Self { levels: 5, ratio: 0.5, step: 0.01, scale: 1.0 }
    }
}

impl Cascade {
    /// q and p of `level`.
    #[inline(always)]
    fn probabilities<T: Real>(&self, level: T) -> [T; 2] {
        let (zero, one, x) = (T::constant(0.0), T::constant(1.0), T::constant(self.ratio));
        let mut power = one;
        for k in 1..self.levels {
            power = T::select(level - T::constant(k as f64 + 0.5), power * x, power);
        }
        if self.levels < 2 {
            return [one, zero];
        }
        let others = one / (one - x);
        let deepest = level - T::constant(self.levels as f64 - 0.5);
        [T::select(deepest, power * others, power), T::select(deepest, zero, power * x * others)]
    }
}

impl UniformRule<2> for Cascade {
    const STATES: &'static [&'static str] = &["cascade.level"];
    const INFO: Info = Info {
        latent: None,
        own_step_size: false,
        stochastic: true,
        bayesian: false,
        changes_at_task_end: false,
    };

    #[inline(always)]
    fn init<T: Real>(&self, drawn: T, draw: Draw) -> [T; 2] {
        // Levels are equally probable in the long run.
        let levels = self.levels.max(1);
        let level = 1 + (draw.uniform::<f64>(0) * levels as f64) as usize;
        [T::constant(self.scale) * SignOfZero::Plus.sign(drawn), T::constant(level as f64)]
    }

    #[inline(always)]
    fn update<T: Real>(&self, delta: T, [weight, level]: [T; 2], u: T) -> [T; 2] {
        let [flip, deepen] = self.probabilities(level);
        let agrees = delta * SignOfZero::Plus.sign(weight);
        // With the weight, against it, or no event at all at zero.
        let probability = T::select(agrees, deepen, flip)
            * (delta.abs() * T::constant(1.0 / self.step)).min(T::constant(1.0));
        let stays = u - probability;
        let [new_weight, new_level] = [
            T::select(agrees, weight, -weight),
            T::select(agrees, level + T::constant(1.0), T::constant(1.0)),
        ];
        [T::select(stays, weight, new_weight), T::select(stays, level, new_level)]
    }
}

impl SynapseMethod for Cascade {
    fn check(&self, _: &Place) -> Result<()> {
        Ok(())
    }

    fn cites(&self) -> Vec<Cite> {
        vec![Cite::of("fusi2005")]
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
        Ok(Box::new(UniformSynapse(*self)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cascade(levels: usize) -> Cascade {
        Cascade { levels, ..Cascade::default() }
    }

    /// Many synapses after `events` random events each, then one potentiation each.
    fn after(rule: Cascade, synapses: u64, events: u64) -> (Vec<[f64; 2]>, Vec<[f64; 2]>) {
        let one = |index| {
            let coin = |t| if (Draw { key: 1000 + t, index }).bits(0) & 1 == 0 { 1.0 } else { -1.0 };
            let mut values = rule.init(coin(events), Draw { key: 0, index });
            for t in 0..events {
                values = rule.update(coin(t), values, Draw { key: 1 + t, index }.uniform(0));
            }
            (values, rule.update(1.0, values, Draw { key: 1 + events, index }.uniform(0)))
        };
        (0..synapses).map(one).unzip()
    }

    #[test]
    fn probabilities_are_those_of_the_equations() {
        let at = |level: f64| cascade(4).probabilities(level);
        assert_eq!([1.0, 2.0, 3.0, 4.0].map(at), [[1.0, 1.0], [0.5, 0.5], [0.25, 0.25], [0.25, 0.0]]);
        let third = Cascade { levels: 3, ratio: 0.25, ..Cascade::default() };
        assert_eq!(third.probabilities(1.0_f64)[0], 1.0);
        assert!((third.probabilities(1.0_f64)[1] - 1.0 / 3.0).abs() < 1e-15);
        assert!((third.probabilities(3.0_f64)[0] - 1.0 / 12.0).abs() < 1e-15);
    }

    #[test]
    fn random_events_fill_all_levels_equally() {
        let (n, synapses) = (5, 40_000);
        let (values, _) = after(cascade(n), synapses, 60);
        for sign in [-1.0, 1.0] {
            for level in 1..=n {
                let count = values.iter().filter(|v| **v == [sign, level as f64]).count();
                let expected = synapses as f64 / (2.0 * n as f64);
                assert!((count as f64 - expected).abs() < 5.0 * expected.sqrt(), "{sign} {level} {count}");
            }
        }
    }

    #[test]
    fn the_signal_of_a_fresh_memory_is_two_over_n() {
        for n in [2, 5, 10] {
            let synapses = 40_000;
            let (before, after) = after(cascade(n), synapses, 5);
            let signal = |v: &[[f64; 2]]| v.iter().map(|v| v[0]).sum::<f64>() / synapses as f64;
            let gained = signal(&after) - signal(&before);
            assert!((gained - 2.0 / n as f64).abs() < 0.02, "{n} {gained}");
        }
    }

    #[test]
    fn a_single_level_flips_at_every_event() {
        let (_, after) = after(cascade(1), 1000, 3);
        assert!(after.iter().all(|v| *v == [1.0, 1.0]));
    }

    #[test]
    fn small_proposals_are_rare_events() {
        let rule = Cascade { levels: 1, step: 0.5, scale: 0.25, ..Cascade::default() };
        let flips = |delta: f64| {
            (0..20_000)
                .filter(|&index| {
                    rule.update(delta, [-0.25, 1.0], Draw { key: 3, index }.uniform(0))[0] == 0.25
                })
                .count()
        };
        assert_eq!((flips(0.0), flips(-0.5), flips(0.5), flips(7.0)), (0, 0, 20_000, 20_000));
        assert!((flips(0.125) as f64 - 5000.0).abs() < 350.0);
    }
}
