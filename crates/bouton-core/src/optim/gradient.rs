//! Where a gradient waits, and how it is formed: tile by tile, when somebody takes it.
//!
//! ∂ℓ/∂W = Σ gᵀ·pre over rows of factors (presynaptic activity, postsynaptic gradient). Tiles are bands of weight rows; an element's
//! arithmetic does not depend on the tiling or on threads.

use crate::wiring::Wiring;
use bouton_kernels::{Mat, View, ViewMut, dispatch};
use std::ops::Range;

/// Elements of a tile, about: weight, gradient, proposal and optimiser state of it fit the caches of a core.
pub(super) const TILE: usize = 8192;
/// With more rows of factors than this, gradients are formed for several tiles together.
const DEEP: usize = 64;
/// Rows of those tiles, at most, and elements.
const TALL: usize = 96;
const BLOCK: usize = 16 * TILE;

/// Pending factors of one connection: the gradient is gᵀ·pre.
#[derive(Debug)]
pub(super) struct Factors {
    pub(super) pre: Mat,
    pub(super) g: Mat,
}

impl Factors {
    pub(super) fn push(&mut self, pre: View<'_>, g: View<'_>, scale: f64) {
        append(&mut self.pre, pre, 1.0);
        append(&mut self.g, g, scale);
    }

    pub(super) fn clear(&mut self) {
        self.pre.resize_rows(0);
        self.g.resize_rows(0);
    }
}

/// Appends scaled rows.
fn append(to: &mut Mat, rows: View<'_>, scale: f64) {
    let at = to.rows();
    to.append_rows(rows);
    let mut end = to.rows_view_mut(at..at + rows.rows());
    if scale != 1.0 {
        dispatch!(end.dtype(), T => {
            let scale = <T as bouton_kernels::Elem>::from_f64(scale);
            end.slice_mut::<T>().iter_mut().for_each(|x| *x *= scale);
        });
    }
}

/// Where a parameter's gradient comes from.
pub(super) enum Gradient<'a> {
    /// Factors, and what came as a whole.
    Factors(&'a dyn Wiring, &'a Factors, Option<&'a Mat>),
    Ready(&'a Mat),
}

impl Gradient<'_> {
    /// Rows of a tile of a weight of this shape, and how many tiles' gradients are formed together: with many rows of
    /// factors several, because all factors pass by each time.
    pub(super) fn tiling(&self, rows: usize, cols: usize) -> (usize, usize) {
        let (deep, wanted) = match self {
            Self::Factors(wiring, f, _) => (f.pre.rows() > DEEP, wiring.band()),
            Self::Ready(_) => (false, None),
        };
        let of = |elements: usize| (elements / cols.max(1)).clamp(1, rows.max(1));
        let tile = wanted.map_or(of(TILE), |band| band.clamp(1, rows.max(1)));
        let share = rows.div_ceil(4 * rayon::current_num_threads());
        let together = if deep && wanted.is_none() { TALL.min(of(BLOCK)).min(share) / tile } else { 1 };
        (tile, together.max(1))
    }

    /// Writes the gradient of some rows of the weight.
    pub(super) fn write(&self, rows: Range<usize>, mut to: ViewMut<'_>) {
        match self {
            Self::Factors(wiring, f, whole) => {
                match whole {
                    Some(whole) => to.copy_from(whole.rows_view(rows.clone())),
                    None => to.fill(0.0),
                }
                wiring.backward_weight(f.pre.view(), f.g.view(), rows, to);
            }
            Self::Ready(g) => to.copy_from(g.rows_view(rows)),
        }
    }
}
