//! The cascade synapse of Fusi, Drew & Abbott ("Cascade models of synaptically stored memories", Neuron 45, 2005).
//!
//! A binary weight ±1 sits on one of n metaplastic levels. A candidate event potentiates (probability f₊) or
//! depresses (f₋ = 1 − f₊). An event against the weight at level i flips it, to level 1 of the other side; an event
//! along the weight sinks it one level deeper:
//!
//! q_i = x^(i−1) (q_n = x^(n−1)/(1−x));  p_i^± = (f∓/f±) x^i/(1−x),  i < n;  n = 1: q = 1
//!
//! With these the stationary occupancy of every level of a side is the same.

use super::markov;
use crate::{Error, Result};

/// A cascade of `levels` levels; states are (+, 1..n) and then (−, 1..n).
#[derive(Clone, Debug)]
pub struct Cascade {
    levels: usize,
    potentiation: f64,
    /// q_i: an event against the weight flips it.
    flip: Vec<f64>,
    /// p_i^+ and p_i^−: an event along the weight sinks it.
    sink: [Vec<f64>; 2],
}

impl Cascade {
    /// The standard cascade: x = 1/2, balanced events.
    ///
    /// # Errors
    /// [`Error::Config`] without a level.
    pub fn standard(levels: usize) -> Result<Self> {
        Self::new(levels, 0.5, 0.5)
    }

    /// A cascade of ratio x = `ratio` whose events potentiate with probability `potentiation`.
    ///
    /// # Errors
    /// [`Error::Config`] if a probability would leave [0, 1].
    pub fn new(levels: usize, ratio: f64, potentiation: f64) -> Result<Self> {
        let open = |p: f64| p > 0.0 && p < 1.0;
        if levels == 0 || !open(ratio) || !open(potentiation) {
            let got = format!("cascade of {levels} levels, ratio {ratio}, potentiation {potentiation}");
            return Err(
                Error::config(got).with_hint("at least 1 level; ratio and potentiation between 0 and 1")
            );
        }
        let power = |i: usize| ratio.powi(i as i32);
        let mut flip: Vec<f64> = (0..levels).map(power).collect();
        flip[levels - 1] = if levels == 1 { 1.0 } else { power(levels - 1) / (1.0 - ratio) };
        let odds = (1.0 - potentiation) / potentiation;
        let sink = [odds, 1.0 / odds]
            .map(|odds| (1..levels).map(|i| odds * power(i) / (1.0 - ratio)).collect::<Vec<_>>());
        // The largest ratio may round to just above 1.
        if flip.iter().chain(sink.iter().flatten()).any(|&p| p > 1.0 + 1e-12) {
            let got = format!("cascade: ratio {ratio} makes a transition probability above 1");
            let largest = potentiation.min(1.0 - potentiation);
            return Err(Error::config(got).with_hint(format!("ratio up to {largest}")));
        }
        Ok(Self { levels, potentiation, flip, sink })
    }

    /// Occupancy of the 2n states after one event, potentiation if `up`.
    pub fn event(&self, up: bool, occupancy: &[f64]) -> Vec<f64> {
        let n = self.levels;
        let (along, against) = if up { (0, n) } else { (n, 0) };
        let mut next = occupancy.to_vec();
        for i in 0..n {
            let flipped = self.flip[i] * occupancy[against + i];
            next[against + i] -= flipped;
            next[along] += flipped;
        }
        for (i, p) in self.sink[usize::from(!up)].iter().enumerate() {
            let sunk = p * occupancy[along + i];
            next[along + i] -= sunk;
            next[along + i + 1] += sunk;
        }
        next
    }

    /// Occupancy after one event of unknown sign.
    pub fn mean_event(&self, occupancy: &[f64]) -> Vec<f64> {
        let f = self.potentiation;
        let mix = |(up, down): (&f64, &f64)| f * up + (1.0 - f) * down;
        self.event(true, occupancy).iter().zip(&self.event(false, occupancy)).map(mix).collect()
    }

    /// Transition matrix of potentiation (`up`) or depression, row j = where state j goes.
    pub fn matrix(&self, up: bool) -> Vec<Vec<f64>> {
        self.rows(|unit| self.event(up, unit))
    }

