//! `exp`, `tanh`, `sigmoid` and `ln` in `f32` without calls, branches or saturating casts, so that loops vectorise.
//!
//! x = n ln 2 + r with |r| <= ln 2 / 2, hence exp(x) = 2ⁿ (1 + q), q = exp(r) - 1 = r + r² P(r), P of degree 4
//! (interpolated at Chebyshev nodes, error 1.1e-8). n is found by adding 1.5 · 2²³, which leaves the rounded integer
//! in the low bits. Only plain `+` and `*`: the result is the same bit for bit with every vector width.
//! Relative error below 1e-6 wherever the true value is a normal number (tested densely against `f64`).

use std::f32::consts::LOG2_E;

/// 1.5 · 2²³: after adding it, the low bits of the mantissa are the rounded integer part.
const ROUND: f32 = 12_582_912.0;
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

/// x = n ln 2 + r; returns (n << 23 as exponent bits, exp(r) - 1).
#[inline(always)]
fn reduce(x: f32) -> (u32, f32) {
    let t = x * LOG2_E + ROUND;
    let n = t - ROUND;
    let r = (x - n * LN2_HI) - n * LN2_LO;
    let p = 1.392_617_6e-3;
    let p = p * r + 8.363_173e-3;
    let p = p * r + 4.166_655_6e-2;
    let p = p * r + 1.666_657_7e-1;
    let p = p * r + 0.5;
    (t.to_bits() << 23, r + r * r * p)
}

/// `lo` where x < lo, NaN where x is NaN.
#[inline(always)]
fn at_least(x: f32, lo: f32) -> f32 {
    if x < lo { lo } else { x }
}

/// Exponential. Results above `f32::MAX` saturate just below it, subnormal results are flushed to zero.
#[inline(always)]
pub(crate) fn exp(x: f32) -> f32 {
    let y = at_least(if x > EXP_MAX { EXP_MAX } else { x }, EXP_MIN);
    let (scale, q) = reduce(y);
    let e = f32::from_bits((1.0 + q).to_bits().wrapping_add(scale));
    if x < EXP_MIN { 0.0 } else { e }
}

/// Hyperbolic tangent: with m = exp(-2|x|) - 1, tanh|x| = -m / (m + 2); accurate relative to x near zero.
#[inline(always)]
pub(crate) fn tanh(x: f32) -> f32 {
    let (scale, q) = reduce(at_least(-2.0 * x.abs(), EXPM1_MIN));
    let s = f32::from_bits(0x3f80_0000_u32.wrapping_add(scale));
    let m = s * q + (s - 1.0);
    (-m / (m + 2.0)).copysign(x)
}

/// Logistic function through e = exp(-|x|): e / (1 + e) for negative x keeps relative accuracy in the tail.
#[inline(always)]
pub(crate) fn sigmoid(x: f32) -> f32 {
    let e = exp(-x.abs());
    (if x >= 0.0 { 1.0 } else { e }) / (1.0 + e)
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
