//! Pooling over square windows that tile an image, and its adjoints. Pooled images are added to. Unpooled ones are written,
//! their many zeros too: every pixel belongs to one window. What the way back needs (`index`, `jacobian`) is overwritten.

mod avg;
mod max;
mod shape;
mod soft;

use crate::account::count;
use crate::{Elem, View, ViewMut, dispatch, vectorize};
pub use shape::PoolShape;

/// out += the largest element of each window of y. `index` (shape of `out`) becomes its position in the window,
/// row by row from 0 on; the first one at a tie.
pub fn max_pool(shape: &PoolShape, y: View<'_>, mut out: ViewMut<'_>, mut index: ViewMut<'_>) {
    check_pool("max_pool", shape, &[y], &[out.as_view(), index.as_view()]);
    dispatch!(y.dtype(), T => vectorize(#[inline(always)] || {
        let images = images::<T>(y, shape.inputs()).zip(images_mut(&mut out, shape.outputs()));
        for ((y, out), index) in images.zip(images_mut(&mut index, shape.outputs())) {
            max::pool(shape, y, out, index);
        }
    }));
}

/// y = the adjoint of [`max_pool`]: g at the element of each window that `index` names, 0 at the others.
pub fn max_unpool(shape: &PoolShape, g: View<'_>, index: View<'_>, mut y: ViewMut<'_>) {
    check_pool("max_unpool", shape, &[y.as_view()], &[g, index]);
    dispatch!(g.dtype(), T => vectorize(#[inline(always)] || {
        let images = images::<T>(g, shape.outputs()).zip(images(index, shape.outputs()));
        for ((g, index), y) in images.zip(images_mut(&mut y, shape.inputs())) {
            max::unpool(shape, g, index, y);
        }
    }));
}

/// out += the mean of each window of y.
pub fn avg_pool(shape: &PoolShape, y: View<'_>, mut out: ViewMut<'_>) {
    check_pool("avg_pool", shape, &[y], &[out.as_view()]);
    dispatch!(y.dtype(), T => vectorize(#[inline(always)] || {
        for (y, out) in images::<T>(y, shape.inputs()).zip(images_mut(&mut out, shape.outputs())) {
            avg::pool(shape, y, out);
        }
    }));
}

/// y = the adjoint of [`avg_pool`].
pub fn avg_unpool(shape: &PoolShape, g: View<'_>, mut y: ViewMut<'_>) {
    check_pool("avg_unpool", shape, &[y.as_view()], &[g]);
    dispatch!(g.dtype(), T => vectorize(#[inline(always)] || {
        for (g, y) in images::<T>(g, shape.outputs()).zip(images_mut(&mut y, shape.inputs())) {
            avg::unpool(shape, g, y);
        }
    }));
}

/// out += Σ v e^{v/temperature} / Σ e^{v/temperature} over the elements v of each window of y. `jacobian` (shape of `y`)
/// becomes the derivative of the window's output by each element of y.
pub fn soft_pool(
    shape: &PoolShape,
    temperature: f64,
    y: View<'_>,
    mut out: ViewMut<'_>,
    mut jacobian: ViewMut<'_>,
) {
    check_pool("soft_pool", shape, &[y, jacobian.as_view()], &[out.as_view()]);
    dispatch!(y.dtype(), T => vectorize(#[inline(always)] || {
        let images = images::<T>(y, shape.inputs()).zip(images_mut(&mut out, shape.outputs()));
        for ((y, out), jacobian) in images.zip(images_mut(&mut jacobian, shape.inputs())) {
            soft::pool(shape, T::from_f64(temperature), y, out, jacobian);
        }
    }));
}

/// y = the adjoint of [`soft_pool`]: `jacobian` times g of the window.
pub fn soft_unpool(shape: &PoolShape, g: View<'_>, jacobian: View<'_>, mut y: ViewMut<'_>) {
    check_pool("soft_unpool", shape, &[y.as_view(), jacobian], &[g]);
    dispatch!(g.dtype(), T => vectorize(#[inline(always)] || {
        let images = images::<T>(g, shape.outputs()).zip(images(jacobian, shape.inputs()));
        for ((g, jacobian), y) in images.zip(images_mut(&mut y, shape.inputs())) {
            soft::unpool(shape, g, jacobian, y);
        }
    }));
}

fn images<T: Elem>(v: View<'_>, size: usize) -> std::slice::ChunksExact<'_, T> {
    v.slice().chunks_exact(size.max(1))
}

fn images_mut<'a, T: Elem>(v: &'a mut ViewMut<'_>, size: usize) -> std::slice::ChunksExactMut<'a, T> {
    v.slice_mut().chunks_exact_mut(size.max(1))
}

/// Programming errors: windows that do not tile the image, wrong sizes, or mixed number types. Counts the call.
fn check_pool(name: &str, shape: &PoolShape, large: &[View<'_>], small: &[View<'_>]) {
    let tiles =
        shape.size > 0 && shape.height.is_multiple_of(shape.size) && shape.width.is_multiple_of(shape.size);
    assert!(tiles, "{name}: {shape:?} has windows that do not tile the image");
    let (rows, dtype) = (large[0].rows(), large[0].dtype());
    let elements: usize = large.iter().chain(small).map(|v| v.rows() * v.cols()).sum();
    count(elements, elements * dtype.size());
    for (views, cols) in [(large, shape.inputs()), (small, shape.outputs())] {
        for v in views {
            let fits = (v.rows(), v.cols(), v.dtype()) == (rows, cols, dtype);
            assert!(fits, "{name}: {:?} {} x {} does not fit {shape:?}", v.dtype(), v.rows(), v.cols());
        }
    }
}
