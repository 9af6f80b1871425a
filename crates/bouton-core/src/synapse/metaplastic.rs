//! The metaplastic binary synapse: the larger |W^h|, the less of a step towards zero is taken.
//!
//! f(m, W^h) = 1 − tanh²(m W^h);  W^h ← W^h + Δ·f where Δ would shrink |W^h|, else W^h ← W^h + Δ;  W^b = sign(W^h).
//! Laborieux, Ernoult, Hirtzlin & Querlioz, Nat. Commun. 12:2549 (2021). With Adam the sign of Δ is that of the first
//! moment, as in the paper. Steps are not clipped: a bound on |W^h| would bound the protection too.

use super::{
    Draw, ElementwiseSynapse, Info, SignKeys, SignOfZero, Site, Synapse, SynapseMethod, UpdateRule,
    WeightTraits,
};
use crate::Result;
use crate::axis::PerLayer;
use crate::axis::{Cite, Place};
use bouton_kernels::Real;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A binary weight with metaplastic protection (`[synapse.metaplastic]`).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Metaplastic {
    /// Strength m of the protection, one for all connections or one each from the input side on; 0 is the binary
    /// synapse.
    #[schemars(extend("minimum" = 0, "maximum" = 1e6, "x-hint" = "1.35 is usual"))]
    pub m: PerLayer,
    /// Size of the weight. Default 1; networks without normalisation need about 1/√fan_in.
    #[serde(default = "one")]
    #[schemars(extend(
        "exclusiveMinimum" = 0, "maximum" = 1e6,
        "x-hint" = "1, or about 1/√fan_in without normalisation"
    ))]
    pub scale: f64,
    /// Weight of a hidden weight of zero.
    #[serde(default)]
    pub zero: SignOfZero,
    /// Let the hidden weight itself be the weight: the control of the paper, where protection does not help. Default
    /// false.
    #[serde(default)]
    pub real: bool,
}

fn one() -> f64 {
    1.0
}

impl Metaplastic {
    /// The rule of connection `layer`.
    pub(super) fn at(&self, layer: usize) -> MetaplasticRule {
        MetaplasticRule { m: self.m.at(layer), scale: self.scale, zero: self.zero, real: self.real }
    }
}

/// The rule with its m.
#[derive(Clone, Copy, Debug)]
pub(super) struct MetaplasticRule {
    m: f64,
    scale: f64,
    zero: SignOfZero,
    real: bool,
}

impl MetaplasticRule {
    #[inline(always)]
    fn weight<T: Real>(&self, hidden: T) -> [T; 2] {
        [if self.real { hidden } else { T::constant(self.scale) * self.zero.sign(hidden) }, hidden]
    }
}

impl UpdateRule<2> for MetaplasticRule {
    const STATES: &'static [&'static str] = &["metaplastic.hidden"];
    const INFO: Info = Info {
        latent: Some(0),
        own_step_size: false,
        stochastic: false,
        bayesian: false,
        changes_at_task_end: false,
    };

    #[inline(always)]
    fn init<T: Real>(&self, drawn: T, _: Draw) -> [T; 2] {
        self.weight(drawn)
    }

    #[inline(always)]
    fn update<T: Real>(&self, delta: T, [_, hidden]: [T; 2], _: Draw) -> [T; 2] {
        let t = (T::constant(self.m) * hidden).tanh();
        let protected = delta - delta * (t * t);
        // Δ·W^h ≥ 0 grows |W^h|, and so does any step from zero.
        self.weight(hidden + T::select(delta * hidden, delta, protected))
    }
}

impl SynapseMethod for Metaplastic {
    fn check(&self, at: &Place) -> Result<()> {
        at.per_connection("m", &self.m)
    }

    fn cites(&self) -> Vec<Cite> {
        vec![Cite::of("laborieux2021-metaplasticity")]
    }

    fn traits(&self) -> WeightTraits {
        let info = MetaplasticRule::INFO;
        if self.real {
            WeightTraits::real(info, true)
        } else {
            WeightTraits::bits(info, self.scale, self.zero)
        }
    }

    fn sign_keys(&mut self) -> Option<SignKeys<'_>> {
        Some(SignKeys { zero: &mut self.zero, window: None, clip: None })
    }

    fn device(&mut self) -> Option<&mut Option<String>> {
        None
    }

    fn examples() -> Vec<Self> {
        let base = Self { m: PerLayer::All(1.35), scale: 1.0, zero: SignOfZero::Plus, real: false };
        vec![
            base.clone(),
            Self { scale: 0.5, zero: SignOfZero::Zero, ..base.clone() },
            Self { real: true, ..base },
        ]
    }

    fn build(&self, site: Site) -> Result<Box<dyn Synapse>> {
        Ok(Box::new(ElementwiseSynapse(self.at(site.layer))))
    }
}

#[cfg(test)]
mod tests {
    use super::super::Binary;
    use super::*;

    const DRAW: Draw = Draw { key: 0, index: 0 };

    fn rule(m: f64) -> MetaplasticRule {
        Metaplastic { m: PerLayer::All(m), scale: 1.0, zero: SignOfZero::Plus, real: false }.at(0)
    }

    /// Hidden weights and steps of either sign, zero included.
    fn grid() -> impl Iterator<Item = (f64, f64)> {
        let values = || (-20..=20).map(|k| f64::from(k) * 0.15);
        values().flat_map(move |h| values().map(move |d| (h, 0.3 * d)))
    }

    #[test]
    fn without_protection_it_is_the_binary_synapse_bit_for_bit() {
        let plain = Binary::default();
        for (h, d) in grid() {
            let (h, d) = (h as f32, d as f32);
            assert_eq!(rule(0.0).update(d, [1.0, h], DRAW), plain.update(d, [1.0, h], DRAW));
        }
    }

    #[test]
    fn what_is_held_back_is_the_step_times_tanh_squared_where_it_shrinks() {
        for (h, d) in grid() {
            let new = rule(1.35).update(d, [1.0, h], DRAW)[1];
            let held = if d * h < 0.0 { d * (1.35 * h).tanh().powi(2) } else { 0.0 };
            assert!((h + d - new - held).abs() < 1e-15, "{h} {d}");
        }
    }

    #[test]
    fn protection_is_even_and_depends_on_m_times_the_weight() {
        for (h, d) in grid().filter(|(h, d)| h * d < 0.0) {
            let moved = |m: f64, h: f64, d: f64| rule(m).update(d, [1.0, h], DRAW)[1] - h;
            assert!((moved(1.3, h, d) + moved(1.3, -h, -d)).abs() < 1e-15);
            assert!((moved(2.0, h, d) - moved(1.0, 2.0 * h, d)).abs() < 1e-15);
        }
    }

    /// Steps of random sign: growth is not hindered, shrinking is, so |W^h| drifts by half a step instead of diffusing.
    #[test]
    fn hidden_weights_drift_linearly_under_noise() {
        let walk = |m: f64, steps: u64| {
            let of = |index: u64| {
                let mut h = 4.0_f64;
                for t in 0..steps {
                    let d = if (Draw { key: t, index }).bits(0) & 1 == 0 { 0.1 } else { -0.1 };
                    h = rule(m).update(d, [1.0, h], DRAW)[1];
                }
                h.abs()
            };
            (0..200).map(of).sum::<f64>() / 200.0
        };
        let slope = (walk(3.0, 400) - walk(3.0, 200)) / 200.0;
        assert!((slope - 0.05).abs() < 0.005, "{slope}");
        assert!((walk(0.0, 400) - 4.0).abs() < 0.6);
    }
}
