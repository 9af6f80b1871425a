//! Products built from scaled rows: c[i, j] = fma(x(p, i), b[p, j], c[i, j]) for p in ascending order.
//!
//! Every output is this one chain of multiply-adds, whatever the blocking, the number of rows, the threads or the
//! vector width; only the portable level rounds differently, having no fused multiply-add.
//!
//! Loops over vectors are plain on purpose: a closure around a vector operation may stay out of line.

use pulp::{Simd, WithSimd};

use crate::Elem;
use crate::tiles::{by_height, pieces, tallest};

/// Registers side by side in a tile.
const WIDE: usize = 4;
/// Links of a chain between load and store of c: a group of columns of b this deep stays in the first-level cache.
const DEPTH: usize = 64;
/// Rows that are worked on together.
const ROWS: usize = 96;
/// Links whose code is laid out one after the other.
const UNROLL: usize = 2;

/// c[i][·] += Σ_p x(p, i) b[p, ·]; `b` has as many rows as the chains have links.
pub(crate) struct Chain<'a, 'c, T> {
    /// x(p, i) is element p · steps.0 + i · steps.1.
    pub(crate) x: &'a [T],
    pub(crate) steps: (usize, usize),
    pub(crate) b: &'a [T],
    pub(crate) c: &'a mut [&'c mut [T]],
}

impl<T: Elem> WithSimd for Chain<'_, '_, T> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, s: S) {
        let Chain { x, steps, b, c } = self;
        let n = c[0].len();
        let mut packed = vec![T::default(); c.len().min(ROWS) * DEPTH.min(b.len() / n)];
        for (i, c) in c.chunks_mut(ROWS).enumerate() {
            for (p, depth) in pieces(b.len() / n, DEPTH) {
                pack::<S, T>(&mut packed, &x[p * steps.0 + i * ROWS * steps.1..], steps, c.len(), depth);
                block(s, &packed, &b[p * n..(p + depth) * n], c);
            }
        }
    }
}

/// Copies the factors of a block tile by tile, in the order of their use by every group of columns.
#[inline(always)]
fn pack<S: Simd, T: Elem>(packed: &mut [T], x: &[T], steps: (usize, usize), rows: usize, depth: usize) {
    for (r, height) in pieces(rows, tallest::<S>()) {
        let tile = &mut packed[r * depth..][..height * depth];
        by_height!(S, height, R => {
            for (q, to) in tile.as_chunks_mut::<R>().0.iter_mut().enumerate() {
                for i in 0..R {
                    to[i] = x[q * steps.0 + (r + i) * steps.1];
                }
            }
        });
    }
}

/// All tiles of a block of links.
#[inline(always)]
fn block<S: Simd, T: Elem>(s: S, x: &[T], b: &[T], c: &mut [&mut [T]]) {
    let (n, lanes) = (c[0].len(), T::count::<S>());
    let depth = b.len() / n;
    let mut col = 0;
    while col < n {
        let full = col + WIDE * lanes <= n;
        for (r, height) in pieces(c.len(), tallest::<S>()) {
            by_height!(S, height, R => {
                let (x, c) = (x[r * depth..][..R * depth].as_chunks::<R>().0, &mut c[r..][..R]);
                if full { wide(s, x, &b[col..], n, c, col) } else { edge(s, x, &b[col..], n, c, col) }
            });
        }
        col += if full { WIDE * lanes } else { lanes };
    }
}

/// A tile of R rows and `WIDE` registers; row q of its columns of b begins at q · stride.
#[inline(always)]
fn wide<S: Simd, T: Elem, const R: usize>(
    s: S,
    x: &[[T; R]],
    b: &[T],
    stride: usize,
    c: &mut [&mut [T]],
    col: usize,
) {
    let width = WIDE * T::count::<S>();
    assert!(b.len() >= (x.len() - 1) * stride + width, "fewer rows of b than links");
    let mut acc = [[T::splat(s, T::default()); WIDE]; R];
    for i in 0..R {
        acc[i].copy_from_slice(T::split::<S>(&c[i][col..][..width]).0);
    }
    let (pairs, last) = x.as_chunks::<UNROLL>();
    for (q, x) in pairs.iter().enumerate() {
        for u in 0..UNROLL {
            // SAFETY: q · UNROLL + u < x.len(), so the row lies within what was checked above.
            unsafe { wide_link(s, &x[u], b, (q * UNROLL + u) * stride, &mut acc) };
        }
    }
    for (q, x) in last.iter().enumerate() {
        // SAFETY: as above.
        unsafe { wide_link(s, x, b, (pairs.len() * UNROLL + q) * stride, &mut acc) };
    }
    for i in 0..R {
        T::split_mut::<S>(&mut c[i][col..][..width]).0.copy_from_slice(&acc[i]);
    }
}

/// One link of all chains of a wide tile.
///
/// # Safety
/// b has `WIDE` registers of elements from `at` on.
#[inline(always)]
unsafe fn wide_link<S: Simd, T: Elem, const R: usize>(
    s: S,
    x: &[T; R],
    b: &[T],
    at: usize,
    acc: &mut [[T::V<S>; WIDE]; R],
) {
    // SAFETY: promised by the caller.
    let y = T::split::<S>(unsafe { b.get_unchecked(at..at + WIDE * T::count::<S>()) }).0;
    for i in 0..R {
        let x = T::splat(s, x[i]);
        for v in 0..WIDE {
            acc[i][v] = T::fma(s, x, y[v], acc[i][v]);
        }
    }
}

/// [`wide`] for a single register of columns, which may reach beyond the last one.
#[inline(always)]
fn edge<S: Simd, T: Elem, const R: usize>(
    s: S,
    x: &[[T; R]],
    b: &[T],
    stride: usize,
    c: &mut [&mut [T]],
    col: usize,
) {
    let width = T::count::<S>().min(c[0].len() - col);
    assert!(b.len() >= (x.len() - 1) * stride + width, "fewer rows of b than links");
    let mask = T::first(s, width);
    let mut acc = [T::splat(s, T::default()); R];
    for i in 0..R {
        // SAFETY: the mask has `width` lanes, the slice as many elements.
        acc[i] = unsafe { T::load_part(s, mask, &c[i][col..][..width]) };
    }
    for (q, x) in x.iter().enumerate() {
        // SAFETY: q < x.len(), so `width` elements follow, by the check above.
        let y = unsafe { T::load_part(s, mask, b.get_unchecked(q * stride..)) };
        for i in 0..R {
            acc[i] = T::fma(s, T::splat(s, x[i]), y, acc[i]);
        }
    }
    for i in 0..R {
        // SAFETY: the mask has `width` lanes, the slice as many elements.
        unsafe { T::store_part(s, mask, &mut c[i][col..][..width], acc[i]) };
    }
}
