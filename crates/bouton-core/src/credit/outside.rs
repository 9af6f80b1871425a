//! A network as a function inside a larger model, which asks for its outputs and sends back ∂ℓ/∂outputs.
//!
//! In training (`key` names the pass) it drops out, is noisy and normalises by the batch; a pass back with the same key
//! differentiates exactly that. In evaluation it does nothing of it, either way.

use super::backprop::apply_dropout;
use super::{Batch, Credit, GradCollector, InputGradCollector};
use crate::error::{Error, Result};
use crate::network::{Feedback, Network, Node, ParamId};
use crate::norm::NormTraits;
use crate::objective::{Given, Objective};
use crate::rng::Key;
use bouton_kernels::Mat;
use std::mem::take;

/// The outputs, [samples, outputs]. In training, running statistics take in those of the batch.
///
/// # Errors
/// [`Error::Shape`] for a single sample where training takes statistics of a batch, and if a relaxation diverges.
pub fn forward(
    credit: &dyn Credit,
    network: &mut Network,
    batch: &Batch,
    objective: &dyn Objective,
    key: Option<&Key>,
) -> Result<Mat> {
    let output = network.output();
    let Some(key) = key else { return Ok(credit.free(network, batch, objective)?.out.swap_remove(output)) };
    let alone = |p: &Node| of_batch(p).is_some() && batch.len() * p.shape.height * p.shape.width < 2;
    if network.populations.iter().any(alone) {
        let message = "norm.batch takes mean and variance of a batch, but the batch has one sample";
        return Err(Error::shape(message).with_hint("pass more samples, or answer as in evaluation"));
    }
    Ok(credit.free_in_training(network, batch, objective, key)?.out.swap_remove(output))
}

/// The gradients of the parameters and of the input, [samples, features], of the mean of `loss` over the samples. A rule
/// that draws something in evaluation too (the sign of a nudge) draws it by `key`. Running statistics stay as they are. The input has
/// none where an encoder makes something else of its numbers.
///
/// # Errors
/// [`Error::Incompatible`] for rules that learn several times from one batch, and if a relaxation diverges.
pub fn gradients(
    credit: &mut dyn Credit,
    network: &mut Network,
    batch: &Batch,
    loss: &Given,
    key: &Key,
    training: bool,
) -> Result<(GradCollector, Option<Mat>)> {
    if network.steps_in_time() {
        return credit.send_back(network, batch, &loss.gradient, training.then_some(key));
    }
    let mut sink = InputGradCollector::new(network);
    if !training && network.populations.iter().any(runs) {
        credit.gradients(network, batch, &[loss], &mut sink)?;
    } else {
        let loud = if training { Vec::new() } else { quiet(network) };
        let norms = network.norms();
        let learned = credit.learn(network, batch, loss, &mut sink, key);
        network.set_norms(&norms);
        network.populations.iter_mut().zip(loud).for_each(|(p, loud)| (p.noise, p.dropout) = loud);
        learned?;
    }
    let mut input = sink.input(network, batch.len())?;
    if training {
        apply_dropout(&mut input, network, network.input(), key);
    }
    Ok((with_feedback(network, sink.parameters), Some(input)))
}

/// Switches noise and dropout of every population off; returns what they were.
fn quiet(network: &mut Network) -> Vec<(f64, f64)> {
    network.populations.iter_mut().map(|p| (take(&mut p.noise), take(&mut p.dropout))).collect()
}

/// What the normalisation of a population takes together.
fn of_batch(node: &Node) -> Option<NormTraits> {
    node.norm.as_ref().map(|norm| norm.traits).filter(|norm| norm.needs_batch)
}

/// Whether evaluation normalises with running statistics, which training does not.
fn runs(node: &Node) -> bool {
    of_batch(node).is_some_and(|norm| !norm.answers_by_batch)
}

/// Feedback weights that learn what the forward weight learns have its gradient.
fn with_feedback(network: &Network, mut found: GradCollector) -> GradCollector {
    for (id, c) in network.connections.iter().enumerate() {
        let forward =
            found.gradients.get(&ParamId::weight(id)).filter(|_| matches!(c.feedback, Feedback::Own(_)));
        if let Some(forward) = forward.cloned() {
            found.gradients.insert(ParamId::feedback(id), forward);
        }
    }
    found
}
