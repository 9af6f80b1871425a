//! Backpropagation through a feed-forward network (Rumelhart, Hinton & Williams 1986), batch by batch.
//!
//! d = W s + b, or γ·norm(W s) + b;  s = σ(d);  δ = σ'(d)·∂ℓ/∂s;  ∂ℓ/∂W = Σ δ s_preᵀ, ∂ℓ/∂s_pre = Wᵀδ. A batch stays
//! whole, because a batch normalisation looks at all of its samples: threads share the products instead.

use super::auxiliary::Errors;
use super::outcome::{accumulate_grads_objective, loss_and_error_of};
use super::{Batch, Credit, CreditMethod, CreditNeeds, GradSink, PhaseStates, Step, auxiliary};
use crate::axis::{Cite, Place};
use crate::error::Result;
use crate::network::{ForwardCache, Grad, Network, ParamId, PopId, Role};
use crate::neuron::Ctx;
use crate::neuron::UnitDynamics;
use crate::norm::Normalised;
use crate::objective::Objective;
use crate::rng::Key;
use crate::solver::Solver;
use crate::synapse::Draw;
use bouton_kernels::{Mat, Real, View, dispatch, vectorize};
use rayon::prelude::*;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// Backpropagation (`[credit.backprop]`). No parameters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Backprop {}

/// The rule itself.
#[derive(Clone, Copy, Debug)]
pub(super) struct BackpropRule;

/// What a pass through the network leaves behind, by population.
pub(super) struct Trace {
    pub drive: Vec<Mat>,
    pub out: Vec<Mat>,
    norm: Vec<Option<Normalised>>,
    /// By connection.
    pool_cache: Vec<Mat>,
}

impl Trace {
    /// The activity that drives were computed from.
    pub fn cache<'a>(&'a self, x: View<'a>) -> ForwardCache<'a> {
        ForwardCache { x, out: &self.out, pool_cache: &self.pool_cache }
    }

    /// Takes the statistics of a training batch into the running means.
    pub fn observe(&self, network: &mut Network) {
        for (node, batch) in network.populations.iter_mut().zip(&self.norm) {
            if let (Some(norm), Some(batch)) = (&mut node.norm, batch) {
                norm.update_running_stats(batch);
            }
        }
    }
}

/// Values that one thread handles in elementwise work.
const SHARE: usize = 1 << 14;

