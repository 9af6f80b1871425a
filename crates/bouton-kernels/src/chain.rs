//! The one product kernel: c[i, j] = fma(x(p, i), b[p, j], c[i, j]) for p in ascending order.
//!
//! Every output is this one chain of multiply-adds, whatever the blocking, the row count, the packing, the threads or
//! the vector width; only the portable level rounds differently, having no fused multiply-add.

use pulp::{Simd, WithSimd};

use crate::Elem;
use crate::tiles::{ByRow, ByStep, WIDE, by_height, edge, pieces, tallest, wide};

/// Links of a chain between load and store of c: a panel of b this deep stays in the first-level cache.
const DEPTH: usize = 64;
/// Rows that are worked on together.
const ROWS: usize = 96;

/// Where x(p, i) comes from.
#[derive(Clone, Copy)]
pub(crate) enum Left<'a, T> {
    /// x(p, i) = a[i][p].
    Rows(&'a [&'a [T]]),
    /// x(p, i) = g[p · len + i].
    Cols(&'a [T], usize),
}

/// Where b[p, j] comes from.
#[derive(Clone, Copy)]
pub(crate) enum Right<'a, T> {
    /// Plain rows.
    Rows(&'a [T]),
    /// Groups of columns: the rows of the group that starts at `col` begin at col · depth and are as long as the
    /// group is wide: `WIDE` registers, or one register in the columns that remain.
    Panels(&'a [T]),
}

/// c[i, ·] += Σ_p x(p, i) b[p, ·] with `c` given row by row.
pub(crate) struct Chain<'a, 'c, T> {
    pub(crate) left: Left<'a, T>,
    pub(crate) right: Right<'a, T>,
    pub(crate) depth: usize,
    pub(crate) c: &'a mut [&'c mut [T]],
}

impl<T: Elem> WithSimd for Chain<'_, '_, T> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, s: S) {
        let Chain { left, right, depth: all, c } = self;
        let several = c[0].len() > WIDE * T::count::<S>();
        let mut packed = Vec::new();
        for (i, c) in c.chunks_mut(ROWS).enumerate() {
            for (p, depth) in pieces(all, DEPTH) {
                let rows = c.len();
                let block = Block { right, all, p, depth, c: &mut *c };
                match left {
                    Left::Rows(a) => block.by_row(s, &a[i * ROWS..]),
                    Left::Cols(g, len) if several => {
                        pack::<S, T>(&mut packed, &g[p * len + i * ROWS..], len, rows, depth);
                        block.by_step(s, &packed, None);
                    }
                    Left::Cols(g, len) => block.by_step(s, &g[p * len + i * ROWS..], Some(len)),
                }
            }
        }
    }
}

/// Copies the factors of one block tile by tile, in the order of their use by every group of columns.
#[inline(always)]
fn pack<S: Simd, T: Elem>(packed: &mut Vec<T>, g: &[T], len: usize, rows: usize, depth: usize) {
    packed.clear();
    packed.resize(rows * depth, T::default());
    let mut rest = &mut packed[..];
    for (r, height) in pieces(rows, tallest::<S>()) {
        let (tile, below) = rest.split_at_mut(height * depth);
        by_height!(S, height, R => {
            for (q, x) in tile.as_chunks_mut::<R>().0.iter_mut().enumerate() {
                x.copy_from_slice(&g[q * len + r..][..R]);
            }
        });
        rest = below;
    }
}

/// Links p .. p + depth of the chains of at most `ROWS` rows.
struct Block<'a, 'c, T> {
    right: Right<'a, T>,
    /// Length of the whole chains.
    all: usize,
    p: usize,
    depth: usize,
    c: &'a mut [&'c mut [T]],
}

/// A group of columns.
struct Group<'a, T> {
    b: &'a [T],
    stride: usize,
    width: usize,
}

impl<'a, T: Elem> Block<'a, '_, T> {
    /// The group of columns from `col` on.
    #[inline(always)]
    fn group<S: Simd>(&self, col: usize) -> Group<'a, T> {
        let (n, lanes) = (self.c[0].len(), T::count::<S>());
        let width = if n - col >= WIDE * lanes { WIDE * lanes } else { lanes };
        let (b, stride) = match self.right {
            Right::Rows(b) => (&b[self.p * n + col..], n),
            Right::Panels(b) => (&b[col * self.all + self.p * width..], width),
        };
        Group { b, stride, width }
    }

    #[inline(always)]
    fn by_row<S: Simd>(self, s: S, a: &[&[T]]) {
        let (n, depth, mut col) = (self.c[0].len(), self.depth, 0);
        while col < n {
            let Group { b, stride, width } = self.group::<S>(col);
            for (r, height) in pieces(self.c.len(), tallest::<S>()) {
                let c = &mut self.c[r..][..height];
                by_height!(S, height, R => {
                    let mut x = [a[r]; R];
                    for i in 0..R {
                        x[i] = &a[r + i][self.p..][..depth];
                    }
                    if width > T::count::<S>() {
                        wide::<S, T, R>(s, ByRow(x), depth, b, stride, c, col);
                    } else {
                        edge::<S, T, R>(s, ByRow(x), depth, b, stride, c, col, width.min(n - col));
                    }
                });
            }
            col += width;
        }
    }

    /// With factors that were packed, or with rows of them of length `len`.
    #[inline(always)]
    fn by_step<S: Simd>(self, s: S, x: &[T], len: Option<usize>) {
        let (n, depth, mut col) = (self.c[0].len(), self.depth, 0);
        while col < n {
            let Group { b, stride, width } = self.group::<S>(col);
            for (r, height) in pieces(self.c.len(), tallest::<S>()) {
                let c = &mut self.c[r..][..height];
                by_height!(S, height, R => {
                    let x = match len {
                        None => ByStep(&x[r * depth..][..R * depth], R),
                        Some(len) => ByStep(&x[r..], len),
                    };
                    if width > T::count::<S>() {
                        wide::<S, T, R>(s, x, depth, b, stride, c, col);
                    } else {
                        edge::<S, T, R>(s, x, depth, b, stride, c, col, width.min(n - col));
                    }
                });
            }
            col += width;
        }
    }
}
