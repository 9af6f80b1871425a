//! Losses from outside come in any size: that of a mean over a batch, of a sum, of a scaled one. A nudge does not: too small
//! and it drowns in what is left of the free phase, too large and the response is no longer linear. So the gradient g of
//! every sample is brought to size 1, and what is learned of the sample counts |g| times: learn(c·g) = c·learn(g).

use crate::error::Result;
use crate::network::{Grad, GradSink, Network, ParamId};
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
    pub fn sink<'a>(&'a self, rows: Range<usize>, sink: &'a mut dyn GradSink) -> Weighed<'a> {
        Weighed { sink, weights: self.unit.as_ref().map(|(_, sizes)| &sizes[rows]) }
    }
}

/// A sink for rows that count differently.
pub(super) struct Weighed<'a> {
    sink: &'a mut dyn GradSink,
    weights: Option<&'a [f64]>,
}

impl Weighed<'_> {
    fn weigh(&self, g: View<'_>) -> Option<Mat> {
        let mut weighed = g.to_mat();
        let cols = g.cols().max(1);
        dispatch!(weighed.dtype(), T => {
            for (row, &weight) in weighed.slice_mut::<T>().chunks_exact_mut(cols).zip(self.weights?) {
                row.iter_mut().for_each(|x| *x *= T::constant(weight));
            }
        });
        Some(weighed)
    }
}

impl GradSink for Weighed<'_> {
    fn add(&mut self, network: &Network, id: ParamId, grad: Grad<'_>) {
        let weigh = |g: View<'_>| self.weigh(g);
        match grad {
            Grad::Factors { pre, g, scale } => {
                let weighed = weigh(g);
                let g = weighed.as_ref().map_or(g, Mat::view);
                self.sink.add(network, id, Grad::Factors { pre, g, scale });
            }
            Grad::Rows { g, scale } => {
                let weighed = weigh(g);
                let g = weighed.as_ref().map_or(g, Mat::view);
                self.sink.add(network, id, Grad::Rows { g, scale });
            }
            whole @ Grad::Whole { .. } => self.sink.add(network, id, whole),
        }
    }

    fn step(&mut self, network: &mut Network) -> Result<()> {
        self.sink.step(network)
    }
}
