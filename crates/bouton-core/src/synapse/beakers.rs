//! The chain of beakers: a weight that shares every change with ever slower, ever larger variables behind it.
//!
//! C_k Δu_k = [k = 1] Δ + f_k − f_(k−1),  f_k = g_k (u_(k+1) − u_k),  C_k = x^(k−1),  g_k = coupling·x^(1−k)/α
//!
//! The weight is u_1 and Δ the proposal; u_(n+1) is 0 if the chain leaks, else f_n is. All levels on the right are those
//! before the update, so that Σ C_k u_k changes by Δ and by the leak only. With x = (β/α)^(1/(2n − 2)) the times C_k/g_k
//! run from α to β, and a change is forgotten as 1/√t in between.
//!
//! Benna & Fusi, Nat. Neurosci. 19:1697 (2016); in networks Kaplanis, Shanahan & Clopath, ICML 2018. The proposal
//! contains the learning rate, the flows do not: set `coupling` to the learning rate for the version that scales both.

use super::{Info, STABLE, SignKeys, Site, Synapse, SynapseMethod, WeightTraits, values};
use crate::Result;
use crate::axis::{Cite, Place};
use bouton_kernels::{Elem, View, ViewMut, dispatch, vectorize};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A real-valued weight that leads a chain of beakers (`[synapse.beakers]`).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct BennaFusi {
    /// n: beakers in the chain, the weight included, 2 to 1000. Default 5.
    #[schemars(extend("minimum" = 2, "maximum" = 1000, "x-hint" = "5 is usual"))]
    pub length: usize,
    /// α: time of the first beaker in updates, for a coupling of 1. Default 500.
    #[schemars(extend("exclusiveMinimum" = 0, "maximum" = 1e12, "x-hint" = "500 is usual"))]
    pub alpha: f64,
    /// β: time of the last beaker, at least α. Default 2500.
    #[schemars(extend(
        "exclusiveMinimum" = 0, "maximum" = 1e12,
        "x-hint" = "2500 is usual for an alpha of 500"
    ))]
    pub beta: f64,
    /// Factor on every flow; 0 leaves a plain weight. Default 1.
    #[schemars(extend("minimum" = 0, "maximum" = 1e6, "x-hint" = "1, or the learning rate"))]
    pub coupling: f64,
    /// Whether the last beaker leaks towards 0. Default true.
    pub leak: bool,
}

impl Default for BennaFusi {
    fn default() -> Self {
        Self { length: 5, alpha: 500.0, beta: 2500.0, coupling: 1.0, leak: true }
    }
}

impl BennaFusi {
    /// Largest part of its level that a beaker loses in one update; below 1 the chain is stable.
    pub fn largest_loss(&self) -> f64 {
        let flow = |k: usize| self.flow(k);
        let before = |k: usize| if k > 0 { flow(k - 1) } else { 0.0 };
        (0..self.length).map(|k| (before(k) + flow(k)) / self.capacity(k)).fold(0.0, f64::max)
    }

    fn ratio(&self) -> f64 {
        (self.beta / self.alpha).powf(1.0 / (2.0 * self.length as f64 - 2.0))
    }

    /// C of beaker `k`, counted from 0.
    fn capacity(&self, k: usize) -> f64 {
        self.ratio().powi(k as i32)
    }

    /// g between beakers `k` and `k + 1`, counted from 0; that of the leak if `k` is the last.
    fn flow(&self, k: usize) -> f64 {
        let closed = k + 1 == self.length && !self.leak;
        if closed { 0.0 } else { self.coupling / (self.capacity(k) * self.alpha) }
    }

    fn chain(&self) -> Chain {
        let levels = 0..self.length;
        Chain {
            flow: levels.clone().map(|k| self.flow(k)).collect(),
            inverse: levels.map(|k| 1.0 / self.capacity(k)).collect(),
        }
    }
}

