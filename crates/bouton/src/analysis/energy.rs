//! Sweeps and fixed points: even-odd sweeps never raise E = Σ∫σ⁻¹ − Φ, and every solver ends at the same state.

use super::{Bound, Findings, Lab, Property};
use crate::error::Result;
use crate::network::{Network, Role, State};
use crate::neuron::Activation;
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
    let plan = if settles { Plan::even_odd(&lab.network).ok() } else { None };
    let why = match &plan {
        _ if !settles => Some("the network does not settle"),
        None => Some("skip connections leave no even-odd order"),
        _ if lab.network.connections.iter().any(|c| c.feedback.own().is_some()) => {
            Some("feedback weights of their own leave no energy")
        }
        _ if lab.follows_energy() => Some("the energy dynamics take small steps, not block minima"),
        _ => None,
    };
    let (Some(plan), None) = (plan, why) else {
        let why = why.unwrap_or_default();
        findings.properties.push(Property::not_applicable(energy.0, energy.1, energy.2, why));
        findings.properties.push(Property::not_applicable(same.0, same.1, same.2, why));
        return Ok(());
    };
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
    State::new(&lab.network, &constant, 0..lab.batch.labels.len(), &lab.batch.labels)
}

/// Largest (E_after − E_before)/|E_before| of a half-sweep, after the first one.
fn largest_rise(lab: &Lab, plan: &Plan) -> Option<f64> {
    let solver = Solver { plan: plan.clone(), omega: 1.0, tolerance: None };
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
        let upward = network.par_drive(p, x, &state.out, &mut network.choices(state.rows()));
        let (s, upward) = (state.out[p].to_f64s(), upward.to_f64s());
        for i in 0..s.len() {
            sum += primitive_of_inverse(activation, s[i])? - s[i] * upward[i];
        }
    }
    Some(sum)
}

/// ∫^s σ⁻¹ up to a constant, where it has a closed form.
fn primitive_of_inverse(activation: Activation, s: f64) -> Option<f64> {
    let entropy = |p: f64| if p > 0.0 { p * p.ln() } else { 0.0 };
    Some(match activation {
        Activation::HardSigmoid | Activation::Relu6 | Activation::Linear => 0.5 * s * s,
        Activation::HalfHardSigmoid => s * s,
        Activation::Sigmoid => entropy(s) + entropy(1.0 - s),
        Activation::ShiftedSigmoid => 0.5 * s + 0.25 * (entropy(s) + entropy(1.0 - s)),
        Activation::Tanh => 0.5 * (entropy(1.0 + s) + entropy(1.0 - s)),
        Activation::DSilu | Activation::SiluStep => return None,
    })
}

fn distance_between_solvers(lab: &Lab, plan: &Plan) -> Result<f64> {
    let mut distance: f64 = 0.0;
    for (plan, omega) in [(Plan::synchronous(&lab.network), 1.0), (plan.clone(), 1.0), (plan.clone(), 1.2)] {
        let solver = Solver { plan, omega, tolerance: Some(1e-14) };
        let mut state = start(lab);
        solver.relax(&lab.network, &mut state, None, 4 * lab.sweeps(), "free")?;
        for p in lab.network.with_role(Role::Settling) {
            let (a, b) = (state.out[p].to_f64s(), lab.free.out[p].to_f64s());
            distance = a.iter().zip(&b).map(|(x, y)| (x - y).abs()).fold(distance, f64::max);
        }
    }
    Ok(distance)
}
