//! Factors read in place from images: x(q, i) = image[along[q] + across[i]].
//!
//! With `along` the elements of a window and `across` the windows, a chain is an output of a convolution; exchanged, it
//! is an element of the gradient of a filter.

use crate::Elem;
use crate::factors::{Factors, Source};

#[derive(Clone, Copy)]
pub(super) struct Grid<'a, T> {
    image: &'a [T],
    along: &'a [usize],
    across: &'a [usize],
    /// Largest of `along`.
    last: usize,
}

impl<'a, T> Grid<'a, T> {
    pub(super) fn new(image: &'a [T], along: &'a [usize], across: &'a [usize]) -> Self {
        let last = along.iter().copied().max().unwrap_or(0);
        Grid { image, along, across, last }
    }
}

impl<'a, T: Elem> Source<T> for Grid<'a, T> {
    type Tile<const R: usize> = Spots<'a, T, R>;
    #[inline(always)]
    fn tile<const R: usize>(self, r: usize) -> Spots<'a, T, R> {
        let mut from = [self.image; R];
        for i in 0..R {
            from[i] = &self.image[self.across[r + i]..];
        }
        Spots { from, along: self.along, last: self.last }
    }
}

/// R columns of a grid.
#[derive(Clone, Copy)]
pub(super) struct Spots<'a, T, const R: usize> {
    from: [&'a [T]; R],
    along: &'a [usize],
    last: usize,
}

impl<T: Elem, const R: usize> Factors<T, R> for Spots<'_, T, R> {
    #[inline(always)]
    fn reach(self, depth: usize) -> bool {
        let mut all = self.along.len() >= depth;
        for from in self.from {
            all &= from.len() > self.last;
        }
        all
    }
    #[inline(always)]
    unsafe fn get(self, q: usize, i: usize) -> T {
        // SAFETY: q < depth <= length of `along`, whose elements are at most `last`, which every slice has.
        unsafe { *self.from[i].get_unchecked(*self.along.get_unchecked(q)) }
    }
}
