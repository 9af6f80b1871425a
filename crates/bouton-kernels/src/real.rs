//! Number types that a scalar equation may run in.
//!
//! An equation written once against [`Real`] runs in `f32` for training, in `f64` for checks and in
//! [`Dual`](crate::Dual) numbers for its Jacobian. There are no comparisons: a choice is a [`Real::select`], so that
//! a loop over the equation vectorises.

use std::fmt::Debug;
use std::ops::{Add, Div, Mul, Neg, Sub};

use crate::math;

/// A real number: arithmetic, a few functions and branch-free choice.
///
/// NaN is passed on by every method: `max`, `min` and the saturating functions never replace a NaN `self` by a number.
pub trait Real:
    Copy
    + Send
    + Sync
    + Debug
    + 'static
    + Add<Output = Self>
    + Sub<Output = Self>
    + Mul<Output = Self>
    + Div<Output = Self>
    + Neg<Output = Self>
{
    /// The constant `x`.
    fn constant(x: f64) -> Self;
    /// e to the power `self`. In `f32`: saturates at the largest finite number, flushes subnormal results to zero.
    fn exp(self) -> Self;
    /// Hyperbolic tangent.
    fn tanh(self) -> Self;
    /// Logistic function 1 / (1 + exp(-self)).
    fn sigmoid(self) -> Self;
    /// Square root.
    fn sqrt(self) -> Self;
    /// Natural logarithm.
    fn ln(self) -> Self;
    /// Sine. In `f32`: accurate to 2e-7 for arguments up to some thousands.
    fn sin(self) -> Self;
    /// Cosine, as accurate as the sine.
    fn cos(self) -> Self;
    /// The larger of the two; for the derivative at a tie see [`Dual`](crate::Dual).
    fn max(self, o: Self) -> Self;
    /// The smaller of the two; for the derivative at a tie see [`Dual`](crate::Dual).
    fn min(self, o: Self) -> Self;
    /// Absolute value; derivative 1 at zero.
    fn abs(self) -> Self;
    /// `a` where `ge0 >= 0`, else `b` (also where `ge0` is NaN).
    fn select(ge0: Self, a: Self, b: Self) -> Self;
    /// 1 where `self >= 0`, else 0; derivative 0 everywhere.
    fn heaviside(self) -> Self;
    /// The value of `self` with the derivative of `slope`: surrogate gradients, straight-through, stop-gradient.
    fn with_gradient_of(self, slope: Self) -> Self;
}

/// The methods that read the same for both machine types.
macro_rules! real_common {
    ($t:ty) => {
        #[inline(always)]
        fn constant(x: f64) -> Self {
            x as $t
        }
        #[inline(always)]
        fn sqrt(self) -> Self {
            <$t>::sqrt(self)
        }
        #[inline(always)]
        fn max(self, o: Self) -> Self {
            if self < o { o } else { self }
        }
        #[inline(always)]
        fn min(self, o: Self) -> Self {
            if self > o { o } else { self }
        }
        #[inline(always)]
        fn abs(self) -> Self {
            <$t>::abs(self)
        }
        #[inline(always)]
        fn select(ge0: Self, a: Self, b: Self) -> Self {
            if ge0 >= 0.0 { a } else { b }
        }
        #[inline(always)]
        fn heaviside(self) -> Self {
            if self >= 0.0 { 1.0 } else { 0.0 }
        }
        #[inline(always)]
        fn with_gradient_of(self, _slope: Self) -> Self {
            self
        }
    };
}

impl Real for f32 {
    real_common!(f32);
    #[inline(always)]
    fn exp(self) -> Self {
        math::exp(self)
    }
    #[inline(always)]
    fn tanh(self) -> Self {
        math::tanh(self)
    }
    #[inline(always)]
    fn sigmoid(self) -> Self {
        math::sigmoid(self)
    }
    #[inline(always)]
    fn ln(self) -> Self {
        math::ln(self)
    }
    #[inline(always)]
    fn sin(self) -> Self {
        math::sin(self)
    }
    #[inline(always)]
    fn cos(self) -> Self {
        math::cos(self)
    }
}

impl Real for f64 {
    real_common!(f64);
    #[inline(always)]
    fn exp(self) -> Self {
        f64::exp(self)
    }
    #[inline(always)]
    fn tanh(self) -> Self {
        f64::tanh(self)
    }
    #[inline(always)]
    fn sigmoid(self) -> Self {
        let e = f64::exp(-f64::abs(self));
        f64::select(self, 1.0, e) / (1.0 + e)
    }
    #[inline(always)]
    fn ln(self) -> Self {
        f64::ln(self)
    }
    #[inline(always)]
    fn sin(self) -> Self {
        f64::sin(self)
    }
    #[inline(always)]
    fn cos(self) -> Self {
        f64::cos(self)
    }
}
