//! Products built from scaled rows: c[i, j] = fma(x(p, i), b[p, j], c[i, j]) for p in ascending order.
//!
//! Every output is this one chain of multiply-adds, whatever the blocking, the number of rows, the threads or the
//! vector width; only the portable level rounds differently, having no fused multiply-add.
//!
//! Loops over vectors are plain on purpose: a closure around a vector operation may stay out of line.

use std::ops::Range;

use pulp::{Simd, WithSimd};

use crate::Elem;
use crate::factors::{ByRow, Factors, Packed, Source, pack};
use crate::scratch::Scratch;
use crate::tiles::{by_height, pieces, tallest};

/// Registers side by side in a tile, and in one of the columns that are left.
const WIDE: usize = 4;
const HALF: usize = 2;
/// Links of a chain between load and store of c: a group of columns of b this deep stays in the first-level cache.
pub(crate) const DEPTH: usize = 96;
/// The same where c is large and b comes from far: half the cache is left to what passes by.
const LINKS: usize = 48;
/// Rows that are worked on together.
const ROWS: usize = 96;
/// Links whose code is laid out one after the other: a branch is dear next to so few instructions.
const UNROLL: usize = 4;

/// Where x(p, i) comes from.
#[derive(Clone, Copy)]
pub(crate) enum Left<'a, T> {
    /// x(p, i) = a[i][p].
    Rows(&'a [&'a [T]]),
    /// x(p, i) = g[p · len + i].
    Cols(&'a [T], usize),
}

/// c[i][·] += Σ_p x(p, i) b[p, ·]; `b` has as many rows as the chains have links.
pub(crate) struct Chain<'a, 'c, T> {
    pub(crate) x: Left<'a, T>,
    pub(crate) b: &'a [T],
    pub(crate) c: &'a mut [&'c mut [T]],
}

impl<T: Elem> WithSimd for Chain<'_, '_, T> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, s: S) {
        let Chain { x, b, c } = self;
        let n = c[0].len();
        let mut packed = Vec::new();
        for (i, c) in c.chunks_mut(ROWS).enumerate() {
            for (p, depth) in pieces(b.len() / n, LINKS) {
                let b = &b[p * n..(p + depth) * n];
                match x {
                    Left::Rows(a) => panels(s, ByRow { a: &a[i * ROWS..], p, depth }, b, c),
                    Left::Cols(g, len) => {
                        pack::<S, T>(&mut packed, &g[p * len + i * ROWS..], len, c.len(), depth);
                        panels(s, Packed { x: &packed, depth }, b, c)
                    }
                }
            }
        }
    }
}

/// The chains of a block go on from c.
pub(crate) const GO_ON: u8 = 0;
/// The chains of a block start at zero and are added to c: long sums of several blocks round less.
pub(crate) const ADD: u8 = 1;
/// The chains of a block start at zero and replace c.
pub(crate) const SET: u8 = 2;

/// Rows from which on it pays to copy the columns of b that a tile walks along: rows of b begin on as many pages.
const MANY: usize = 16;
/// Bytes of b up to which they stay in the first-level cache as they are.
const NEAR: usize = 24 << 10;

/// All tiles of a block of links, the columns of b brought together first if there are many rows.
#[inline(always)]
fn panels<S: Simd, T: Elem>(s: S, x: impl Source<T>, b: &[T], c: &mut [&mut [T]]) {
    let (n, width) = (c[0].len(), WIDE * T::count::<S>());
    if c.len() < MANY || n <= width || size_of_val(b) <= NEAR {
        return block::<S, T, GO_ON>(s, x, b, n, c);
    }
    let mut panel = Scratch::take(b.len() / n * width);
    for col in (0..n).step_by(width) {
        let cols = col..n.min(col + width);
        for (to, b) in panel.chunks_exact_mut(cols.len()).zip(b.chunks_exact(n)) {
            // Register by register: a copy of unknown length is a call.
            let (b, rest) = T::split::<S>(&b[cols.clone()]);
            let (to, end) = T::split_mut::<S>(to);
            to.iter_mut().zip(b).for_each(|(to, b)| *to = *b);
            end.copy_from_slice(rest);
        }
        columns::<S, T, GO_ON>(s, x, &panel[..b.len() / n * cols.len()], cols.len(), c, cols);
    }
}

/// All tiles of a block of links; `MODE` is one of [`GO_ON`], [`ADD`] and [`SET`]. Rows of `b` begin `stride` apart.
#[inline(always)]
pub(crate) fn block<S: Simd, T: Elem, const MODE: u8>(
    s: S,
    x: impl Source<T>,
    b: &[T],
    stride: usize,
    c: &mut [&mut [T]],
) {
    let n = c[0].len();
    columns::<S, T, MODE>(s, x, b, stride, c, 0..n);
}