/// A chain with its numbers: g_k and 1/C_k.
#[derive(Clone, Debug)]
struct Chain {
    flow: Vec<f64>,
    inverse: Vec<f64>,
}

impl Chain {
    /// One update of the levels `u`, the weights first, by the proposals `delta`.
    #[inline(always)]
    fn step_chain<T: Elem>(&self, delta: &[T], u: &mut [&mut [T]]) {
        assert_eq!(u.len(), self.flow.len(), "a matrix for every beaker");
        let mut inflow = delta.to_vec();
        for k in 0..u.len() {
            let (flow, inverse) = (T::constant(self.flow[k]), T::constant(self.inverse[k]));
            let (level, behind) = u[k..].split_first_mut().expect("k is a level");
            for i in 0..delta.len() {
                let next = behind.first().map_or(T::constant(0.0), |b| b[i]);
                let outflow = flow * (level[i] - next);
                level[i] += (inflow[i] - outflow) * inverse;
                inflow[i] = outflow;
            }
        }
    }
}

const INFO: Info = Info::PLAIN;

impl Synapse for Chain {
    fn states(&self) -> Vec<String> {
        (2..=self.flow.len()).map(|k| format!("beakers.u{k}")).collect()
    }

    fn info(&self) -> Info {
        INFO
    }

