//! How far the Jacobian J of the drives is from symmetric: ‖J − Jᵀ‖²_F = E‖Jv − Jᵀv‖² over random signs v (Hutchinson
//! 1990; Laborieux & Zenke 2024 estimate the same from five directions). With dense layers that lead both ways it is
//! 2 Σ‖W_f − W_b‖², which is what homeostasis descends.

use super::{Bound, Findings, Lab, Property};
use crate::error::Result;
use crate::network::{Network, Role, Seen};
use crate::rng::Key;
use crate::wiring::{Dense, FeedbackSpec, WiringSpec};
use bouton_kernels::{Elem, Mat, dispatch};

/// Random directions.
const DIRECTIONS: usize = 512;
/// Half a central difference.
const STEP: f64 = 1e-4;

pub(super) fn check(lab: &Lab, findings: &mut Findings) -> Result<()> {
    let (id, statement) =
        ("symmetry-error", "Hutchinson's ‖J − Jᵀ‖² against 2 Σ‖W_f − W_b‖², feedback at 60°");
    let bound = Bound::AtMost(0.1);
    let mut recipe = lab.recipe.clone();
    let (WiringSpec::Dense(dense) | WiringSpec::Conv(dense)) = &mut recipe.wiring;
    *dense = Dense { feedback: FeedbackSpec::VectorField, angle: 60.0, homeostasis: 0.0, ..dense.clone() };
    let network = Network::build(&recipe)?;
    let own = || network.connections.iter().filter_map(|c| Some((c.weight.mat(), c.feedback.own()?.mat())));
    let shared = network.connections.iter().any(|c| c.feedback.own().is_some() && c.wiring.shares());
    if shared || own().next().is_none() {
        let why = "it holds for dense layers between settling populations";
        findings.properties.push(Property::not_applicable(id, statement, bound, why));
    } else {
        let square = |(f, b): (&Mat, &Mat)| -> f64 {
            f.to_f64s().iter().zip(b.to_f64s()).map(|(f, b)| (f - b) * (f - b)).sum()
        };
        let closed = 2.0 * own().map(square).sum::<f64>();
        let error = (estimate(lab, &network).0 / closed - 1.0).abs();
        findings.properties.push(Property::measured(id, statement, error, bound));
    }
    if lab.network.nudged().is_some() {
        let (apart, size) = estimate(lab, &lab.network);
        findings
            .notes
            .push(format!("symmetry error ‖J − Jᵀ‖/‖J‖ of the recipe: {:.2e}", (apart / size).sqrt()));
    }
    Ok(())
}

/// Estimates of ‖J − Jᵀ‖² and ‖J‖² at the lab's free state of its first sample.
fn estimate(lab: &Lab, network: &Network) -> (f64, f64) {
    let mut at = lab.free.first().tile(DIRECTIONS);
    let mut stream = Key::new(1).of("directions", 0).stream();
    let settling: Vec<usize> = network.with_role(Role::Settling).collect();
    let directions: Vec<Mat> = (0..at.out.len())
        .map(|p| {
            let (dtype, rows, cols) = (network.dtype, at.out[p].rows(), at.out[p].cols());
            let signed = settling.contains(&p);
            Mat::from_fn(dtype, rows, cols, |_, _| match signed {
                true => f64::from(u8::from(stream.uniform() < 0.5)) * 2.0 - 1.0,
                false => 0.0,
            })
        })
        .collect();
    network.choose_all(&mut at);
    let x = lab.batch.x.rows_view(0..1).to_mat();
    let mut back: Vec<Mat> = directions.iter().map(|v| Mat::zeros(v.dtype(), v.rows(), v.cols())).collect();
    for &p in &settling {
        network.pull(
            p,
            directions[p].view(),
            Seen { x: x.view(), out: &at.out, choice: &at.choice },
            &mut back,
        );
    }
    let drives = |sign: f64| {
        let mut moved = at.clone();
        for &p in &settling {
            crate::credit::add_scaled(&mut moved.out[p], sign * STEP, directions[p].view());
        }
        moved.moved(network, |_| true);
        network.drive(&settling, &mut moved, 0..DIRECTIONS);
        moved.drive
    };
    let (up, down) = (drives(1.0), drives(-1.0));
    let (mut apart, mut size) = (0.0, 0.0);
    for &p in &settling {
        dispatch!(network.dtype, T => {
            let (up, down, back) = (up[p].slice::<T>(), down[p].slice::<T>(), back[p].slice::<T>());
            for i in 0..up.len() {
                let forward = (up[i] - down[i]).to_f64() / (2.0 * STEP);
                apart += (forward - back[i].to_f64()).powi(2);
                size += forward * forward;
            }
        });
    }
    (apart / DIRECTIONS as f64, size / DIRECTIONS as f64)
}
