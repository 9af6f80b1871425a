//! Several registers of lanes as one number, so that an equation over [`Real`] runs on all of them at once.
//!
//! An equation is a long chain of dependent operations, each some cycles late; [`N`](Pack) chains side by side fill the
//! pipes where a single one would wait. Rounding is that of the scalar equation, lane by lane.

use std::ops::{Add, Div, Mul, Neg, Sub};

use pulp::Simd;

use crate::lanes::Lanes;
use crate::math::{self, Bits};
use crate::{Elem, Real};

/// N registers. Made and used only inside `with_simd` of its instruction set.
#[derive(Clone, Copy, Debug)]
pub struct Pack<S: Simd, T: Lanes, const N: usize>(pub(crate) [T::V<S>; N]);

/// The vector instructions of x86 for the larger and the smaller of two return the second one if either is NaN.
const X86: bool = cfg!(target_arch = "x86_64");

/// The token of an instruction set, which holds no data.
#[inline(always)]
fn token<S: Simd>() -> S {
    const { assert!(size_of::<S>() == 0) };
    // SAFETY: a value without data can be read from anywhere. It proves that the machine has the instructions: a Pack
    // is only reachable from code that was dispatched on that.
    unsafe { std::ptr::NonNull::<S>::dangling().read() }
}

impl<S: Simd, T: Elem, const N: usize> Pack<S, T, N> {
    /// The same number everywhere.
    #[inline(always)]
    pub(crate) fn splat(x: T) -> Self {
        Self([T::splat(token::<S>(), x); N])
    }

    /// `a` where self < o, else `b`.
    #[inline(always)]
    pub(crate) fn below(self, o: Self, a: Self, b: Self) -> Self {
        let s = token::<S>();
        let mut out = b.0;
        for i in 0..N {
            out[i] = T::choose(s, T::less(s, self.0[i], o.0[i]), a.0[i], b.0[i]);
        }
        Self(out)
    }

    /// A function of single numbers, lane by lane: for functions that no instruction set has.
    #[inline(always)]
    fn lanewise(mut self, f: impl Fn(T) -> T) -> Self {
        for v in &mut self.0 {
            for x in T::lanes_mut::<S>(v) {
                *x = f(*x);
            }
        }
        self
    }
}

macro_rules! operator {
    ($trait:ident, $method:ident, $v:ident) => {
        impl<S: Simd, T: Elem, const N: usize> $trait for Pack<S, T, N> {
            type Output = Self;
            #[inline(always)]
            fn $method(mut self, o: Self) -> Self {
                for i in 0..N {
                    self.0[i] = T::$v(token::<S>(), self.0[i], o.0[i]);
                }
                self
            }
        }
    };
}
operator!(Add, add, add_v);
operator!(Sub, sub, sub_v);
operator!(Mul, mul, mul_v);
operator!(Div, div, div_v);

impl<S: Simd, T: Elem, const N: usize> Neg for Pack<S, T, N> {
    type Output = Self;
    #[inline(always)]
    fn neg(mut self) -> Self {
        for i in 0..N {
            self.0[i] = T::neg_v(token::<S>(), self.0[i]);
        }
        self
    }
}

impl<S: Simd, T: Elem, const N: usize> Real for Pack<S, T, N> {
    #[inline(always)]
    fn constant(x: f64) -> Self {
        Self::splat(T::from_f64(x))
    }
    #[inline(always)]
    fn exp(self) -> Self {
        T::packed_exp(self)
    }
    #[inline(always)]
    fn tanh(self) -> Self {
        T::packed_tanh(self)
    }
    #[inline(always)]
    fn sigmoid(self) -> Self {
        T::packed_sigmoid(self)
    }
    #[inline(always)]
    fn sqrt(mut self) -> Self {
        for i in 0..N {
            self.0[i] = T::sqrt_v(token::<S>(), self.0[i]);
        }
        self
    }
    #[inline(always)]
    fn ln(self) -> Self {
        self.lanewise(<T as Real>::ln)
    }
    #[inline(always)]
    fn sin(self) -> Self {
        T::packed_sin(self)
    }
    #[inline(always)]
    fn cos(self) -> Self {
        T::packed_cos(self)
    }
    #[inline(always)]
    fn max(mut self, o: Self) -> Self {
        if !X86 || S::IS_SCALAR {
            return self.below(o, o, self);
        }
        for i in 0..N {
            self.0[i] = T::max_v(token::<S>(), o.0[i], self.0[i]);
        }
        self
    }
    #[inline(always)]
    fn min(mut self, o: Self) -> Self {
        if !X86 || S::IS_SCALAR {
            return o.below(self, o, self);
        }
        for i in 0..N {
            self.0[i] = T::min_v(token::<S>(), o.0[i], self.0[i]);
        }
        self
    }
    #[inline(always)]
    fn abs(mut self) -> Self {
        for i in 0..N {
            self.0[i] = T::abs_v(token::<S>(), self.0[i]);
        }
        self
    }
    #[inline(always)]
    fn select(ge0: Self, a: Self, b: Self) -> Self {
        let s = token::<S>();
        let (zero, mut out) = (T::splat(s, T::default()), b.0);
        for i in 0..N {
            out[i] = T::choose(s, T::at_least(s, ge0.0[i], zero), a.0[i], b.0[i]);
        }
        Self(out)
    }
    #[inline(always)]
    fn heaviside(self) -> Self {
        Self::select(self, Self::constant(1.0), Self::constant(0.0))
    }
    #[inline(always)]
    fn with_gradient_of(self, _slope: Self) -> Self {
        self
    }
}

