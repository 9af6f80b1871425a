//! What solvers and credit rules do with a network. Nobody else walks its connections.
//!
//! drive:    d_n = b_n + Σ W(s_pre) + Σ Wᵀ(s_post)            (∂Φ/∂s_n)
//! pull:     the adjoint of drive, into the gradients of the populations it reads
//! emit:     the parameter gradients of a drive, as factors for a sink
//! contrast: ∂Φ/∂θ at a state, as factors for a sink

use super::{Connection, Feedback, Network, Node, PopId, Role};
use crate::credit::Sink;
use bouton_kernels::{Mat, Real, View, ViewMut, dispatch, vectorize};
use std::ops::Range;

impl Network {
    /// Bias plus the drive from the clamped input, for every population: constant during a relaxation. On all threads.
    pub fn constant_drive(&self, x: View<'_>) -> Vec<Mat> {
        let rows = |p: &Node| if p.role == Role::Clamped { 0 } else { x.rows() };
        let mut drives: Vec<Mat> =
            self.populations.iter().map(|p| self.biases(p.bias.as_ref(), rows(p), p.units)).collect();
        for c in self.connections.iter().filter(|c| c.pre == self.input()) {
            c.wiring.par_forward(&c.weight, x, drives[c.post].view_mut());
        }
        drives
    }

    fn biases(&self, bias: Option<&bouton_kernels::Operand>, rows: usize, units: usize) -> Mat {
        let mut drive = Mat::zeros(self.dtype, rows, units);
        let Some(bias) = bias else { return drive };
        dispatch!(self.dtype, T => {
            let bias = bias.mat().slice::<T>();
            drive.slice_mut::<T>().chunks_exact_mut(units).for_each(|row| row.copy_from_slice(bias));
        });
        drive
    }

    /// Whether activity flows back from the postsynaptic population of `c`.
    fn returns(&self, c: &Connection) -> bool {
        self.populations[c.pre].role == Role::Settling && !matches!(c.feedback, Feedback::None)
    }

    /// Adds to `drive` what population `pop` receives from populations that are not clamped.
    pub fn drive(&self, pop: PopId, out: &[Mat], rows: Range<usize>, mut drive: ViewMut<'_>) {
        for c in &self.connections {
            if c.post == pop && c.pre != self.input() {
                c.wiring.forward(&c.weight, out[c.pre].rows_view(rows.clone()), drive.reborrow());
            }
            if c.pre == pop && self.returns(c) {
                let from = out[c.post].rows_view(rows.clone());
                match &c.feedback {
                    Feedback::Own(weight) => c.wiring.pull_input(weight, from, drive.reborrow()),
                    _ => c.wiring.pull_input(&c.weight, from, drive.reborrow()),
                }
            }
        }
    }

    /// What a feed-forward population receives, its bias included unless a normalisation adds that later. On all threads.
    pub fn par_drive(&self, pop: PopId, x: View<'_>, out: &[Mat]) -> Mat {
        let node = &self.populations[pop];
        let bias = node.bias.as_ref().filter(|_| node.norm.is_none());
        let mut drive = self.biases(bias, x.rows(), node.units);
        for c in self.connections.iter().filter(|c| c.post == pop) {
            let from = if c.pre == self.input() { x } else { out[c.pre].view() };
            c.wiring.par_forward(&c.weight, from, drive.view_mut());
        }
        drive
    }

    /// The adjoint of [`Network::par_drive`]: adds to `g_out` of every feed-forward population that drives `pop`.
    pub fn par_pull(&self, pop: PopId, g_drive: View<'_>, g_out: &mut [Mat]) {
        for c in self.connections.iter().filter(|c| c.post == pop && c.pre != self.input()) {
            c.wiring.par_pull_input(&c.weight, g_drive, g_out[c.pre].view_mut());
        }
    }

    /// The adjoint of [`Network::drive`]: adds to `g_out` of every population that drives `pop`.
    pub fn pull(&self, pop: PopId, g_drive: View<'_>, g_out: &mut [Mat]) {
        for c in &self.connections {
            if c.post == pop && c.pre != self.input() {
                c.wiring.pull_input(&c.weight, g_drive, g_out[c.pre].view_mut());
            }
            if c.pre == pop && self.returns(c) {
                let weight = if let Feedback::Own(w) = &c.feedback { w } else { &c.weight };
                c.wiring.forward(weight, g_drive, g_out[c.post].view_mut());
            }
        }
    }

