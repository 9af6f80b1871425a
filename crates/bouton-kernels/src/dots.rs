//! Products of rows with rows: both factors are contiguous along the reduction, so nothing is packed or transposed.
//!
//! An output is the sum of the lanes of one register that walks along k, whatever its neighbours are.

use pulp::{Simd, WithSimd};

use crate::Elem;
use crate::sums::sum4;
use crate::tiles::{by_height, pieces, tallest};

/// Outputs of a row that are computed together.
const WIDE: usize = 4;
/// Registers of each row whose code is laid out one after the other.
const UNROLL: usize = 2;
/// Rows that one thread takes at a time.
pub(crate) const ROWS: usize = 36;
/// Bytes of w that stay in the second-level cache while all rows of a pass by.
const BLOCK: usize = 192 << 10;

/// c[r][j] += Σ_k a[r][k] w[j, k]; `w` has rows of length k.
pub(crate) struct Dots<'a, 'c, T> {
    pub(crate) a: &'a [&'a [T]],
    pub(crate) w: &'a [T],
    pub(crate) c: &'a mut [&'c mut [T]],
}

impl<T: Elem> WithSimd for Dots<'_, '_, T> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, s: S) {
        let Dots { a, w, c } = self;
        let (k, outputs) = (a[0].len(), c[0].len());
        let block = (BLOCK / (k * size_of::<T>())).next_multiple_of(WIDE).max(WIDE);
        for from in (0..outputs).step_by(block) {
            let block = block.min(outputs - from);
            for (r, height) in pieces(a.len(), tallest::<S>()) {
                let (a, c) = (&a[r..][..height], &mut c[r..][..height]);
                for (j, width) in pieces(block, WIDE) {
                    let j = from + j;
                    match width {
                        4 => by_height!(S, height, R => tile::<S, T, R, 4>(s, a, &w[j * k..], c, j)),
                        3 => by_height!(S, height, R => tile::<S, T, R, 3>(s, a, &w[j * k..], c, j)),
                        _ => single(s, a, &w[j * k..][..width * k], c, j),
                    }
                }
            }
        }
    }
}

/// One product after the other, for the few outputs that make no tile.
#[inline(always)]
fn single<S: Simd, T: Elem>(s: S, a: &[&[T]], w: &[T], c: &mut [&mut [T]], j: usize) {
    for (i, w) in w.chunks(a[0].len()).enumerate() {
        for r in 0..a.len() {
            tile::<S, T, 1, 1>(s, &a[r..], w, &mut c[r..], j + i);
        }
    }
}

/// R rows times J rows.
#[inline(always)]
fn tile<S: Simd, T: Elem, const R: usize, const J: usize>(
    s: S,
    a: &[&[T]],
    w: &[T],
    c: &mut [&mut [T]],
    j: usize,
) {
    let k = a[0].len();
    let (mut x, mut y) = ([a[0]; R], [w; J]);
    for r in 0..R {
        x[r] = &a[r][..k];
    }
    for j in 0..J {
        y[j] = &w[j * k..][..k];
    }
    let acc = walk::<S, T, R, J>(s, x, y, k);
    for r in 0..R {
        let mut four = [T::splat(s, T::default()); 4];
        four[..J].copy_from_slice(&acc[r]);
        let sums = sum4::<S, T>(s, four);
        let c = &mut c[r][j..][..J];
        for j in 0..J {
            c[j] += sums[j];
        }
    }
}

/// The registers of all products of R rows with J rows, which are k long.
#[inline(always)]
fn walk<S: Simd, T: Elem, const R: usize, const J: usize>(
    s: S,
    a: [&[T]; R],
    w: [&[T]; J],
    k: usize,
) -> [[T::V<S>; J]; R] {
    let lanes = T::count::<S>();
    let (full, rest) = (k / lanes, k % lanes);
    let mut acc = [[T::splat(s, T::default()); J]; R];
    let (mut x, mut y) = ([T::split::<S>(a[0]).0; R], [T::split::<S>(w[0]).0; J]);
    for r in 0..R {
        x[r] = &T::split::<S>(a[r]).0[..full];
    }
    for j in 0..J {
        y[j] = &T::split::<S>(w[j]).0[..full];
    }
    let mut i = 0;
    while i + UNROLL <= full {
        for i in i..i + UNROLL {
            // SAFETY: i < full, and all slices are that long.
            unsafe { step::<S, T, R, J>(s, x, y, i, &mut acc) };
        }
        i += UNROLL;
    }
    while i < full {
        // SAFETY: as above.
        unsafe { step::<S, T, R, J>(s, x, y, i, &mut acc) };
        i += 1;
    }
    if rest > 0 {
        let (mask, mut x) = (T::first(s, rest), [T::splat(s, T::default()); R]);
        for r in 0..R {
            // SAFETY: the mask has as many lanes as this tail has elements.
            x[r] = unsafe { T::load_part(s, mask, &a[r][full * lanes..]) };
        }
        for j in 0..J {
            // SAFETY: as above.
            let y = unsafe { T::load_part(s, mask, &w[j][full * lanes..]) };
            for r in 0..R {
                acc[r][j] = T::fma(s, x[r], y, acc[r][j]);
            }
        }
    }
    acc
}

/// Adds the products of register i of each row.
///
/// # Safety
/// All slices are longer than i.
#[inline(always)]
unsafe fn step<S: Simd, T: Elem, const R: usize, const J: usize>(
    s: S,
    a: [&[T::V<S>]; R],
    w: [&[T::V<S>]; J],
    i: usize,
    acc: &mut [[T::V<S>; J]; R],
) {
    let mut x = [T::splat(s, T::default()); R];
    for r in 0..R {
        // SAFETY: promised by the caller.
        x[r] = unsafe { *a[r].get_unchecked(i) };
    }
    for j in 0..J {
        // SAFETY: promised by the caller.
        let y = unsafe { *w[j].get_unchecked(i) };
        for r in 0..R {
            acc[r][j] = T::fma(s, x[r], y, acc[r][j]);
        }
    }
}