impl<S: Simd, const N: usize> Bits for Pack<S, f32, N> {
    #[inline(always)]
    fn fused(mut self, a: Self, b: Self) -> Self {
        for i in 0..N {
            self.0[i] = token::<S>().mul_add_f32s(self.0[i], a.0[i], b.0[i]);
        }
        self
    }
    #[inline(always)]
    fn if_below(self, o: Self, a: Self, b: Self) -> Self {
        self.below(o, a, b)
    }
    #[inline(always)]
    fn shift_exponent(mut self, t: Self) -> Self {
        let s = token::<S>();
        let places = s.splat_u32s(math::MANTISSA);
        for i in 0..N {
            let shift = s.wrapping_dyn_shl_u32s(s.transmute_u32s_f32s(t.0[i]), places);
            self.0[i] = s.transmute_f32s_u32s(s.add_u32s(s.transmute_u32s_f32s(self.0[i]), shift));
        }
        self
    }
    #[inline(always)]
    fn copysign(mut self, sign: Self) -> Self {
        let s = token::<S>();
        let bit = s.splat_f32s(-0.0);
        for i in 0..N {
            self.0[i] = s.or_f32s(s.abs_f32s(self.0[i]), s.and_f32s(bit, sign.0[i]));
        }
        self
    }
}

/// Functions of registers: `f32` has them in vector form, `f64` takes them from the standard library, lane by lane.
pub trait Number: Lanes {
    /// Exponential.
    fn packed_exp<S: Simd, const N: usize>(x: Pack<S, Self, N>) -> Pack<S, Self, N>;
    /// Hyperbolic tangent.
    fn packed_tanh<S: Simd, const N: usize>(x: Pack<S, Self, N>) -> Pack<S, Self, N>;
    /// Logistic function.
    fn packed_sigmoid<S: Simd, const N: usize>(x: Pack<S, Self, N>) -> Pack<S, Self, N>;
    /// Sine.
    fn packed_sin<S: Simd, const N: usize>(x: Pack<S, Self, N>) -> Pack<S, Self, N>;
    /// Cosine.
    fn packed_cos<S: Simd, const N: usize>(x: Pack<S, Self, N>) -> Pack<S, Self, N>;
}

impl Number for f32 {
    #[inline(always)]
    fn packed_exp<S: Simd, const N: usize>(x: Pack<S, f32, N>) -> Pack<S, f32, N> {
        math::exp(x)
    }
    #[inline(always)]
    fn packed_tanh<S: Simd, const N: usize>(x: Pack<S, f32, N>) -> Pack<S, f32, N> {
        math::tanh(x)
    }
    #[inline(always)]
    fn packed_sigmoid<S: Simd, const N: usize>(x: Pack<S, f32, N>) -> Pack<S, f32, N> {
        math::sigmoid(x)
    }
    #[inline(always)]
    fn packed_sin<S: Simd, const N: usize>(x: Pack<S, f32, N>) -> Pack<S, f32, N> {
        math::sin(x)
    }
    #[inline(always)]
    fn packed_cos<S: Simd, const N: usize>(x: Pack<S, f32, N>) -> Pack<S, f32, N> {
        math::cos(x)
    }
}

impl Number for f64 {
    #[inline(always)]
    fn packed_exp<S: Simd, const N: usize>(x: Pack<S, f64, N>) -> Pack<S, f64, N> {
        x.lanewise(Real::exp)
    }
    #[inline(always)]
    fn packed_tanh<S: Simd, const N: usize>(x: Pack<S, f64, N>) -> Pack<S, f64, N> {
        x.lanewise(Real::tanh)
    }
    #[inline(always)]
    fn packed_sigmoid<S: Simd, const N: usize>(x: Pack<S, f64, N>) -> Pack<S, f64, N> {
        x.lanewise(Real::sigmoid)
    }
    #[inline(always)]
    fn packed_sin<S: Simd, const N: usize>(x: Pack<S, f64, N>) -> Pack<S, f64, N> {
        x.lanewise(f64::sin)
    }
    #[inline(always)]
    fn packed_cos<S: Simd, const N: usize>(x: Pack<S, f64, N>) -> Pack<S, f64, N> {
        x.lanewise(f64::cos)
    }
}