    /// The gradients of the weights and the bias that enter the drive of `pop`, for drive gradient `g`; `out` is the
    /// activity the drive was computed from and `x` the clamped input.
    pub fn emit(&self, pop: PopId, g: View<'_>, x: View<'_>, out: &[Mat], scale: f64, sink: &mut dyn Sink) {
        self.emit_constant(pop, g, x, scale, sink);
        self.emit_moving(pop, g, out, scale, sink);
    }

    /// The part of [`Network::emit`] without the bias.
    pub fn emit_weights(
        &self,
        pop: PopId,
        g: View<'_>,
        x: View<'_>,
        out: &[Mat],
        scale: f64,
        sink: &mut dyn Sink,
    ) {
        self.emit_input(pop, g, x, scale, sink);
        self.emit_moving(pop, g, out, scale, sink);
    }

    /// The part of [`Network::emit`] that belongs to the constant drive: bias and weights from the clamped input.
    pub fn emit_constant(&self, pop: PopId, g: View<'_>, x: View<'_>, scale: f64, sink: &mut dyn Sink) {
        sink.bias(pop, g, scale);
        self.emit_input(pop, g, x, scale, sink);
    }

    fn emit_input(&self, pop: PopId, g: View<'_>, x: View<'_>, scale: f64, sink: &mut dyn Sink) {
        for (id, _) in
            self.connections.iter().enumerate().filter(|(_, c)| c.post == pop && c.pre == self.input())
        {
            sink.factors(id, x, g, scale);
        }
    }

    /// The part of [`Network::emit`] that depends on the activity of other populations.
    pub fn emit_moving(&self, pop: PopId, g: View<'_>, out: &[Mat], scale: f64, sink: &mut dyn Sink) {
        for (id, c) in self.connections.iter().enumerate() {
            if c.post == pop && c.pre != self.input() {
                sink.factors(id, out[c.pre].view(), g, scale);
            }
            if c.pre == pop && self.returns(c) {
                sink.factors(id, g, out[c.post].view(), scale);
            }
        }
    }

    /// Hands over Σ scale·∂Φ/∂θ over states of the settling populations. Weights from the clamped input see the same
    /// presynaptic rows in every term, so their postsynaptic rows are summed first.
    pub fn contrast(&self, x: View<'_>, terms: &[Term<'_>], sink: &mut dyn Sink) {
        let settles = |p: PopId| self.populations[p].role == Role::Settling;
        for pop in self.with_role(Role::Settling) {
            let sum = weighted_sum(terms, pop);
            sink.bias(pop, sum.view(), 1.0);
            for (id, _) in
                self.connections.iter().enumerate().filter(|(_, c)| c.post == pop && c.pre == self.input())
            {
                sink.factors(id, x, sum.view(), 1.0);
            }
        }
        for (id, c) in self.connections.iter().enumerate().filter(|(_, c)| settles(c.pre) && settles(c.post))
        {
            for t in terms {
                sink.factors(
                    id,
                    t.out[c.pre].rows_view(t.rows.clone()),
                    t.out[c.post].rows_view(t.rows.clone()),
                    t.scale,
                );
            }
        }
    }
}

/// A state in a weighted sum of states.
#[derive(Clone, Debug)]
pub struct Term<'a> {
    /// Outputs of every population.
    pub out: &'a [Mat],
    /// Rows that belong to this term.
    pub rows: Range<usize>,
    /// Weight of this term.
    pub scale: f64,
}

fn weighted_sum(terms: &[Term<'_>], pop: PopId) -> Mat {
    let first = terms[0].out[pop].rows_view(terms[0].rows.clone());
    let mut sum = Mat::zeros(first.dtype(), first.rows(), first.cols());
    dispatch!(sum.dtype(), T => for t in terms {
        let (scale, from) = (T::lit(t.scale), t.out[pop].rows_view(t.rows.clone()));
        let (sum, from) = (sum.slice_mut::<T>(), from.slice::<T>());
        vectorize(#[inline(always)] || sum.iter_mut().zip(from).for_each(#[inline(always)] |(s, &x)| *s += scale * x));
    });
    sum
}
