//! A nudge outside a shifted sigmoid descends ¼ of the binary cross-entropy, not the squared error:
//! ∂ℓ/∂s = ¼ (s − y)/(s(1 − s)) = (s − y)/σ'(d).

use super::presets;
use super::{Bound, CheckContext, Findings, Property, relative_error};
use crate::credit::{Adjoint, GradCollector, Nudge, record};
use crate::error::Result;
use crate::neuron::Activation;
use bouton_kernels::Mat;

pub(super) fn check(context: &mut CheckContext, findings: &mut Findings) -> Result<()> {
    let (id, statement) =
        ("outside-is-bce", "EP with the nudge outside is the gradient of ¼ binary cross-entropy (β = 1e-4)");
    let bound = Bound::AtMost(1e-3);
    let output = context.network.output();
    let steep = context.network.populations[output]
        .model
        .activation()
        .is_some_and(Activation::is_logistic_of_slope_four);
    let why = match context.why_not_applicable() {
        Some(why) => Some(why),
        None if !context.nudged_outside() => Some("the nudge stands inside the activation".into()),
        None if !steep => Some("the output has not the slope 4 s (1 − s) of a shifted sigmoid".into()),
        None => None,
    };
    if let Some(why) = why {
        findings.properties.push(Property::not_applicable(id, statement, bound, why));
        return Ok(());
    }
    let exact = cross_entropy_gradient(context);
    let steps = context.sweeps();
    let ep = context.gradient(&presets::eq_prop(Nudge::Symmetric, 1e-4, [steps; 2]))?;
    findings.properties.push(Property::measured(id, statement, relative_error(&ep, &exact), bound));
    Ok(())
}

/// The adjoint gradient of ¼ BCE at the free fixed point.
fn cross_entropy_gradient(context: &CheckContext) -> Vec<f64> {
    let (network, output, n) = (&context.network, context.network.output(), context.batch.len());
    let out = &context.free.out[output];
    let mut y = Mat::zeros(network.dtype, n, out.cols());
    context.batch.target.view(0..n).write_to(y.view_mut());
    let g = Mat::from_fn(network.dtype, n, out.cols(), |r, c| {
        let (s, y) = (out.get(r, c), y.get(r, c));
        0.25 * (s - y) / (s * (1.0 - s))
    });
    let mut state = context.free.clone();
    let frames = record(network, &context.solver.reversed(), &mut state, 1);
    let mut adjoint = Adjoint::new(network, &context.solver, output, &g);
    let mut sink = GradCollector::default();
    for _ in 0..context.sweeps() {
        for frame in frames.iter().rev() {
            adjoint.step(network, context.batch.x.view(), frame, 1.0 / n as f64, &mut sink);
        }
    }
    adjoint.finish(network, frames[0].forward_cache(context.batch.x.view()), 1.0 / n as f64, &mut sink);
    sink.flat(network)
}