    fn rows(&self, event: impl Fn(&[f64]) -> Vec<f64>) -> Vec<Vec<f64>> {
        let states = 2 * self.levels;
        let unit = |j: usize| (0..states).map(|i| f64::from(i == j)).collect::<Vec<_>>();
        (0..states).map(|j| event(&unit(j))).collect()
    }

    /// Occupancy that events of unknown sign leave as it is.
    pub fn stationary(&self) -> Vec<f64> {
        markov::stationary(self.rows(|unit| self.mean_event(unit)))
    }

    /// What one stored event changes in the occupancy, signed by the event: its weight sum is s(1).
    fn trace(&self) -> Vec<f64> {
        let still = self.stationary();
        let (up, down) = (self.event(true, &still), self.event(false, &still));
        let f = self.potentiation;
        (0..still.len()).map(|i| f * (up[i] - still[i]) - (1.0 - f) * (down[i] - still[i])).collect()
    }

    fn weight(&self, occupancy: &[f64]) -> f64 {
        let (plus, minus) = occupancy.split_at(self.levels);
        plus.iter().sum::<f64>() - minus.iter().sum::<f64>()
    }

    /// The trace after the event and 0, 1, … further ones.
    fn traces(&self) -> impl Iterator<Item = Vec<f64>> {
        std::iter::successors(Some(self.trace()), |trace| Some(self.mean_event(trace)))
    }

    /// Signals s(1), s(2), …: covariance of a stored ±1 pattern with the weights after the pattern and t − 1 random
    /// events. For balanced events it is the mean overlap.
    pub fn signals(&self) -> impl Iterator<Item = f64> {
        self.traces().map(|trace| self.weight(&trace))
    }

    /// s(t) at each of `times` (ascending, from 1).
    pub fn signal(&self, times: &[usize]) -> Vec<f64> {
        let last = times.last().copied().unwrap_or(0);
        let all: Vec<f64> = self.signals().take(last).collect();
        times.iter().map(|&t| all[t - 1]).collect()
    }

    /// Last t with √N s(t) > 1 for N = `synapses`, 0 if none.
    pub fn lifetime(&self, synapses: f64) -> usize {
        let mut last = 0;
        for (t, trace) in (1..).zip(self.traces()) {
            if synapses.sqrt() * self.weight(&trace) > 1.0 {
                last = t;
            }
            // Σ|trace| bounds every later |s| too: no event enlarges it.
            let alive = synapses.sqrt() * trace.iter().map(|v| v.abs()).sum::<f64>() > 1.0;
            if !alive {
                break;
            }
        }
        last
    }

    /// Modulus of the second-largest eigenvalue of the mean event: what the signal falls by per event in the end.
    pub fn second_eigenvalue(&self) -> f64 {
        markov::second_eigenvalue(self.rows(|unit| self.mean_event(unit)))
    }
}

