//! The chain of beakers of Benna & Fusi ("Computational principles of synaptic memory consolidation", Nat. Neurosci.
//! 19, 2016).
//!
//! C_k Δu_k = g_(k−1) (u_(k−1) − u_k) + g_k (u_(k+1) − u_k),  k = 1..m;  C_k = x^(k−1),  g_k = x^(1−k)/α
//!
//! u_1 is the weight and takes the input, u_(m+1) = 0 is the leak. The kernel r(t), what a unit input has left in u_1
//! after t steps, falls as t^(−1/2) up to the slowest time α x^(2m−2). Each step stores an independent ±1 in every
//! synapse, so that SNR(t) = √N r(t)/√Var with Var = Σ_t r(t)².
//!
//! In the variables √C_k u_k the flow is symmetric; with its rates μ_j and the squared first components a_j of its
//! eigenvectors, r(t) = Σ_j a_j (1 − μ_j)^t exactly, for any t.

use super::eigen::jacobi;
use crate::fit::{log_log_slope, log_spaced};
use crate::{Error, Result};

/// A chain of beakers.
#[derive(Clone, Debug)]
pub struct Beakers {
    /// C_k.
    area: Vec<f64>,
    /// g_k between k and k + 1; the last one is the leak.
    pipe: Vec<f64>,
    /// (μ_j, a_j).
    modes: Vec<(f64, f64)>,
    slowest: f64,
}

impl Beakers {
    /// The chain of the paper: x = 2, α = 4, leak at the end.
    ///
    /// # Errors
    /// [`Error::Config`] without a beaker.
    pub fn standard(beakers: usize) -> Result<Self> {
        Self::new(beakers, 2.0, 4.0, true)
    }

    /// A chain of ratio x = `ratio` and shortest time `alpha` (steps), with or without the leak at its end.
    ///
    /// # Errors
    /// [`Error::Config`] if there is no beaker or the steps are unstable ((g_(k−1) + g_k)/C_k ≥ 1).
    pub fn new(beakers: usize, ratio: f64, alpha: f64, leak: bool) -> Result<Self> {
        let positive = |v: f64| v.is_finite() && v > 0.0;
        if beakers == 0 || !positive(ratio) || !positive(alpha) {
            let got = format!("chain of {beakers} beakers, ratio {ratio}, alpha {alpha}");
            return Err(Error::config(got).with_hint("at least 1 beaker; ratio and alpha positive"));
        }
        let area: Vec<f64> = (0..beakers).map(|k| ratio.powi(k as i32)).collect();
        let mut pipe: Vec<f64> = area.iter().map(|c| 1.0 / (c * alpha)).collect();
        if !leak {
            pipe[beakers - 1] = 0.0;
        }
        let rate = |k: usize| (if k > 0 { pipe[k - 1] } else { 0.0 } + pipe[k]) / area[k];
        if let Some(k) = (0..beakers).find(|&k| rate(k) >= 1.0) {
            let got = format!("beaker {} empties by a factor {} per step", k + 1, rate(k));
            return Err(Error::config(got).with_hint("raise alpha until (g_(k-1) + g_k)/C_k < 1"));
        }
        let modes = modes(&area, &pipe);
        let slowest = alpha * ratio.powi(2 * (beakers as i32 - 1));
        Ok(Self { area, pipe, modes, slowest })
    }

    /// One step without input, in place, all levels from the previous ones.
    pub fn step(&self, levels: &mut [f64]) {
        let mut inflow = 0.0;
        for k in 0..levels.len() {
            let next = levels.get(k + 1).copied().unwrap_or(0.0);
            let outflow = self.pipe[k] * (levels[k] - next);
            levels[k] += (inflow - outflow) / self.area[k];
            inflow = outflow;
        }
    }

    /// Σ_k C_k u_k: what no step changes if there is no leak.
    pub fn content(&self, levels: &[f64]) -> f64 {
        self.area.iter().zip(levels).map(|(c, u)| c * u).sum()
    }

    /// Slowest time α x^(2m−2), steps.
    pub fn slowest(&self) -> f64 {
        self.slowest
    }

