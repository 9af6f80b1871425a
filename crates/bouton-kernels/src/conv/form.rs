//! What the algorithms for the two products with a weight have in common.

use std::any::Any;

use pulp::{Simd, WithSimd};

use crate::{Elem, View};

use super::ConvShape;

/// Which of the two products.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    Forward,
    BackwardInput,
}

impl Way {
    /// Columns of the source and of the target.
    pub(super) fn columns(self, shape: &ConvShape) -> (usize, usize) {
        match self {
            Way::Forward => (shape.inputs(), shape.outputs()),
            Way::BackwardInput => (shape.outputs(), shape.inputs()),
        }
    }

    /// Height and width of the target.
    pub(super) fn image(self, shape: &ConvShape) -> [usize; 2] {
        match self {
            Way::Forward => [shape.out_height(), shape.out_width()],
            Way::BackwardInput => [shape.height, shape.width],
        }
    }

    /// Channels of the source and of the target.
    pub(super) fn channels(self, shape: &ConvShape) -> (usize, usize) {
        match self {
            Way::Forward => (shape.channels, shape.filters),
            Way::BackwardInput => (shape.filters, shape.channels),
        }
    }

    /// How far apart in the weight are the elements of two source channels, and of two target channels.
    pub(super) fn steps(self, shape: &ConvShape) -> (usize, usize) {
        let window = shape.kernel[0] * shape.kernel[1];
        match self {
            Way::Forward => (window, shape.patch()),
            Way::BackwardInput => (shape.patch(), window),
        }
    }
}

/// A weight made ready for one product of one geometry.
pub(super) trait Form<T: Elem>: Any + Send + Sync {
    fn new(shape: ConvShape, way: Way, w: View<'_>) -> Self;
    /// The geometry and the product.
    fn made_for(&self) -> (ConvShape, Way);
    /// Images that are best worked on together.
    fn images(&self) -> usize;
    /// Adds the product of some images x to y.
    fn product<S: Simd>(&self, s: S, x: &[T], y: &mut [T]);
}

/// One product of any number of images.
pub(super) struct Correlate<'a, T, F> {
    pub(super) form: &'a F,
    pub(super) x: &'a [T],
    pub(super) y: &'a mut [T],
}

impl<T: Elem, F: Form<T>> WithSimd for Correlate<'_, T, F> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, s: S) {
        let Correlate { form, x, y } = self;
        let (shape, way) = form.made_for();
        let (source, target) = way.columns(&shape);
        let images = form.images();
        for (x, y) in x.chunks(images * source).zip(y.chunks_mut(images * target)) {
            form.product(s, x, y);
        }
    }
}
