//! The mean of a window.

use crate::Elem;

use super::PoolShape;

/// out += the mean of each window of an image.
#[inline(always)]
pub(super) fn pool<T: Elem>(shape: &PoolShape, y: &[T], out: &mut [T]) {
    let (n, places, share) = (shape.channels, shape.places(), share::<T>(shape));
    for (out, corner) in out.chunks_exact_mut(n).zip(shape.corners()) {
        for place in &places {
            for (out, y) in out.iter_mut().zip(&y[corner + place..][..n]) {
                *out += share * *y;
            }
        }
    }
}

/// y = the share of g of each pixel of a window.
#[inline(always)]
pub(super) fn unpool<T: Elem>(shape: &PoolShape, g: &[T], y: &mut [T]) {
    let (n, places, share) = (shape.channels, shape.places(), share::<T>(shape));
    for (g, corner) in g.chunks_exact(n).zip(shape.corners()) {
        for place in &places {
            for (y, g) in y[corner + place..][..n].iter_mut().zip(g) {
                *y = share * *g;
            }
        }
    }
}

fn share<T: Elem>(shape: &PoolShape) -> T {
    T::from_f64(1.0 / shape.window() as f64)
}
