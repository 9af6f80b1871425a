//! The scalar factors x(q, i) of a tile: link q of a chain, row i.

use pulp::Simd;

use crate::Elem;
use crate::tiles::{by_height, pieces, tallest};

/// The factors of R rows.
pub(crate) trait Factors<T, const R: usize>: Copy {
    /// Whether x(q, i) exists for all q < depth and i < R.
    fn reach(self, depth: usize) -> bool;
    /// x(q, i).
    ///
    /// # Safety
    /// q < depth and i < R for a depth that the factors reach.
    unsafe fn get(self, q: usize, i: usize) -> T;
}

/// The factors of a block of rows.
pub(crate) trait Source<T>: Copy {
    type Tile<const R: usize>: Factors<T, R>;
    /// Those of R rows from row r on.
    fn tile<const R: usize>(self, r: usize) -> Self::Tile<R>;
}

/// x(q, i) = a[i][p + q] for q < depth.
#[derive(Clone, Copy)]
pub(crate) struct ByRow<'a, T> {
    pub(crate) a: &'a [&'a [T]],
    pub(crate) p: usize,
    pub(crate) depth: usize,
}

impl<'a, T: Elem> Source<T> for ByRow<'a, T> {
    type Tile<const R: usize> = [&'a [T]; R];
    #[inline(always)]
    fn tile<const R: usize>(self, r: usize) -> [&'a [T]; R] {
        let mut x = [self.a[r]; R];
        for i in 0..R {
            x[i] = &self.a[r + i][self.p..][..self.depth];
        }
        x
    }
}

impl<T: Elem, const R: usize> Factors<T, R> for [&[T]; R] {
    #[inline(always)]
    fn reach(self, depth: usize) -> bool {
        let mut all = true;
        for x in self {
            all &= x.len() >= depth;
        }
        all
    }
    #[inline(always)]
    unsafe fn get(self, q: usize, i: usize) -> T {
        // SAFETY: q < depth <= length of each slice.
        unsafe { *self[i].get_unchecked(q) }
    }
}

/// Factors as [`pack`] leaves them.
#[derive(Clone, Copy)]
pub(crate) struct Packed<'a, T> {
    pub(crate) x: &'a [T],
    pub(crate) depth: usize,
}

impl<'a, T: Elem> Source<T> for Packed<'a, T> {
    type Tile<const R: usize> = &'a [[T; R]];
    #[inline(always)]
    fn tile<const R: usize>(self, r: usize) -> &'a [[T; R]] {
        self.x[r * self.depth..][..R * self.depth].as_chunks().0
    }
}

impl<T: Elem, const R: usize> Factors<T, R> for &[[T; R]] {
    #[inline(always)]
    fn reach(self, depth: usize) -> bool {
        self.len() >= depth
    }
    #[inline(always)]
    unsafe fn get(self, q: usize, i: usize) -> T {
        // SAFETY: q < depth <= length of the slice.
        unsafe { self.get_unchecked(q)[i] }
    }
}

/// Copies the factors g[q · len + i] of a block tile by tile, in the order of their use: R by R.
#[inline(always)]
pub(crate) fn pack<S: Simd, T: Elem>(packed: &mut Vec<T>, g: &[T], len: usize, rows: usize, depth: usize) {
    packed.resize(rows * depth, T::default());
    for (r, height) in pieces(rows, tallest::<S>()) {
        let tile = &mut packed[r * depth..][..height * depth];
        by_height!(S, height, R => {
            for (q, x) in tile.as_chunks_mut::<R>().0.iter_mut().enumerate() {
                x.copy_from_slice(&g[q * len + r..][..R]);
            }
        });
    }
}