    /// r(t): what a unit input has left in u_1 after t steps.
    pub fn kernel(&self, t: u64) -> f64 {
        let decay = |mu: f64| match 1.0 - mu {
            factor if factor > 0.0 => (t as f64 * (-mu).ln_1p()).exp(),
            factor => factor.powf(t as f64),
        };
        self.modes.iter().map(|&(mu, a)| a * decay(mu)).sum()
    }

    /// Var(u_1) = Σ_t r(t)² of independent ±1 inputs; infinite without leak.
    pub fn variance(&self) -> f64 {
        let pair = |(m, a): (f64, f64), (n, b): (f64, f64)| a * b / (m + n - m * n);
        self.modes.iter().map(|&p| self.modes.iter().map(|&q| pair(p, q)).sum::<f64>()).sum()
    }

    /// Signal-to-noise ratio √N r(t)/√Var for N = `synapses`.
    pub fn snr(&self, synapses: f64, t: u64) -> f64 {
        (synapses / self.variance()).sqrt() * self.kernel(t)
    }

    /// Last t with SNR(t) > 1, 0 if none.
    ///
    /// r at even t falls monotonically and bounds the odd t that follow, so bisection over even t is exact.
    pub fn lifetime(&self, synapses: f64) -> u64 {
        let threshold = (self.variance() / synapses).sqrt();
        let alive = |t: u64| self.kernel(t) > threshold;
        if !alive(0) {
            return 0;
        }
        let mut dead = 1u64;
        while alive(2 * dead) {
            dead *= 2;
        }
        let mut last = dead / 2;
        while dead - last > 1 {
            let middle = last + (dead - last) / 2;
            if alive(2 * middle) {
                last = middle;
            } else {
                dead = middle;
            }
        }
        if alive(2 * last + 1) { 2 * last + 1 } else { 2 * last }
    }

    /// Slope of ln r against ln t by least squares over `points` times spread evenly in ln t from `from` to `to`.
    pub fn slope(&self, from: f64, to: f64, points: usize) -> f64 {
        let times = log_spaced(from, to, points).map(f64::round);
        log_log_slope(times.map(|t| (t, self.kernel(t as u64))))
    }
}

