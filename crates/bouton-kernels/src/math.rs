//! `exp`, `tanh`, `sigmoid`, `sin`, `cos` and `ln` in `f32` without calls, branches or saturating casts, so that loops vectorise.
//!
//! x = n ln 2 + r with |r| <= ln 2 / 2, hence exp(x) = 2ⁿ (1 + q), q = exp(r) - 1 = r + r² P(r), P of degree 4
//! (interpolated at Chebyshev nodes, error 1.1e-8). n is found by adding 1.5 · 2²³, which leaves the rounded integer
//! in the low bits. Products and sums are fused where written so, hence the same bit for bit with every vector width.
//! Relative error below 1e-6 wherever the true value is a normal number (tested densely against `f64`).

use std::f32::consts::LOG2_E;

use crate::Real;

/// 1.5 · 2²³: after adding it, the low bits of the mantissa are the rounded integer part.
const ROUND: f32 = 12_582_912.0;
/// Bits of a mantissa.
pub(crate) const MANTISSA: u32 = 23;
/// ln 2 in two parts; the first has 9 significant bits, so that n · LN2_HI is exact.
const LN2_HI: f32 = 355.0 / 512.0;
const LN2_LO: f32 = -2.121_944_4e-4;
/// Arguments between these two give normal numbers: ln of the largest, and of the smallest normal number.
const EXP_MAX: f32 = 88.722_83;
const EXP_MIN: f32 = -87.336_54;
/// exp(-40) vanishes against 1 in f32.
const EXPM1_MIN: f32 = -40.0;
/// Bits of 1/√2: mantissas are brought into [1/√2, √2).
const SQRT_HALF: u32 = 0x3f35_04f3;

/// What these functions need beside arithmetic. Implemented by `f32` and by registers of it.
pub(crate) trait Bits: Real {
    /// self · a + b, rounded once.
    fn fused(self, a: Self, b: Self) -> Self;
    /// `a` where self < o, else `b` (also where either is NaN).
    fn if_below(self, o: Self, a: Self, b: Self) -> Self;
    /// self · 2ⁿ, n from the low bits of `t`, which is n + [`ROUND`].
    fn shift_exponent(self, t: Self) -> Self;
    /// |self| with the sign of `sign`.
    fn copysign(self, sign: Self) -> Self;
}

impl Bits for f32 {
    #[inline(always)]
    fn fused(self, a: f32, b: f32) -> f32 {
        self.mul_add(a, b)
    }
    #[inline(always)]
    fn if_below(self, o: f32, a: f32, b: f32) -> f32 {
        if self < o { a } else { b }
    }
    #[inline(always)]
    fn shift_exponent(self, t: f32) -> f32 {
        f32::from_bits(self.to_bits().wrapping_add(t.to_bits() << MANTISSA))
    }
    #[inline(always)]
    fn copysign(self, sign: f32) -> f32 {
        f32::copysign(self, sign)
    }
}

#[inline(always)]
fn constant<F: Bits>(x: f32) -> F {
    F::constant(x as f64)
}

/// x = n ln 2 + r; returns (n + `ROUND`, exp(r) - 1).
#[inline(always)]
fn reduce<F: Bits>(x: F) -> (F, F) {
    let t = x.fused(constant(LOG2_E), constant(ROUND));
    let n = t - constant(ROUND);
    let r = n.fused(constant(-LN2_LO), n.fused(constant(-LN2_HI), x));
    let p = constant::<F>(1.392_617_6e-3);
    let p = p.fused(r, constant(8.363_173e-3));
    let p = p.fused(r, constant(4.166_655_6e-2));
    let p = p.fused(r, constant(1.666_657_7e-1));
    let p = p.fused(r, constant(0.5));
    (t, (r * r).fused(p, r))
}

/// Exponential. Results above `f32::MAX` saturate just below it, subnormal results are flushed to zero.
#[inline(always)]
pub(crate) fn exp<F: Bits>(x: F) -> F {
    fading(x.min(constant(EXP_MAX)))
}

/// Exponential of numbers that are not too large.
#[inline(always)]
fn fading<F: Bits>(x: F) -> F {
    let (t, q) = reduce(x.max(constant(EXP_MIN)));
    let e = (constant::<F>(1.0) + q).shift_exponent(t);
    x.if_below(constant(EXP_MIN), constant(0.0), e)
}

