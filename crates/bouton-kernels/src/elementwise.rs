//! Loops over whole matrices that are no product: sums of columns, scaled sums, complex factors of rows.

use crate::{Complex, Elem, Mat, Real, View, ViewMut, dispatch, vectorize};

/// Whether no element is infinite or NaN.
pub fn is_finite(view: View<'_>) -> bool {
    dispatch!(view.dtype(), T => {
        let values = view.slice::<T>();
        let zero = T::constant(0.0);
        // x·0 is 0 for finite x and NaN otherwise; lanes keep the sum vectorised.
        let sum = vectorize(#[inline(always)] || {
            let mut lanes = [zero; 16];
            let chunks = values.chunks_exact(16);
            let rest = chunks.remainder().iter().fold(zero, |s, &x| s + x * zero);
            for chunk in chunks {
                for (lane, &x) in lanes.iter_mut().zip(chunk) {
                    *lane += x * zero;
                }
            }
            lanes.into_iter().fold(rest, |a, b| a + b)
        });
        sum == zero
    })
}

/// sums[0, j] += scale · Σ_r g[r, j].
pub fn add_columns(g: View<'_>, scale: f64, mut sums: ViewMut<'_>) {
    dispatch!(g.dtype(), T => {
        let scale = <T as Elem>::from_f64(scale);
        let sums = sums.slice_mut::<T>();
        for row in g.slice::<T>().chunks_exact(g.cols().max(1)) {
            let sums = &mut *sums;
            vectorize(#[inline(always)] move || for (sum, &x) in sums.iter_mut().zip(row) {
                *sum += scale * x;
            });
        }
    });
}

/// sum += scale · g.
pub fn add_scaled(sum: &mut Mat, scale: f64, g: View<'_>) {
    dispatch!(sum.dtype(), T => {
        let (scale, sum, g) = (T::constant(scale), sum.slice_mut::<T>(), g.slice::<T>());
        vectorize(#[inline(always)] || sum.iter_mut().zip(g).for_each(#[inline(always)] |(s, &g)| *s += scale * g));
    });
}

/// to += from.
pub fn add_rows(mut to: ViewMut<'_>, from: View<'_>) {
    dispatch!(from.dtype(), T => {
        let (to, from) = (to.slice_mut::<T>(), from.slice::<T>());
        vectorize(#[inline(always)] || to.iter_mut().zip(from).for_each(#[inline(always)] |(to, &x)| *to += x));
    });
}

/// Σ x², in double precision, of numbers taken to ± `bound` before.
pub fn squared_norm(view: View<'_>, bound: Option<f64>) -> f64 {
    dispatch!(view.dtype(), T => {
        let (values, bound) = (view.slice::<T>(), T::constant(bound.unwrap_or(f64::INFINITY)));
        vectorize(#[inline(always)] || {
            let square = |x: T| {
                let x = within(x, bound).to_f64();
                x * x
            };
            let mut lanes = [0.0; 8];
            let chunks = values.chunks_exact(8);
            let rest: f64 = chunks.remainder().iter().map(|&x| square(x)).sum();
            for chunk in chunks {
                for (lane, &x) in lanes.iter_mut().zip(chunk) {
                    *lane += square(x);
                }
            }
            lanes.into_iter().fold(rest, |a, b| a + b)
        })
    })
}

/// Takes numbers beyond ± `bound` to it; what is not a number stays so.
pub fn clamp(mut view: ViewMut<'_>, bound: f64) {
    dispatch!(view.dtype(), T => {
        let (bound, values) = (T::constant(bound), view.slice_mut::<T>());
        vectorize(#[inline(always)] || values.iter_mut().for_each(#[inline(always)] |x| *x = within(*x, bound)));
    });
}

/// x between ± `bound`, by comparisons that NaN passes.
#[inline(always)]
fn within<T: Elem>(x: T, bound: T) -> T {
    if x > bound {
        bound
    } else if x < -bound {
        -bound
    } else {
        x
    }
}

/// view *= by.
pub fn scale_view(mut view: ViewMut<'_>, by: f64) {
    dispatch!(view.dtype(), T => {
        let (by, values) = (T::constant(by), view.slice_mut::<T>());
        vectorize(#[inline(always)] || values.iter_mut().for_each(#[inline(always)] |x| *x *= by));
    });
}

/// mat *= by.
pub fn scale_all(mat: &mut Mat, by: f64) {
    dispatch!(mat.dtype(), T => mat.slice_mut::<T>().iter_mut().for_each(|x| *x *= T::constant(by)));
}

/// Multiplies complex rows by complex numbers, one per row, whose parts are the halves of `by`.
pub fn scale_complex(mat: &mut Mat, by: &[f64], sign: f64) {
    let n = by.len() / 2;
    dispatch!(mat.dtype(), T => {
        let (mut re, mut im) = mat.view_mut().split_rows(n);
        for r in 0..n {
            let by = Complex { re: T::constant(sign * by[r]), im: T::constant(sign * by[n + r]) };
            for (re, im) in re.row_mut::<T>(r).iter_mut().zip(im.row_mut::<T>(r)) {
                let product = Complex { re: *re, im: *im } * by;
                (*re, *im) = (product.re, product.im);
            }
        }
    });
}
