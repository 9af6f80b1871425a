//! Layer-wise rules without a teacher: every hidden population learns from its own input and answer, the output from the objective.
//!
//!   ΔW = ⟨y xᵀ⟩ − P W
//!
//! over samples and, of filters, places. y is what a rule makes of a population's answer, P what it takes off: nothing, a number for
//! each unit, or a matrix among them. The delta rule teaches the output at the same time, and nothing of it comes back. What is handed
//! over is −ΔW, so that a step of plain descent at rate η moves W by ηΔW; biases of hidden units stay as they are drawn.

use super::backprop::{BackpropRule, through_units};
use super::outcome::{accumulate_grads_objective, loss_and_error_of};
use super::through_time::goes_forth_by;
use super::{Batch, Credit, GradCollector, GradSink, PhaseStates, Step};
use crate::error::Result;
use crate::network::{ConnId, Grad, Network, ParamId, PopId, Role, Visitor};
use crate::objective::Objective;
use crate::rng::Key;
use bouton_kernels::{DType, Elem, Mat, View, WeightMat, dispatch, scale_all};

/// What a rule takes off weights.
pub(super) enum Pull {
    Nothing,
    /// So much of its weights from each unit, summed over rows.
    Each(Vec<f64>),
    /// So much of the weights of every other unit, [units, units], summed over rows.
    Among(Mat),
}

/// What a rule makes of some rows of answers, [rows, units].
pub(super) struct Response {
    /// y.
    pub y: Mat,
    pub pull: Pull,
}

/// A rule of single populations; rows are samples or, of filters, places of them.
pub(super) trait Local: Send + Sync + std::fmt::Debug {
    /// Whether it looks at what weights make of their input, before pooling and activation, and not at the answer of the units.
    fn sees_drives(&self) -> bool;
    /// The weights that these drives are made with. Default: those that there are.
    fn lens(&self, _: &Mat) -> Option<Mat> {
        None
    }
    /// What it makes of answers, [rows, units]; `memory` is what it keeps of each unit, [1, units].
    fn respond(&self, answers: &Mat, memory: &mut Mat) -> Response;
    /// What becomes of ΔW, the sum over so many rows, before it is taken.
    fn finish(&self, change: &mut Mat, rows: usize, _weight: &Mat) {
        scale_all(change, 1.0 / rows.max(1) as f64);
    }
    /// What it keeps of a unit at first.
    fn start(&self) -> f64 {
        0.0
    }
}

/// The rule.
#[derive(Debug)]
pub(super) struct LayerWise {
    pub local: Box<dyn Local>,
    /// Batches that hidden populations learn from; none: all of them.
    pub updates: Option<u64>,
    /// By population, [1, channels].
    memory: Vec<Mat>,
    /// Batches so far, [1, 1].
    batches: Mat,
}

impl LayerWise {
    pub fn new(local: Box<dyn Local>, updates: Option<u64>, network: &Network) -> Self {
        let start = local.start();
        let keeps = |p: PopId| {
            let units = if is_hidden(network, p) { network.populations[p].shape.channels } else { 0 };
            Mat::from_fn(DType::F64, 1, units, |_, _| start)
        };
        let memory = (0..network.populations.len()).map(keeps).collect();
        Self { local, updates, memory, batches: Mat::zeros(DType::F64, 1, 1) }
    }

    fn pass(&self) -> BackpropRule {
        BackpropRule
    }

