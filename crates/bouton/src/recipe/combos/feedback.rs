//! Combinations of nudges and of feedback weights that make no sense.

use super::{Refusal, nudges, refusal, settle};
use crate::credit::CreditSpec;
use crate::network::{ConvLayer, Layer, PoolSpec};
use crate::neuron::{Activation, Dynamics, NudgePosition};
use crate::recipe::{Recipe, tag};
use crate::solver::SolverSpec;
use crate::synapse::SynapseSpec;
use crate::wiring::FeedbackSpec;

/// A nudge that turns in the complex plane needs a dynamics that continues there.
pub(super) fn complex_nudge(r: &Recipe) -> Refusal {
    let CreditSpec::HolomorphicEqProp(c) = &r.credit else { return None };
    let s = settle(r)?;
    if s.dynamics == Dynamics::Energy || s.nudge == NudgePosition::Outside {
        return refusal(
            "holomorphic-eq-prop needs the prototypical dynamics with the nudge inside",
            "use dynamics = \"prototypical\" and nudge = \"inside\"",
        );
    }
    let complex = c.points > 2 || c.periods.is_some();
    if complex && !(s.activation.is_analytic() && s.output.is_none_or(Activation::is_analytic)) {
        return refusal(
            "a clipped activation is not holomorphic, so a complex nudge has no meaning for it",
            "use activation = \"shifted-sigmoid\", or \"d-silu\" for \"half-hard-sigmoid\"; points = 2 stays real",
        );
    }
    let max = |l: &Layer| matches!(l, Layer::Conv(ConvLayer { pool: Some(PoolSpec::Max(_)), .. }));
    if complex && r.network.layers.iter().any(max) {
        return refusal(
            "max pooling is not holomorphic, so a complex nudge has no meaning for it",
            "use pool = { soft = { size = 2 } } or { average = 2 }; points = 2 stays real",
        );
    }
    let relaxed = matches!(&r.solver, SolverSpec::EvenOdd(s) if s.relaxation != 1.0);
    if complex && relaxed {
        return refusal("complex phases take no over-relaxation", "leave solver.even-odd.relaxation out");
    }
    None
}

pub(super) fn own_weights(r: &Recipe) -> Refusal {
    let dense = r.wiring.weights();
    let own = dense.feedback != FeedbackSpec::Tied;
    let gradient = matches!(r.credit, CreditSpec::Bptt(_) | CreditSpec::RecurrentBackprop(_));
    let turning = matches!(&r.credit, CreditSpec::HolomorphicEqProp(c) if c.periods.is_some());
    let field = dense.feedback == FeedbackSpec::VectorField;
    if own && !(nudges(&r.credit) || field && gradient) {
        let word = tag(&dense.feedback);
        return refusal(
            format!("feedback = \"{word}\" has no meaning for {}, which needs tied weights", tag(&r.credit)),
            "use feedback = \"tied\", or credit.eq-prop",
        );
    }
    let corrected = match &r.credit {
        CreditSpec::EqProp(c) => c.corrected,
        CreditSpec::HolomorphicEqProp(c) => c.corrected,
        _ => false,
    };
    if corrected && (!field || turning) {
        return refusal(
            "corrected nudged phases are for feedback weights that learn for themselves, from a free state",
            "use feedback = \"vector-field\", or leave `corrected` out",
        );
    }
    if field && turning {
        return refusal(
            "feedback = \"vector-field\" learns from the free state, which the continuous version does not have",
            "leave credit.holomorphic-eq-prop.periods out",
        );
    }
    if !field && dense.homeostasis > 0.0 {
        return refusal(
            "homeostasis makes feedback weights like forward ones, but they are the same or learn the same",
            "use feedback = \"vector-field\"",
        );
    }
    None
}

/// State beside the weight belongs to the forward weight; own feedback weights have none.
pub(super) fn own_memory(r: &Recipe) -> Refusal {
    let dense = r.wiring.weights();
    if dense.feedback != FeedbackSpec::Tied && !matches!(r.synapse, SynapseSpec::Plain(_)) {
        return refusal(
            format!(
                "feedback = \"{}\" has weights of its own, which {} would not share",
                tag(&dense.feedback),
                tag(&r.synapse)
            ),
            "use feedback = \"tied\", or synapse.plain",
        );
    }
    None
}
