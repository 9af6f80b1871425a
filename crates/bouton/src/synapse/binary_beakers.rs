//! The chain of beakers behind a binary weight: hidden weights that neither grow without end nor forget at once.
//!
//! b_1 ← b_1 + Δ + (r_1/A_1)(b_2 − b_1) + F (b_n − b_1) [where (b_n − b_1) b_n > 0]
//! b_k ← b_k + (r_(k−1)/A_k)(b_(k−1) − b_k) + (r_k/A_k)(b_(k+1) − b_k),  b_(n+1) = 0
//!
//! The weight is the sign of b_1. The last level is protected: what flows in from b_(n−1) is multiplied by
//! 1 − tanh²(m b_n) where it would shrink |b_n|. All levels on the right are those before the update. Laborieux, Ernoult,
//! Hirtzlin & Querlioz, Nat. Commun. 12:2549 (2021), after Benna & Fusi (2016): the leak to 0 gives endless streams a
//! stationary distribution of hidden weights.

use super::{Draw, Rule, Scalar, SignOfZero, Synapse};
use bouton_kernels::Real;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The sign of the first of a chain of beakers (`[synapse.binary-beakers]`).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct BinaryBeakers {
    /// r: pipe behind each beaker, 2 to 8 of them; the last one leads to 0. Default [1e-2, 1e-3, 1e-4, 1e-5].
    pub pipes: Vec<f64>,
    /// A: area of each beaker, as many as pipes. Default [1, 2, 4, 8].
    pub areas: Vec<f64>,
    /// F: pull of the last beaker on the first. Default 5e-3.
    pub feedback: f64,
    /// m: strength of the last beaker's protection. Default 0.
    pub m: f64,
    /// Size of the weight. Default 1; networks without normalisation need about 1/√fan_in.
    pub scale: f64,
    /// Weight of a hidden weight of zero.
    pub zero: SignOfZero,
}

impl Default for BinaryBeakers {
    fn default() -> Self {
        Self {
            pipes: vec![1e-2, 1e-3, 1e-4, 1e-5],
            areas: vec![1.0, 2.0, 4.0, 8.0],
            feedback: 5e-3,
            m: 0.0,
            scale: 1.0,
            zero: SignOfZero::Plus,
        }
    }
}

impl BinaryBeakers {
    /// Lengths a chain can have.
    pub const LENGTHS: std::ops::RangeInclusive<usize> = 2..=8;

    /// The synapse; lengths that a chain cannot have count as the nearest one.
    pub(super) fn build(&self) -> Box<dyn Synapse> {
        match self.pipes.len() {
            ..=2 => self.chain::<3>(),
            3 => self.chain::<4>(),
            4 => self.chain::<5>(),
            5 => self.chain::<6>(),
            6 => self.chain::<7>(),
            7 => self.chain::<8>(),
            8.. => self.chain::<9>(),
        }
    }

    fn chain<const V: usize>(&self) -> Box<dyn Synapse> {
        Box::new(Rule(self.rule::<V>()))
    }

    fn rule<const V: usize>(&self) -> Levels<V> {
        let of = |list: &[f64], k: usize| list.get(k.wrapping_sub(1)).copied();
        Levels {
            pipe: std::array::from_fn(|k| of(&self.pipes, k).unwrap_or(0.0)),
            inverse: std::array::from_fn(|k| 1.0 / of(&self.areas, k).unwrap_or(1.0)),
            feedback: self.feedback,
            m: self.m,
            scale: self.scale,
            zero: self.zero,
        }
    }
}

/// A chain with its numbers: entry k belongs to b_k, and entry 0 to the weight, which has no pipe.
#[derive(Clone, Copy, Debug)]
struct Levels<const V: usize> {
    pipe: [f64; V],
    inverse: [f64; V],
    feedback: f64,
    m: f64,
    scale: f64,
    zero: SignOfZero,
}

const NAMES: [&str; 8] = [
    "binary-beakers.b1",
    "binary-beakers.b2",
    "binary-beakers.b3",
    "binary-beakers.b4",
    "binary-beakers.b5",
    "binary-beakers.b6",
    "binary-beakers.b7",
    "binary-beakers.b8",
];

