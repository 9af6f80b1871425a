//! Losses from outside come in any size: that of a mean over a batch, of a sum, of a scaled one. A nudge does not: too small
//! and it drowns in what is left of the free phase, too large and the response is no longer linear. So the gradient g of
//! every sample is brought to size 1, and what is learned of the sample counts |g| times: learn(c·g) = c·learn(g).

use super::Sink;
use crate::error::Result;
use crate::network::{Network, ParamId, PopId};
use crate::objective::{Given, Objective};
use bouton_kernels::{Mat, Real, View, dispatch};
use std::ops::Range;

/// An objective whose gradients suit a nudge, and how much each sample of the batch counts.
#[derive(Debug)]
pub(super) struct Weights {
    unit: Option<(Given, Vec<f64>)>,
}

impl Weights {
    pub fn of(objective: &dyn Objective) -> Self {
        Self { unit: objective.unit() }
    }

    /// What to nudge with in the place of `own`.
    pub fn objective<'a>(&'a self, own: &'a dyn Objective) -> &'a dyn Objective {
        self.unit.as_ref().map_or(own, |(unit, _)| unit)
    }

    /// `sink` for factors of these samples of the batch.
    pub fn sink<'a>(&'a self, rows: Range<usize>, sink: &'a mut dyn Sink) -> Weighed<'a> {
        Weighed { sink, weights: self.unit.as_ref().map(|(_, sizes)| &sizes[rows]) }
    }
}

/// A sink for rows that count differently.
pub(super) struct Weighed<'a> {
    sink: &'a mut dyn Sink,
    weights: Option<&'a [f64]>,
}

impl Weighed<'_> {
    fn weigh(&self, g: View<'_>) -> Option<Mat> {
        let mut weighed = g.to_mat();
        let cols = g.cols().max(1);
        dispatch!(weighed.dtype(), T => {
            for (row, &weight) in weighed.slice_mut::<T>().chunks_exact_mut(cols).zip(self.weights?) {
                row.iter_mut().for_each(|x| *x *= T::lit(weight));
            }
        });
        Some(weighed)
    }
}

impl Sink for Weighed<'_> {
    fn factors(&mut self, network: &Network, id: ParamId, pre: View<'_>, g: View<'_>, scale: f64) {
        let weighed = self.weigh(g);
        self.sink.factors(network, id, pre, weighed.as_ref().map_or(g, Mat::view), scale);
    }

    fn bias(&mut self, network: &Network, pop: PopId, g: View<'_>, scale: f64) {
        let weighed = self.weigh(g);
        self.sink.bias(network, pop, weighed.as_ref().map_or(g, Mat::view), scale);
    }

    fn gain(&mut self, network: &Network, pop: PopId, g: View<'_>, scale: f64) {
        let weighed = self.weigh(g);
        self.sink.gain(network, pop, weighed.as_ref().map_or(g, Mat::view), scale);
    }

    fn gradient(&mut self, id: ParamId, g: &Mat, scale: f64) {
        self.sink.gradient(id, g, scale);
    }

    fn step(&mut self, network: &mut Network) -> Result<()> {
        self.sink.step(network)
    }
}
