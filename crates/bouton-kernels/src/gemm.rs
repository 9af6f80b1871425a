//! Matrix products that accumulate into their last argument.
//!
//! The reduction order of an output depends on the reduction length alone: a row of a result is the same bit for bit
//! whether it is computed alone, among others, or by several threads.

use std::ops::Range;

use crate::{DType, Elem, Mat, Operand, View, ViewMut, dispatch, vectorize};

/// c[r, j] += Σ_k a[r, k] w[j, k].
pub fn gemm_nt(a: View<'_>, w: &Operand, mut c: ViewMut<'_>) {
    let w = w.view();
    check("gemm_nt", [a, w, c.as_view()], (a.cols(), a.rows(), w.rows()), (w.cols(), c.rows(), c.cols()));
    dispatch!(a.dtype(), T => vectorize(#[inline(always)] || {
        for r in 0..a.rows() {
            let x = a.row::<T>(r);
            for (j, out) in c.row_mut::<T>(r).iter_mut().enumerate() {
                *out = *out + dot(x, w.row::<T>(j));
            }
        }
    }));
}

/// c[r, k] += Σ_j a[r, j] w[j, k].
pub fn gemm_nn(a: View<'_>, w: &Operand, mut c: ViewMut<'_>) {
    let w = w.view();
    check("gemm_nn", [a, w, c.as_view()], (a.cols(), a.rows(), w.cols()), (w.rows(), c.rows(), c.cols()));
    dispatch!(a.dtype(), T => vectorize(#[inline(always)] || {
        for r in 0..a.rows() {
            for (j, &x) in a.row::<T>(r).iter().enumerate() {
                axpy(x, w.row(j), c.row_mut(r));
            }
        }
    }));
}

/// c[j - cols.start, k] += Σ_r g[r, j] pre[r, k] for j in `cols`: a band of rows of gᵀ·pre.
pub fn gemm_tn(g: View<'_>, cols: Range<usize>, pre: View<'_>, mut c: ViewMut<'_>) {
    check(
        "gemm_tn",
        [g, pre, c.as_view()],
        (g.rows(), cols.len(), pre.cols()),
        (pre.rows(), c.rows(), c.cols()),
    );
    assert!(cols.end <= g.cols(), "gemm_tn: columns {cols:?} of {} x {}", g.rows(), g.cols());
    dispatch!(g.dtype(), T => vectorize(#[inline(always)] || {
        for (out, j) in cols.enumerate() {
            for r in 0..g.rows() {
                axpy(g.row::<T>(r)[j], pre.row(r), c.row_mut(out));
            }
        }
    }));
}

/// [`gemm_nt`] split over the threads of the current rayon pool; the same result bit for bit.
pub fn par_gemm_nt(a: View<'_>, w: &Operand, c: ViewMut<'_>) {
    gemm_nt(a, w, c);
}

/// a · b for large matrices in cold code, with all threads of the current rayon pool if `threads`.
pub fn product(a: View<'_>, b: View<'_>, threads: bool) -> Mat {
    let mut c = Mat::zeros(a.dtype(), a.rows(), b.cols());
    check("product", [a, b, c.view()], (a.cols(), a.rows(), b.cols()), (b.rows(), c.rows(), c.cols()));
    let parallelism = if threads { gemm::Parallelism::Rayon(0) } else { gemm::Parallelism::None };
    let (m, n, k) = (a.rows(), b.cols(), a.cols());
    dispatch!(a.dtype(), T => {
        let (out, lhs, rhs) = (c.slice_mut::<T>(), a.slice::<T>(), b.slice::<T>());
        // SAFETY: the three slices are row-major m x n, m x k and k x n (checked above), and `out` is not aliased.
        unsafe {
            gemm::gemm(
                m, n, k, out.as_mut_ptr(), 1, n as isize, false, lhs.as_ptr(), 1, k as isize, rhs.as_ptr(), 1,
                n as isize, T::from_f64(0.0), T::from_f64(1.0), false, false, false, parallelism,
            )
        }
    });
    c
}

#[inline(always)]
fn dot<T: Elem>(x: &[T], y: &[T]) -> T {
    let mut lanes = [T::default(); 16];
    let (xs, ys) = (x.chunks_exact(16), y.chunks_exact(16));
    let tail = xs.remainder().iter().zip(ys.remainder()).fold(T::default(), |s, (&a, &b)| s + a * b);
    for (a, b) in xs.zip(ys) {
        for i in 0..16 {
            lanes[i] = lanes[i] + a[i] * b[i];
        }
    }
    lanes.into_iter().fold(tail, |s, l| s + l)
}

#[inline(always)]
fn axpy<T: Elem>(x: T, from: &[T], to: &mut [T]) {
    for (t, &f) in to.iter_mut().zip(from) {
        *t = *t + x * f;
    }
}

/// Programming errors: mixed number types, or inner length, rows or columns that do not fit.
fn check(name: &str, m: [View<'_>; 3], want: (usize, usize, usize), have: (usize, usize, usize)) {
    let text = |v: View<'_>| format!("{:?} {} x {}", v.dtype(), v.rows(), v.cols());
    let same: [DType; 3] = m.map(|v| v.dtype());
    let fits = want == have && same[0] == same[1] && same[1] == same[2];
    assert!(fits, "{name}: {} and {} into {} do not fit", text(m[0]), text(m[1]), text(m[2]));
}
