//! The lane sums of four registers at once: with 512-bit registers half the work of four separate sums.

use std::any::Any;

use pulp::Simd;

use crate::lanes::Lanes;

/// The sum of the lanes of each register. The order of additions within a register is always the same.
#[inline(always)]
pub(crate) fn sum4<S: Simd, T: Lanes>(s: S, v: [T::V<S>; 4]) -> [T; 4] {
    #[cfg(target_arch = "x86_64")]
    if let Some(s) = known(&s) {
        if let Some(v) = known(&v) {
            let sums = avx512::sum4_f32(s, v);
            if let Some(sums) = known(&sums) {
                return *sums;
            }
        }
        if let Some(v) = known(&v) {
            let sums = avx512::sum4_f64(s, v);
            if let Some(sums) = known(&sums) {
                return *sums;
            }
        }
    }
    [T::sum(s, v[0]), T::sum(s, v[1]), T::sum(s, v[2]), T::sum(s, v[3])]
}

/// `x` as a `B`, if that is what it is; decided at compile time.
#[inline(always)]
fn known<A: 'static, B: 'static>(x: &A) -> Option<&B> {
    (x as &dyn Any).downcast_ref()
}

#[cfg(target_arch = "x86_64")]
mod avx512 {
    use pulp::x86::V4;
    use pulp::{cast, f32x16, f64x8};
    use std::arch::x86_64::{__m128, __m256d, __m512, __m512d};

    /// Neighbouring lanes of a and b side by side: per 128 bits a0 + a2, b0 + b2, a1 + a3, b1 + b3.
    #[inline(always)]
    fn pair(s: &V4, a: f32x16, b: f32x16) -> __m512d {
        let (a, b): (__m512, __m512) = (cast(a), cast(b));
        cast(s.avx512f._mm512_add_ps(s.avx512f._mm512_unpacklo_ps(a, b), s.avx512f._mm512_unpackhi_ps(a, b)))
    }

    #[inline(always)]
    pub(super) fn sum4_f32(s: &V4, v: &[f32x16; 4]) -> [f32; 4] {
        let (a, b) = (pair(s, v[0], v[1]), pair(s, v[2], v[3]));
        let low: __m512 = cast(s.avx512f._mm512_unpacklo_pd(a, b));
        let high: __m512 = cast(s.avx512f._mm512_unpackhi_pd(a, b));
        // Per 128 bits the four registers in order; the four 128-bit parts remain to be added.
        let parts: [__m128; 4] = cast(s.avx512f._mm512_add_ps(low, high));
        cast(s.sse._mm_add_ps(s.sse._mm_add_ps(parts[0], parts[1]), s.sse._mm_add_ps(parts[2], parts[3])))
    }

    #[inline(always)]
    fn pair_f64(s: &V4, a: f64x8, b: f64x8) -> __m256d {
        let (a, b): (__m512d, __m512d) = (cast(a), cast(b));
        let sum =
            s.avx512f._mm512_add_pd(s.avx512f._mm512_unpacklo_pd(a, b), s.avx512f._mm512_unpackhi_pd(a, b));
        let halves: [__m256d; 2] = cast(sum);
        s.avx._mm256_add_pd(halves[0], halves[1])
    }

    #[inline(always)]
    pub(super) fn sum4_f64(s: &V4, v: &[f64x8; 4]) -> [f64; 4] {
        let (a, b) = (pair_f64(s, v[0], v[1]), pair_f64(s, v[2], v[3]));
        let low = s.avx._mm256_permute2f128_pd::<0x20>(a, b);
        let high = s.avx._mm256_permute2f128_pd::<0x31>(a, b);
        cast(s.avx._mm256_add_pd(low, high))
    }
}
