//! Transposed copies of weights, laid out as [`Right::Panels`](crate::chain::Right) wants them.

use std::marker::PhantomData;

use pulp::{Simd, WithSimd};

use crate::Elem;
use crate::tiles::WIDE;

/// Columns of a wide panel and of a narrow one with the best instruction set.
pub(crate) struct Widths<T>(pub(crate) PhantomData<T>);

impl<T: Elem> WithSimd for Widths<T> {
    type Output = (usize, usize);
    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) -> (usize, usize) {
        (WIDE * T::count::<S>(), T::count::<S>())
    }
}

/// Fills `out` with the panels of wᵀ; `w` is rows × k.
///
/// Where w has fewer rows than the last panel has columns, the columns left over have no meaning.
pub(crate) struct Transpose<'a, T> {
    pub(crate) w: &'a [T],
    pub(crate) k: usize,
    pub(crate) out: &'a mut [T],
}

impl<T: Elem> WithSimd for Transpose<'_, T> {
    type Output = ();
    #[inline(always)]
    fn with_simd<S: Simd>(self, s: S) {
        let Transpose { w, k, out } = self;
        let (rows, lanes) = (w.len() / k, T::count::<S>());
        let wide = rows - rows % (WIDE * lanes);
        for first in (0..rows).step_by(lanes) {
            let (panel, width) =
                if first < wide { (first - first % (WIDE * lanes), WIDE * lanes) } else { (first, lanes) };
            let (w, out) = (
                &w[first * k..lanes.min(rows - first) * k + first * k],
                &mut out[panel * k + first - panel..],
            );
            let done = T::strip(s, w, k, out, width);
            for p in done..k {
                for (x, row) in out[p * width..].iter_mut().zip(w.chunks_exact(k)) {
                    *x = row[p];
                }
            }
        }
    }
}

/// Transposes a strip of as many rows as a register has lanes: out[p · width + i] = w[i, p]. Rows that w does not have
/// repeat the last one. Returns how many p are done.
#[cfg(target_arch = "x86_64")]
#[inline(always)]
pub(crate) fn strip_f32<S: Simd>(s: S, w: &[f32], k: usize, out: &mut [f32], width: usize) -> usize {
    let s: &dyn std::any::Any = &s;
    if let Some(s) = s.downcast_ref() {
        return x86::strip16(*s, w, k, out, width);
    }
    0
}

#[cfg(not(target_arch = "x86_64"))]
pub(crate) fn strip_f32<S: Simd>(_: S, _: &[f32], _: usize, _: &mut [f32], _: usize) -> usize {
    0
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use pulp::cast;
    use pulp::x86::V4;
    use std::arch::x86_64::{__m128, __m512, __m512d};

    /// Four numbers of each of four rows, one row per 128 bits.
    #[inline(always)]
    fn gather(s: V4, rows: [&[f32; 16]; 4], g: usize) -> __m512 {
        let mut quads = [[0f32; 4]; 4];
        for i in 0..4 {
            quads[i].copy_from_slice(&rows[i][4 * g..][..4]);
        }
        let [a, b, c, d]: [__m128; 4] = cast(quads);
        let v = s.avx512f._mm512_castps128_ps512(a);
        let v = s.avx512f._mm512_insertf32x4::<1>(v, b);
        let v = s.avx512f._mm512_insertf32x4::<2>(v, c);
        s.avx512f._mm512_insertf32x4::<3>(v, d)
    }

    #[inline(always)]
    pub(super) fn strip16(s: V4, w: &[f32], k: usize, out: &mut [f32], width: usize) -> usize {
        let (rows, avx) = (w.len() / k, s.avx512f);
        let mut row = [w; 16];
        for i in 0..16 {
            row[i] = &w[i.min(rows - 1) * k..][..k];
        }
        for block in 0..k / 16 {
            let mut x = [&[0f32; 16]; 16];
            for i in 0..16 {
                x[i] = &row[i].as_chunks::<16>().0[block];
            }
            for g in 0..4 {
                let v0 = gather(s, [x[0], x[4], x[8], x[12]], g);
                let v1 = gather(s, [x[1], x[5], x[9], x[13]], g);
                let v2 = gather(s, [x[2], x[6], x[10], x[14]], g);
                let v3 = gather(s, [x[3], x[7], x[11], x[15]], g);
                // 4 x 4 transpositions within each 128 bits.
                let low01: __m512d = cast(avx._mm512_unpacklo_ps(v0, v1));
                let high01: __m512d = cast(avx._mm512_unpackhi_ps(v0, v1));
                let low23: __m512d = cast(avx._mm512_unpacklo_ps(v2, v3));
                let high23: __m512d = cast(avx._mm512_unpackhi_ps(v2, v3));
                let columns: [[f32; 16]; 4] = cast([
                    avx._mm512_unpacklo_pd(low01, low23),
                    avx._mm512_unpackhi_pd(low01, low23),
                    avx._mm512_unpacklo_pd(high01, high23),
                    avx._mm512_unpackhi_pd(high01, high23),
                ]);
                for j in 0..4 {
                    out[(16 * block + 4 * g + j) * width..][..16].copy_from_slice(&columns[j]);
                }
            }
        }
        k - k % 16
    }
}
