//! Matrix products that accumulate into their last argument.
//!
//! The reduction order of an output depends on the reduction length alone: a row of a result is the same bit for bit
//! whether it is computed alone, among others, or by several threads.

use std::marker::PhantomData;
use std::ops::Range;

use crate::chain::{Chain, Left, Right};
use crate::panels::{Transpose, Widths};
use crate::simd::best;
use crate::{DType, Elem, Mat, Operand, View, ViewMut, dispatch};

/// c[r, j] += Σ_k a[r, k] w[j, k].
pub fn gemm_nt(a: View<'_>, operand: &Operand, mut c: ViewMut<'_>) {
    let w = operand.view();
    check("gemm_nt", [a, w, c.as_view()], (a.cols(), a.rows(), w.rows()), (w.cols(), c.rows(), c.cols()));
    let (k, outputs) = (w.cols(), w.rows());
    if a.rows() * k * outputs == 0 {
        return;
    }
    dispatch!(a.dtype(), T => {
        let a: Vec<&[T]> = a.slice().chunks(k).collect();
        let mut c: Vec<&mut [T]> = c.slice_mut().chunks_mut(outputs).collect();
        match operand.panels() {
            Some(panels) => best(Chain { left: Left::Rows(&a), right: Right::Panels(panels), depth: k, c: &mut c }),
            None => transpose_and_multiply(&a, w.slice(), k, &mut c),
        }
    });
}

/// [`gemm_nt`] with panels that are used once, so that only one exists at a time.
fn transpose_and_multiply<T: Elem>(a: &[&[T]], w: &[T], k: usize, c: &mut [&mut [T]]) {
    let (wide, narrow) = best(Widths(PhantomData::<T>));
    let outputs = w.len() / k;
    let whole = outputs - outputs % wide;
    T::with_spare(k * wide, |spare| {
        let starts = (0..whole).step_by(wide).chain((whole..outputs).step_by(narrow));
        for from in starts {
            let width = if from < whole { wide } else { narrow };
            let to = outputs.min(from + width);
            let panel = &mut spare[..k * width];
            best(Transpose { w: &w[from * k..to * k], k, out: panel });
            let mut c: Vec<&mut [T]> = c.iter_mut().map(|row| &mut row[from..to]).collect();
            best(Chain { left: Left::Rows(a), right: Right::Panels(panel), depth: k, c: &mut c });
        }
    });
}

/// c[r, k] += Σ_j a[r, j] w[j, k].
pub fn gemm_nn(a: View<'_>, w: &Operand, mut c: ViewMut<'_>) {
    let w = w.view();
    check("gemm_nn", [a, w, c.as_view()], (a.cols(), a.rows(), w.cols()), (w.rows(), c.rows(), c.cols()));
    let n = w.cols();
    if a.rows() * a.cols() * n == 0 {
        return;
    }
    dispatch!(a.dtype(), T => {
        let a_rows: Vec<&[T]> = a.slice::<T>().chunks(a.cols()).collect();
        let left = Left::Rows(&a_rows);
        let mut c: Vec<&mut [T]> = c.slice_mut::<T>().chunks_mut(n).collect();
        best(Chain { left, right: Right::Rows(w.slice()), depth: a.cols(), c: &mut c });
    });
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
    let n = pre.cols();
    if pre.rows() * cols.len() * n == 0 {
        return;
    }
    dispatch!(g.dtype(), T => {
        let left = Left::Cols(&g.slice::<T>()[cols.start..], g.cols());
        let mut c: Vec<&mut [T]> = c.slice_mut::<T>().chunks_mut(n).collect();
        best(Chain { left, right: Right::Rows(pre.slice()), depth: g.rows(), c: &mut c });
    });
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

/// Programming errors: mixed number types, or inner length, rows or columns that do not fit.
fn check(name: &str, m: [View<'_>; 3], want: (usize, usize, usize), have: (usize, usize, usize)) {
    let text = |v: View<'_>| format!("{:?} {} x {}", v.dtype(), v.rows(), v.cols());
    let same: [DType; 3] = m.map(|v| v.dtype());
    let fits = want == have && same[0] == same[1] && same[1] == same[2];
    assert!(fits, "{name}: {} and {} into {} do not fit", text(m[0]), text(m[1]), text(m[2]));
}
