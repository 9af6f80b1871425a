//! Combinations of nudges and of feedback weights that make no sense.

use super::{Refusal, refusal, rule, settling};
use crate::credit::{Acts, CreditNeeds};
use crate::network::{ConvLayer, Layer, PoolSpec};
use crate::neuron::UnitDynamics;
use crate::recipe::{Recipe, variant_name};
use crate::wiring::FeedbackSpec;

/// A nudge that turns in the complex plane needs a dynamics that continues there.
pub(super) fn complex_nudge(r: &Recipe) -> Refusal {
    let Acts::ComplexNudge { complex } = rule(r).acts else { return None };
    let unit = settling(r)?;
    if !unit.complex_step {
        return refusal(
            format!("{} needs the prototypical dynamics with the nudge inside", variant_name(&r.credit)),
            "use dynamics = \"prototypical\" and nudge = \"inside\"",
        );
    }
    if complex && !unit.analytic {
        return refusal(
            "a clipped activation is not holomorphic, so a complex nudge has no meaning for it",
            "use activation = \"shifted-sigmoid\", or \"d-silu\" for \"half-hard-sigmoid\"; points = 2 stays real",
        );
    }
    if complex && !r.objective.method().traits().analytic {
        return refusal(
            format!(
                "{} is not holomorphic, so a complex nudge has no meaning for it",
                variant_name(&r.objective)
            ),
            "use objective.squared-error or softmax-cross-entropy; points = 2 stays real",
        );
    }
    let max = |l: &Layer| matches!(l, Layer::Conv(ConvLayer { pool: Some(PoolSpec::Max(_)), .. }));
    if complex && r.network.layers.iter().any(max) {
        return refusal(
            "max pooling is not holomorphic, so a complex nudge has no meaning for it",
            "use pool = { soft = { size = 2 } } or { average = 2 }; points = 2 stays real",
        );
    }
    if complex && r.solver.method().traits().relaxes {
        return refusal("complex phases take no over-relaxation", "leave the solver's relaxation out");
    }
    None
}

pub(super) fn own_weights(r: &Recipe) -> Refusal {
    let dense = r.wiring.weights();
    let own = dense.feedback != FeedbackSpec::Tied;
    let CreditNeeds { dynamics, acts, corrected, free_state, .. } = rule(r);
    let settles = dynamics == UnitDynamics::Settling;
    let gradient = acts == Acts::Gradient && settles;
    let continuous = !free_state;
    let field = dense.feedback == FeedbackSpec::VectorField;
    let fits = match dense.feedback {
        FeedbackSpec::Tied => true,
        FeedbackSpec::VectorField => acts.nudges() || gradient,
        FeedbackSpec::KolenPollack => acts.nudges() || !settles,
        // Errors go back in passes; between settling units it is activity.
        _ => !settles,
    };
    if !fits {
        let word = variant_name(&dense.feedback);
        return refusal(
            format!("feedback = \"{word}\" has no meaning for {}", variant_name(&r.credit)),
            "use feedback = \"tied\", credit.eq-prop with \"kolen-pollack\" or \"vector-field\", or credit.backprop with the others",
        );
    }
    if own && !r.wiring.method().learns() {
        let wiring = variant_name(&r.wiring);
        return refusal(
            format!("wiring.{wiring} has no weights that learn, so none of its own flow back"),
            "use feedback = \"tied\", or wiring.sparse",
        );
    }
    // Two ports are what conductances fill.
    if own && r.wiring.method().numbers(2).is_some() {
        let wiring = variant_name(&r.wiring);
        return refusal(
            format!(
                "wiring.{wiring} is no product of weights, so no other weights stand for it on the way back"
            ),
            "use feedback = \"tied\"",
        );
    }
    if corrected && (!field || continuous) {
        return refusal(
            "corrected nudged phases are for feedback weights that learn for themselves, from a free state",
            "use feedback = \"vector-field\", or leave `corrected` out",
        );
    }
    if field && continuous {
        return refusal(
            "feedback = \"vector-field\" learns from the free state, which the continuous version does not have",
            "leave its periods out",
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
    if dense.feedback != FeedbackSpec::Tied && r.synapse.method().traits().own_state {
        return refusal(
            format!(
                "feedback = \"{}\" has weights of its own, which {} would not share",
                variant_name(&dense.feedback),
                variant_name(&r.synapse)
            ),
            "use feedback = \"tied\", or synapse.plain",
        );
    }
    None
}

/// States that are compared tell nothing of a number that fixed points depend on, unless somebody writes its energy down.
pub(super) fn own_numbers(r: &Recipe) -> Refusal {
    let number = settling(r).filter(|_| rule(r).acts != Acts::Gradient)?.moves_rest?;
    refusal(
        format!(
            "{} has no gradient for neuron.{}.{number}, which moves the fixed points",
            variant_name(&r.credit),
            variant_name(&r.neuron)
        ),
        "leave its `learned` out, or use credit.bptt",
    )
}
