//! When two means of a metric agree, and which is better otherwise.
//!
//! match: |μ − μₚ| ≤ 2·√(σ²/n + σₚ²/nₚ) + half a unit of the last printed digit. One seed of ours has no spread and is
//! taken to be one more of the published runs, σ = σₚ: 2σₚ·√(1 + 1/nₚ) + half a unit, or the claim's tolerance if that is
//! larger. Where the published spread is unknown, |μ − μₚ| ≤ the claim's tolerance instead.

use super::Published;
use crate::objective::Metric;
use serde::Serialize;

/// Room for the rounding of the difference itself.
const ROUNDING: f64 = 1e-9;

/// A metric after the last epoch over a few seeds, in its unit.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Sample {
    /// Mean.
    pub mean: f64,
    /// Standard deviation with n − 1 in the denominator; absent for a single seed.
    pub std: Option<f64>,
    /// Number of seeds.
    pub n: usize,
}

/// The largest difference that still counts as a match.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Allowed {
    /// In the unit of the metric.
    pub margin: f64,
    /// Why the tolerance of the claim was taken; absent if it was not.
    pub by_tolerance: Option<&'static str>,
    /// Whether the published spread stood for the one of our single seed.
    pub one_seed: bool,
}

/// How a mean lies beside a published one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Agreement {
    /// Within what is allowed.
    Match,
    /// Better, beyond what is allowed.
    Better,
    /// Worse, beyond what is allowed.
    Worse,
}

impl Sample {
    /// Standard error of the mean, SD/√n; absent for a single seed.
    pub fn sem(&self) -> Option<f64> {
        self.std.map(|std| std / (self.n as f64).sqrt())
    }

    /// The statistics of `values`; `None` without values.
    pub fn of(values: &[f64]) -> Option<Self> {
        let n = values.len();
        let mean = values.iter().sum::<f64>() / n as f64;
        let squares: f64 = values.iter().map(|v| (v - mean).powi(2)).sum();
        let std = (n > 1).then(|| (squares / (n as f64 - 1.0)).sqrt());
        (n > 0).then_some(Self { mean, std, n })
    }
}

/// Compares `ours` with what is published of `metric`, both in its unit.
pub fn compare(metric: &Metric, published: &Published, ours: &Sample) -> (Agreement, Allowed) {
    let allowed = allowed(published, ours);
    let agreement = if (ours.mean - published.mean).abs() <= allowed.margin + ROUNDING {
        Agreement::Match
    } else if metric.improves(ours.mean, Some(published.mean)) {
        Agreement::Better
    } else {
        Agreement::Worse
    };
    (agreement, allowed)
}

fn allowed(published: &Published, ours: &Sample) -> Allowed {
    let tolerance = |why| Allowed { margin: published.tolerance, by_tolerance: Some(why), one_seed: false };
    let (theirs, n) = match (published.std, published.n) {
        (None, _) => return tolerance("published spread unknown"),
        (_, None) => return tolerance("published number of runs unknown"),
        (Some(theirs), Some(n)) => (theirs, n),
    };
    let one_seed = ours.std.is_none();
    let std = ours.std.unwrap_or(theirs);
    let error = (std.powi(2) / ours.n as f64 + theirs.powi(2) / n as f64).sqrt();
    let half_digit = 0.5 * 10f64.powi(-(published.digits as i32));
    let margin = 2.0 * error + half_digit;
    if one_seed && published.tolerance > margin {
        return tolerance("one seed");
    }
    Allowed { margin, by_tolerance: None, one_seed }
}
