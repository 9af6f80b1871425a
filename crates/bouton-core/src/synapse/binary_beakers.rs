//! The chain of beakers behind a binary weight: hidden weights that neither grow without end nor forget at once.
//!
//! b_1 ← b_1 + Δ + (r_1/A_1)(b_2 − b_1) + F (b_n − b_1) [where (b_n − b_1) b_n > 0]
//! b_k ← b_k + (r_(k−1)/A_k)(b_(k−1) − b_k) + (r_k/A_k)(b_(k+1) − b_k),  b_(n+1) = 0
//!
//! The weight is the sign of b_1. The last level is protected: what flows in from b_(n−1) is multiplied by
//! 1 − tanh²(m b_n) where it would shrink |b_n|. All levels on the right are those before the update. Laborieux, Ernoult,
//! Hirtzlin & Querlioz, Nat. Commun. 12:2549 (2021), after Benna & Fusi (2016): the leak to 0 gives endless streams a
//! stationary distribution of hidden weights.

use super::{Info, STABLE, SignKeys, SignOfZero, Site, Synapse, SynapseMethod, WeightTraits, values};
use crate::Result;
use crate::axis::{Cite, Place};
use bouton_kernels::{Elem, View, ViewMut, dispatch, vectorize};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The sign of the first of a chain of beakers (`[synapse.binary-beakers]`).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct BinaryBennaFusi {
    /// r: pipe behind each beaker, 2 to 1000 of them; the last one leads to 0. Default [1e-2, 1e-3, 1e-4, 1e-5].
    #[schemars(extend("minimum" = 0, "maximum" = 1e6, "x-hint" = "1e-2 is usual"))]
    pub pipes: Vec<f64>,
    /// A: area of each beaker, as many as pipes. Default [1, 2, 4, 8].
    #[schemars(extend("exclusiveMinimum" = 0, "maximum" = 1e12, "x-hint" = "1 is usual"))]
    pub areas: Vec<f64>,
    /// F: pull of the last beaker on the first. Default 5e-3.
    #[schemars(extend("minimum" = 0, "maximum" = 1e6, "x-hint" = "5e-3 is usual"))]
    pub feedback: f64,
    /// m: strength of the last beaker's protection. Default 0.
    #[schemars(extend("minimum" = 0, "maximum" = 1e6, "x-hint" = "1.35 is usual"))]
    pub m: f64,
    /// Size of the weight. Default 1; networks without normalisation need about 1/√fan_in.
    #[schemars(extend(
        "exclusiveMinimum" = 0, "maximum" = 1e6,
        "x-hint" = "1, or about 1/√fan_in without normalisation"
    ))]
    pub scale: f64,
    /// Weight of a hidden weight of zero.
    pub zero: SignOfZero,
}

impl Default for BinaryBennaFusi {
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

impl BinaryBennaFusi {
    /// Largest part of its level that a beaker loses in one update; below 1 the chain is stable.
    pub fn largest_loss(&self) -> f64 {
        let loss = |k: usize| {
            let before = if k > 0 { self.pipes[k - 1] } else { self.feedback * self.areas[0] };
            (before + self.pipes[k]) / self.areas[k]
        };
        (0..self.pipes.len()).map(loss).fold(0.0, f64::max)
    }
}

/// The chains of one connection.
#[derive(Clone, Debug)]
struct Chain(BinaryBennaFusi);

impl Chain {
    /// One update of the levels `b` by the proposals `delta`.
    #[inline(always)]
    fn step_chain<T: Elem>(&self, delta: &[T], b: &mut [&mut [T]]) {
        assert_eq!(b.len(), self.0.pipes.len(), "a matrix for every beaker");
        let old: Vec<Vec<T>> = b.iter().map(|level| level.to_vec()).collect();
        b[0].iter_mut().zip(delta).for_each(|(b, delta)| *b += *delta);
        b.iter_mut().enumerate().for_each(|(k, level)| self.mix(k, &old, level));
        let (first, last) = (&old[0], &old[old.len() - 1]);
        b[0].iter_mut().zip(first).zip(last).for_each(|((level, &first), &last)| {
            let back = last - first;
            // Nothing flows back where −back·b_n ≥ 0.
            *level += T::select(-back * last, T::constant(0.0), T::constant(self.0.feedback) * back);
        });
    }

