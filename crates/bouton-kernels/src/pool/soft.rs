//! The mean of a window weighted by the softmax of its elements (A. Stergiou, R. Poppe, G. Kalliatakis, ICCV 2021, here
//! with a temperature): out = Σ_i p_i v_i with p_i = e^{v_i/T} / Σ_j e^{v_j/T}, so that
//! ∂out/∂v_i = p_i (1 + (v_i - out) / T).

use crate::Elem;
use crate::scratch::Scratch;

use super::PoolShape;

/// out += the weighted mean of each window of an image; `jacobian` becomes its derivative by each element.
#[inline(always)]
pub(super) fn pool<T: Elem>(shape: &PoolShape, temperature: T, y: &[T], out: &mut [T], jacobian: &mut [T]) {
    let (n, places, rate) = (shape.channels, shape.places(), T::constant(1.0) / temperature);
    let mut sums = Scratch::take(3 * n);
    let (top, sums) = sums.split_at_mut(n);
    let (weight, mean) = sums.split_at_mut(n);
    for (out, corner) in out.chunks_exact_mut(n).zip(shape.corners()) {
        top.copy_from_slice(&y[corner..][..n]);
        weight.fill(T::default());
        mean.fill(T::default());
        for place in &places {
            for (top, y) in top.iter_mut().zip(&y[corner + place..][..n]) {
                *top = top.max(*y);
            }
        }
        for at in places.iter().map(|place| corner + place) {
            weigh(rate, &y[at..][..n], top, &mut jacobian[at..][..n], weight, mean);
        }
        for ((mean, weight), out) in mean.iter_mut().zip(&mut *weight).zip(out) {
            *weight = T::constant(1.0) / *weight;
            *mean *= *weight;
            *out += *mean;
        }
        for at in places.iter().map(|place| corner + place) {
            differentiate(rate, &y[at..][..n], weight, mean, &mut jacobian[at..][..n]);
        }
    }
}

/// e = exp((y - top) / T), weight += e, mean += y e.
#[inline(always)]
fn weigh<T: Elem>(rate: T, y: &[T], top: &[T], e: &mut [T], weight: &mut [T], mean: &mut [T]) {
    for ((e, y), top) in e.iter_mut().zip(y).zip(top) {
        *e = ((*y - *top) * rate).exp();
    }
    for (((e, y), weight), mean) in e.iter().zip(y).zip(weight).zip(mean) {
        *weight += *e;
        *mean += *y * *e;
    }
}

/// Turns e into the derivative; `norm` is 1 / Σ e.
#[inline(always)]
fn differentiate<T: Elem>(rate: T, y: &[T], norm: &[T], mean: &[T], e: &mut [T]) {
    for (((e, y), norm), mean) in e.iter_mut().zip(y).zip(norm).zip(mean) {
        *e *= *norm * (T::constant(1.0) + (*y - *mean) * rate);
    }
}

/// y = jacobian · g of the window.
#[inline(always)]
pub(super) fn unpool<T: Elem>(shape: &PoolShape, g: &[T], jacobian: &[T], y: &mut [T]) {
    let (n, places) = (shape.channels, shape.places());
    for (g, corner) in g.chunks_exact(n).zip(shape.corners()) {
        for at in places.iter().map(|place| corner + place) {
            for ((y, j), g) in y[at..][..n].iter_mut().zip(&jacobian[at..][..n]).zip(g) {
                *y = *j * *g;
            }
        }
    }
}
