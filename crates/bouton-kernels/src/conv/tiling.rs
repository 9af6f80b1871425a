//! One-dimensional minimal filtering F(m, 3): m outputs of a filter with three taps from m + 2 multiplications instead of
//! 3 m (A. Lavin, S. Gray, Fast algorithms for convolutional neural networks, CVPR 2016).
//!
//! With d the m + 2 inputs and g the taps, the outputs are Aᵀ [(G g) ⊙ (Bᵀ d)], and the adjoint in the taps of slopes y of
//! the outputs is Gᵀ [(A y) ⊙ (Bᵀ d)].

use pulp::Simd;

use crate::Elem;

/// The transforms of F(M, 3), with A = M + 2.
pub(super) trait Tiling<const M: usize, const A: usize>: Send + Sync + 'static {
    /// G g.
    fn taps(g: [f64; 3]) -> [f64; A];
    /// Bᵀ d.
    fn inputs<S: Simd, T: Elem>(s: S, d: [T::V<S>; A]) -> [T::V<S>; A];
    /// Aᵀ p.
    fn outputs<S: Simd, T: Elem>(s: S, p: [T::V<S>; A]) -> [T::V<S>; M];
    /// A y.
    fn slopes<S: Simd, T: Elem>(s: S, y: [T::V<S>; M]) -> [T::V<S>; A];
    /// Gᵀ p.
    fn tap_slopes(p: [f64; A]) -> [f64; 3];
}

/// F(2, 3), from the points 0, 1, -1: rounding errors like those of the direct sum.
pub(super) struct Two;

impl Tiling<2, 4> for Two {
    fn taps([a, b, c]: [f64; 3]) -> [f64; 4] {
        [a, (a + b + c) / 2.0, (a - b + c) / 2.0, c]
    }

    #[inline(always)]
    fn inputs<S: Simd, T: Elem>(s: S, [a, b, c, d]: [T::V<S>; 4]) -> [T::V<S>; 4] {
        [T::sub_v(s, a, c), T::add_v(s, b, c), T::sub_v(s, c, b), T::sub_v(s, b, d)]
    }

    #[inline(always)]
    fn outputs<S: Simd, T: Elem>(s: S, [a, b, c, d]: [T::V<S>; 4]) -> [T::V<S>; 2] {
        let (sum, difference) = (T::add_v(s, b, c), T::sub_v(s, b, c));
        [T::add_v(s, a, sum), T::sub_v(s, difference, d)]
    }

    #[inline(always)]
    fn slopes<S: Simd, T: Elem>(s: S, [a, b]: [T::V<S>; 2]) -> [T::V<S>; 4] {
        [a, T::add_v(s, a, b), T::sub_v(s, a, b), T::sub_v(s, T::splat(s, T::default()), b)]
    }

    fn tap_slopes([a, b, c, d]: [f64; 4]) -> [f64; 3] {
        let even = (b + c) / 2.0;
        [a + even, (b - c) / 2.0, even + d]
    }
}

/// F(4, 3), from the points 0, ±P, ±Q. They are the roots of the polynomials below; that P Q is near 1 keeps errors at
/// those of the direct sum, where the usual points ±1, ±2 make them several times larger (B. Barabasz, A. Anderson,
/// K. M. Soodhalter, D. Gregg, Error analysis and improving the accuracy of Winograd convolution for deep neural networks,
/// ACM TOMS 46, 2020). All coefficients of Bᵀ and Aᵀ are exact in single precision.
pub(super) struct Four;

const P: f64 = 0.75;
const Q: f64 = 1.5;

impl Tiling<4, 6> for Four {
    fn taps([a, b, c]: [f64; 3]) -> [f64; 6] {
        let (p, q) = (P * P, Q * Q);
        // Each row is the value of the taps at a point over the product of its distances from the other points.
        let (even_p, even_q) = ((a + p * c) / (2.0 * p * (p - q)), (a + q * c) / (2.0 * q * (q - p)));
        let (odd_p, odd_q) = (P * b / (2.0 * p * (p - q)), Q * b / (2.0 * q * (q - p)));
        [a / (p * q), even_p + odd_p, even_p - odd_p, even_q + odd_q, even_q - odd_q, c]
    }

    #[inline(always)]
    fn inputs<S: Simd, T: Elem>(s: S, [a, b, c, d, e, f]: [T::V<S>; 6]) -> [T::V<S>; 6] {
        let splat = |x| T::splat(s, T::from_f64(x));
        let (product, sum) = (splat(P * P * Q * Q), splat(-(P * P + Q * Q)));
        // The rows of ±P: x (x ± P) (x² - Q²); of ±Q likewise.
        let (even_p, odd_p) = (T::fma(s, splat(-Q * Q), c, e), T::fma(s, splat(-Q * Q), b, d));
        let (even_q, odd_q) = (T::fma(s, splat(-P * P), c, e), T::fma(s, splat(-P * P), b, d));
        [
            T::fma(s, product, a, T::fma(s, sum, c, e)),
            T::fma(s, splat(P), odd_p, even_p),
            T::fma(s, splat(-P), odd_p, even_p),
            T::fma(s, splat(Q), odd_q, even_q),
            T::fma(s, splat(-Q), odd_q, even_q),
            T::fma(s, product, b, T::fma(s, sum, d, f)),
        ]
    }

    #[inline(always)]
    fn outputs<S: Simd, T: Elem>(s: S, [a, b, c, d, e, f]: [T::V<S>; 6]) -> [T::V<S>; 4] {
        let splat = |x| T::splat(s, T::from_f64(x));
        let (even_p, odd_p) = (T::add_v(s, b, c), T::sub_v(s, b, c));
        let (even_q, odd_q) = (T::add_v(s, d, e), T::sub_v(s, d, e));
        [
            T::add_v(s, a, T::add_v(s, even_p, even_q)),
            T::fma(s, splat(P), odd_p, T::mul_v(s, splat(Q), odd_q)),
            T::fma(s, splat(P * P), even_p, T::mul_v(s, splat(Q * Q), even_q)),
            T::fma(s, splat(P * P * P), odd_p, T::fma(s, splat(Q * Q * Q), odd_q, f)),
        ]
    }

    #[inline(always)]
    fn slopes<S: Simd, T: Elem>(s: S, [a, b, c, d]: [T::V<S>; 4]) -> [T::V<S>; 6] {
        let splat = |x| T::splat(s, T::from_f64(x));
        let at =
            |x: f64| (T::fma(s, splat(x * x), c, a), T::mul_v(s, splat(x), T::fma(s, splat(x * x), d, b)));
        let ((even_p, odd_p), (even_q, odd_q)) = (at(P), at(Q));
        [
            a,
            T::add_v(s, even_p, odd_p),
            T::sub_v(s, even_p, odd_p),
            T::add_v(s, even_q, odd_q),
            T::sub_v(s, even_q, odd_q),
            d,
        ]
    }

    fn tap_slopes([a, b, c, d, e, f]: [f64; 6]) -> [f64; 3] {
        let (p, q) = (P * P, Q * Q);
        let (size_p, size_q) = (2.0 * p * (p - q), 2.0 * q * (q - p));
        let (even_p, even_q) = ((b + c) / size_p, (d + e) / size_q);
        [
            a / (p * q) + even_p + even_q,
            P * (b - c) / size_p + Q * (d - e) / size_q,
            p * even_p + q * even_q + f,
        ]
    }
}
