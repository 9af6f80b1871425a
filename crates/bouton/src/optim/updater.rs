//! The updater: the only place where a weight changes.
//!
//! Credit hands over factors (presynaptic rows, postsynaptic rows); a gradient is the sum over rows of their outer
//! products. [`Updater::step`] forms it tile by tile, lets the optimiser propose and the synapse take, while the tile
//! is in cache. Tiles are bands of weight rows; an element's arithmetic does not depend on the tiling or on threads.

use super::{Hyper, Optim};
use crate::credit::Sink;
use crate::error::{Error, Result};
use crate::network::{ConnId, Network, ParamId, PopId, Visitor};
use crate::synapse::Synapse;
use crate::wiring::Wiring;
use bouton_kernels::{Mat, View, ViewMut, dispatch};
use rayon::prelude::*;
use std::ops::Range;

/// Elements of a tile, about: weight, gradient, proposal and optimiser state of it fit the caches of a core.
const TILE: usize = 8192;
/// With more rows of factors than this, tiles are larger, because every tile has all factors pass by.
const DEEP: usize = 64;
/// Weights with fewer elements are updated by one thread.
const PARALLEL: usize = 4 * TILE;

/// Turns factors into weight changes.
#[derive(Debug)]
pub struct Updater {
    optim: Box<dyn Optim>,
    params: Vec<Param>,
    weights: Vec<Factors>,
    biases: Vec<Mat>,
    updates: u64,
    factor: f64,
}

/// State of the optimiser and of the synapse for one parameter.
#[derive(Debug)]
struct Param {
    id: ParamId,
    name: String,
    rate: f64,
    slots: Vec<Mat>,
    synapse: Vec<Mat>,
}

/// Pending factors of one connection: the gradient is gᵀ·pre.
#[derive(Debug)]
struct Factors {
    pre: Mat,
    g: Mat,
}

impl Factors {
    fn push(&mut self, pre: View<'_>, g: View<'_>, scale: f64) {
        append(&mut self.pre, pre, 1.0);
        append(&mut self.g, g, scale);
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

impl Updater {
    /// An updater for every parameter of `network`.
    pub fn new(network: &Network, optim: Box<dyn Optim>) -> Self {
        let (rates, bias_scale) = optim.rates();
        let params = network
            .parameters()
            .into_iter()
            .map(|(id, name, mat)| {
                let rate = rates.at(network.layer_of(id)) * if id.is_bias() { bias_scale } else { 1.0 };
                let state = |n| (0..n).map(|_| Mat::zeros(mat.dtype(), mat.rows(), mat.cols())).collect();
                let synapse = network.synapse(id).slots();
                Param { id, name, rate, slots: state(optim.slots()), synapse: state(synapse) }
            })
            .collect();
        let dtype = network.dtype;
        let weights = network.connections.iter().map(|c| Factors {
            pre: Mat::zeros(dtype, 0, network.populations[c.pre].units),
            g: Mat::zeros(dtype, 0, network.populations[c.post].units),
        });
        let biases = network.populations.iter().map(|p| Mat::zeros(dtype, 1, p.units));
        Self { params, weights: weights.collect(), biases: biases.collect(), optim, updates: 0, factor: 1.0 }
    }

    /// Sets the schedule's factor on every learning rate.
    pub fn set_factor(&mut self, factor: f64) {
        self.factor = factor;
    }

    /// Updates made so far.
    pub fn updates(&self) -> u64 {
        self.updates
    }

    /// Continues the count of updates, as after a checkpoint.
    pub fn set_updates(&mut self, updates: u64) {
        self.updates = updates;
    }

    /// Shows every state matrix of the optimiser and of the synapses to `visitor`.
    pub fn visit(&mut self, visitor: &mut Visitor<'_>) -> Result<()> {
        for param in &mut self.params {
            for (kind, slots) in [("optim", &mut param.slots), ("synapse", &mut param.synapse)] {
                for (k, slot) in slots.iter_mut().enumerate() {
                    visitor(&format!("{kind}.{}.{k}", param.name), slot)?;
                }
            }
        }
        Ok(())
    }

    fn clear(&mut self) {
        for f in &mut self.weights {
            f.pre.resize_rows(0);
            f.g.resize_rows(0);
        }
        self.biases.iter_mut().for_each(|b| b.fill(0.0));
    }
}

impl Sink for Updater {
    fn factors(&mut self, conn: ConnId, pre: View<'_>, g: View<'_>, scale: f64) {
        self.weights[conn].push(pre, g, scale);
    }

    fn bias(&mut self, pop: PopId, g: View<'_>, scale: f64) {
        add_columns(g, scale, self.biases[pop].view_mut());
    }

    fn step(&mut self, network: &mut Network) -> Result<()> {
        self.updates += 1;
        for param in &mut self.params {
            let hyper =
                Hyper { rate: param.rate * self.factor, decays: !param.id.is_bias(), step: self.updates };
            let (mat, synapse, wiring) = network.parameter_mut(param.id);
            let grad = match param.id {
                ParamId::Weight(c) | ParamId::Feedback(c) => Gradient::Factors(wiring, &self.weights[c]),
                ParamId::Bias(p) => Gradient::Ready(&self.biases[p]),
            };
            let state = param.slots.iter_mut().chain(&mut param.synapse).collect();
            let finite = mat.update(|w| change(&*self.optim, synapse, hyper, &grad, w, state));
            if !finite {
                return Err(Error::Diverged {
                    message: format!("{} is no longer finite after update {}", param.name, self.updates),
                    hint: Some("lower the learning rate, or the gain of the initial weights".into()),
                });
            }
        }
        self.clear();
        Ok(())
    }
}

/// Where a parameter's gradient comes from.
enum Gradient<'a> {
    Factors(&'a dyn Wiring, &'a Factors),
    Ready(&'a Mat),
}

impl Gradient<'_> {
    /// Rows of a band of a weight with `cols` columns.
    fn band(&self, rows: usize, cols: usize) -> usize {
        let deep = matches!(self, Self::Factors(_, f) if f.pre.rows() > DEEP);
        let tile = if deep { 4 * TILE } else { TILE };
        (tile / cols.max(1)).clamp(1, rows.max(1))
    }

    /// Writes the gradient of some rows of the weight.
    fn write(&self, rows: Range<usize>, mut to: ViewMut<'_>) {
        match self {
            Self::Factors(wiring, f) => {
                to.fill(0.0);
                wiring.pull_weight(f.pre.view(), f.g.view(), rows, to);
            }
            Self::Ready(g) => to.copy_from(g.rows_view(rows)),
        }
    }
}

/// One band of a parameter with its state: the optimiser's, then the synapse's.
struct Band<'a> {
    from: usize,
    weight: ViewMut<'a>,
    state: Vec<ViewMut<'a>>,
}