impl BackpropRule {
    /// What is shown in training: some input units may be silent.
    pub fn shown<'a>(network: &Network, batch: &'a Batch, key: &Key) -> Cow<'a, Mat> {
        if network.populations[network.input()].dropout == 0.0 {
            return Cow::Borrowed(&batch.x);
        }
        let mut x = batch.x.clone();
        apply_dropout(&mut x, network, network.input(), key);
        Cow::Owned(x)
    }

    /// Through all populations; `key` names the random numbers of training, and its absence means evaluation.
    pub fn forward(network: &Network, x: View<'_>, key: Option<&Key>) -> Trace {
        let none = || -> Vec<Mat> {
            network.populations.iter().map(|p| Mat::zeros(network.dtype, 0, p.units)).collect()
        };
        let norm = vec![None; network.populations.len()];
        let mut trace = Trace { drive: none(), out: none(), norm, pool_cache: network.pool_caches(x.rows()) };
        for pop in network.with_role(Role::Forward) {
            let node = &network.populations[pop];
            let mut drive = network.par_drive(pop, x, &trace.out, &mut trace.pool_cache);
            let bias = node.bias.as_ref().map(|b| b.mat());
            if let Some(norm) = &node.norm {
                // A row for every place of an image: gain and bias belong to channels.
                let mut places = drive.folded(node.shape.channels);
                trace.norm[pop] = Some(match key {
                    Some(_) => norm.train(&mut places, bias),
                    None => norm.evaluate(&mut places, bias),
                });
                drive = places.folded(node.units);
            }
            let mut out = Mat::zeros(network.dtype, drive.rows(), node.units);
            step(network, pop, &drive, &mut out);
            if let Some(key) = key {
                apply_dropout(&mut out, network, pop, key);
            }
            (trace.drive[pop], trace.out[pop]) = (drive, out);
        }
        trace
    }

    /// Back through all populations, handing gradients to `sink`.
    fn backward(
        network: &Network,
        x: View<'_>,
        trace: &Trace,
        errors: Errors,
        key: Option<&Key>,
        sink: &mut dyn GradSink,
    ) {
        let scale = 1.0 / x.rows() as f64;
        let zeros = |p: PopId| Mat::zeros(network.dtype, trace.out[p].rows(), network.populations[p].units);
        let mut g_out: Vec<Mat> = (0..network.populations.len()).map(zeros).collect();
        errors.into_iter().for_each(|(pop, err)| g_out[pop] = err);
        let cache = trace.cache(x);
        for pop in network.with_role(Role::Forward).rev() {
            let node = &network.populations[pop];
            if let Some(key) = key {
                apply_dropout(&mut g_out[pop], network, pop, key);
            }
            let (mut g, own) = through_units(network, pop, &trace.drive[pop], &g_out[pop]);
            own.iter().for_each(|own| network.accumulate_grads_own(pop, own, scale, sink));
            if let (Some(norm), Some(batch)) = (&node.norm, &trace.norm[pop]) {
                sink.add(network, ParamId::bias(pop), Grad::rows(g.view(), scale));
                let mut places = g.folded(node.shape.channels);
                let g_gain = norm.backward(batch, &mut places).folded(node.units);
                g = places.folded(node.units);
                sink.add(network, ParamId::gain(pop), Grad::rows(g_gain.view(), scale));
                network.accumulate_grads_weights(pop, g.view(), cache, scale, sink);
            } else {
                network.accumulate_grads(pop, g.view(), cache, scale, sink);
            }
            network.par_backward(pop, g.view(), &trace.pool_cache, &mut g_out);
        }
    }
}

/// All units of a population, rows shared among threads.
fn step(network: &Network, pop: PopId, drive: &Mat, out: &mut Mat) {
    let node = &network.populations[pop];
    let band = (SHARE / drive.cols().max(1)).max(1);
    let parts: Vec<_> = out.view_mut().chunks_mut(band).enumerate().collect();
    parts.into_par_iter().for_each(|(i, out)| {
        let rows = i * band..i * band + out.rows();
        let mut none = Mat::zeros(drive.dtype(), 0, drive.cols());
        let (drive, mut change) = (drive.rows_view(rows.clone()), vec![0.0; rows.len()]);
        node.advance(&Ctx::default(), drive, None, none.view_mut(), out, &mut change);
    });
}

/// The gradient with respect to the drives of a population, and those of its units' own numbers, some rows at a time.
pub(super) fn through_units(network: &Network, pop: PopId, drive: &Mat, g_out: &Mat) -> (Mat, Vec<Mat>) {
    let node = &network.populations[pop];
    let band = (SHARE / drive.cols().max(1)).max(1);
    let mut g_drive = Mat::zeros(drive.dtype(), drive.rows(), drive.cols());
    let parts: Vec<_> = g_drive.view_mut().chunks_mut(band).enumerate().collect();
    let own = parts.into_par_iter().map(|(i, g_drive)| {
        let rows = i * band..i * band + g_drive.rows();
        let drive = drive.rows_view(rows.clone());
        let mut unused = drive.to_mat();
        let g_out = g_out.rows_view(rows);
        node.backward(&Ctx::default(), drive, drive, g_out, unused.view_mut(), g_drive)
    });
    let own = own.collect();
    (g_drive, own)
}

