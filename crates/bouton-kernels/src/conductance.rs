//! Sums of sigmoid gates, which open towards a number: of pairs of columns j and i with the numbers w, s, μ and E,
//!
//!   b_rij = |w_ij| σ(s_ij (a_rj − μ_ij)),  c_ri += Σ_j b_rij,  c_{r, n+i} += Σ_j b_rij E_ij,
//!
//! n being the rows of each plane. The planes of w, s, μ and E stand below each other in one matrix, [4·n, columns of a]. What has w = 0
//! is shut for good: it adds nothing and has no slope. Terms are added in the order of the columns of `a`, or of the rows, so that a
//! row is the same bit for bit whatever stands beside it.

use crate::account::count;
use crate::{Elem, Real, View, ViewMut, dispatch, vectorize};

/// The four numbers of each pair of one column of the output.
struct Row<'a, T> {
    w: &'a [T],
    s: &'a [T],
    mu: &'a [T],
    e: &'a [T],
}

/// Row `i` of each plane of `all`, n rows of `k`.
fn row<T>(all: &[T], i: usize, n: usize, k: usize) -> Row<'_, T> {
    let of = |plane: usize| &all[(plane * n + i) * k..][..k];
    Row { w: of(0), s: of(1), mu: of(2), e: of(3) }
}

fn fits(a: View<'_>, w: View<'_>, c: View<'_>) {
    let n = w.rows() / 4;
    let fits = a.rows() == c.rows() && w.cols() == a.cols() && w.rows() == 4 * n && c.cols() == 2 * n;
    assert!(fits, "conductances: {} x {} does not fit", w.rows(), w.cols());
    count(8 * a.rows() * n * a.cols(), 0);
}

/// c += what the gates at `a` let through, [rows, 2·n].
///
/// # Panics
/// If shapes do not fit.
pub fn conductances(a: View<'_>, w: View<'_>, mut c: ViewMut<'_>) {
    fits(a, w, c.as_view());
    let (n, k) = (w.rows() / 4, w.cols());
    dispatch!(a.dtype(), T => {
        let (all, mut open) = (w.slice::<T>(), vec![T::default(); k]);
        for r in 0..a.rows() {
            let (a, c) = (a.row::<T>(r), c.row_mut::<T>(r));
            for i in 0..n {
                let row = row(all, i, n, k);
                gates(&row, a, &mut open);
                for (&b, &e) in open.iter().zip(row.e) {
                    c[i] += b;
                    c[n + i] += b * e;
                }
            }
        }
    });
}

/// open = |w| σ(s (a − μ)).
fn gates<T: Elem>(Row { w, s, mu, .. }: &Row<'_, T>, a: &[T], open: &mut [T]) {
    vectorize(
        #[inline(always)]
        || {
            for (((open, &w), &s), (&mu, &a)) in open.iter_mut().zip(*w).zip(*s).zip(mu.iter().zip(a)) {
                *open = Real::abs(w) * (s * (a - mu)).sigmoid();
            }
        },
    );
}

/// to += the adjoint of the derivative of [`conductances`] in `a`, at `a`, for gradients `g`, [rows, 2·n].
///
/// # Panics
/// If shapes do not fit.
pub fn conductances_back_input(g: View<'_>, a: View<'_>, w: View<'_>, mut to: ViewMut<'_>) {
    fits(a, w, g);
    let (n, k) = (w.rows() / 4, w.cols());
    dispatch!(a.dtype(), T => {
        let all = w.slice::<T>();
        for r in 0..a.rows() {
            let (g, a, to) = (g.row::<T>(r), a.row::<T>(r), to.row_mut::<T>(r));
            for i in 0..n {
                slopes(&row(all, i, n, k), [g[i], g[n + i]], a, to);
            }
        }
    });
}

/// to += (g₀ + g₁E) |w| s σ'.
fn slopes<T: Elem>(Row { w, s, mu, e }: &Row<'_, T>, g: [T; 2], a: &[T], to: &mut [T]) {
    vectorize(
        #[inline(always)]
        || {
            for j in 0..to.len().min(a.len()).min(w.len()) {
                let p = (s[j] * (a[j] - mu[j])).sigmoid();
                let by = (g[0] + g[1] * e[j]) * Real::abs(w[j]);
                to[j] += by * s[j] * p * (T::constant(1.0) - p);
            }
        },
    );
}

/// g_w += the adjoint of the derivative of [`conductances`] in the planes `w`, at `a`, for gradients `g`, [rows, 2·n].
///
/// # Panics
/// If shapes do not fit.
pub fn conductances_back_weight(g: View<'_>, a: View<'_>, w: View<'_>, mut g_w: ViewMut<'_>) {
    fits(a, w, g);
    let (n, k) = (w.rows() / 4, w.cols());
    dispatch!(a.dtype(), T => {
        let (all, g_all) = (w.slice::<T>(), g_w.slice_mut::<T>());
        for i in 0..n {
            let mut sums: [Vec<T>; 4] = std::array::from_fn(|p| g_all[(p * n + i) * k..][..k].to_vec());
            for r in 0..a.rows() {
                let g = g.row::<T>(r);
                planes(&row(all, i, n, k), [g[i], g[n + i]], a.row(r), &mut sums);
            }
            sums.iter().enumerate().for_each(|(p, sum)| g_all[(p * n + i) * k..][..k].copy_from_slice(sum));
        }
    });
}

/// Adds the gradients of w, s, μ and E.
fn planes<T: Elem>(Row { w, s, mu, e }: &Row<'_, T>, g: [T; 2], a: &[T], sums: &mut [Vec<T>; 4]) {
    let [of_w, of_s, of_mu, of_e] = sums;
    vectorize(
        #[inline(always)]
        || {
            let (one, zero) = (T::constant(1.0), T::default());
            for j in 0..w.len().min(a.len()) {
                let (size, x) = (Real::abs(w[j]), a[j] - mu[j]);
                let sign = if w[j] > zero {
                    one
                } else if w[j] < zero {
                    -one
                } else {
                    zero
                };
                let p = (s[j] * x).sigmoid();
                let by = g[0] + g[1] * e[j];
                let slope = by * size * p * (one - p);
                of_w[j] += by * p * sign;
                of_s[j] += slope * x;
                of_mu[j] += -(slope * s[j]);
                of_e[j] += g[1] * size * p;
            }
        },
    );
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{DType, Mat};

    /// One gate at its middle is half open, and one without weight is shut.
    #[test]
    fn gates_open_by_halves() {
        // Planes of two outputs and one input: w, s, μ, E.
        let numbers = [2.0, 0.0, 3.0, 5.0, 0.5, 0.5, -1.0, 7.0];
        let w = Mat::from_fn(DType::F64, 8, 1, |r, _| numbers[r]);
        let a = Mat::from_fn(DType::F64, 1, 1, |_, _| 0.5);
        let mut c = Mat::zeros(DType::F64, 1, 4);
        conductances(a.view(), w.view(), c.view_mut());
        assert_eq!(c.to_f64s(), [1.0, 0.0, -1.0, 0.0]);
        let g = Mat::from_fn(DType::F64, 1, 4, |_, _| 1.0);
        let mut to = Mat::zeros(DType::F64, 1, 1);
        conductances_back_input(g.view(), a.view(), w.view(), to.view_mut());
        assert_eq!(to.to_f64s(), [0.0], "E = −1 cancels the conductance's own gradient");
        let mut g_w = Mat::zeros(DType::F64, 8, 1);
        conductances_back_weight(g.view(), a.view(), w.view(), g_w.view_mut());
        assert_eq!(g_w.to_f64s(), [0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0]);
    }
}
