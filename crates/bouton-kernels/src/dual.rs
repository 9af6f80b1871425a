//! Forward-mode derivatives: a value and its derivatives along N directions.
//!
//! f(re + ε·eps) = f(re) + ε·f'(re)·eps. At a tie, `max` and `min` take the side whose derivatives are smaller, so a
//! value that sits exactly on a clip limit counts as saturated (derivative 0), whichever way round it is written.

use std::ops::{Add, Div, Mul, Neg, Sub};

use crate::Real;

/// Value `re` and derivatives `eps` along N directions.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Dual<T, const N: usize> {
    /// Value.
    pub re: T,
    /// Derivatives.
    pub eps: [T; N],
}

impl<T: Real, const N: usize> Dual<T, N> {
    /// A constant: all derivatives zero.
    #[inline(always)]
    pub fn cst(re: T) -> Self {
        Dual { re, eps: [T::constant(0.0); N] }
    }

    /// The variable of direction `i`: derivative 1 there, 0 elsewhere.
    #[inline(always)]
    pub fn var(re: T, i: usize) -> Self {
        Dual { re, eps: std::array::from_fn(|j| T::constant(if i == j { 1.0 } else { 0.0 })) }
    }

    /// Value `re`, derivatives multiplied by `slope`: the chain rule.
    #[inline(always)]
    fn chain(self, re: T, slope: T) -> Self {
        Dual { re, eps: self.eps.map(|e| e * slope) }
    }

    #[inline(always)]
    fn zip(self, o: Self, re: T, f: impl Fn(T, T) -> T) -> Self {
        Dual { re, eps: std::array::from_fn(|i| f(self.eps[i], o.eps[i])) }
    }

    /// Sum of the absolute derivatives.
    #[inline(always)]
    fn speed(self) -> T {
        self.eps.iter().fold(T::constant(0.0), |sum, e| sum + e.abs())
    }

    /// `re` with the derivatives of `self` where `lead` > 0, of `o` where `lead` < 0, at a tie of the one that moves less.
    #[inline(always)]
    fn choose(self, o: Self, re: T, lead: T) -> Self {
        let tied = Self::pick(self.speed() - o.speed(), o, self);
        let chosen = Self::pick(lead, Self::pick(-lead, tied, self), o);
        Dual { re, eps: chosen.eps }
    }

    #[inline(always)]
    fn pick(ge0: T, a: Self, b: Self) -> Self {
        a.zip(b, T::select(ge0, a.re, b.re), |x, y| T::select(ge0, x, y))
    }
}

impl<T: Real, const N: usize> Add for Dual<T, N> {
    type Output = Self;
    #[inline(always)]
    fn add(self, o: Self) -> Self {
        self.zip(o, self.re + o.re, |a, b| a + b)
    }
}

impl<T: Real, const N: usize> Sub for Dual<T, N> {
    type Output = Self;
    #[inline(always)]
    fn sub(self, o: Self) -> Self {
        self.zip(o, self.re - o.re, |a, b| a - b)
    }
}

impl<T: Real, const N: usize> Mul for Dual<T, N> {
    type Output = Self;
    #[inline(always)]
    #[allow(clippy::suspicious_arithmetic_impl)] // the product rule is a sum
    fn mul(self, o: Self) -> Self {
        self.zip(o, self.re * o.re, |a, b| a * o.re + self.re * b)
    }
}

impl<T: Real, const N: usize> Div for Dual<T, N> {
    type Output = Self;
    #[inline(always)]
    fn div(self, o: Self) -> Self {
        let (re, inv) = (self.re / o.re, T::constant(1.0) / o.re);
        self.zip(o, re, |a, b| (a - re * b) * inv)
    }
}

impl<T: Real, const N: usize> Neg for Dual<T, N> {
    type Output = Self;
    #[inline(always)]
    fn neg(self) -> Self {
        Dual { re: -self.re, eps: self.eps.map(|e| -e) }
    }
}

impl<T: Real, const N: usize> Real for Dual<T, N> {
    #[inline(always)]
    fn constant(x: f64) -> Self {
        Dual::cst(T::constant(x))
    }
    #[inline(always)]
    fn exp(self) -> Self {
        let e = self.re.exp();
        self.chain(e, e)
    }
    #[inline(always)]
    fn tanh(self) -> Self {
        let t = self.re.tanh();
        self.chain(t, T::constant(1.0) - t * t)
    }
    #[inline(always)]
    fn sigmoid(self) -> Self {
        let s = self.re.sigmoid();
        self.chain(s, s * (T::constant(1.0) - s))
    }
    #[inline(always)]
    fn sqrt(self) -> Self {
        let r = self.re.sqrt();
        self.chain(r, T::constant(0.5) / r)
    }
    #[inline(always)]
    fn ln(self) -> Self {
        self.chain(self.re.ln(), T::constant(1.0) / self.re)
    }
    #[inline(always)]
    fn sin(self) -> Self {
        self.chain(self.re.sin(), self.re.cos())
    }
    #[inline(always)]
    fn cos(self) -> Self {
        self.chain(self.re.cos(), -self.re.sin())
    }
    #[inline(always)]
    fn max(self, o: Self) -> Self {
        self.choose(o, self.re.max(o.re), self.re - o.re)
    }
    #[inline(always)]
    fn min(self, o: Self) -> Self {
        self.choose(o, self.re.min(o.re), o.re - self.re)
    }
    #[inline(always)]
    fn abs(self) -> Self {
        self.chain(self.re.abs(), T::select(self.re, T::constant(1.0), T::constant(-1.0)))
    }
    #[inline(always)]
    fn select(ge0: Self, a: Self, b: Self) -> Self {
        Self::pick(ge0.re, a, b)
    }
    #[inline(always)]
    fn heaviside(self) -> Self {
        Dual::cst(self.re.heaviside())
    }
    #[inline(always)]
    fn with_gradient_of(self, slope: Self) -> Self {
        Dual { re: self.re.with_gradient_of(slope.re), eps: slope.eps }
    }
}
