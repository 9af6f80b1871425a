//! Products with weights to some columns alone: those of row i of the weight belong to the columns that `at` lists for it.
//!
//!   forth: c_ri += Σ_k w_ik a_{r, at(i, k)},  back: a_{r, at(i, k)} += g_ri w_ik,  weight: w_ik += Σ_r g_ri a_{r, at(i, k)}
//!
//! Terms are added in the order of the list, or of the rows, so that a row is the same bit for bit whatever stands beside it.

use crate::account::count;
use crate::{Elem, View, ViewMut, dispatch};
use std::ops::Range;

/// Rows that a list is read for at once.
const ROWS: usize = 8;

/// c += the product of `a` with the weights `w`, [columns of c, listed]; `at` holds as many columns of `a` for each of its rows.
///
/// # Panics
/// If shapes do not fit, or a column is listed that `a` lacks.
pub fn listed_nt(a: View<'_>, w: View<'_>, at: &[u32], mut c: ViewMut<'_>) {
    let fits = a.rows() == c.rows() && w.rows() == c.cols() && at.len() == w.rows() * w.cols();
    assert!(fits, "listed_nt: {} x {} does not fit", a.rows(), a.cols());
    if at.is_empty() {
        return;
    }
    count(2 * a.rows() * at.len(), 0);
    dispatch!(a.dtype(), T => {
        let (k, n) = (a.cols(), c.cols());
        let blocks = a.slice::<T>().chunks(ROWS * k).zip(c.slice_mut::<T>().chunks_mut(ROWS * n));
        for (a, c) in blocks {
            if a.len() == ROWS * k {
                let rows: [&[T]; ROWS] = std::array::from_fn(|r| &a[r * k..(r + 1) * k]);
                some_rows(rows, w.slice(), at, c, n);
            } else {
                let rows = a.chunks_exact(k).zip(c.chunks_exact_mut(n));
                rows.for_each(|(a, c)| some_rows([a], w.slice(), at, c, n));
            }
        }
    });
}

fn some_rows<T: Elem, const R: usize>(a: [&[T]; R], w: &[T], at: &[u32], c: &mut [T], n: usize) {
    let listed = at.len() / n;
    for (i, (w, at)) in w.chunks_exact(listed).zip(at.chunks_exact(listed)).enumerate() {
        let mut sums = [T::default(); R];
        for (&w, &at) in w.iter().zip(at) {
            for (sum, a) in sums.iter_mut().zip(&a) {
                *sum += w * a[at as usize];
            }
        }
        for (r, sum) in sums.into_iter().enumerate() {
            c[r * n + i] += sum;
        }
    }
}

/// a += the adjoint of [`listed_nt`] in its input at `g`, [rows of a, rows of w].
///
/// # Panics
/// As [`listed_nt`].
pub fn listed_nn(g: View<'_>, w: View<'_>, at: &[u32], mut a: ViewMut<'_>) {
    let fits = a.rows() == g.rows() && w.rows() == g.cols() && at.len() == w.rows() * w.cols();
    assert!(fits, "listed_nn: {} x {} does not fit", g.rows(), g.cols());
    if at.is_empty() {
        return;
    }
    count(2 * g.rows() * at.len(), 0);
    dispatch!(g.dtype(), T => {
        let listed = w.cols();
        for r in 0..g.rows() {
            let a = a.row_mut::<T>(r);
            let rows = w.slice::<T>().chunks_exact(listed).zip(at.chunks_exact(listed));
            for (&g, (w, at)) in g.row::<T>(r).iter().zip(rows).filter(|(g, _)| **g != T::default()) {
                w.iter().zip(at).for_each(|(&w, &at)| a[at as usize] += g * w);
            }
        }
    });
}

/// The rows `band` of the adjoint of [`listed_nt`] in its weight: g_w is [band, listed].
///
/// # Panics
/// As [`listed_nt`].
pub fn listed_tn(g: View<'_>, band: Range<usize>, a: View<'_>, at: &[u32], mut g_w: ViewMut<'_>) {
    let listed = g_w.cols();
    let fits = a.rows() == g.rows() && band.len() == g_w.rows() && at.len() == g.cols() * listed;
    assert!(fits && band.end <= g.cols(), "listed_tn: {} x {} does not fit", g.rows(), g.cols());
    count(2 * g.rows() * band.len() * listed, 0);
    dispatch!(g.dtype(), T => for (to, i) in band.enumerate() {
        let (at, g_w) = (&at[i * listed..(i + 1) * listed], g_w.row_mut::<T>(to));
        for r in 0..g.rows() {
            let (g, a) = (g.row::<T>(r)[i], a.row::<T>(r));
            if g != T::default() {
                g_w.iter_mut().zip(at).for_each(|(to, &at)| *to += g * a[at as usize]);
            }
        }
    });
}
