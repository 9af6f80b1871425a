//! Spikes z = [x ≥ 0] or [x > 0] with x = (v − A)/θ, and the slope that stands for their derivative.
//!
//! A surrogate is given by its slope p'(x) and the primitive p(x): a spike has the value of the step function and the derivative
//! p'; a *smooth* unit sends p itself, so that gradients can be checked against differences (Neftci et al. 2019 review them).

use bouton_kernels::Real;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What stands for the derivative of a spike, as a function of x = (v − A)/θ.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum SpikeSurrogate {
    /// γ max(0, 1 − |x|) with this γ (Bellec et al. 2018); 0.3 is usual.
    Triangle(#[schemars(extend("exclusiveMinimum" = 0, "maximum" = 1e4, "x-hint" = "0.3 is usual"))] f64),
    /// 1/(1 + k|x|)² with this k (Zenke & Ganguli 2018); 25 is usual.
    FastSigmoid(#[schemars(extend("exclusiveMinimum" = 0, "maximum" = 1e4, "x-hint" = "25 is usual"))] f64),
    /// kσ(kx)(1 − σ(kx)) with this k; 4 is usual.
    Sigmoid(#[schemars(extend("exclusiveMinimum" = 0, "maximum" = 1e4, "x-hint" = "4 is usual"))] f64),
    /// (α/2)/(1 + (παx/2)²) with this α (Fang et al. 2021); 2 is usual.
    Arctan(#[schemars(extend("exclusiveMinimum" = 0, "maximum" = 1e4, "x-hint" = "2 is usual"))] f64),
}

impl Default for SpikeSurrogate {
    fn default() -> Self {
        Self::Triangle(0.3)
    }
}

impl SpikeSurrogate {
    /// The slope at x.
    #[inline(always)]
    fn slope<T: Real>(self, x: T) -> T {
        let constant = T::constant;
        match self {
            Self::Triangle(gamma) => constant(gamma) * (constant(1.0) - x.abs()).max(constant(0.0)),
            Self::FastSigmoid(k) => {
                let d = constant(1.0) + constant(k) * x.abs();
                constant(1.0) / (d * d)
            }
            Self::Sigmoid(k) => {
                let p = (constant(k) * x).sigmoid();
                constant(k) * p * (constant(1.0) - p)
            }
            Self::Arctan(alpha) => {
                let y = constant(0.5 * std::f64::consts::PI * alpha) * x;
                constant(0.5 * alpha) / (constant(1.0) + y * y)
            }
        }
    }

    /// The primitive of the slope, between 0 and about 1 (for `triangle`, γ): what a smooth unit sends.
    #[inline(always)]
    fn primitive<T: Real>(self, x: T) -> T {
        let constant = T::constant;
        match self {
            Self::Triangle(gamma) => {
                let c = x.max(constant(-1.0)).min(constant(1.0));
                constant(gamma) * (c - constant(0.5) * c * c.abs() + constant(0.5))
            }
            Self::FastSigmoid(k) => x / (constant(1.0) + constant(k) * x.abs()),
            Self::Sigmoid(k) => (constant(k) * x).sigmoid(),
            // 1/2 + arctan(y)/π of y = παx/2, by the half angle: arctan y = 2 arctan(y/(1 + √(1 + y²))), in a short series.
            Self::Arctan(alpha) => constant(0.5) + arctan(constant(0.5 * std::f64::consts::PI * alpha) * x),
        }
    }

    /// The spike at `x` with the derivative of the primitive; the slope itself counts as a constant. `smooth`: the primitive.
    #[inline(always)]
    pub(super) fn spike<T: Real>(self, x: T, at: Comparison, smooth: bool) -> T {
        if smooth {
            return self.primitive(x);
        }
        let slope = self.slope(x).with_gradient_of(T::constant(0.0));
        at.compare(x).with_gradient_of(slope * x)
    }
}

/// Whether a membrane exactly at its threshold fires.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Comparison {
    /// It does: z = 1 if v ≥ θ.
    #[default]
    GreaterEqual,
    /// It does not: z = 1 if v > θ.
    Greater,
}

impl Comparison {
    /// The step function of `x`.
    #[inline(always)]
    fn compare<T: Real>(self, x: T) -> T {
        match self {
            Self::GreaterEqual => x.heaviside(),
            Self::Greater => T::constant(1.0) - (-x).heaviside(),
        }
    }
}

/// arctan(y)/π: twice halved, then a series of twelve terms, to 1e-15.
#[inline(always)]
fn arctan<T: Real>(y: T) -> T {
    let one = T::constant(1.0);
    let half = |y: T| y / (one + (one + y * y).sqrt());
    let z = half(half(half(y)));
    let square = z * z;
    let mut sum = T::constant(0.0);
    for k in (0..16).rev() {
        let sign = if k % 2 == 0 { 1.0 } else { -1.0 };
        sum = T::constant(sign / f64::from(2 * k + 1)) + square * sum;
    }
    T::constant(8.0 / std::f64::consts::PI) * z * sum
}

#[cfg(test)]
mod tests {
    use super::*;
    use bouton_kernels::Dual;

    const ALL: [SpikeSurrogate; 4] = [
        SpikeSurrogate::Triangle(0.3),
        SpikeSurrogate::FastSigmoid(25.0),
        SpikeSurrogate::Sigmoid(4.0),
        SpikeSurrogate::Arctan(2.0),
    ];

    /// Sheet of peers: values of the slopes at 0, and the same spikes whatever the surrogate.
    #[test]
    fn values_are_steps_and_slopes_those_of_the_table() {
        for (surrogate, at_zero) in ALL.into_iter().zip([0.3, 1.0, 1.0, 1.0]) {
            for x in [-2.0, -1.0, -0.1, 0.0, 0.1, 1.0, 2.0] {
                let at = |at, smooth| surrogate.spike(Dual::<f64, 1>::var(x, 0), at, smooth);
                let (spike, strict) = (at(Comparison::GreaterEqual, false), at(Comparison::Greater, false));
                assert_eq!(spike.re, f64::from(u8::from(x >= 0.0)));
                assert_eq!((strict.re, strict.eps), (f64::from(u8::from(x > 0.0)), spike.eps));
                let smooth = at(Comparison::Greater, true);
                assert!(
                    (spike.eps[0] - smooth.eps[0]).abs() < 1e-14,
                    "{surrogate:?} {x}: {spike:?} {smooth:?}"
                );
            }
            assert!((surrogate.slope(0.0_f64) - at_zero).abs() < 1e-15);
        }
    }

    #[test]
    fn the_arctangent_is_one() {
        for y in [-50.0_f64, -3.0, -1.0, -0.2, 0.0, 0.4, 2.0, 1e6] {
            assert!((arctan(y) - y.atan() / std::f64::consts::PI).abs() < 1e-15, "{y}");
        }
    }
}