    /// Adds to level `k` what flows in from the one before and from the one behind.
    #[inline(always)]
    fn mix<T: Elem>(&self, k: usize, old: &[Vec<T>], level: &mut [T]) {
        let rate = |pipe: usize| T::constant(self.0.pipes[pipe] / self.0.areas[k]);
        // Nothing stands before the first: what flows in from itself is nothing.
        let (before, first) = k.checked_sub(1).map_or((k, T::constant(0.0)), |k| (k, rate(k)));
        let (before, own, second) = (&old[before], &old[k], rate(k));
        let rows = level.iter_mut().zip(own).zip(before);
        match old.get(k + 1) {
            Some(behind) => rows.zip(behind).for_each(|(((level, &own), &before), &next)| {
                *level = *level + first * (before - own) + second * (next - own);
            }),
            None => rows.for_each(|((level, &own), &before)| {
                let inflow = self.protected(first * (before - own), own);
                *level = *level + inflow + second * (T::constant(0.0) - own);
            }),
        }
    }

    /// What flows into the last level, less where it flows against what is there.
    #[inline(always)]
    fn protected<T: Elem>(&self, inflow: T, own: T) -> T {
        if self.0.m == 0.0 {
            return inflow;
        }
        let t = (T::constant(self.0.m) * own).tanh();
        T::select(inflow * own, inflow, inflow - inflow * (t * t))
    }

    /// The weight of a hidden weight.
    #[inline(always)]
    fn weight<T: Elem>(&self, hidden: T) -> T {
        T::constant(self.0.scale) * self.0.zero.sign(hidden)
    }
}

const INFO: Info = Info { latent: Some(0), ..Info::PLAIN };

impl Synapse for Chain {
    fn states(&self) -> Vec<String> {
        (1..=self.0.pipes.len()).map(|k| format!("binary-beakers.b{k}")).collect()
    }

    fn info(&self) -> Info {
        INFO
    }

    fn init(&self, _: u64, mut weight: ViewMut<'_>, state: &mut [ViewMut<'_>]) {
        state.iter_mut().for_each(|level| level.copy_from(weight.as_view()));
        dispatch!(weight.dtype(), T => weight.slice_mut::<T>().iter_mut().for_each(|w| *w = self.weight(*w)));
    }

    fn update(&self, _: u64, _: usize, delta: View<'_>, mut weight: ViewMut<'_>, state: &mut [ViewMut<'_>]) {
        dispatch!(delta.dtype(), T => {
            let mut all = values::<T>(&mut weight, state);
            let weight = all.next().expect("the weight comes first");
            let mut levels: Vec<_> = all.collect();
            vectorize(#[inline(always)] || {
                self.step_chain::<T>(delta.slice(), &mut levels);
                weight.iter_mut().zip(&*levels[0]).for_each(|(w, b)| *w = self.weight(*b));
            });
        });
    }
}

impl SynapseMethod for BinaryBennaFusi {
    fn check(&self, at: &Place) -> Result<()> {
        let (pipes, areas) = (self.pipes.len(), self.areas.len());
        at.require(
            (2..=1000).contains(&pipes),
            "pipes",
            format!("a list of {pipes}"),
            "of 2 to 1000",
            "4 are usual",
        )?;
        let need = format!("of {pipes}");
        at.require(areas == pipes, "areas", format!("a list of {areas}"), &need, "one for each pipe")?;
        let shown = format!("{:?}", self.pipes);
        at.require(self.largest_loss() < 1.0, "pipes", shown, STABLE, "or raise the areas")
    }

    fn cites(&self) -> Vec<Cite> {
        vec![Cite::of("laborieux2021-metaplasticity")]
    }

    fn traits(&self) -> WeightTraits {
        WeightTraits::bits(INFO, self.scale, self.zero)
    }