impl<const V: usize> Scalar<V> for Levels<V> {
    const VECTORS: bool = false;
    const STATE: &'static [&'static str] = NAMES.split_at(V - 1).0;
    const HIDDEN: Option<usize> = Some(0);

    #[inline(always)]
    fn begin<T: Real>(&self, drawn: T, _: Draw) -> [T; V] {
        let mut values = [drawn; V];
        values[0] = T::lit(self.scale) * self.zero.sign(drawn);
        values
    }

    #[inline(always)]
    fn take<T: Real>(&self, delta: T, old: [T; V], _: Draw) -> [T; V] {
        let (zero, last) = (T::lit(0.0), V - 1);
        let mut new = old;
        new[1] = old[1] + delta;
        for k in 1..V {
            let [before, behind] = [k - 1, k].map(|pipe| T::lit(self.pipe[pipe] * self.inverse[k]));
            let next = if k < last { old[k + 1] } else { zero };
            let mut inflow = before * (old[k - 1] - old[k]);
            if k == last {
                let t = (T::lit(self.m) * old[k]).tanh();
                inflow = T::select(inflow * old[k], inflow, inflow - inflow * (t * t));
            }
            new[k] = new[k] + inflow + behind * (next - old[k]);
        }
        let back = old[last] - old[1];
        // Nothing flows back where −back·b_n ≥ 0.
        new[1] = new[1] + T::select(-back * old[last], zero, T::lit(self.feedback) * back);
        new[0] = T::lit(self.scale) * self.zero.sign(new[1]);
        new
    }
}

#[cfg(test)]
mod tests {
    use super::super::Binary;
    use super::*;

    const DRAW: Draw = Draw { key: 0, index: 0 };

    fn noise(t: u64) -> f64 {
        Draw { key: 5, index: t }.uniform::<f64>(0) - 0.5
    }

    #[test]
    fn without_pipes_and_feedback_it_is_the_binary_synapse_bit_for_bit() {
        let chain = BinaryBeakers { pipes: vec![0.0; 4], feedback: 0.0, ..BinaryBeakers::default() };
        let (chain, plain) = (chain.rule::<5>(), Binary::default());
        let (mut a, mut b) = (chain.begin(-0.2_f32, DRAW), plain.begin(-0.2_f32, DRAW));
        for t in 0..1000 {
            a = chain.take(noise(t) as f32, a, DRAW);
            b = plain.take(noise(t) as f32, b, DRAW);
            assert_eq!([a[0], a[1]].map(f32::to_bits), b.map(f32::to_bits));
            assert_eq!(a[2..], [-0.2; 3]);
        }
    }

    #[test]
    fn one_step_by_hand() {
        let spec = BinaryBeakers {
            pipes: vec![0.5, 0.25, 0.125],
            areas: vec![1.0, 2.0, 4.0],
            feedback: 0.1,
            m: 0.7,
            scale: 0.5,
            zero: SignOfZero::Plus,
        };
        let rule = spec.rule::<4>();
        for b in [[1.0, -2.0, 3.0], [4.0, 1.0, 2.0], [-1.0, 0.5, -0.25], [0.5, 4.0, 1.0_f64]] {
            let new = rule.take(0.3, [9.0, b[0], b[1], b[2]], DRAW);
            let pulls = (b[2] - b[0]) * b[2] > 0.0;
            let back = if pulls { 0.1 * (b[2] - b[0]) } else { 0.0 };
            let shrinks = (b[1] - b[2]) * b[2] < 0.0;
            let guard = if shrinks { 1.0 - (0.7 * b[2]).tanh().powi(2) } else { 1.0 };
            let law = [
                b[0] + 0.3 + 0.5 * (b[1] - b[0]) + back,
                b[1] + 0.25 * (b[0] - b[1]) + 0.125 * (b[2] - b[1]),
                b[2] + 0.0625 * (b[1] - b[2]) * guard - 0.03125 * b[2],
            ];
            assert!(new[1..].iter().zip(law).all(|(n, l)| (n - l).abs() < 1e-14), "{new:?} {law:?}");
            assert_eq!(new[0], if law[0] < 0.0 { -0.5 } else { 0.5 });
        }
    }

    /// Random steps: a hidden weight alone diffuses without end, the chain does not.
    #[test]
    fn hidden_weights_become_stationary() {
        let spread = |pipes: [f64; 2], steps: u64| {
            let rule = BinaryBeakers {
                pipes: pipes.into(),
                areas: vec![1.0, 2.0],
                feedback: 0.0,
                ..BinaryBeakers::default()
            }
            .rule::<3>();
            let of = |index| {
                let step = |t| Draw { key: t, index }.uniform::<f64>(0) - 0.5;
                (0..steps).fold([1.0, 0.0, 0.0], |v, t| rule.take(step(t), v, DRAW))[1]
            };
            (0..400).map(|i| of(i).powi(2)).sum::<f64>() / 400.0
        };
        let (early, late) = (spread([0.1, 0.1], 200), spread([0.1, 0.1], 800));
        assert!((late / early - 1.0).abs() < 0.25, "{early} {late}");
        let free = spread([0.0, 0.0], 800);
        assert!((free / (800.0 / 12.0) - 1.0).abs() < 0.25, "{free}");
    }
}
