//! What stays in its range: x ← min(max(x + Δ, low), high). For numbers of a unit's or an objective's own, not for weights.

use super::{Draw, Info, UpdateRule};
use bouton_kernels::Real;

/// A number between `low` and `high`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ranged {
    /// The least.
    pub low: f64,
    /// The most.
    pub high: f64,
}

impl UpdateRule<1> for Ranged {
    const STATES: &'static [&'static str] = &[];
    const INFO: Info = Info::PLAIN;

    #[inline(always)]
    fn init<T: Real>(&self, drawn: T, _: Draw) -> [T; 1] {
        [drawn]
    }

    #[inline(always)]
    fn update<T: Real>(&self, delta: T, [value]: [T; 1], _: Draw) -> [T; 1] {
        [(value + delta).max(T::constant(self.low)).min(T::constant(self.high))]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_too_far_ends_at_the_border() {
        let rule = Ranged { low: 0.5, high: 2.0 };
        let after = |delta: f64| rule.update(delta, [1.0], Draw { key: 0, index: 0 })[0];
        assert_eq!([-0.9, -0.25, 0.25, 7.0].map(after), [0.5, 0.75, 1.25, 2.0]);
    }
}
