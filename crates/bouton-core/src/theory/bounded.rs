//! The single-rate bounded synapse, against which synapses with internal states are measured (Amit & Fusi 1994).
//!
//! A binary weight takes the sign of an event with probability q and forgets exponentially:
//!
//! s(t) = q (1 − q)^(t−1);  √N s(t) > 1 lasts longest for q = e/√N, about √N/e events

use std::f64::consts::E;

/// Signal s(t) of transition probability `q`, t ≥ 1.
pub fn bounded_signal(q: f64, t: f64) -> f64 {
    q * (1.0 - q).powf(t - 1.0)
}

/// The transition probability that lasts longest for N = `synapses`, q = e/√N (1 if that is more).
pub fn best_bounded(synapses: f64) -> f64 {
    (E / synapses.sqrt()).min(1.0)
}

/// Last t with √N s(t) > 1, 0 if none.
pub fn bounded_lifetime(q: f64, synapses: f64) -> f64 {
    let first = synapses.sqrt() * q;
    if first <= 1.0 {
        return 0.0;
    }
    // The last t with t − 1 below this.
    (first.ln() / -(-q).ln_1p()).ceil().max(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lifetime_is_the_last_crossing() {
        for (q, n) in [(0.1, 1e4), (0.003, 1e6), (1.0, 100.0), (0.5, 5.0)] {
            let t = bounded_lifetime(q, n);
            assert!(
                n.sqrt() * bounded_signal(q, t) > 1.0 && n.sqrt() * bounded_signal(q, t + 1.0) <= 1.0,
                "{q}"
            );
        }
        assert_eq!(bounded_lifetime(0.001, 100.0), 0.0);
    }

    #[test]
    fn e_over_root_n_is_the_best_rate() {
        for n in [1e4, 1e6, 1e8] {
            let best = best_bounded(n);
            let lifetime = bounded_lifetime(best, n);
            assert!((lifetime / (n.sqrt() / E) - 1.0).abs() < 0.05, "{n} {lifetime}");
            for factor in [0.5, 0.7, 1.4, 2.0] {
                assert!(bounded_lifetime(best * factor, n) < lifetime, "{n} {factor}");
            }
        }
    }
}