    /// Hands over −ΔW of a connection, of which `pre` is what it brought and `out` what came of it.
    fn teach(&mut self, network: &Network, id: ConnId, pre: View<'_>, out: &Mat, sink: &mut dyn GradSink) {
        let c = &network.connections[id];
        let channels = network.populations[c.post].shape.channels;
        let answers = if self.local.sees_drives() {
            let lens = self.local.lens(c.weight.mat()).map(WeightMat::new);
            let mut drives =
                Mat::zeros(network.dtype, pre.rows(), c.factors(network.populations[c.post].units));
            c.wiring.par_forward(lens.as_ref().unwrap_or(&c.weight), pre, drives.view_mut());
            drives
        } else {
            out.clone()
        };
        let (width, folded) = (answers.cols(), answers.folded(channels));
        let rows = folded.rows();
        let Response { y, pull } = self.local.respond(&folded, &mut self.memory[c.post]);
        let mut sum = GradCollector::default();
        let id = ParamId::weight(id);
        sum.add(network, id, Grad::factors(pre, y.folded(width).view(), 1.0));
        let Some(mut change) = sum.gradients.remove(&id) else { return };
        take_off(&mut change, &pull, c.weight.mat());
        self.local.finish(&mut change, rows, c.weight.mat());
        sink.add(network, id, Grad::whole(&change, -1.0));
    }
}

/// change −= P W.
fn take_off(change: &mut Mat, pull: &Pull, weight: &Mat) {
    dispatch!(change.dtype(), T => for r in 0..change.rows() {
        let mut row = change.rows_view_mut(r..r + 1);
        let row = row.slice_mut::<T>();
        let mut less = |by: f64, other: usize| {
            let by = T::from_f64(by);
            let weights = weight.view().row::<T>(other).iter();
            row.iter_mut().zip(weights).for_each(|(d, w)| *d -= by * *w);
        };
        match pull {
            Pull::Nothing => {}
            Pull::Each(by) => less(by[r], r),
            Pull::Among(by) => (0..by.cols()).filter(|&k| by.get(r, k) != 0.0).for_each(|k| less(by.get(r, k), k)),
        }
    });
}

/// Scales a matrix so that its largest element has size 1.
pub(super) fn to_largest_one(change: &mut Mat) {
    let most = dispatch!(change.dtype(), T => {
        change.slice::<T>().iter().map(|x| x.to_f64().abs()).fold(0.0, f64::max)
    });
    scale_all(change, 1.0 / (most + 1e-30));
}

/// Whether a population learns without a teacher.
fn is_hidden(network: &Network, pop: PopId) -> bool {
    network.populations[pop].role == Role::Forward && pop != network.output()
}

impl Credit for LayerWise {
    fn learn(
        &mut self,
        network: &mut Network,
        batch: &Batch,
        objective: &dyn Objective,
        sink: &mut dyn GradSink,
        key: &Key,
    ) -> Result<Step> {
        let x = BackpropRule::shown(network, batch, key);
        let trace = BackpropRule::forward(network, x.view(), Some(key));
        let output = network.output();
        let (err, step) = loss_and_error_of(network, objective, trace.out[output].view(), &batch.target);
        let (g, own) = through_units(network, output, &trace.drive[output], &err);
        let (scale, cache) = (1.0 / batch.len() as f64, trace.cache(x.view()));
        let here: &Network = network;
        own.iter().for_each(|own| here.accumulate_grads_own(output, own, scale, sink));
        here.accumulate_grads(output, g.view(), cache, scale, sink);
        if self.updates.is_none_or(|updates| self.batches.get(0, 0) < updates as f64) {
            for id in 0..here.connections.len() {
                let c = &here.connections[id];
                if is_hidden(here, c.post) && c.carries_activity() && c.learns && c.weight.mat().rows() > 0 {
                    let pre = here.sent(c.pre, cache);
                    self.teach(here, id, pre.view(), &trace.out[c.post], sink);
                }
            }
        }
        self.batches = Mat::from_f64s(DType::F64, 1, 1, &[self.batches.get(0, 0) + 1.0]);
        accumulate_grads_objective(here, &step, sink);
        trace.observe(network);
        sink.step(network)?;
        Ok(step)
    }

    goes_forth_by!(pass);

    fn visit(&mut self, visitor: &mut Visitor<'_>) -> Result<()> {
        visitor("credit.batches", &mut self.batches)?;
        let mut kept = self.memory.iter_mut().enumerate().filter(|(_, m)| m.cols() > 0);
        kept.try_for_each(|(p, m)| visitor(&format!("credit.memory{p}"), m))
    }
}
