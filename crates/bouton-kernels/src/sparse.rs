//! Products with activities that are mostly zero, such as spikes: what is zero costs a look.
//!
//! Terms are added in the order of the reduction, those that are zero left out, so that a row is the same bit for bit whatever
//! stands beside it. Whoever knows that units spike chooses these products once, never by looking at a batch.

use crate::account::count;
use crate::operand::SQUARE;
use crate::{Elem, View, ViewMut, WeightMat, dispatch, vectorize};
use std::ops::Range;

/// c += a·wᵀ over the elements of `a` that are not zero; `w` is [columns of c, columns of a].
pub fn sparse_nt(a: View<'_>, w: &WeightMat, mut c: ViewMut<'_>) {
    let fits = a.cols() == w.mat().cols() && a.rows() == c.rows() && w.mat().rows() == c.cols();
    assert!(fits, "sparse_nt: {} x {} does not fit", a.rows(), a.cols());
    if a.cols() * c.cols() == 0 {
        return;
    }
    let turned = w.transposed();
    dispatch!(a.dtype(), T => {
        let (k, n, w) = (a.cols(), c.cols(), turned.mat().slice::<T>());
        let mut on = Vec::with_capacity(k);
        let mut all = 0;
        for (a, c) in a.slice::<T>().chunks_exact(k).zip(c.slice_mut::<T>().chunks_exact_mut(n)) {
            on.clear();
            on.extend(a.iter().enumerate().filter(|(_, x)| **x != T::default()).map(|(k, x)| (k, *x)));
            all += on.len();
            gather(&on, w, c);
        }
        count(2 * all * n, all * n * size_of::<T>());
    });
}

/// c += Σ x·(row k of w), four rows at a time, in order.
fn gather<T: Elem>(on: &[(usize, T)], w: &[T], c: &mut [T]) {
    let n = c.len();
    let row = |k: usize| &w[k * n..(k + 1) * n];
    vectorize(
        #[inline(always)]
        || {
            let (fours, rest) = on.as_chunks::<4>();
            for &[(i, a), (j, b), (k, d), (l, e)] in fours {
                let (i, j, k, l) = (row(i), row(j), row(k), row(l));
                for x in 0..n {
                    c[x] = (((c[x] + a * i[x]) + b * j[x]) + d * k[x]) + e * l[x];
                }
            }
            for &(i, a) in rest {
                let i = row(i);
                for x in 0..n {
                    c[x] += a * i[x];
                }
            }
        },
    );
}

/// c += (columns `band` of g)ᵀ·a over the elements of `a` that are not zero; c is [band, columns of a].
pub fn sparse_tn(g: View<'_>, band: Range<usize>, a: View<'_>, mut c: ViewMut<'_>) {
    let fits = a.rows() == g.rows() && a.cols() == c.cols() && band.len() == c.rows() && band.end <= g.cols();
    assert!(fits, "sparse_tn: {} x {} and {} x {} do not fit", a.rows(), a.cols(), g.rows(), g.cols());
    if c.rows() * c.cols() == 0 {
        return;
    }
    dispatch!(a.dtype(), T => {
        let (k, n, mut all) = (a.cols(), band.len(), 0);
        // Row by row of `a`'s columns, turned in the end.
        let mut sums = vec![T::default(); k * n];
        for (a, g) in a.slice::<T>().chunks_exact(k).zip(g.slice::<T>().chunks_exact(g.cols())) {
            let g = &g[band.clone()];
            for (k, &x) in a.iter().enumerate().filter(|(_, x)| **x != T::default()) {
                all += 1;
                let to = &mut sums[k * n..(k + 1) * n];
                vectorize(#[inline(always)] || {
                    for (to, &g) in to.iter_mut().zip(g) {
                        *to += x * g;
                    }
                });
            }
        }
        add_transposed(&sums, n, c.slice_mut::<T>(), k);
        count(2 * all * n, all * n * size_of::<T>());
    });
}

/// to += the transpose of `from`, whose rows have `n` elements; those of `to` have `k`.
fn add_transposed<T: Elem>(from: &[T], n: usize, to: &mut [T], k: usize) {
    for r in (0..n).step_by(SQUARE) {
        for c in (0..k).step_by(SQUARE) {
            for i in r..(r + SQUARE).min(n) {
                for j in c..(c + SQUARE).min(k) {
                    to[i * k + j] += from[j * n + i];
                }
            }
        }
    }
}
