//! Gradient-descending updates (Ernoult et al. 2019): from the free fixed point, the increment of ∂Φ/∂θ in nudged
//! sweep t equals the contribution of the t-th last sweep to BPTT's gradient, as β → 0:
//!
//! [∂Φ/∂θ(s^β_{t+1}) − ∂Φ/∂θ(s^β_t)]/β → −∇_θ(t)

use super::{Bound, CheckContext, Findings, Property, Series};
use crate::credit::{Adjoint, GradCollector, record};
use crate::error::Result;
use crate::network::Term;
use crate::solver::{Nudging, readout_error};
use crate::vectors::{norm, relative_error};

/// Nudged sweeps compared.
const STEPS: usize = 12;
/// Strength at which the bounds are set.
const BETA: f64 = 1e-4;

pub(super) fn check(context: &CheckContext, findings: &mut Findings) -> Result<()> {
    let rows = [
        ("gdu-symmetric", "symmetric EP increments equal BPTT's, sweep by sweep (β = 1e-4)", 1e-6),
        ("gdu-one-sided", "one-sided EP increments equal BPTT's, sweep by sweep (β = 1e-4)", 1e-3),
    ];
    let outside = context.nudged_outside().then(|| "the nudge stands outside the activation".to_owned());
    let energy = context.follows_energy().then(|| "it is a property of the prototypical dynamics".to_owned());
    if let Some(why) = context.why_not_applicable().or(outside).or(energy) {
        for (id, statement, bound) in rows {
            findings.properties.push(Property::not_applicable(
                id,
                statement,
                Bound::AtMost(bound),
                why.clone(),
            ));
        }
        return Ok(());
    }
    let bptt = contributions(context);
    let (up, down) = (increments(context, BETA), increments(context, -BETA));
    let both = mean(&up, &down);
    for ((id, statement, bound), ep) in rows.into_iter().zip([&both, &up]) {
        findings.properties.push(Property::measured(
            id,
            statement,
            distance(ep, &bptt),
            Bound::AtMost(bound),
        ));
    }
    findings.series.push(series(&bptt, &both, &up));
    Ok(())
}

/// √(Σ_t ‖EP(t) − BPTT(t)‖² / Σ_t ‖BPTT(t)‖²): the measure of Ernoult et al. (2019), over all parameters.
fn distance(ep: &[Vec<f64>], bptt: &[Vec<f64>]) -> f64 {
    relative_error(&ep.concat(), &bptt.concat())
}

fn mean(a: &[Vec<f64>], b: &[Vec<f64>]) -> Vec<Vec<f64>> {
    let row = |(a, b): (&Vec<f64>, &Vec<f64>)| a.iter().zip(b).map(|(x, y)| 0.5 * (x + y)).collect();
    a.iter().zip(b).map(row).collect()
}

fn series(bptt: &[Vec<f64>], symmetric: &[Vec<f64>], one_sided: &[Vec<f64>]) -> Series {
    let norms = |g: &[Vec<f64>]| g.iter().enumerate().map(|(t, g)| (t as f64, norm(g))).collect();
    Series {
        title: "Size of the gradient increment per sweep".into(),
        x_label: "nudged sweep / sweep before the end".into(),
        y_label: "‖increment‖".into(),
        lines: vec![
            ("BPTT".into(), norms(bptt)),
            ("symmetric EP".into(), norms(symmetric)),
            ("one-sided EP".into(), norms(one_sided)),
        ],
    }
}

/// −[∂Φ/∂θ(s_{t+1}) − ∂Φ/∂θ(s_t)]/β for each nudged sweep t, flattened.
fn increments(context: &CheckContext, beta: f64) -> Vec<Vec<f64>> {
    let mut state = context.free.clone();
    state.beta.fill(beta);
    let rows = 0..state.rows();
    let scale = 1.0 / (beta * rows.len() as f64);
    let mut increments = Vec::with_capacity(STEPS);
    for _ in 0..STEPS {
        context.network.update_pool_caches(&mut state);
        let before = state.clone();
        let mut nudge = Nudging::new(&context.network, &*context.objective, &mut state);
        for block in &context.solver.plan.0 {
            context.solver.advance(&context.network, &mut state, block, Some(&mut nudge), rows.clone());
        }
        context.network.update_pool_caches(&mut state);
        let terms = [Term::real(&state, rows.clone(), -scale), Term::real(&before, rows.clone(), scale)];
        let mut sink = GradCollector::default();
        context.network.contrast(context.batch.x.view(), &terms, &before, &mut sink);
        increments.push(sink.flat(&context.network));
    }
    increments
}

/// ∇_θ(t): what the t-th last sweep adds to BPTT's gradient when all sweeps stand at the fixed point.
fn contributions(context: &CheckContext) -> Vec<Vec<f64>> {
    let mut state = context.free.clone();
    let (network, n) = (&context.network, state.rows());
    let (g, _, _) = readout_error(network, &*context.objective, &mut state, 0..n);
    let frames = record(network, &context.solver.reversed(), &mut state, 1);
    let nudged = network.nudged().unwrap_or(network.output());
    let mut adjoint = Adjoint::new(network, &context.solver, nudged, &g);
    let scale = 1.0 / n as f64;
    let mut contributions = Vec::with_capacity(STEPS);
    for _ in 0..STEPS {
        let mut sink = GradCollector::default();
        for frame in frames.iter().rev() {
            let x = context.batch.x.view();
            let g_drives = adjoint.step(network, x, frame, scale, &mut sink);
            for (&pop, g) in frame.block.iter().zip(&g_drives) {
                network.accumulate_grads_static(pop, g.view(), frame.forward_cache(x), scale, &mut sink);
            }
        }
        contributions.push(sink.flat(network));
    }
    contributions
}
