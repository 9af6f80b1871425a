//! What the units of a network did over some steps, and what goes from one section of a sequence to the next and back.

use super::Timing;
use crate::network::Network;
use bouton_kernels::{Mat, View};
use std::ops::Range;

/// States and outputs of the last steps of some sequences, from which others go on.
#[derive(Clone, Debug, PartialEq)]
pub struct LastSteps {
    /// How many sequences.
    pub samples: usize,
    /// What the last steps of the data showed, as many as connections from the data delay it.
    pub shown: Mat,
    /// States, by population, [samples, S·units].
    pub h: Vec<Mat>,
    /// Outputs of the last steps, as many as the longest delay, by population.
    pub out: Vec<Mat>,
}

/// Gradients that later steps send back to where they began.
#[derive(Clone, Debug)]
pub struct Carry {
    /// With respect to the states, by population.
    pub h: Vec<Mat>,
    /// With respect to the outputs of the last steps, by population.
    pub out: Vec<Mat>,
}

/// What the units of a network did over some steps.
#[derive(Clone, Debug)]
pub struct Trace {
    /// Samples.
    pub samples: usize,
    /// Steps of the network.
    pub steps: usize,
    /// Steps before the first whose outputs are kept.
    pub past: usize,
    /// What the steps of the data before the first showed, as many as connections from the data delay it.
    pub before: Mat,
    /// What arrived, by population, [steps · samples, ports · units]. The way back leaves its gradient here.
    pub drive: Vec<Mat>,
    /// States, by population: before the first step, then after every step, [(1 + steps) · samples, S·units].
    pub h: Vec<Mat>,
    /// Outputs, by population: of the steps before the first, then of every step.
    pub out: Vec<Mat>,
    /// What pooling chose, by connection.
    pub pool_cache: Vec<Mat>,
    /// Gradients of the units' own numbers, by population, [K, units]: left by the way back.
    pub own: Vec<Mat>,
}

impl Trace {
    /// Room for `steps` steps of the network, with its units at rest before the first.
    pub(super) fn new(network: &Network, time: &Timing, samples: usize, steps: usize) -> Self {
        let past = network.past();
        let nodes = &network.populations;
        let mat = |rows: usize, cols: usize| Mat::zeros(network.dtype, rows, cols);
        let moves = |p: usize| network.is_stepping(p);
        let all = || 0..nodes.len();
        let rows = |p: usize, rows: usize| if moves(p) { rows } else { 0 };
        let mut trace = Self {
            samples,
            steps,
            past,
            before: mat(network.past_shown(time) * samples, time.shown.columns),
            drive: all().map(|_| mat(0, 0)).collect(),
            h: all()
                .map(|p| mat(rows(p, (1 + steps) * samples), nodes[p].num_states() * nodes[p].units))
                .collect(),
            out: all().map(|p| mat(rows(p, (past + steps) * samples), nodes[p].units)).collect(),
            pool_cache: network.pool_caches(steps * samples),
            own: all().map(|_| mat(0, 0)).collect(),
        };
        for p in all().filter(|&p| moves(p)) {
            let first = mat(samples, nodes[p].units);
            let states = nodes[p].initial_states(&first);
            if !states.is_empty() {
                trace.h[p].rows_view_mut(0..samples).copy_from(states.view());
            }
            trace.out[p].rows_view_mut(0..past * samples).fill(nodes[p].model.initial_output());
        }
        trace
    }

    /// Goes on from where other sequences ended.
    pub(super) fn begin(&mut self, start: &LastSteps) {
        self.before.clone_from(&start.shown);
        for (h, from) in self.h.iter_mut().zip(&start.h).filter(|(h, _)| !h.is_empty()) {
            h.rows_view_mut(0..self.samples).copy_from(from.view());
        }
        for (out, from) in self.out.iter_mut().zip(&start.out).filter(|(out, _)| !out.is_empty()) {
            out.rows_view_mut(0..self.past * self.samples).copy_from(from.view());
        }
    }

    /// Rows of step `t` of the drives, or of its gradients.
    pub(super) fn at(&self, t: usize) -> Range<usize> {
        t * self.samples..(t + 1) * self.samples
    }

    /// Rows of the outputs of all steps, `delay` steps earlier.
    pub fn earlier(&self, delay: usize) -> Range<usize> {
        let first = (self.past - delay) * self.samples;
        first..first + self.steps * self.samples
    }

    /// Rows of the outputs of step `t`, `delay` steps earlier.
    pub(super) fn output_at(&self, t: usize, delay: usize) -> Range<usize> {
        self.at(self.past + t - delay)
    }

    /// Where all sequences are now, after the steps that `x` showed.
    pub fn last(&self, x: View<'_>) -> LastSteps {
        let kept = self.before.rows();
        let late = kept.min(x.rows());
        let mut shown = self.before.rows_view(late..kept).to_mat();
        shown.append_rows(x.rows_range(x.rows() - late..x.rows()));
        let end = |m: &Mat, rows: usize| m.rows_view(m.rows() - rows.min(m.rows())..m.rows()).to_mat();
        LastSteps {
            samples: self.samples,
            shown,
            h: self.h.iter().map(|m| end(m, self.samples)).collect(),
            out: self.out.iter().map(|m| end(m, self.past * self.samples)).collect(),
        }
    }
}
