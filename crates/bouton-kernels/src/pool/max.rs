//! The largest of a window. At a tie the first one, row by row, wins.

use crate::Elem;
use crate::scratch::Scratch;

use super::PoolShape;

/// out += the largest of each window of an image; `index` becomes its position in the window.
#[inline(always)]
pub(super) fn pool<T: Elem>(shape: &PoolShape, y: &[T], out: &mut [T], index: &mut [T]) {
    let (n, places) = (shape.channels, shape.places());
    let mut best = Scratch::take(n);
    let windows = out.chunks_exact_mut(n).zip(index.chunks_exact_mut(n));
    for ((out, index), corner) in windows.zip(shape.corners()) {
        best.copy_from_slice(&y[corner..][..n]);
        index.fill(T::default());
        for (p, place) in places.iter().enumerate().skip(1) {
            larger(&y[corner + place..][..n], T::from_f64(p as f64), &mut best, index);
        }
        for (out, best) in out.iter_mut().zip(&*best) {
            *out += *best;
        }
    }
}

/// Takes over what is larger than the best so far, which came earlier.
#[inline(always)]
fn larger<T: Elem>(y: &[T], p: T, best: &mut [T], index: &mut [T]) {
    for ((y, best), index) in y.iter().zip(best).zip(index) {
        let wins = *y > *best;
        *best = if wins { *y } else { *best };
        *index = if wins { p } else { *index };
    }
}

/// y = g at the position of each window that `index` names, 0 elsewhere.
#[inline(always)]
pub(super) fn unpool<T: Elem>(shape: &PoolShape, g: &[T], index: &[T], y: &mut [T]) {
    let (n, places) = (shape.channels, shape.places());
    for ((g, index), corner) in g.chunks_exact(n).zip(index.chunks_exact(n)).zip(shape.corners()) {
        for (p, place) in places.iter().enumerate() {
            let p = T::from_f64(p as f64);
            for ((y, g), index) in y[corner + place..][..n].iter_mut().zip(g).zip(index) {
                *y = if *index == p { *g } else { T::default() };
            }
        }
    }
}
