//! Combinations of solvers with networks and credit rules that make no sense.

use super::{Refusal, refusal, settle};
use crate::credit::CreditSpec;
use crate::network::{ConvLayer, Layer, PoolSpec};
use crate::neuron::{Activation, Dynamics};
use crate::recipe::{Recipe, tag};
use crate::solver::SolverSpec;
use crate::wiring::FeedbackSpec;

pub(super) fn solver_and_neuron(r: &Recipe) -> Refusal {
    let name = tag(&r.solver);
    match (settle(r), &r.solver) {
        (None, SolverSpec::EvenOdd(_) | SolverSpec::Anderson(_)) => refusal(
            format!("solver.{name} is for settling units; {} units are computed in one pass", tag(&r.neuron)),
            "leave [solver] out",
        ),
        (None, SolverSpec::Synchronous(s)) if s.tolerance.is_some() => refusal(
            format!(
                "solver.synchronous.tolerance is for settling units; {} units are computed in one pass",
                tag(&r.neuron)
            ),
            "leave [solver] out",
        ),
        (Some(s), SolverSpec::EvenOdd(_) | SolverSpec::Anderson(_)) if s.dynamics == Dynamics::Energy => {
            refusal(
                format!(
                    "solver.{name} minimises exactly over each layer, but the energy dynamics take small steps"
                ),
                "use neuron.settle.dynamics = \"prototypical\", or solver.synchronous",
            )
        }
        _ => None,
    }
}

pub(super) fn solver_and_credit(r: &Recipe) -> Refusal {
    let fixed = matches!(r.credit, CreditSpec::Bptt(_) | CreditSpec::ContinualEqProp(_));
    if fixed && matches!(r.solver, SolverSpec::Anderson(_)) {
        let message = format!("{} goes through plain sweeps, which solver.anderson mixes", tag(&r.credit));
        return refusal(message, "use solver.even-odd or solver.synchronous");
    }
    r.solver.tolerance().filter(|_| fixed)?;
    refusal(
        format!(
            "{} takes a fixed number of steps, but solver.{}.tolerance stops early",
            tag(&r.credit),
            tag(&r.solver)
        ),
        "leave the tolerance out",
    )
}

/// Mixed steps are guarded by an energy, which has to exist and to be at hand after each half of a sweep.
pub(super) fn mixing(r: &Recipe) -> Refusal {
    let (s, SolverSpec::Anderson(_)) = (settle(r)?, &r.solver) else { return None };
    let closed = |a: Activation| a.potential(0.5).is_some();
    if !(closed(s.activation) && s.output.is_none_or(closed)) {
        return refusal(
            format!("{} has no energy in closed form to guard solver.anderson", tag(&s.activation)),
            "use activation = \"shifted-sigmoid\" or a clipped one, or solver.even-odd",
        );
    }
    if s.noise > 0.0 {
        return refusal("noisy units have no energy to guard solver.anderson", "use solver.even-odd");
    }
    if r.wiring.weights().feedback != FeedbackSpec::Tied {
        return refusal(
            "feedback weights of their own leave no energy to guard solver.anderson",
            "use feedback = \"tied\", or solver.even-odd",
        );
    }
    let chooses = |l: &Layer| {
        matches!(l, Layer::Conv(ConvLayer { pool: Some(PoolSpec::Max(_) | PoolSpec::Soft(_)), .. }))
    };
    if r.network.layers.iter().any(chooses) {
        return refusal(
            "solver.anderson reads the energy from drives, which max and soft pooling change with the state",
            "use pool = { average = 2 }, or solver.even-odd",
        );
    }
    let inside = |s: &crate::network::Skip| s.from > 0 && (s.to - s.from.min(s.to)).is_multiple_of(2);
    r.network.skips.iter().copied().find(inside).and_then(|skip| {
        refusal(
            format!(
                "solver.anderson moves two groups, but a skip joins layers {} and {} of one",
                skip.from, skip.to
            ),
            "use solver.even-odd",
        )
    })
}