/// Dropout: sets each value to zero with the population's probability p and scales the others by 1/(1 − p). The same
/// key silences the same units.
pub(super) fn apply_dropout(mat: &mut Mat, network: &Network, pop: PopId, key: &Key) {
    let p = network.populations[pop].dropout;
    if p == 0.0 {
        return;
    }
    let key = key.of("dropout", pop as u64);
    let key = key.number();
    dispatch!(mat.dtype(), T => {
        let keep = T::constant(1.0 / (1.0 - p));
        mat.slice_mut::<T>().par_chunks_mut(SHARE).enumerate().for_each(|(part, values)| {
            let first = (part * SHARE) as u64;
            vectorize(#[inline(always)] || for (i, x) in values.iter_mut().enumerate() {
                let silent = Draw { key, index: first + i as u64 }.uniform::<f64>(0) < p;
                *x = if silent { T::constant(0.0) } else { *x * keep };
            });
        });
    });
}

impl Credit for BackpropRule {
    fn learn(
        &mut self,
        network: &mut Network,
        batch: &Batch,
        objective: &dyn Objective,
        sink: &mut dyn GradSink,
        key: &Key,
    ) -> Result<Step> {
        network.draw_feedback(key);
        let x = Self::shown(network, batch, key);
        let trace = Self::forward(network, x.view(), Some(key));
        let (err, mut step) =
            loss_and_error_of(network, objective, trace.out[network.output()].view(), &batch.target);
        let (mut errors, auxiliary_loss) = auxiliary::of_batch(network, &trace.out, batch);
        step.loss += auxiliary_loss;
        errors.push((network.output(), err));
        Self::backward(network, x.view(), &trace, errors, Some(key), sink);
        accumulate_grads_objective(network, &step, sink);
        trace.observe(network);
        sink.step(network)?;
        Ok(step)
    }

    fn evaluate(&self, network: &Network, batch: &Batch, objective: &dyn Objective) -> Result<Step> {
        let trace = Self::forward(network, batch.x.view(), None);
        let mut step =
            loss_and_error_of(network, objective, trace.out[network.output()].view(), &batch.target).1;
        step.loss += auxiliary::of_batch(network, &trace.out, batch).1;
        Ok(step)
    }

    fn gradients(
        &self,
        network: &Network,
        batch: &Batch,
        objectives: &[&dyn Objective],
        sink: &mut dyn GradSink,
    ) -> Result<()> {
        let trace = Self::forward(network, batch.x.view(), None);
        for objective in objectives {
            let err =
                loss_and_error_of(network, *objective, trace.out[network.output()].view(), &batch.target).0;
            let errors = vec![(network.output(), err)];
            Self::backward(network, batch.x.view(), &trace, errors, None, sink);
        }
        Ok(())
    }

    fn free(&self, network: &Network, batch: &Batch, _: &dyn Objective) -> Result<PhaseStates> {
        let out = Self::forward(network, batch.x.view(), None).out;
        Ok(PhaseStates { beta: 0.0, out, residual: vec![0.0; batch.len()] })
    }

    fn free_in_training(
        &self,
        network: &mut Network,
        batch: &Batch,
        _: &dyn Objective,
        key: &Key,
    ) -> Result<PhaseStates> {
        let x = Self::shown(network, batch, key);
        let trace = Self::forward(network, x.view(), Some(key));
        trace.observe(network);
        Ok(PhaseStates { beta: 0.0, out: trace.out, residual: vec![0.0; batch.len()] })
    }
}

impl CreditMethod for Backprop {
    fn check(&self, _: &Place) -> Result<()> {
        Ok(())
    }

    fn cites(&self) -> Vec<Cite> {
        vec![Cite::of("rumelhart1986")]
    }

    fn needs(&self) -> CreditNeeds {
        CreditNeeds { per_sample: true, ..CreditNeeds::gradient(UnitDynamics::Feedforward) }
    }

    fn steps_mut(&mut self) -> Vec<&mut usize> {
        Vec::new()
    }

    fn copies(&self) -> usize {
        4
    }

    fn examples() -> Vec<Self> {
        vec![Self {}]
    }

    fn build(&self, _: Solver, _: &Network, _: usize) -> Box<dyn Credit> {
        Box::new(BackpropRule)
    }
}
