//! How one parameter takes its gradient: the optimiser proposes and the synapse takes, while a tile is in cache.

use super::gradient::{Gradient, TILE};
use super::update::Limits;
use super::{Hyper, Optim};
use crate::anchor::{Anchor, Importance, add_penalty, trace_path};
use crate::synapse::Synapse;
use bouton_kernels::{Mat, View, ViewMut, dispatch, is_finite};
use rayon::prelude::*;

/// Weights with fewer elements are updated by one thread.
const PARALLEL: usize = 4 * TILE;

/// One tile of a parameter with its state: the optimiser's, then the synapse's.
struct Tile<'a> {
    from: usize,
    weight: ViewMut<'a>,
    state: Vec<ViewMut<'a>>,
}

/// Everything that decides how a parameter takes its gradient.
#[derive(Clone, Copy)]
pub(super) struct UpdateContext<'a> {
    pub(super) optim: &'a dyn Optim,
    pub(super) synapse: &'a dyn Synapse,
    /// How many state matrices the synapse has.
    pub(super) num_states: usize,
    pub(super) anchor: Option<&'a dyn Anchor>,
    /// What clipping does to the gradient that the credit rule found.
    pub(super) limits: Limits,
    pub(super) hyper: Hyper,
    pub(super) key: u64,
    /// Whether more draws of the same update follow.
    pub(super) accumulates: bool,
}

/// Proposal, gradient without penalty, and parameter before the step, of one tile.
type Scratch = [Mat; 3];

impl UpdateContext<'_> {
    /// Clips, pulls towards the anchor, proposes, takes and traces the way.
    fn update_tile(&self, cols: usize, mut gradient: ViewMut<'_>, s: &mut Scratch, b: &mut Tile<'_>) {
        let n = b.weight.rows();
        if self.accumulates {
            let delta = &mut s[0];
            negate(gradient.as_view(), delta.rows_view_mut(0..n));
            let (at, delta) = (b.from * cols, delta.rows_view(0..n));
            return self.synapse.accumulate(self.key, at, delta, b.weight.reborrow(), &mut b.state);
        }
        let (slots, rest) = b.state.split_at_mut(self.optim.slots());
        let (states, consolidation) = rest.split_at_mut(self.num_states);
        let hidden = self.synapse.info().latent;
        let [delta, loss, old] = s;
        if let (Some(anchor), [omega, weighted_target, path @ ..]) = (self.anchor, &mut *consolidation) {
            let value = optimised_value(hidden.filter(|_| anchor.hidden()), &b.weight, states);
            // The way is traced by the gradient as it was.
            if !path.is_empty() {
                loss.rows_view_mut(0..n).copy_from(gradient.as_view());
                old.rows_view_mut(0..n).copy_from(value);
            }
            self.limits.apply(gradient.reborrow());
            add_penalty(
                anchor.strength(),
                value,
                omega.as_view(),
                weighted_target.as_view(),
                gradient.reborrow(),
            );
        } else {
            self.limits.apply(gradient.reborrow());
        }
        let proposed = delta.rows_view_mut(0..n);
        if self.synapse.info().own_step_size {
            negate(gradient.as_view(), proposed);
        } else {
            let w = optimised_value(hidden, &b.weight, states);
            self.optim.propose(self.hyper, w, gradient.as_view(), slots, proposed);
        }
        self.synapse.update(self.key, b.from * cols, delta.rows_view(0..n), b.weight.reborrow(), states);
        if let (Some(anchor), [_, _, path]) = (self.anchor, consolidation) {
            let value = optimised_value(hidden.filter(|_| anchor.hidden()), &b.weight, states);
            let total = matches!(anchor.importance(), Importance::Path(p) if p.total);
            let g = if total { gradient.as_view() } else { loss.rows_view(0..n) };
            trace_path(g, old.rows_view(0..n), value, path.reborrow());
        }
    }

    /// Whether the weight is finite, and the hidden weight that it stands for; signs are finite whatever they are of.
    fn is_finite(&self, b: &Tile<'_>) -> bool {
        let states = &b.state[self.optim.slots()..];
        let drawn = || !self.synapse.info().bayesian || is_finite(b.weight.as_view());
        is_finite(optimised_value(self.synapse.info().latent, &b.weight, states)) && drawn()
    }
}

/// The weight, or the state matrix that plays its part.
fn optimised_value<'a>(
    hidden: Option<usize>,
    weight: &'a ViewMut<'_>,
    states: &'a [ViewMut<'_>],
) -> View<'a> {
    hidden.map_or(weight.as_view(), |h| states[h].as_view())
}

fn negate(g: View<'_>, mut to: ViewMut<'_>) {
    dispatch!(g.dtype(), T => for (to, &g) in to.slice_mut::<T>().iter_mut().zip(g.slice::<T>()) {
        *to = -g;
    });
}

/// Changes a parameter, tile by tile; whether it is still finite. **The one function that changes a weight.**
pub(super) fn change(
    rule: &UpdateContext<'_>,
    grad: &Gradient<'_>,
    weight: ViewMut<'_>,
    state: Vec<&mut Mat>,
) -> bool {
    let (dtype, rows, cols) = (weight.dtype(), weight.rows(), weight.cols());
    let (tile, together) = grad.tiling(rows, cols);
    let update_tiles = |(gradient, s): &mut (Mat, Scratch), tiles: &mut [Tile<'_>]| {
        let from = tiles[0].from;
        let to = tiles.last().map_or(from, |b| b.from + b.weight.rows());
        grad.write(from..to, gradient.rows_view_mut(0..to - from));
        tiles.iter_mut().all(|b| {
            let at = b.from - from;
            rule.update_tile(cols, gradient.rows_view_mut(at..at + b.weight.rows()), s, b);
            rule.is_finite(b)
        })
    };
    let spare = if rule.anchor.is_some() { tile } else { 0 };
    let zeros = |n| Mat::zeros(dtype, n, cols);
    let scratch = || (zeros(tile * together), [tile, spare, spare].map(zeros));
    let mut tiles = cut(weight, state, tile);
    if rows * cols >= PARALLEL {
        let groups = tiles.par_chunks_mut(together);
        groups.map_init(scratch, update_tiles).reduce(|| true, |a, b| a && b)
    } else {
        let mut scratch = scratch();
        tiles.chunks_mut(together).all(|tiles| update_tiles(&mut scratch, tiles))
    }
}

/// Tiles of `tile` rows each.
fn cut<'a>(weight: ViewMut<'a>, state: Vec<&'a mut Mat>, tile: usize) -> Vec<Tile<'a>> {
    let mut chunks: Vec<_> = state.into_iter().map(|s| s.view_mut().chunks_mut(tile)).collect();
    let weights = weight.chunks_mut(tile).enumerate();
    weights
        .map(|(i, weight)| Tile {
            from: i * tile,
            weight,
            state: chunks.iter_mut().filter_map(Iterator::next).collect(),
        })
        .collect()
}
