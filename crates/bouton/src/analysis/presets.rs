//! Members that checks and comparisons name: references that a rule is held against, and the plainest of an axis.

use crate::credit::{
    Backprop, Bptt, ContinualEqProp, CreditSpec, EqProp, HolomorphicEqProp, Nudge, RecurrentBackprop, Start,
};
use crate::neuron::{NeuronSpec, Relu};
use crate::objective::{ObjectiveSpec, SoftmaxCrossEntropy};
use crate::optim::{Decay, OptimSpec, Sgd};
use crate::wiring::PerLayer;

/// The exact gradient at the fixed point, by so many sweeps there and back.
pub(super) fn exact(steps: usize) -> CreditSpec {
    CreditSpec::RecurrentBackprop(RecurrentBackprop { free_steps: steps, adjoint_steps: steps })
}

/// The exact gradient through all sweeps, or through the last ones.
pub(super) fn through_time(steps: usize, truncate: Option<usize>) -> CreditSpec {
    CreditSpec::Bptt(Bptt { steps: Some(steps), truncate, checkpoint: None, memory: None })
}

/// The exact gradient through all steps of a network that moves in time.
pub(super) fn in_time() -> CreditSpec {
    CreditSpec::Bptt(Bptt::default())
}

/// Equilibrium propagation with phases of `free_steps` and `nudged_steps` sweeps.
pub(super) fn eq_prop(nudge: Nudge, beta: f64, [free_steps, nudged_steps]: [usize; 2]) -> CreditSpec {
    CreditSpec::EqProp(EqProp { beta, nudge, free_steps, nudged_steps, start: Start::Zero, corrected: false })
}

/// Equilibrium propagation with `points` nudges on a circle.
pub(super) fn holomorphic(points: usize, beta: f64, steps: usize) -> CreditSpec {
    let (free_steps, nudged_steps) = (steps, steps);
    let (corrected, periods) = (false, None);
    CreditSpec::HolomorphicEqProp(HolomorphicEqProp {
        beta,
        points,
        free_steps,
        nudged_steps,
        corrected,
        periods,
    })
}

/// Equilibrium propagation whose weights move during the nudged phase.
pub(super) fn continual(beta: f64, [free_steps, nudged_steps]: [usize; 2]) -> CreditSpec {
    CreditSpec::ContinualEqProp(ContinualEqProp { beta, nudge: Nudge::Positive, free_steps, nudged_steps })
}

/// The network that everybody knows: rectified units, softmax, backpropagation.
pub(super) fn layered() -> (NeuronSpec, CreditSpec, ObjectiveSpec) {
    let softmax = ObjectiveSpec::SoftmaxCrossEntropy(SoftmaxCrossEntropy::default());
    (NeuronSpec::Relu(Relu::default()), CreditSpec::Backprop(Backprop::default()), softmax)
}

/// Gradient descent and nothing else.
pub(super) fn descent(rate: f64, decay: f64) -> OptimSpec {
    OptimSpec::Sgd(Sgd {
        lr: PerLayer::All(rate),
        nesterov: false,
        momentum: 0.0,
        decay,
        decay_style: Decay::Coupled,
        bias_scale: 1.0,
    })
}