/// [`block`] for some columns; `b` begins at the first of them. They are a multiple of a tile's unless they are the last.
#[inline(always)]
fn columns<S: Simd, T: Elem, const MODE: u8>(
    s: S,
    x: impl Source<T>,
    b: &[T],
    stride: usize,
    c: &mut [&mut [T]],
    cols: Range<usize>,
) {
    let lanes = T::count::<S>();
    let depth = (b.len() + stride - cols.len()) / stride;
    let mut col = cols.start;
    while col < cols.end {
        let registers = (cols.end - col) / lanes;
        for (r, height) in pieces(c.len(), tallest::<S>()) {
            by_height!(S, height, R => {
                let (x, c, b) = (x.tile::<R>(r), &mut c[r..][..R], &b[col - cols.start..]);
                if registers >= WIDE {
                    wide::<S, T, R, WIDE, MODE>(s, x, depth, b, stride, c, col)
                } else if registers >= HALF {
                    wide::<S, T, R, HALF, MODE>(s, x, depth, b, stride, c, col)
                } else {
                    edge::<S, T, R, MODE>(s, x, depth, b, stride, c, col)
                }
            });
        }
        col += lanes * if registers >= WIDE { WIDE } else { registers.clamp(1, HALF) };
    }
}

/// A tile of R rows and W registers; row q of its columns of b begins at q · stride.
#[inline(always)]
fn wide<S: Simd, T: Elem, const R: usize, const W: usize, const MODE: u8>(
    s: S,
    x: impl Factors<T, R>,
    depth: usize,
    b: &[T],
    stride: usize,
    c: &mut [&mut [T]],
    col: usize,
) {
    let width = W * T::count::<S>();
    assert!(b.len() >= (depth - 1) * stride + width && x.reach(depth), "a chain longer than its factors");
    let mut acc = [[T::splat(s, T::default()); W]; R];
    for i in 0..if MODE == GO_ON { R } else { 0 } {
        acc[i].copy_from_slice(T::split::<S>(&c[i][col..][..width]).0);
    }
    let mut q = 0;
    while q + UNROLL <= depth {
        for q in q..q + UNROLL {
            // SAFETY: q < depth, which was checked against b and x above.
            unsafe { wide_link(s, x, q, b.get_unchecked(q * stride..q * stride + width), &mut acc) };
        }
        q += UNROLL;
    }
    while q < depth {
        // SAFETY: as above.
        unsafe { wide_link(s, x, q, b.get_unchecked(q * stride..q * stride + width), &mut acc) };
        q += 1;
    }
    for i in 0..R {
        let c = T::split_mut::<S>(&mut c[i][col..][..width]).0;
        for v in 0..W {
            c[v] = if MODE == ADD { T::add_v(s, c[v], acc[i][v]) } else { acc[i][v] };
        }
    }
}

/// Link q of all chains of a wide tile.
///
/// # Safety
/// x reaches beyond q.
#[inline(always)]
unsafe fn wide_link<S: Simd, T: Elem, const R: usize, const W: usize>(
    s: S,
    x: impl Factors<T, R>,
    q: usize,
    b: &[T],
    acc: &mut [[T::V<S>; W]; R],
) {
    let y = T::split::<S>(b).0;
    for i in 0..R {
        // SAFETY: promised by the caller.
        let x = T::splat(s, unsafe { x.get(q, i) });
        for v in 0..W {
            acc[i][v] = T::fma(s, x, y[v], acc[i][v]);
        }
    }
}

/// [`wide`] for a single register of columns, which may reach beyond the last one.
#[inline(always)]
fn edge<S: Simd, T: Elem, const R: usize, const MODE: u8>(
    s: S,
    x: impl Factors<T, R>,
    depth: usize,
    b: &[T],
    stride: usize,
    c: &mut [&mut [T]],
    col: usize,
) {
    let width = T::count::<S>().min(c[0].len() - col);
    assert!(b.len() >= (depth - 1) * stride + width && x.reach(depth), "a chain longer than its factors");
    let mask = T::first(s, width);
    let mut acc = [T::splat(s, T::default()); R];
    for i in 0..if MODE == GO_ON { R } else { 0 } {
        // SAFETY: the mask has `width` lanes, the slice as many elements.
        acc[i] = unsafe { T::load_part(s, mask, &c[i][col..][..width]) };
    }
    for q in 0..depth {
        // SAFETY: q < depth, so `width` elements follow, by the check above.
        let y = unsafe { T::load_part(s, mask, b.get_unchecked(q * stride..)) };
        for i in 0..R {
            // SAFETY: q < depth, which x reaches.
            acc[i] = T::fma(s, T::splat(s, unsafe { x.get(q, i) }), y, acc[i]);
        }
    }
    for i in 0..R {
        let c = &mut c[i][col..][..width];
        if MODE == ADD {
            // SAFETY: the mask has `width` lanes, the slice as many elements.
            acc[i] = T::add_v(s, unsafe { T::load_part(s, mask, c) }, acc[i]);
        }
        // SAFETY: as above.
        unsafe { T::store_part(s, mask, c, acc[i]) };
    }
}
