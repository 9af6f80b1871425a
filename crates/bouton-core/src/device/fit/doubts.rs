//! What a law cannot say: structure in what it leaves over, parameters at the end of what pulses tell, too few of anything.

use super::analog::{Fitted, NAMES};
use super::moments::Spread;
use super::{Fit, Residual};
use crate::device::Law;
use crate::device::pulses::Pulses;

/// A finding has to be this many standard errors away from nothing.
const SURE: f64 = 4.0;
/// Ranges of weights or pulses in which residuals are averaged.
const BINS: usize = 6;

/// Doubts about any fit.
pub(super) fn general(fit: &Fit, pulses: &Pulses) -> Vec<String> {
    let mut doubts = Vec::new();
    let devices = fit.devices.len();
    if devices < 5 {
        doubts.push(format!("{devices} of a population of devices: too few to tell how devices differ"));
    }
    if pulses.traces.len() < 2 * pulses.devices.len() {
        doubts.push(
            "not every device has two cycles: what differs from cycle to cycle cannot be told apart".into(),
        );
    }
    for (up, word) in [(true, "up"), (false, "down")] {
        let of: Vec<&Residual> = fit.residuals.iter().filter(|r| r.up == up).collect();
        if of.len() >= 50 {
            doubts.extend(structure(&of, fit.law).into_iter().map(|what| format!("pulses {word}: {what}")));
        }
    }
    doubts
}

/// What is left in the residuals of one direction.
fn structure(of: &[&Residual], law: Law) -> Vec<String> {
    let mut found = Vec::new();
    let n = of.len() as f64;
    let pairs = || of.windows(2).filter(|p| p[0].device == p[1].device).map(|p| p[0].value * p[1].value);
    let square = of.iter().map(|r| r.value * r.value).sum::<f64>() / n;
    let together = pairs().sum::<f64>() / square / pairs().count().max(1) as f64;
    if together.abs() * n.sqrt() > SURE && together.abs() > 0.1 {
        found.push(format!("what is left hangs together from pulse to pulse (correlation {together:.2}): there is slow noise, or memory, that the law has not"));
    }
    let bent = bins(of).into_iter().max_by(|a, b| a.abs().total_cmp(&b.abs())).unwrap_or(0.0);
    if bent.abs() > SURE + 0.5 {
        let over = if law == Law::SoftBounds { "weights" } else { "pulses" };
        found.push(format!("what is left changes with {over} ({bent:.1} standard errors in one of {BINS} ranges): the curve is another than the law's"));
    }
    let tails = of.iter().map(|r| r.value.powi(4)).sum::<f64>() / n / (square * square) - 3.0;
    if tails > SURE * (24.0 / n).sqrt() + 1.0 {
        found.push(format!("some pulses do far more than the noise of the law (excess kurtosis {tails:.1}): jumps, or telegraph noise"));
    }
    found
}

/// Means of the residuals in ranges of equally many, in standard errors.
fn bins(of: &[&Residual]) -> Vec<f64> {
    let mut sorted = of.to_vec();
    sorted.sort_by(|a, b| a.at.total_cmp(&b.at));
    let one = |bin: &[&Residual]| {
        let (sum, square) = bin.iter().fold((0.0, 0.0), |(s, q), r| (s + r.value, q + r.value * r.value));
        sum / square.sqrt().max(1e-12)
    };
    sorted.chunks(of.len().div_ceil(BINS)).map(one).collect()
}

/// Doubts about soft bounds.
pub(super) fn analog(fitted: &[Fitted], parameters: &[Spread]) -> Vec<String> {
    let mut doubts = Vec::new();
    for (k, (name, ..)) in NAMES.iter().enumerate().take(5) {
        let vague = |d: &&Fitted| d.estimates[k].error > 0.5 * d.estimates[k].value.abs();
        let vague = fitted.iter().filter(vague).count();
        if vague * 4 > fitted.len() || (vague > 0 && matches!(k, 2 | 3)) {
            doubts.push(format!(
                "`{name}` is hardly told by the pulses of {vague} of {} devices",
                fitted.len()
            ));
        }
    }
    let quiet = fitted.iter().filter(|d| d.theta[5] < (d.theta[0] + d.theta[4]) - 4.0).count();
    if quiet > 0 {
        doubts.push(format!("write noise of {quiet} of {} devices is at its bound, nothing", fitted.len()));
    }
    let steps = || fitted.iter().flat_map(|d| d.steps.iter().map(move |s| (d, s)));
    let cut = |d: &Fitted, at: f64| {
        let noise = 2.0 * (d.theta[4] + d.theta[0].max(d.theta[1])).exp();
        at + noise > d.theta[2].recip() || at - noise < -d.theta[3].recip()
    };
    let (n, near) = steps().fold((0, 0), |(n, near), (d, s)| (n + 1, near + usize::from(cut(d, s.at))));
    if near * 20 > n {
        doubts.push(format!(
            "{} % of the pulses lie within the noise of a bound, which cuts it: bounds and noise may be off",
            100 * near / n.max(1)
        ));
    }
    let size = |up: bool| {
        let of = steps().filter(|(_, s)| s.up == up).map(|(_, s)| s.error * s.error / s.variance);
        let (n, sum) = of.fold((0.0, 0.0), |(n, sum), z| (n + 1.0, sum + z));
        (sum / n, (2.0 / n).sqrt())
    };
    let ((up, a), (down, b)) = (size(true), size(false));
    if (up - down).abs() > SURE * a.hypot(b) && (up / down).ln().abs() > 0.2 {
        let ratio = (up / down).sqrt();
        doubts.push(format!(
            "the noise of a pulse up is {ratio:.2} times what the law has for both directions alike"
        ));
    }
    doubts.extend(multiplied(
        &steps().map(|(_, s)| (s.size, s.error * s.error / s.variance)).collect::<Vec<_>>(),
    ));
    for p in parameters.iter().take(4) {
        let differ = p.cycles.filter(|c| *c > 0.1 * p.mean.value.abs());
        doubts.extend(differ.map(|c| {
            format!(
                "`{}` of a device differs from cycle to cycle by {c:.2e}, which the law has no place for",
                p.name
            )
        }));
    }
    let wide =
        parameters[..2].iter().filter_map(|p| Some(p.devices?.value / p.mean.value)).fold(0.0, f64::max);
    if wide > 0.45 {
        doubts.push(format!(
            "steps differ by {:.0} %: their logarithm may be what is normal (`log-normal = true`)",
            100.0 * wide
        ));
    }
    doubts
}

/// Whether large steps are noisier than small ones.
fn multiplied(of: &[(f64, f64)]) -> Option<String> {
    let mut sorted = of.to_vec();
    sorted.sort_by(|a, b| a.0.total_cmp(&b.0));
    let third = sorted.len() / 3;
    if third < 30 {
        return None;
    }
    let mean = |part: &[(f64, f64)]| part.iter().map(|p| p.1).sum::<f64>() / part.len() as f64;
    let (small, large) = (mean(&sorted[..third]), mean(&sorted[2 * third..]));
    let sure = (large / small).ln() > SURE * (4.0 / third as f64).sqrt() && large > 1.4 * small;
    sure.then(|| {
        format!(
            "large steps are {:.1} times as noisy as small ones: `multiplicative = true` may fit better",
            (large / small).sqrt()
        )
    })
}
