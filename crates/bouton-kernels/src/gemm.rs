//! Matrix products that accumulate into their last argument.
//!
//! The order of additions of an output depends on the reduction length alone: a row of a result is the same bit for
//! bit whether it is computed alone, among others, or by several threads.

use std::ops::Range;

use rayon::prelude::*;

use crate::account::count_product;
use crate::chain::{Chain, Left};
use crate::dots::{Dots, ROWS};
use crate::simd::best_for;
use crate::{DType, Mat, View, ViewMut, WeightMat, dispatch};

/// c[r, j] += Σ_k a[r, k] w[j, k].
pub fn gemm_nt(a: View<'_>, w: &WeightMat, mut c: ViewMut<'_>) {
    let w = w.view();
    check("gemm_nt", [a, w, c.as_view()], (a.cols(), a.rows(), w.rows()), (w.cols(), c.rows(), c.cols()));
    if a.rows() * w.rows() * w.cols() == 0 {
        return;
    }
    counted(a, w, c.as_view());
    dispatch!(a.dtype(), T => {
        let a: Vec<&[T]> = a.slice().chunks(w.cols()).collect();
        let mut c: Vec<&mut [T]> = c.slice_mut().chunks_mut(w.rows()).collect();
        best_for::<T, _>(Dots { a: &a, w: w.slice(), c: &mut c });
    });
}

/// c[r, k] += Σ_j a[r, j] w[j, k].
pub fn gemm_nn(a: View<'_>, w: &WeightMat, mut c: ViewMut<'_>) {
    let w = w.view();
    check("gemm_nn", [a, w, c.as_view()], (a.cols(), a.rows(), w.cols()), (w.rows(), c.rows(), c.cols()));
    if a.rows() * w.rows() * w.cols() == 0 {
        return;
    }
    counted(a, w, c.as_view());
    dispatch!(a.dtype(), T => {
        let mut c: Vec<&mut [T]> = c.slice_mut().chunks_mut(w.cols()).collect();
        let a: Vec<&[T]> = a.slice().chunks(w.rows()).collect();
        best_for::<T, _>(Chain { x: Left::Rows(&a), b: w.slice(), c: &mut c });
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
    if pre.rows() * cols.len() * pre.cols() == 0 {
        return;
    }
    count_product(
        g.rows() * cols.len() * pre.cols(),
        g.rows() * (cols.len() + pre.cols()),
        cols.len() * pre.cols(),
        g.dtype().size(),
    );
    dispatch!(g.dtype(), T => {
        let mut c: Vec<&mut [T]> = c.slice_mut().chunks_mut(pre.cols()).collect();
        best_for::<T, _>(Chain { x: Left::Cols(&g.slice()[cols.start..], g.cols()), b: pre.slice(), c: &mut c });
    });
}

/// [`gemm_nt`] split over the threads of the current rayon pool, if there is enough work: by rows if there are many,
/// else by outputs. The same result bit for bit.
pub fn par_gemm_nt(a: View<'_>, w: &WeightMat, mut c: ViewMut<'_>) {
    let (k, outputs, threads) = (a.cols(), w.mat().rows(), rayon::current_num_threads());
    if threads == 1 || a.rows() * k * outputs < WORTH_THREADS {
        return gemm_nt(a, w, c);
    }
    check(
        "par_gemm_nt",
        [a, w.view(), c.as_view()],
        (k, a.rows(), outputs),
        (w.view().cols(), c.rows(), c.cols()),
    );
    if a.rows() >= ROWS * threads {
        let pieces: Vec<ViewMut<'_>> = c.chunks_mut(ROWS).collect();
        pieces.into_par_iter().enumerate().for_each(|(i, c)| {
            gemm_nt(a.rows_range(i * ROWS..i * ROWS + c.rows()), w, c);
        });
        return;
    }
    let w = w.view();
    counted(a, w, c.as_view());
    dispatch!(a.dtype(), T => {
        let a: Vec<&[T]> = a.slice().chunks(k).collect();
        // One list of row pieces per band of outputs, so that no two threads share a piece.
        let band = outputs.div_ceil(threads).next_multiple_of(4);
        let mut bands: Vec<Vec<&mut [T]>> = (0..outputs.div_ceil(band)).map(|_| Vec::new()).collect();
        for row in c.slice_mut::<T>().chunks_mut(outputs) {
            row.chunks_mut(band).zip(&mut bands).for_each(|(piece, band)| band.push(piece));
        }
        let bands = bands.par_iter_mut().zip(w.slice::<T>().par_chunks(band * k));
        bands.for_each(|(c, w)| best_for::<T, _>(Dots { a: &a, w, c }));
    });
}

/// Counts c += a · w or a · wᵀ.
fn counted(a: View<'_>, w: View<'_>, c: View<'_>) {
    let elements = |v: View<'_>| v.rows() * v.cols();
    count_product(a.rows() * elements(w), elements(a) + elements(w), elements(c), a.dtype().size());
}

/// Multiply-adds that take about 30 µs: below that, waking a thread costs more than it gains.
const WORTH_THREADS: usize = 2_000_000;

/// a · b for large matrices in cold code, with all threads of the current rayon pool if `threads`.
pub fn product(a: View<'_>, b: View<'_>, threads: bool) -> Mat {
    let mut c = Mat::zeros(a.dtype(), a.rows(), b.cols());
    check("product", [a, b, c.view()], (a.cols(), a.rows(), b.cols()), (b.rows(), c.rows(), c.cols()));
    let parallelism =
        if threads { gemm_common::Parallelism::Rayon(0) } else { gemm_common::Parallelism::None };
    let (m, n, k) = (a.rows(), b.cols(), a.cols());
    counted(a, b, c.view());
    // The microkernels want columns, which the rows of cᵀ = bᵀ·aᵀ are.
    macro_rules! transposed {
        ($gemm:path, $t:ty) => {{
            let (out, lhs, rhs) = (c.slice_mut::<$t>(), a.slice::<$t>(), b.slice::<$t>());
            let (row, out_row, lhs_row) = (1, n as isize, k as isize);
            // SAFETY: the three slices are row-major m x n, m x k and k x n (checked above), and `out` is not aliased.
            unsafe {
                $gemm()(
                    n, m, k, out.as_mut_ptr(), out_row, row, false, rhs.as_ptr(), out_row, row, lhs.as_ptr(), lhs_row,
                    row, 0.0, 1.0, false, false, false, parallelism,
                )
            }
        }};
    }
    match a.dtype() {
        DType::F32 => transposed!(gemm_f32::gemm::f32::get_gemm_fn, f32),
        DType::F64 => transposed!(gemm_f64::gemm::f64::get_gemm_fn, f64),
    }
    c
}

/// Programming errors: mixed number types, or inner length, rows or columns that do not fit.
fn check(name: &str, m: [View<'_>; 3], want: (usize, usize, usize), have: (usize, usize, usize)) {
    let text = |v: View<'_>| format!("{:?} {} x {}", v.dtype(), v.rows(), v.cols());
    let same: [DType; 3] = m.map(|v| v.dtype());
    let fits = want == have && same[0] == same[1] && same[1] == same[2];
    assert!(fits, "{name}: {} and {} into {} do not fit", text(m[0]), text(m[1]), text(m[2]));
}
