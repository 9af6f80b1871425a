//! How far the Jacobian J of the drives is from symmetric: ‖J − Jᵀ‖²_F = E‖Jv − Jᵀv‖² over random signs v (Hutchinson
//! 1990; Laborieux & Zenke 2024 estimate the same from five directions). With dense layers that lead both ways it is
//! 2 Σ‖W_f − W_b‖², which is what homeostasis descends.

use super::{Bound, CheckContext, Findings, Property};
use crate::error::Result;
use crate::network::{ForwardCache, Network, PopId, Role, State};
use crate::rng::Key;
use crate::wiring::WiringSpec;
use crate::wiring::{Dense, FeedbackSpec};
use bouton_kernels::{Mat, add_scaled};

/// Random directions.
const DIRECTIONS: usize = 512;
/// Half a central difference.
const STEP: f64 = 1e-4;

pub(super) fn check(context: &CheckContext, findings: &mut Findings) -> Result<()> {
    let (id, statement) =
        ("symmetry-error", "Hutchinson's ‖J − Jᵀ‖² against 2 Σ‖W_f − W_b‖², feedback at 60°");
    let bound = Bound::AtMost(0.1);
    let mut recipe = context.recipe.clone();
    for dense in recipe.wirings_mut().map(WiringSpec::weights_mut) {
        *dense =
            Dense { feedback: FeedbackSpec::VectorField, angle: 60.0, homeostasis: 0.0, ..dense.clone() };
    }
    let network = recipe.build()?;
    let own = || network.connections.iter().filter_map(|c| Some((c.weight.mat(), c.feedback.own()?.mat())));
    let shared = network.connections.iter().any(|c| c.feedback.own().is_some() && !c.wiring.factorises());
    if shared || own().next().is_none() {
        let why = "it holds for dense layers between settling populations";
        findings.properties.push(Property::not_applicable(id, statement, bound, why));
    } else {
        let square = |(f, b): (&Mat, &Mat)| -> f64 {
            f.to_f64s().iter().zip(b.to_f64s()).map(|(f, b)| (f - b) * (f - b)).sum()
        };
        let closed = 2.0 * own().map(square).sum::<f64>();
        let error = (estimate(context, &network).0 / closed - 1.0).abs();
        findings.properties.push(Property::measured(id, statement, error, bound));
    }
    if context.network.nudged().is_some() {
        let (apart, size) = estimate(context, &context.network);
        findings
            .notes
            .push(format!("symmetry error ‖J − Jᵀ‖/‖J‖ of the recipe: {:.2e}", (apart / size).sqrt()));
    }
    Ok(())
}

/// Estimates of ‖J − Jᵀ‖² and ‖J‖² at the context's free state of its first sample.
fn estimate(context: &CheckContext, network: &Network) -> (f64, f64) {
    let mut at = context.free.first().tile(DIRECTIONS);
    network.update_pool_caches(&mut at);
    let settling: Vec<PopId> = network.with_role(Role::Settling).collect();
    let v = signs(&at, &settling);
    let back = transposed(network, &at, &settling, &v);
    let [up, down] = [STEP, -STEP].map(|step| moved_drives(network, &at, &settling, &v, step));
    let (mut apart, mut size) = (0.0, 0.0);
    for &p in &settling {
        for ((up, down), back) in up[p].to_f64s().iter().zip(down[p].to_f64s()).zip(back[p].to_f64s()) {
            let forward = (up - down) / (2.0 * STEP);
            apart += (forward - back).powi(2);
            size += forward * forward;
        }
    }
    (apart / DIRECTIONS as f64, size / DIRECTIONS as f64)
}

/// Random signs for the units of settling populations, zeros for others; one direction a row.
fn signs(at: &State, settling: &[PopId]) -> Vec<Mat> {
    let mut stream = Key::new(1).of("directions", 0).stream();
    let mut sign = || if stream.uniform() < 0.5 { 1.0 } else { -1.0 };
    let of = |(p, out): (PopId, &Mat)| {
        let mut sign = || if settling.contains(&p) { sign() } else { 0.0 };
        Mat::from_fn(out.dtype(), out.rows(), out.cols(), |_, _| sign())
    };
    at.out.iter().enumerate().map(of).collect()
}

/// Jᵀv.
fn transposed(network: &Network, at: &State, settling: &[PopId], v: &[Mat]) -> Vec<Mat> {
    let mut back: Vec<Mat> = v.iter().map(|v| Mat::zeros(v.dtype(), v.rows(), v.cols())).collect();
    for &p in settling {
        // Nothing goes back to the clamped input, so that any x will do.
        let cache = ForwardCache { x: v[p].view(), out: &at.out, pool_cache: &at.pool_cache };
        network.backward(p, v[p].view(), cache, &mut back);
    }
    back
}

/// The drives at s + step · v.
fn moved_drives(network: &Network, at: &State, settling: &[PopId], v: &[Mat], step: f64) -> Vec<Mat> {
    let mut moved = at.clone();
    settling.iter().for_each(|&p| add_scaled(&mut moved.out[p], step, v[p].view()));
    moved.invalidate_pool_caches(network, |_| true);
    network.drive(settling, &mut moved, 0..DIRECTIONS);
    moved.drive
}
