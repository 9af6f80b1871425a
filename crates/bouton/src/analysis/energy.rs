//! Sweeps and fixed points: even-odd sweeps never raise E = Σ∫σ⁻¹ − Φ, and every solver ends at the same state.

use super::{Bound, CheckContext, Findings, Property};
use crate::error::Result;
use crate::network::{Network, Role, State};
use crate::solver::{Plan, Solver};
use bouton_kernels::View;

/// Sweeps over which the energy is watched.
const SWEEPS: usize = 60;

pub(super) fn check(context: &CheckContext, findings: &mut Findings) -> Result<()> {
    let energy = (
        "energy-descends",
        "largest relative rise of the energy in an even-odd half-sweep",
        Bound::AtMost(1e-12),
    );
    let same = ("solvers-agree", "largest distance between fixed points of all solvers", Bound::AtMost(1e-6));
    let settles = context.network.nudged().is_some();
    let why = match () {
        _ if !settles => Some("the network does not settle"),
        _ if context.network.connections.iter().any(|c| c.feedback.own().is_some()) => {
            Some("feedback weights of their own leave no energy")
        }
        _ if context.follows_energy() => Some("these units take small steps, not block minima"),
        _ => None,
    };
    let plan = Plan::even_odd(&context.network);
    if let Some(why) = why {
        findings.properties.push(Property::not_applicable(energy.0, energy.1, energy.2, why));
        findings.properties.push(Property::not_applicable(same.0, same.1, same.2, why));
        return Ok(());
    }
    match largest_rise(context, &plan) {
        Some(rise) => findings.properties.push(Property::measured(energy.0, energy.1, rise, energy.2)),
        None => findings.properties.push(Property::not_applicable(
            energy.0,
            energy.1,
            energy.2,
            "an activation has no inverse in closed form",
        )),
    }
    let distance = distance_between_solvers(context, &plan)?;
    findings.properties.push(Property::measured(same.0, same.1, distance, same.2));
    Ok(())
}

fn start(context: &CheckContext) -> State {
    let constant = context.network.constant_drive(context.batch.x.view());
    State::new(&context.network, &constant, 0..context.batch.len(), &context.batch.target)
}

/// Largest (E_after − E_before)/|E_before| of a half-sweep, after the first one.
fn largest_rise(context: &CheckContext, plan: &Plan) -> Option<f64> {
    let solver = Solver::plain(plan.clone());
    let mut state = start(context);
    let rows = 0..state.rows();
    let (mut before, mut rise): (Option<f64>, f64) = (None, 0.0);
    for sweep in 0..SWEEPS {
        for block in &plan.0 {
            solver.advance(&context.network, &mut state, block, None, rows.clone());
            let after = energy(&context.network, context.batch.x.view(), &state)?;
            if let (Some(before), true) = (before, sweep > 0) {
                rise = rise.max((after - before) / before.abs().max(1.0));
            }
            before = Some(after);
        }
    }
    Some(rise)
}

/// E = Σ∫σ⁻¹(s) − Φ(s), Φ = Σ s·(constant + drive from the settling populations before it).
fn energy(network: &Network, x: View<'_>, state: &State) -> Option<f64> {
    let mut sum = 0.0;
    for p in network.with_role(Role::Settling) {
        let activation = network.populations[p].model.activation()?;
        let upward = network.par_drive(p, x, &state.out, &mut network.pool_caches(state.rows()));
        let (s, upward) = (state.out[p].to_f64s(), upward.to_f64s());
        for i in 0..s.len() {
            sum += activation.potential(s[i])? - s[i] * upward[i];
        }
    }
    Some(sum)
}

fn distance_between_solvers(context: &CheckContext, plan: &Plan) -> Result<f64> {
    let mut distance: f64 = 0.0;
    for (plan, omega) in
        [(Plan::synchronous(&context.network), 1.0), (plan.clone(), 1.0), (plan.clone(), 1.2)]
    {
        let solver = Solver { omega, tolerance: Some(1e-14), ..Solver::plain(plan) };
        let mut state = start(context);
        solver.relax(&context.network, &mut state, None, 4 * context.sweeps(), "free")?;
        for p in context.network.with_role(Role::Settling) {
            let (a, b) = (state.out[p].to_f64s(), context.free.out[p].to_f64s());
            distance = a.iter().zip(&b).map(|(x, y)| (x - y).abs()).fold(distance, f64::max);
        }
    }
    Ok(distance)
}
