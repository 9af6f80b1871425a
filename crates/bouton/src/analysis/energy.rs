//! Sweeps and fixed points: even-odd sweeps never raise E = Σ∫σ⁻¹ − Φ, and every solver ends at the same state.

use super::{Bound, Findings, Lab, Property};
use crate::error::Result;
use crate::network::{Network, Role, State};
use crate::solver::{Plan, Solver};
use bouton_kernels::View;

/// Sweeps over which the energy is watched.
const SWEEPS: usize = 60;

pub(super) fn check(lab: &Lab, findings: &mut Findings) -> Result<()> {
    let energy = (
        "energy-descends",
        "largest relative rise of the energy in an even-odd half-sweep",
        Bound::AtMost(1e-12),
    );
    let same = ("solvers-agree", "largest distance between fixed points of all solvers", Bound::AtMost(1e-6));
    let settles = lab.network.nudged().is_some();
    let why = match () {
        _ if !settles => Some("the network does not settle"),
        _ if lab.network.connections.iter().any(|c| c.feedback.own().is_some()) => {
            Some("feedback weights of their own leave no energy")
        }
        _ if lab.follows_energy() => Some("these units take small steps, not block minima"),
        _ => None,
    };
    let plan = Plan::even_odd(&lab.network);
    if let Some(why) = why {
        findings.properties.push(Property::not_applicable(energy.0, energy.1, energy.2, why));
        findings.properties.push(Property::not_applicable(same.0, same.1, same.2, why));
        return Ok(());
    }
    match largest_rise(lab, &plan) {
        Some(rise) => findings.properties.push(Property::measured(energy.0, energy.1, rise, energy.2)),
        None => findings.properties.push(Property::not_applicable(
            energy.0,
            energy.1,
            energy.2,
            "an activation has no inverse in closed form",
        )),
    }
    let distance = distance_between_solvers(lab, &plan)?;
    findings.properties.push(Property::measured(same.0, same.1, distance, same.2));
    Ok(())
}

fn start(lab: &Lab) -> State {
    let constant = lab.network.constant_drive(lab.batch.x.view());
    State::new(&lab.network, &constant, 0..lab.batch.len(), &lab.batch.target)
}

/// Largest (E_after − E_before)/|E_before| of a half-sweep, after the first one.
fn largest_rise(lab: &Lab, plan: &Plan) -> Option<f64> {
    let solver = Solver::plain(plan.clone());
    let mut state = start(lab);
    let rows = 0..state.rows();
    let (mut before, mut rise): (Option<f64>, f64) = (None, 0.0);
    for sweep in 0..SWEEPS {
        for block in &plan.0 {
            solver.advance(&lab.network, &mut state, block, None, rows.clone());
            let after = energy(&lab.network, lab.batch.x.view(), &state)?;
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

fn distance_between_solvers(lab: &Lab, plan: &Plan) -> Result<f64> {
    let mut distance: f64 = 0.0;
    for (plan, omega) in [(Plan::synchronous(&lab.network), 1.0), (plan.clone(), 1.0), (plan.clone(), 1.2)] {
        let solver = Solver { omega, tolerance: Some(1e-14), ..Solver::plain(plan) };
        let mut state = start(lab);
        solver.relax(&lab.network, &mut state, None, 4 * lab.sweeps(), "free")?;
        for p in lab.network.with_role(Role::Settling) {
            let (a, b) = (state.out[p].to_f64s(), lab.free.out[p].to_f64s());
            distance = a.iter().zip(&b).map(|(x, y)| (x - y).abs()).fold(distance, f64::max);
        }
    }
    Ok(distance)
}