/// Proposes and takes, band by band; whether every weight is still finite. **The one function that changes a weight.**
fn change(
    optim: &dyn Optim,
    synapse: &dyn Synapse,
    hyper: Hyper,
    grad: &Gradient<'_>,
    weight: ViewMut<'_>,
    state: Vec<&mut Mat>,
) -> bool {
    let (dtype, rows, cols) = (weight.dtype(), weight.rows(), weight.cols());
    let band = grad.band(rows, cols);
    let take = |(gradient, delta): &mut (Mat, Mat), mut b: Band<'_>| {
        let n = b.weight.rows();
        grad.write(b.from..b.from + n, gradient.rows_view_mut(0..n));
        let (slots, memory) = b.state.split_at_mut(optim.slots());
        let gradient = gradient.rows_view(0..n);
        optim.propose(hyper, b.weight.as_view(), gradient, slots, delta.rows_view_mut(0..n));
        synapse.take(delta.rows_view(0..n), b.weight.reborrow(), memory);
        is_finite(b.weight.as_view())
    };
    let scratch = || (Mat::zeros(dtype, band, cols), Mat::zeros(dtype, band, cols));
    let bands = cut(weight, state, band);
    if rows * cols >= PARALLEL {
        bands.into_par_iter().map_init(scratch, take).reduce(|| true, |a, b| a && b)
    } else {
        let mut scratch = scratch();
        bands.into_iter().all(|b| take(&mut scratch, b))
    }
}

/// Bands of `band` rows each.
fn cut<'a>(weight: ViewMut<'a>, state: Vec<&'a mut Mat>, band: usize) -> Vec<Band<'a>> {
    let mut chunks: Vec<_> = state.into_iter().map(|s| s.view_mut().chunks_mut(band)).collect();
    let weights = weight.chunks_mut(band).enumerate();
    weights
        .map(|(i, weight)| Band {
            from: i * band,
            weight,
            state: chunks.iter_mut().filter_map(Iterator::next).collect(),
        })
        .collect()
}

/// Whether no element is infinite or NaN.
pub(crate) fn is_finite(view: View<'_>) -> bool {
    use bouton_kernels::{Real, vectorize};
    dispatch!(view.dtype(), T => {
        let values = view.slice::<T>();
        let zero = T::lit(0.0);
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
pub(crate) fn add_columns(g: View<'_>, scale: f64, mut sums: ViewMut<'_>) {
    dispatch!(g.dtype(), T => {
        let scale = <T as bouton_kernels::Elem>::from_f64(scale);
        let sums = sums.slice_mut::<T>();
        for r in 0..g.rows() {
            for (sum, &x) in sums.iter_mut().zip(g.row::<T>(r)) {
                *sum += scale * x;
            }
        }
    });
}