fn modes(area: &[f64], pipe: &[f64]) -> Vec<(f64, f64)> {
    let m = area.len();
    let entry = |i: usize, j: usize| match (i.min(j), i.abs_diff(j)) {
        (0, 0) => pipe[0] / area[0],
        (k, 0) => (pipe[k - 1] + pipe[k]) / area[k],
        (k, 1) => -pipe[k] / (area[k] * area[k + 1]).sqrt(),
        _ => 0.0,
    };
    let flow = (0..m).map(|i| (0..m).map(|j| entry(i, j)).collect()).collect();
    let mut modes: Vec<_> = jacobi(flow).into_iter().map(|(mu, v)| (mu, v * v)).collect();
    if pipe[m - 1] == 0.0 {
        // Without leak the content stays: one rate is exactly zero.
        modes.sort_by(|a, b| a.0.total_cmp(&b.0));
        modes[0].0 = 0.0;
    }
    modes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chain(beakers: usize) -> Beakers {
        Beakers::standard(beakers).unwrap()
    }

    /// r(0), …, r(last) by stepping a unit input.
    fn stepped(chain: &Beakers, last: usize) -> Vec<f64> {
        let mut levels = vec![0.0; chain.area.len()];
        levels[0] = 1.0;
        let mut kernel = vec![1.0];
        for _ in 0..last {
            chain.step(&mut levels);
            kernel.push(levels[0]);
        }
        kernel
    }

    #[test]
    fn modes_are_the_recurrence() {
        let steep = Beakers::new(4, 1.5, 1.9, true).unwrap();
        assert!(steep.modes.iter().any(|m| m.0 > 1.0), "one mode alternates");
        let closed = Beakers::new(5, 2.0, 4.0, false).unwrap();
        for chain in [chain(1), chain(6), chain(12), steep, closed] {
            for (t, r) in stepped(&chain, 3000).into_iter().enumerate() {
                assert!((chain.kernel(t as u64) - r).abs() < 1e-13, "{t} {r}");
            }
        }
    }

    #[test]
    fn kernel_and_variance_table() {
        let variances = [(4, 6.666), (6, 9.224), (8, 11.736), (10, 14.236), (12, 16.733)];
        for (m, variance) in variances {
            let chain = chain(m);
            assert!((chain.variance() - variance).abs() < 6e-4, "{m} {}", chain.variance());
            assert!((chain.slowest() - 4f64.powi(m as i32)).abs() < 1e-9);
            assert!((chain.snr(1.0, 0) - 1.0 / variance.sqrt()).abs() < 1e-4);
            assert!((chain.kernel(1) - 0.75).abs() < 1e-14);
        }
        assert!((chain(12).kernel(100) - 0.09482).abs() < 1e-5);
        let direct: f64 = stepped(&chain(4), 20_000).iter().map(|r| r * r).sum();
        assert!((chain(4).variance() - direct).abs() < 1e-10);
        for m in 8..14 {
            let step = chain(m + 1).variance() - chain(m).variance();
            assert!((step - 1.25).abs() < 0.005, "{m} {step}");
        }
    }

    #[test]
    fn kernel_falls_as_a_root() {
        let table = [(4, -0.4965), (6, -0.4958), (8, -0.4979), (10, -0.4988), (12, -0.4992)];
        for (m, slope) in table {
            let chain = chain(m);
            let found = chain.slope(16.0, chain.slowest() / 4.0, 200);
            assert!((found - slope).abs() < 1e-3 && (found + 0.5).abs() < 0.01, "{m} {found}");
        }
        let wide = Beakers::new(6, 4.0, 4.0, true).unwrap();
        let found = wide.slope(16.0, wide.slowest() / 4.0, 200);
        assert!((found + 0.502).abs() < 5e-3, "{found}");
    }

    #[test]
    fn lifetime_is_the_last_crossing() {
        let steep = Beakers::new(3, 1.5, 1.7, true).unwrap();
        for chain in [chain(1), chain(4), steep] {
            let kernel = stepped(&chain, 4000);
            for synapses in [1.0, 20.0, 1e3, 1e6] {
                let threshold = (chain.variance() / synapses).sqrt();
                let last = kernel.iter().rposition(|&r| r > threshold).unwrap_or(0);
                assert_eq!(chain.lifetime(synapses), last as u64, "{synapses}");
            }
        }
    }

    #[test]
    fn lifetime_is_linear_in_the_number_of_synapses() {
        let long = chain(16);
        let lifetimes = [1e3, 1e4, 1e5, 1e6, 1e7].map(|n| long.lifetime(n) as f64);
        for (found, printed) in lifetimes.iter().zip([40.2, 416.0, 4135.0, 41_376.0, 415_880.0]) {
            assert!((found / printed - 1.0).abs() < 0.01, "{found} {printed}");
        }
        for pair in lifetimes[1..].windows(2) {
            assert!((pair[1] / pair[0] - 10.0).abs() < 0.1, "{pair:?}");
        }
    }

    #[test]
    fn content_stays_without_leak() {
        let closed = Beakers::new(8, 2.0, 4.0, false).unwrap();
        let open = chain(8);
        let mut levels: Vec<f64> = (0..8).map(|k| (k as f64).sin()).collect();
        let mut leaky = levels.clone();
        let before = closed.content(&levels);
        for _ in 0..10_000 {
            closed.step(&mut levels);
            open.step(&mut leaky);
        }
        assert!((closed.content(&levels) / before - 1.0).abs() < 1e-12);
        assert!((open.content(&leaky) / before - 1.0).abs() > 1e-3);
        assert!((closed.kernel(u64::MAX) * 255.0 - 1.0).abs() < 1e-12, "spread over all beakers");
        assert_eq!((closed.variance(), closed.lifetime(1e9)), (f64::INFINITY, 0));
    }

    #[test]
    fn one_beaker_decays_exponentially() {
        let one = chain(1);
        for t in [0, 1, 2, 17] {
            assert!((one.kernel(t) - 0.75f64.powi(t as i32)).abs() < 1e-15);
        }
        assert!((one.variance() - 1.0 / (1.0 - 0.5625)).abs() < 1e-14);
    }

    #[test]
    fn impossible_chains_are_refused() {
        for (m, x, alpha) in [(0, 2.0, 4.0), (3, -2.0, 4.0), (3, 2.0, f64::NAN), (3, 2.0, 1.0), (3, 2.0, 0.5)]
        {
            assert!(Beakers::new(m, x, alpha, true).unwrap_err().hint().is_some());
        }
    }
}
