//! Bias of a finite nudge: the error of one-sided EP falls as β, that of symmetric EP as β².
//!
//! Measured against recurrent backpropagation, which is exact; the slope is the median over halvings of β,
//! because a single one may meet a zero of the error.

use super::{Bound, CheckContext, Findings, Property, Series, cosine, presets, relative_error};
use crate::credit::Nudge;
use crate::error::Result;

/// Strengths, halving.
const BETAS: [f64; 4] = [0.04, 0.02, 0.01, 0.005];

pub(super) fn check(context: &mut CheckContext, findings: &mut Findings) -> Result<()> {
    let rows = [
        ("bias-one-sided", "log-log slope of the one-sided gradient error against β", Nudge::Positive, 1.0),
        ("bias-symmetric", "log-log slope of the symmetric gradient error against β", Nudge::Symmetric, 2.0),
    ];
    let outside = context.nudged_outside().then(|| "the nudge stands outside the activation".to_owned());
    if let Some(why) = context.why_not_applicable().or(outside) {
        for (id, statement, _, of) in rows {
            let bound = Bound::Within { of, by: 0.2 };
            findings.properties.push(Property::not_applicable(id, statement, bound, why.clone()));
        }
        return Ok(());
    }
    let steps = context.sweeps();
    let exact = context.gradient(&presets::exact(steps))?;
    let mut lines = Vec::new();
    for (id, statement, nudge, of) in rows {
        let mut points = Vec::new();
        let mut finest = Vec::new();
        for beta in BETAS {
            finest = context.gradient(&presets::eq_prop(nudge, beta, [steps; 2]))?;
            points.push((beta, relative_error(&finest, &exact)));
        }
        let mut slopes: Vec<f64> = points.windows(2).map(|w| (w[0].1 / w[1].1).log2()).collect();
        slopes.sort_by(f64::total_cmp);
        let slope = slopes[slopes.len() / 2];
        findings.properties.push(Property::measured(id, statement, slope, Bound::Within { of, by: 0.2 }));
        findings.notes.push(format!(
            "{id}: 1 − cosine to the exact gradient {:.1e} at β = {}",
            1.0 - cosine(&finest, &exact),
            BETAS[3]
        ));
        lines.push((id.trim_start_matches("bias-").to_owned(), points));
    }
    findings.series.push(Series {
        title: "Error of the gradient against the strength of the nudge".into(),
        x_label: "β".into(),
        y_label: "relative error".into(),
        lines,
    });
    Ok(())
}