    fn init(&self, _: u64, weight: ViewMut<'_>, state: &mut [ViewMut<'_>]) {
        state.iter_mut().for_each(|level| level.copy_from(weight.as_view()));
    }

    fn update(&self, _: u64, _: usize, delta: View<'_>, mut weight: ViewMut<'_>, state: &mut [ViewMut<'_>]) {
        dispatch!(delta.dtype(), T => {
            let mut levels: Vec<_> = values::<T>(&mut weight, state).collect();
            vectorize(#[inline(always)] || self.step_chain::<T>(delta.slice(), &mut levels));
        });
    }
}

impl SynapseMethod for BennaFusi {
    fn check(&self, at: &Place) -> Result<()> {
        let slower = self.beta >= self.alpha;
        at.require(slower, "beta", self.beta, "at least alpha", "2500 is usual for an alpha of 500")?;
        at.require(self.largest_loss() < 1.0, "coupling", self.coupling, STABLE, "or raise alpha")
    }

    fn cites(&self) -> Vec<Cite> {
        vec![Cite::of("benna2016")]
    }

    fn traits(&self) -> WeightTraits {
        WeightTraits::real(INFO, true)
    }

    fn sign_keys(&mut self) -> Option<SignKeys<'_>> {
        None
    }

    fn device(&mut self) -> Option<&mut Option<String>> {
        None
    }

    fn examples() -> Vec<Self> {
        vec![Self::default(), Self { length: 2, leak: false, ..Self::default() }]
    }

    fn build(&self, _: Site) -> Result<Box<dyn Synapse>> {
        Ok(Box::new(self.chain()))
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Draw, Plain, UpdateRule};
    use super::*;

    const DRAW: Draw = Draw { key: 0, index: 0 };

    /// x = 2, α = 4.
    fn doubling(length: usize, leak: bool) -> BennaFusi {
        BennaFusi { length, alpha: 4.0, beta: 4f64.powi(length as i32), coupling: 1.0, leak }
    }

    /// One update of a single chain.
    fn step_chain<T: Elem>(chain: &Chain, delta: T, u: &mut [T]) {
        chain.step_chain(&[delta], &mut u.chunks_mut(1).collect::<Vec<_>>());
    }

    fn noise(t: u64) -> f64 {
        Draw { key: 5, index: t }.uniform::<f64>(0) - 0.5
    }

    #[test]
    fn without_coupling_it_is_the_plain_weight_bit_for_bit() {
        let chain = BennaFusi { coupling: 0.0, ..BennaFusi::default() }.chain();
        let mut values = [0.3_f32; 5];
        let mut plain = [0.3_f32];
        for t in 0..1000 {
            let delta = noise(t) as f32;
            step_chain(&chain, delta, &mut values);
            plain = Plain {}.update(delta, plain, DRAW);
            assert_eq!(values[0].to_bits(), plain[0].to_bits());
            assert_eq!(values[1..], [0.3; 4]);
        }
    }

    #[test]
    fn a_chain_without_leak_loses_nothing() {
        let spec = doubling(6, false);
        let total = |u: &[f64; 6]| u.iter().enumerate().map(|(k, u)| u * spec.capacity(k)).sum::<f64>();
        let chain = spec.chain();
        let mut u = [1.0, -2.0, 0.5, 3.0, -1.0, 0.25];
        let mut expected = total(&u);
        for t in 0..10_000 {
            let delta = if t < 5000 { noise(t) } else { 0.0 };
            step_chain(&chain, delta, &mut u);
            expected += delta;
        }
        assert!((total(&u) - expected).abs() < 1e-10, "{} {expected}", total(&u));
        assert!(u.iter().all(|v| (v - u[0]).abs() < 0.2), "levels even out: {u:?}");
        let mut leaky = u;
        step_chain(&doubling(6, true).chain(), 0.0, &mut leaky);
        let lost = spec.flow(4) / 2.0 * u[5];
        assert!((total(&leaky) - total(&u) + lost).abs() < 1e-10);
    }

    /// Numbers of an exact computation with 64-bit floats.
    #[test]
    fn what_is_left_of_one_step_has_the_known_course() {
        let chain = doubling(6, true).chain();
        let mut u = [0.0_f64; 6];
        step_chain(&chain, 1.0, &mut u);
        let mut r = vec![u[0]];
        for _ in 0..60_000 {
            step_chain(&chain, 0.0, &mut u);
            r.push(u[0]);
        }
        assert!((r[0] - 1.0).abs() < 1e-15 && (r[1] - 0.75).abs() < 1e-15);
        assert!((r[100] - 0.094_822).abs() < 1e-6, "{}", r[100]);
        let variance = r.iter().map(|r| r * r).sum::<f64>();
        assert!((variance - 9.224).abs() < 1e-3, "{variance}");
        let slope = (r[1024] / r[16]).ln() / 64f64.ln();
        assert!((slope + 0.5).abs() < 0.02, "{slope}");
    }

    #[test]
    fn times_run_from_alpha_to_beta() {
        let spec = BennaFusi { length: 5, alpha: 500.0, beta: 2500.0, ..BennaFusi::default() };
        let time = |k| spec.capacity(k) / spec.flow(k);
        assert!((time(0) - 500.0).abs() < 1e-9 && (time(4) - 2500.0).abs() < 1e-9);
        assert!((time(2) / time(1) - time(1) / time(0)).abs() < 1e-12);
        // The first beaker loses ¼, the second (¼ + ⅛)/2, which is less.
        assert!((doubling(4, true).largest_loss() - 0.25).abs() < 1e-12);
    }

    #[test]
    fn weights_stand_each_in_a_chain_of_its_own() {
        let chain = doubling(40, true).chain();
        let names = chain.states();
        assert_eq!((names.len(), names[38].as_str()), (39, "beakers.u40"));
        let start = |k: usize, i: usize| noise((40 * i + k) as u64);
        let delta: Vec<f64> = (0..7).map(|i| noise(1000 + i)).collect();
        let mut levels: Vec<Vec<f64>> = (0..40).map(|k| (0..7).map(|i| start(k, i)).collect()).collect();
        let mut views: Vec<&mut [f64]> = levels.iter_mut().map(Vec::as_mut_slice).collect();
        vectorize(|| chain.step_chain(&delta, &mut views));
        for i in 0..7 {
            let mut alone: Vec<f64> = (0..40).map(|k| start(k, i)).collect();
            step_chain(&chain, delta[i], &mut alone);
            assert!((0..40).all(|k| levels[k][i].to_bits() == alone[k].to_bits()));
        }
    }
}
