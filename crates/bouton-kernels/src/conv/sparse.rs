//! The adjoint of a convolution in its input where most elements of the argument are zero, as behind max pooling.
//!
//! frame[window(pixel)] += Σ_f g[pixel, f] · w[f] over the f at which g is not zero. A row of a window is cut into panels of
//! columns: there the sums of a pixel stay in registers, and one row per filter is small enough for the nearest cache.

use pulp::Simd;

use crate::lines::Lines;
use crate::scratch::Scratch;
use crate::{Elem, View, vectorize};

use super::ConvShape;
use super::axis::Axis;
use super::direct::panel;
use super::form::{Form, Way};
use super::frame::Frame;

/// Registers of sums.
const TOGETHER: usize = 4;

/// A weight made ready for sparse arguments.
pub(super) struct Sparse<T> {
    shape: ConvShape,
    /// Around the target.
    frame: Frame,
    /// Where the windows of the pixels of an argument start.
    starts: Vec<usize>,
    panels: Vec<Panel<T>>,
}

/// Some columns of one row of a window: (kx, channel), zeros after the last.
struct Panel<T> {
    /// Position after the start of a window.
    at: usize,
    /// One row of [`panel`] columns per filter.
    weights: Lines<T>,
}

impl<T: Elem> Form<T> for Sparse<T> {
    fn new(shape: ConvShape, way: Way, w: View<'_>) -> Self {
        assert!(way == Way::BackwardInput, "the argument of the other product is not sparse");
        let (y, x) = Axis::both(&shape, Way::Forward);
        let frame = Frame { height: y.side, width: x.side, channels: shape.channels };
        let starts = y.start.iter().flat_map(|y| x.start.iter().map(move |x| frame.at(*y, *x))).collect();
        let mut panels = Vec::new();
        for ky in 0..shape.kernel[0] {
            for from in (0..shape.kernel[1] * shape.channels).step_by(panel::<T>()) {
                panels.push(Panel {
                    at: frame.at(ky, 0) + from,
                    weights: columns(&shape, w.slice(), ky, from),
                });
            }
        }
        Sparse { shape, frame, starts, panels }
    }

    fn made_for(&self) -> (ConvShape, Way) {
        (self.shape, Way::BackwardInput)
    }

    fn images(&self) -> usize {
        1
    }

    #[inline(always)]
    fn product<S: Simd>(&self, s: S, g: &[T], x: &mut [T]) {
        let (terms, ends) = terms(g, self.shape.filters);
        // Panels may end in zeros, which are added beyond the last row.
        let mut frame = Scratch::take(self.frame.len() + panel::<T>());
        frame.fill(T::default());
        for panel in &self.panels {
            let mut from = 0;
            for (start, end) in self.starts.iter().zip(&ends) {
                add(s, &terms[from..*end], &panel.weights, &mut frame[start + panel.at..]);
                from = *end;
            }
        }
        self.frame.add_to(&frame, x);
    }
}

/// Rows of the columns of a window's row `ky` from `from` on.
fn columns<T: Elem>(shape: &ConvShape, w: &[T], ky: usize, from: usize) -> Lines<T> {
    let ([_, kw], channels) = (shape.kernel, shape.channels);
    let mut weights = Lines::zeros(shape.filters * panel::<T>());
    for (row, filter) in weights.chunks_exact_mut(panel::<T>()).zip(w.chunks_exact(shape.patch())) {
        for (column, weight) in (from..kw * channels).zip(row) {
            let (kx, c) = (column / channels, column % channels);
            *weight = filter[c * shape.kernel[0] * kw + ky * kw + kx];
        }
    }
    weights
}

/// How many elements are not zero.
#[inline(always)]
fn count<T: Elem>(g: &[T]) -> usize {
    g.chunks(1024).map(|g| g.iter().map(|x| u32::from(*x != T::default())).sum::<u32>() as usize).sum()
}

/// The elements that are not zero, each with its filter, and how many there are up to each pixel's last.
#[inline(always)]
fn terms<T: Elem>(g: &[T], filters: usize) -> (Vec<(u32, T)>, Vec<usize>) {
    let mut terms = vec![(0, T::default()); count(g) + 1];
    let mut found = 0;
    let ends = g.chunks_exact(filters).map(|pixel| {
        for (f, &g) in pixel.iter().enumerate() {
            // Without a branch, which nobody could foresee: the next one takes the place of a zero.
            terms[found] = (f as u32, g);
            found += usize::from(g != T::default());
        }
        found
    });
    let ends = ends.collect();
    (terms, ends)
}

/// to[..panel] += Σ g · w[filter].
#[inline(always)]
fn add<S: Simd, T: Elem>(s: S, terms: &[(u32, T)], w: &[T], to: &mut [T]) {
    let to = T::split_mut::<S>(&mut to[..panel::<T>()]).0;
    for (i, to) in to.chunks_exact_mut(TOGETHER).enumerate() {
        let mut sums = [T::splat(s, T::default()); TOGETHER];
        sums.copy_from_slice(to);
        for &(f, g) in terms {
            let row = T::split::<S>(&w[f as usize * panel::<T>()..][..panel::<T>()]).0;
            let g = T::splat(s, g);
            for (sum, w) in sums.iter_mut().zip(&row[i * TOGETHER..][..TOGETHER]) {
                *sum = T::fma(s, g, *w, *sum);
            }
        }
        to.copy_from_slice(&sums);
    }
}

/// Whether an image of g has so many zeros that this is faster than `dense` multiply-adds.
pub(super) fn pays<T: Elem>(shape: &ConvShape, dense: usize, g: &[T]) -> bool {
    let few = |most| {
        vectorize(
            #[inline(always)]
            || count(g),
        ) < most
    };
    most_terms::<T>(shape, dense).is_some_and(few)
}

/// Up to how many elements that are not zero this is faster than `dense` multiply-adds, if ever.
///
/// Measured: a multiply-add takes twice as long as in a dense product, the sums of a panel as long as a thousand of those,
/// and looking for a term as a hundred.
fn most_terms<T>(shape: &ConvShape, dense: usize) -> Option<usize> {
    let [kh, kw] = shape.kernel;
    let panels = kh * (kw * shape.channels).div_ceil(panel::<T>());
    let rest = dense.checked_sub(1000 * shape.pixels() * panels + 100 * shape.outputs())?;
    rest.checked_div(2 * panels * panel::<T>())
}
