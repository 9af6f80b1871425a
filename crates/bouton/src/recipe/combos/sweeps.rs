//! Combinations of solvers with networks and credit rules that make no sense.

use super::{Refusal, refusal, rule, settling};
use crate::network::{ConvLayer, Layer, PoolSpec};
use crate::recipe::{Recipe, variant_name};
use crate::wiring::FeedbackSpec;

pub(super) fn solver_and_neuron(r: &Recipe) -> Refusal {
    let (name, solver) = (variant_name(&r.solver), r.solver.method().traits());
    match settling(r) {
        None if solver.blocks => refusal(
            format!(
                "solver.{name} is for settling units; {} units are computed in one pass",
                variant_name(&r.neuron)
            ),
            "leave [solver] out",
        ),
        None if solver.tolerance.is_some() => refusal(
            format!(
                "solver.{name}.tolerance is for settling units; {} units are computed in one pass",
                variant_name(&r.neuron)
            ),
            "leave [solver] out",
        ),
        Some(unit) if solver.blocks && !unit.minimises => refusal(
            format!(
                "solver.{name} minimises exactly over each layer, but these units of neuron.{} take small steps",
                variant_name(&r.neuron)
            ),
            "use neuron.settle with dynamics = \"prototypical\", or solver.synchronous",
        ),
        _ => None,
    }
}

pub(super) fn solver_and_credit(r: &Recipe) -> Refusal {
    let fixed = rule(r).fixed_steps;
    if fixed && r.solver.method().traits().history > 0 {
        let solver = variant_name(&r.solver);
        let message =
            format!("{} goes through plain sweeps, which solver.{solver} mixes", variant_name(&r.credit));
        return refusal(message, "use solver.even-odd or solver.synchronous");
    }
    r.solver.tolerance().filter(|_| fixed)?;
    refusal(
        format!(
            "{} takes a fixed number of steps, but solver.{}.tolerance stops early",
            variant_name(&r.credit),
            variant_name(&r.solver)
        ),
        "leave the tolerance out",
    )
}

/// Mixed steps are guarded by an energy, which has to exist and to be at hand after each half of a sweep.
pub(super) fn mixing(r: &Recipe) -> Refusal {
    let unit = settling(r).filter(|_| r.solver.method().traits().history > 0)?;
    let solver = format!("solver.{}", variant_name(&r.solver));
    if let Some(activation) = unit.without_energy {
        return refusal(
            format!("{} has no energy in closed form to guard {solver}", variant_name(&activation)),
            "use activation = \"shifted-sigmoid\" or a clipped one, or solver.even-odd",
        );
    }
    if unit.noise > 0.0 {
        return refusal(format!("noisy units have no energy to guard {solver}"), "use solver.even-odd");
    }
    if r.wiring.weights().feedback != FeedbackSpec::Tied {
        return refusal(
            format!("feedback weights of their own leave no energy to guard {solver}"),
            "use feedback = \"tied\", or solver.even-odd",
        );
    }
    let chooses = |l: &Layer| {
        matches!(l, Layer::Conv(ConvLayer { pool: Some(PoolSpec::Max(_) | PoolSpec::Soft(_)), .. }))
    };
    if r.network.layers.iter().any(chooses) {
        return refusal(
            format!(
                "{solver} reads the energy from drives, which max and soft pooling change with the state"
            ),
            "use pool = { average = 2 }, or solver.even-odd",
        );
    }
    let inside = |s: &crate::network::Skip| s.from > 0 && (s.to - s.from.min(s.to)).is_multiple_of(2);
    r.network.skips.iter().copied().find(inside).and_then(|skip| {
        refusal(
            format!(
                "{solver} moves two groups, but a skip joins layers {} and {} of one",
                skip.from, skip.to
            ),
            "use solver.even-odd",
        )
    })
}