/// The longest lifetime of a standard cascade for N = `synapses`, and its number of levels (1 to 20).
pub fn best_cascade(synapses: f64) -> (usize, usize) {
    (1..=20)
        .filter_map(|n| Some((Cascade::standard(n).ok()?.lifetime(synapses), n)))
        .max_by_key(|&(lifetime, n)| (lifetime, std::cmp::Reverse(n)))
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cascade(levels: usize) -> Cascade {
        Cascade::standard(levels).unwrap()
    }

    #[test]
    fn occupancy_is_uniform() {
        for n in 1..=15 {
            for o in cascade(n).stationary() {
                assert!((o * 2.0 * n as f64 - 1.0).abs() < 1e-12, "{n} {o}");
            }
        }
    }

    #[test]
    fn occupancy_follows_the_balance_of_events() {
        let unbalanced = Cascade::new(6, 0.3, 0.4).unwrap();
        for (i, o) in unbalanced.stationary().into_iter().enumerate() {
            let side = if i < 6 { 0.4 } else { 0.6 };
            assert!((o * 6.0 / side - 1.0).abs() < 1e-12, "{i} {o}");
        }
    }

    #[test]
    fn matrices_keep_probability_and_stationary_state() {
        let c = Cascade::new(4, 0.4, 0.55).unwrap();
        let still = c.stationary();
        for up in [true, false] {
            for row in c.matrix(up) {
                assert!((row.iter().sum::<f64>() - 1.0).abs() < 1e-15 && row.iter().all(|&p| p >= 0.0));
            }
        }
        let next = c.mean_event(&still);
        assert!(next.iter().zip(&still).all(|(a, b)| (a - b).abs() < 1e-15));
        // From (−, 2) potentiation flips with probability x to (+, 1).
        let row = &c.matrix(true)[5];
        assert_eq!((row[0], row[5]), (0.4, 0.6));
    }

    #[test]
    fn first_signal_is_two_over_n() {
        assert_eq!(cascade(1).signal(&[1, 2]), [1.0, 0.0]);
        for n in 2..=15 {
            assert!((cascade(n).signal(&[1])[0] * n as f64 / 2.0 - 1.0).abs() < 1e-12);
        }
    }

    #[test]
    fn signal_tables() {
        let five = cascade(5).signal(&[1, 2, 4, 10, 30]);
        let ten = cascade(10).signal(&[1, 2, 4, 10, 30, 100, 300, 1000]);
        let printed = [0.4, 0.13125, 0.117603, 0.066852, 0.015239];
        let ten_printed = [0.2, 0.066666, 0.060950, 0.038798, 0.019483, 0.008257, 0.003382, 0.000730];
        for (s, p) in five.iter().chain(&ten).zip(printed.iter().chain(&ten_printed)) {
            assert!((s - p).abs() < 1e-6, "{s} {p}");
        }
    }

    #[test]
    fn second_eigenvalues() {
        let printed = [(4, 0.848757), (6, 0.967111), (8, 0.992083), (10, 0.998040), (12, 0.999511)];
        for (n, printed) in printed {
            let c = cascade(n);
            let found = c.second_eigenvalue();
            assert!((found - printed).abs() < 6e-7, "{n} {found}");
            // The signal decays by it in the end.
            let late = 1usize << (n + 1);
            let s = c.signal(&[late, late + 1]);
            assert!((s[1] / s[0] - found).abs() < 1e-5, "{n} {} {found}", s[1] / s[0]);
        }
        assert_eq!(cascade(1).second_eigenvalue(), 0.0);
    }

    #[test]
    fn local_slope_drifts_to_minus_one() {
        let c = cascade(20);
        let times = [4, 32, 256, 2048, 16_384];
        let s = c.signal(&times);
        for (i, slope) in [-0.569, -0.738, -0.829, -0.875].into_iter().enumerate() {
            let found = (s[i + 1] / s[i]).log2() / 3.0;
            assert!((found - slope).abs() < 1e-3, "{i} {found}");
        }
    }

    #[test]
    fn lifetime_is_the_last_crossing() {
        // Three levels are too few for a monotone signal: s(3) > s(2).
        let three = cascade(3);
        let s: Vec<f64> = three.signals().take(100).collect();
        assert!(s[2] > s[1]);
        for synapses in [2.0, 27.0, 1e4] {
            let last = s.iter().rposition(|s| s * f64::sqrt(synapses) > 1.0).map_or(0, |i| i + 1);
            assert_eq!(three.lifetime(synapses), last);
        }
    }

    #[test]
    fn best_lifetimes() {
        let table =
            [(1e3, 24, 6), (1e4, 92, 8), (1e5, 323, 10), (1e6, 1080, 12), (1e7, 3538, 13), (1e8, 11_659, 15)];
        for (synapses, lifetime, levels) in table {
            assert_eq!(best_cascade(synapses), (lifetime, levels));
        }
        let exponent = (11_659f64 / 323.0).log10() / 3.0;
        assert!((exponent - 0.51).abs() < 0.02, "{exponent}");
    }

    #[test]
    fn impossible_cascades_are_refused() {
        for (levels, ratio, f) in
            [(0, 0.5, 0.5), (3, 0.6, 0.5), (3, 0.5, 0.6), (3, 0.5, 1.0), (3, f64::NAN, 0.5)]
        {
            assert!(Cascade::new(levels, ratio, f).unwrap_err().hint().is_some());
        }
        for f in [0.4, 0.55, 0.6, 0.7] {
            assert!(Cascade::new(3, f64::min(f, 1.0 - f), f).is_ok(), "the largest ratio");
        }
    }
}