/// Hyperbolic tangent: with m = exp(-2|x|) - 1, tanh|x| = -m / (m + 2); accurate relative to x near zero.
#[inline(always)]
pub(crate) fn tanh<F: Bits>(x: F) -> F {
    let (t, q) = reduce((constant::<F>(-2.0) * x.abs()).max(constant(EXPM1_MIN)));
    let s = constant::<F>(1.0).shift_exponent(t);
    let m = s * q + (s - constant(1.0));
    (-m / (m + constant(2.0))).copysign(x)
}

/// Logistic function through e = exp(-|x|): e / (1 + e) for negative x keeps relative accuracy in the tail.
#[inline(always)]
pub(crate) fn sigmoid<F: Bits>(x: F) -> F {
    let e = fading(-x.abs());
    F::select(x, constant(1.0), e) / (constant::<F>(1.0) + e)
}

/// π in three parts; products of the first two with small whole numbers are exact.
const PI: [f32; 3] = [3.140_625, 9.675_026e-4, 1.509_957_9e-7];

/// Sine: x = nπ + r with |r| <= π/2, hence sin x = (-1)ⁿ sin r, by the odd Taylor polynomial of degree 13.
#[inline(always)]
pub(crate) fn sin<F: Bits>(x: F) -> F {
    let n = x.fused(constant(std::f32::consts::FRAC_1_PI), constant(ROUND)) - constant(ROUND);
    shifted_sine(x, n)
}

/// Cosine: x = (n - ½)π + r, hence cos x = (-1)ⁿ sin r.
#[inline(always)]
pub(crate) fn cos<F: Bits>(x: F) -> F {
    let n = x.fused(constant(std::f32::consts::FRAC_1_PI), constant(0.5)) + constant(ROUND) - constant(ROUND);
    shifted_sine(x, n - constant(0.5))
}

/// sin(x - tπ) with the sign of (-1)ⁿ, for t = n or n - ½.
#[inline(always)]
fn shifted_sine<F: Bits>(x: F, t: F) -> F {
    let mut r = x;
    for part in PI {
        r = t.fused(constant(-part), r);
    }
    let z = r * r;
    let mut p = constant::<F>(1.0 / 6_227_020_800.0);
    for c in [-1.0 / 39_916_800.0, 1.0 / 362_880.0, -1.0 / 5_040.0, 1.0 / 120.0, -1.0 / 6.0] {
        p = p.fused(z, constant(c));
    }
    let s = (r * z).fused(p, r);
    // The whole number n is t or t + ½; half of it rounds to a whole number where it is even.
    let n = t.fused(constant(1.0), constant(0.25)) + constant(ROUND) - constant(ROUND);
    let half = n.fused(constant(0.5), constant(ROUND)) - constant(ROUND);
    let odd = n - (half + half);
    s * (constant::<F>(-2.0) * odd * odd + constant(1.0))
}

/// Natural logarithm: x = 2ᵏ m, ln m = 2 artanh(s) with s = (m - 1) / (m + 1), |s| <= 0.172.
/// -inf at zero, NaN below.
#[inline(always)]
pub(crate) fn ln(x: f32) -> f32 {
    let tiny = x < f32::MIN_POSITIVE;
    let y = if tiny { x * 33_554_432.0 } else { x }; // 2²⁵: makes subnormal numbers normal
    let bits = y.to_bits().wrapping_sub(SQRT_HALF);
    let k = ((bits as i32) >> 23) as f32 - if tiny { 25.0 } else { 0.0 };
    let f = f32::from_bits((bits & 0x007f_ffff) + SQRT_HALF) - 1.0;
    let s = f / (f + 2.0);
    let z = s * s;
    let p = 1.0 / 9.0;
    let p = p * z + 1.0 / 7.0;
    let p = p * z + 0.2;
    let p = p * z + 1.0 / 3.0;
    // 2 artanh(s) = f - s (f - 2 z p): f is exact, the correction is small.
    let m = f - s * (f - 2.0 * z * p);
    let l = (k * LN2_LO + m) + k * LN2_HI;
    let l = if x < f32::INFINITY { l } else { x };
    let l = if x == 0.0 { f32::NEG_INFINITY } else { l };
    if x < 0.0 { f32::NAN } else { l }
}
