//! Bias of a turning nudge: the error of holomorphic EP with N points falls as β^N.
//!
//! Measured against recurrent backpropagation, on the last halving of β that rounding does not hide; the first β is
//! the largest at which the response is analytic on the whole circle.

use super::{Bound, CheckContext, Findings, Property, Series, presets, relative_error};
use crate::error::Result;
use crate::network::Role;

/// Points on the circle.
const POINTS: [usize; 3] = [4, 6, 8];
/// An error below this is the beginning of the asymptotic law.
const LAW: f64 = 3e-3;
/// Errors below this are rounding.
const ROUNDING: f64 = 1e-11;

pub(super) fn check(context: &mut CheckContext, findings: &mut Findings) -> Result<()> {
    let statement = |n: usize| format!("log-log slope of the gradient error with {n} points against β");
    let bound = |n: usize| Bound::Within { of: n as f64, by: 0.2 };
    let analytic = |p: usize| context.network.populations[p].model.is_analytic();
    let all = context.network.with_role(Role::Settling).all(analytic);
    let kind = (!all).then(|| "the units do not continue into the complex plane".to_owned());
    if let Some(why) = context.why_not_applicable().or(kind) {
        for n in POINTS {
            findings.properties.push(Property::not_applicable(&id(n), statement(n), bound(n), why.clone()));
        }
        return Ok(());
    }
    let steps = context.sweeps();
    let exact = context.gradient(&presets::exact(steps))?;
    let mut lines = Vec::new();
    for n in POINTS {
        let points = errors(context, n, steps, &exact)?;
        let last = points.windows(2).rev().find(|w| w[0].1 < LAW && w[1].1 > ROUNDING);
        findings.properties.push(match last {
            Some(w) => Property::measured(&id(n), statement(n), (w[0].1 / w[1].1).log2(), bound(n)),
            None => {
                let why = "no two strengths lie between the border of the analytic disc and rounding";
                Property::not_applicable(&id(n), statement(n), bound(n), why)
            }
        });
        lines.push((format!("N = {n}"), points));
    }
    findings.series.push(Series {
        title: "Error of the holomorphic gradient against the strength of the nudge".into(),
        x_label: "β".into(),
        y_label: "relative error".into(),
        lines,
    });
    Ok(())
}

fn id(points: usize) -> String {
    format!("bias-holomorphic-{points}")
}

/// Errors at halving strengths, until rounding.
fn errors(context: &mut CheckContext, points: usize, steps: usize, exact: &[f64]) -> Result<Vec<(f64, f64)>> {
    let mut errors = Vec::new();
    let mut beta = 0.4;
    while beta > 0.01 && errors.last().is_none_or(|&(_, e)| e > ROUNDING) {
        let gradient = context.gradient(&presets::holomorphic(points, beta, steps))?;
        errors.push((beta, relative_error(&gradient, exact)));
        beta *= 0.5;
    }
    Ok(errors)
}
