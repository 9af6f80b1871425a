//! Numbers that an analytic equation may run in: real ones, and complex ones.
//!
//! An equation written once against [`Analytic`] has neither choices nor absolute values, so it continues from the real line
//! into the complex plane.

use std::ops::{Add, Div, Mul, Neg, Sub};

use crate::Real;

/// Arithmetic and entire or meromorphic functions.
pub trait Analytic:
    Copy + Add<Output = Self> + Sub<Output = Self> + Mul<Output = Self> + Div<Output = Self> + Neg<Output = Self>
{
    /// The constant `x`.
    fn constant(x: f64) -> Self;
    /// e to the power `self`.
    fn exp(self) -> Self;
    /// Hyperbolic tangent.
    fn tanh(self) -> Self;
    /// Logistic function 1 / (1 + exp(-self)).
    fn sigmoid(self) -> Self;
}

impl<T: Real> Analytic for T {
    #[inline(always)]
    fn constant(x: f64) -> Self {
        Real::constant(x)
    }
    #[inline(always)]
    fn exp(self) -> Self {
        Real::exp(self)
    }
    #[inline(always)]
    fn tanh(self) -> Self {
        Real::tanh(self)
    }
    #[inline(always)]
    fn sigmoid(self) -> Self {
        Real::sigmoid(self)
    }
}

/// re + i·im.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Complex<T> {
    /// Real part.
    pub re: T,
    /// Imaginary part.
    pub im: T,
}

impl<T: Real> Complex<T> {
    /// The product with a real number.
    #[inline(always)]
    fn times(self, by: T) -> Self {
        Complex { re: self.re * by, im: self.im * by }
    }
}

impl<T: Real> Add for Complex<T> {
    type Output = Self;
    #[inline(always)]
    fn add(self, o: Self) -> Self {
        Complex { re: self.re + o.re, im: self.im + o.im }
    }
}

impl<T: Real> Sub for Complex<T> {
    type Output = Self;
    #[inline(always)]
    fn sub(self, o: Self) -> Self {
        Complex { re: self.re - o.re, im: self.im - o.im }
    }
}

impl<T: Real> Mul for Complex<T> {
    type Output = Self;
    #[inline(always)]
    #[allow(clippy::suspicious_arithmetic_impl)] // i² = -1
    fn mul(self, o: Self) -> Self {
        Complex { re: self.re * o.re - self.im * o.im, im: self.re * o.im + self.im * o.re }
    }
}

impl<T: Real> Div for Complex<T> {
    type Output = Self;
    #[inline(always)]
    fn div(self, o: Self) -> Self {
        let conjugate = Complex { re: o.re, im: -o.im };
        #[allow(clippy::suspicious_arithmetic_impl)] // 1/o = ō/|o|²
        (self * conjugate).times(<T as Real>::constant(1.0) / (o.re * o.re + o.im * o.im))
    }
}

impl<T: Real> Neg for Complex<T> {
    type Output = Self;
    #[inline(always)]
    fn neg(self) -> Self {
        Complex { re: -self.re, im: -self.im }
    }
}

impl<T: Real> Analytic for Complex<T> {
    #[inline(always)]
    fn constant(x: f64) -> Self {
        Complex { re: Real::constant(x), im: Real::constant(0.0) }
    }
    #[inline(always)]
    fn exp(self) -> Self {
        let size = Real::exp(self.re);
        Complex { re: size * self.im.cos(), im: size * self.im.sin() }
    }
    /// 2 sigmoid(2z) - 1.
    #[inline(always)]
    fn tanh(self) -> Self {
        (self + self).sigmoid().times(Real::constant(2.0)) - Analytic::constant(1.0)
    }
    /// Through e = exp(∓z), whichever is not above 1 in size: e / (1 + e) left of the imaginary axis, 1 / (1 + e) right.
    #[inline(always)]
    fn sigmoid(self) -> Self {
        let sign = T::select(self.re, Real::constant(-1.0), Real::constant(1.0));
        let (e, one) = (Analytic::exp(self.times(sign)), Complex::<T>::constant(1.0));
        let over = Complex { re: T::select(self.re, one.re, e.re), im: T::select(self.re, one.im, e.im) };
        over / (one + e)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grid() -> impl Iterator<Item = Complex<f64>> {
        (-8..=8)
            .flat_map(|a| (-8..=8).map(move |b| Complex { re: 0.37 * f64::from(a), im: 0.17 * f64::from(b) }))
    }

    #[test]
    fn complex_functions_continue_the_real_ones() {
        for x in [-30.0, -1.5, 0.0, 0.7, 40.0] {
            let z = Complex { re: x, im: 0.0 };
            for (got, want) in [
                (Analytic::exp(z), f64::exp(x)),
                (Analytic::tanh(z), f64::tanh(x)),
                (Analytic::sigmoid(z), Real::sigmoid(x)),
            ] {
                assert!(
                    (got.re - want).abs() <= 1e-15 * want.abs().max(1.0) && got.im == 0.0,
                    "{x}: {got:?}"
                );
            }
        }
    }

    /// The Cauchy-Riemann equations, by central differences along both axes.
    #[test]
    fn complex_functions_are_analytic() {
        let functions: [fn(Complex<f64>) -> Complex<f64>; 4] =
            [Analytic::exp, Analytic::tanh, Analytic::sigmoid, |z| {
                Complex::constant(1.0) / (z * z + Complex::constant(2.5))
            }];
        for (i, f) in functions.iter().enumerate() {
            for z in grid() {
                let e = 1e-6;
                let slope = |d: Complex<f64>| (f(z + d) - f(z - d)).times(0.5 / e);
                let (along, across) = (slope(Complex { re: e, im: 0.0 }), slope(Complex { re: 0.0, im: e }));
                let scale = 1.0 + along.re.abs() + along.im.abs();
                assert!((along.re - across.im).abs() < 1e-7 * scale, "{i} at {z:?}");
                assert!((along.im + across.re).abs() < 1e-7 * scale, "{i} at {z:?}");
            }
        }
    }
}
