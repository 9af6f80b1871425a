//! Gradients that wait for an update: of weights as factors or as wholes, of units as sums.
//!
//! What a credit rule hands over for a batch is added here. Gradients that wait for more, of further batches or further draws, are
//! formed, so that factors of one batch at most take memory.

use super::gradient::{Factors, Gradient, TILE};
use super::update::Limits;
use crate::network::{Connection, Feedback, Grad, Network, Owner, ParamId};
use crate::wiring::Wiring;
use bouton_kernels::{Mat, add_columns, add_scaled};
use rayon::prelude::*;
use std::collections::BTreeMap;

/// Gradients of every parameter.
#[derive(Debug)]
pub(super) struct Gathered {
    /// Of weights, and of feedback weights that learn for themselves.
    factors: BTreeMap<ParamId, Factors>,
    /// Gradients that came as a whole, or were formed.
    whole: BTreeMap<ParamId, Mat>,
    units: BTreeMap<ParamId, Mat>,
    /// Clipped ones of earlier draws.
    earlier: BTreeMap<ParamId, Mat>,
}

impl Gathered {
    /// None yet of all parameters of `network`.
    pub(super) fn new(network: &Network) -> Self {
        let dtype = network.dtype;
        let none = |c: &Connection| Factors {
            pre: Mat::zeros(dtype, 0, network.populations[c.pre].units),
            g: Mat::zeros(dtype, 0, c.factors(network.populations[c.post].drives())),
        };
        let alone = |c: &Connection| matches!(c.feedback, Feedback::Field(_));
        let connections = || network.connections.iter().enumerate();
        let weights = connections().filter(|(_, c)| c.learns).map(|(id, c)| (ParamId::weight(id), none(c)));
        let backs = connections()
            .filter(|(_, c)| alone(c) && c.learns)
            .map(|(id, c)| (ParamId::feedback(id), none(c)));
        let units = network.parameters().into_iter().filter(|(id, ..)| id.is_unit());
        Self {
            factors: weights.chain(backs).collect(),
            whole: BTreeMap::new(),
            units: units.map(|(id, _, mat)| (id, Mat::zeros(dtype, 1, mat.cols()))).collect(),
            earlier: BTreeMap::new(),
        }
    }

    /// Adds `share` times a part of the gradient of parameter `id`.
    pub(super) fn add(&mut self, network: &Network, id: ParamId, grad: Grad<'_>, share: impl Fn(f64) -> f64) {
        match grad {
            Grad::Factors { pre, g, scale } => {
                if let Some(factors) = self.factors.get_mut(&id) {
                    factors.push(pre, g, share(scale));
                }
            }
            Grad::Rows { g, scale } => {
                if let Some(sum) = self.units.get_mut(&id) {
                    add_columns(g.folded(sum.cols()), share(scale), sum.view_mut());
                }
            }
            Grad::Whole { g, scale } => {
                let Some(value) = network.value(id) else { return };
                let sums = if id.is_unit() { &mut self.units } else { &mut self.whole };
                let zeros = || Mat::zeros(value.dtype(), value.rows(), value.cols());
                add_scaled(sums.entry(id).or_insert_with(zeros), share(scale), g.view());
            }
        }
    }

    /// The gradient of parameter `id`, whose weights are `wiring`'s.
    pub(super) fn of<'a>(&'a self, id: ParamId, wiring: &'a dyn Wiring) -> Gradient<'a> {
        match id.owner() {
            Owner::Connection(c) => {
                // Feedback that learns with its weight shares what that has received.
                let of = if self.factors.contains_key(&id) { id } else { ParamId::weight(c) };
                Gradient::Factors(wiring, &self.factors[&of], self.whole.get(&of))
            }
            _ => Gradient::Ready(&self.units[&id]),
        }
    }

    /// Makes wholes of the factors of these parameters.
    pub(super) fn form(&mut self, network: &Network, ids: impl Iterator<Item = ParamId>) {
        for id in ids {
            let (Owner::Connection(c), Some(value)) = (id.owner(), network.value(id)) else { continue };
            let mut formed = Mat::zeros(value.dtype(), value.rows(), value.cols());
            write(&self.of(id, &*network.connections[c].wiring), &mut formed);
            self.whole.insert(id, formed);
        }
        self.factors.values_mut().for_each(Factors::clear);
    }

    /// The square of the length of the gradient of these parameters, which are formed, within the bound of `limits`.
    pub(super) fn square(&self, ids: impl Iterator<Item = ParamId>, limits: Limits) -> f64 {
        ids.filter_map(|id| self.whole.get(&id).or_else(|| self.units.get(&id)))
            .map(|g| limits.square(g))
            .sum()
    }

    /// Brings every gradient within `limits`; they are formed.
    pub(super) fn limit(&mut self, limits: Limits) {
        self.whole.values_mut().chain(self.units.values_mut()).for_each(|g| limits.apply(g.view_mut()));
    }

    /// Puts what is there, which is formed, aside until the last draw.
    pub(super) fn set_aside(&mut self) {
        let Self { whole, units, earlier, .. } = self;
        for (&id, g) in whole.iter().chain(units.iter()) {
            let zeros = || Mat::zeros(g.dtype(), g.rows(), g.cols());
            add_scaled(earlier.entry(id).or_insert_with(zeros), 1.0, g.view());
        }
        self.clear();
    }

    /// Adds what was put aside.
    pub(super) fn take_back(&mut self) {
        for (id, earlier) in std::mem::take(&mut self.earlier) {
            let sums = if id.is_unit() { &mut self.units } else { &mut self.whole };
            let zeros = || Mat::zeros(earlier.dtype(), earlier.rows(), earlier.cols());
            add_scaled(sums.entry(id).or_insert_with(zeros), 1.0, earlier.view());
        }
    }

    /// Whether parameter `id` has factors of its own.
    pub(super) fn has(&self, id: ParamId) -> bool {
        self.factors.contains_key(&id)
    }

    /// Forgets the gradient of parameter `id`.
    pub(super) fn remove(&mut self, id: ParamId) {
        if let Some(factors) = self.factors.get_mut(&id) {
            factors.clear();
        }
        self.whole.remove(&id);
    }

    /// Forgets all but what was put aside.
    pub(super) fn clear(&mut self) {
        self.whole.clear();
        self.factors.values_mut().for_each(Factors::clear);
        self.units.values_mut().for_each(|g| g.fill(0.0));
    }
}

/// Writes a gradient down.
fn write(gradient: &Gradient<'_>, to: &mut Mat) {
    let (rows, cols) = (to.rows(), to.cols());
    let (tile, together) = gradient.tiling(rows, cols);
    let band = tile * together;
    let part = |(i, part): (usize, bouton_kernels::ViewMut<'_>)| {
        gradient.write(i * band..i * band + part.rows(), part);
    };
    let parts: Vec<_> = to.view_mut().chunks_mut(band).enumerate().collect();
    if rows * cols >= 4 * TILE {
        parts.into_par_iter().for_each(part);
    } else {
        parts.into_iter().for_each(part);
    }
}