    fn sign_keys(&mut self) -> Option<SignKeys<'_>> {
        Some(SignKeys { zero: &mut self.zero, window: None, clip: None })
    }

    fn device(&mut self) -> Option<&mut Option<String>> {
        None
    }

    fn examples() -> Vec<Self> {
        vec![Self::default(), Self { m: 1.0, scale: 0.5, zero: SignOfZero::Zero, ..Self::default() }]
    }

    fn build(&self, _: Site) -> Result<Box<dyn Synapse>> {
        Ok(Box::new(Chain(self.clone())))
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Binary, Draw, UpdateRule};
    use super::*;

    const DRAW: Draw = Draw { key: 0, index: 0 };

    fn noise(t: u64) -> f64 {
        Draw { key: 5, index: t }.uniform::<f64>(0) - 0.5
    }

    /// One update of a single chain.
    fn step_chain<T: Elem>(chain: &Chain, delta: T, b: &mut [T]) {
        chain.step_chain(&[delta], &mut b.chunks_mut(1).collect::<Vec<_>>());
    }

    #[test]
    fn without_pipes_and_feedback_it_is_the_binary_synapse_bit_for_bit() {
        let chain = BinaryBennaFusi { pipes: vec![0.0; 4], feedback: 0.0, ..BinaryBennaFusi::default() };
        let (chain, plain) = (Chain(chain), Binary::default());
        let (mut a, mut b) = ([-0.2_f32; 4], plain.init(-0.2_f32, DRAW));
        for t in 0..1000 {
            step_chain(&chain, noise(t) as f32, &mut a);
            b = plain.update(noise(t) as f32, b, DRAW);
            assert_eq!([chain.weight(a[0]), a[0]].map(f32::to_bits), b.map(f32::to_bits));
            assert_eq!(a[1..], [-0.2; 3]);
        }
    }

    #[test]
    fn one_step_by_hand() {
        let spec = BinaryBennaFusi {
            pipes: vec![0.5, 0.25, 0.125],
            areas: vec![1.0, 2.0, 4.0],
            feedback: 0.1,
            m: 0.7,
            scale: 0.5,
            zero: SignOfZero::Plus,
        };
        let chain = Chain(spec);
        for b in [[1.0, -2.0, 3.0], [4.0, 1.0, 2.0], [-1.0, 0.5, -0.25], [0.5, 4.0, 1.0_f64]] {
            let mut new = b;
            step_chain(&chain, 0.3, &mut new);
            let pulls = (b[2] - b[0]) * b[2] > 0.0;
            let back = if pulls { 0.1 * (b[2] - b[0]) } else { 0.0 };
            let shrinks = (b[1] - b[2]) * b[2] < 0.0;
            let guard = if shrinks { 1.0 - (0.7 * b[2]).tanh().powi(2) } else { 1.0 };
            let law = [
                b[0] + 0.3 + 0.5 * (b[1] - b[0]) + back,
                b[1] + 0.25 * (b[0] - b[1]) + 0.125 * (b[2] - b[1]),
                b[2] + 0.0625 * (b[1] - b[2]) * guard - 0.03125 * b[2],
            ];
            assert!(new.iter().zip(law).all(|(n, l)| (n - l).abs() < 1e-14), "{new:?} {law:?}");
            assert_eq!(chain.weight(new[0]), if law[0] < 0.0 { -0.5 } else { 0.5 });
        }
    }

    /// Random steps: a hidden weight alone diffuses without end, the chain does not.
    #[test]
    fn hidden_weights_become_stationary() {
        let spread = |pipes: [f64; 2], steps: u64| {
            let areas = vec![1.0, 2.0];
            let chain = Chain(BinaryBennaFusi {
                pipes: pipes.into(),
                areas,
                feedback: 0.0,
                ..BinaryBennaFusi::default()
            });
            let of = |index| {
                let mut b = [0.0; 2];
                (0..steps)
                    .for_each(|t| step_chain(&chain, Draw { key: t, index }.uniform::<f64>(0) - 0.5, &mut b));
                b[0]
            };
            (0..400).map(|i| of(i).powi(2)).sum::<f64>() / 400.0
        };
        let (early, late) = (spread([0.1, 0.1], 200), spread([0.1, 0.1], 800));
        assert!((late / early - 1.0).abs() < 0.25, "{early} {late}");
        let free = spread([0.0, 0.0], 800);
        assert!((free / (800.0 / 12.0) - 1.0).abs() < 0.25, "{free}");
    }
}
