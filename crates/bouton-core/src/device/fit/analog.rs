//! Soft bounds: steps, bounds and noise of every device by maximum likelihood, all directions and cycles together.

use super::filter::{Seen, Step, Theta, covariances, most_likely, predict};
use super::moments::{Estimate, Spread, over, within};
use super::{Asked, Fit, Residual, doubts, rounded, too_few};
use crate::device::pulses::Pulses;
use crate::device::{Law, Population, SoftBoundsParameters};
use crate::{Error, Result};

/// Pulses of a direction that a device needs.
const LEAST: usize = 8;
/// What is fitted: name, unit, what it is.
pub(super) const NAMES: [(&str, &str, &str); 6] = [
    ("up", "weight", "step up at weight 0"),
    ("down", "weight", "step down at weight 0"),
    ("upper", "weight", "upper bound"),
    ("lower", "weight", "lower bound"),
    ("step-noise", "step", "noise from pulse to pulse"),
    ("write-noise", "weight", "noise of the visible weight"),
];

/// A device that was fitted.
pub(super) struct Fitted {
    pub place: usize,
    pub estimates: [Estimate; 6],
    /// Steps and bounds of every cycle by itself.
    pub cycles: Vec<[Estimate; 4]>,
    pub steps: Vec<Step>,
    pub theta: Theta,
}

pub(super) fn fit(pulses: &Pulses, asked: &Asked) -> Result<Fit> {
    let [low, high] = window(pulses, asked.window)?;
    let (zero, unit) = (0.5 * (low + high), 0.5 * (high - low));
    let weight = |g: f64| (g - zero) / unit;
    let seen = |place: usize| -> Vec<Vec<Seen>> {
        let own = pulses.traces.iter().filter(|t| t.device == place);
        own.map(|t| t.pulses.iter().map(|p| (p.up, weight(p.conductance))).collect()).collect()
    };
    let places = 0..pulses.devices.len();
    let mut fitted: Vec<Fitted> = places.clone().filter_map(|place| device(place, &seen(place))).collect();
    let told = |place: &usize| fitted.iter().any(|d| d.place == *place);
    let untold: Vec<&str> = places.filter(|p| !told(p)).map(|p| pulses.devices[p].as_str()).collect();
    if fitted.is_empty() {
        let message = "soft-bounds: no device has pulses in both directions that show its steps and bounds";
        return Err(too_few(message, "each needs some dozens of set and of reset pulses, one a line"));
    }
    widen(&mut fitted, seen);
    let parameters: Vec<Spread> = (0..6).map(|k| parameter(k, &fitted)).collect();
    let mut doubts = doubts::analog(&fitted, &parameters);
    if !untold.is_empty() {
        doubts.push(format!("left out, for lack of pulses in both directions: {}", untold.join(", ")));
    }
    let siemens = |w: f64| format!("{:.4e}", zero + w * unit);
    let notes = vec![
        asked.source.clone(),
        format!(
            "weight -1 is {} S, weight 0 is {} S, weight 1 is {} S",
            siemens(-1.0),
            siemens(0.0),
            siemens(1.0)
        ),
    ];
    let devices = fitted.iter().map(|d| (pulses.devices[d.place].clone(), shown(d)));
    Ok(Fit {
        law: Law::SoftBounds,
        devices: devices.collect(),
        residuals: fitted.iter().flat_map(residuals).collect(),
        population: Population::SoftBounds(population(&fitted, &parameters, asked)),
        parameters,
        doubts,
        notes,
    })
}

fn window(pulses: &Pulses, given: Option<[f64; 2]>) -> Result<[f64; 2]> {
    let all = || pulses.traces.iter().flat_map(|t| &t.pulses).map(|p| p.conductance);
    let [low, high] = given.unwrap_or([all().fold(f64::MAX, f64::min), all().fold(0.0, f64::max)]);
    if high > low && high - low > 1e-9 * high {
        return Ok([low, high]);
    }
    Err(Error::data(format!("soft-bounds: the conductances of weights -1 and 1 are {low:e} and {high:e} S"))
        .with_hint("they have to differ: measure pulses that change something, or say --window LOW,HIGH"))
}

/// The device with these traces; nothing if they do not tell of it.
fn device(place: usize, traces: &[Vec<Seen>]) -> Option<Fitted> {
    let start = guess(traces)?;
    let (theta, covariances) = most_likely(start, &[0, 1, 2, 3, 4, 5], traces)
        .or_else(|| {
            // Where nothing is seen of the noise of looking, it is what the search left it at.
            let (theta, mut rest) = most_likely(start, &[0, 1, 2, 3, 4], traces)?;
            rest.iter_mut().for_each(|row| row.push(0.0));
            rest.push(vec![0.0; 6]);
            Some((theta, rest))
        })
        .filter(|(theta, _)| theta.iter().all(|x| x.is_finite()))?;
    let error = |k: usize| covariances[k][k].max(0.0).sqrt();
    let cycles = traces.iter().filter(|_| traces.len() > 1).filter_map(|trace| {
        let one = std::slice::from_ref(trace);
        guess(one)?;
        let (own, errors) = most_likely(theta, &[0, 1, 2, 3], one)?;
        Some(std::array::from_fn(|k| natural(k, own[k], errors[k][k].max(0.0).sqrt())))
    });
    let estimates = std::array::from_fn(|k| natural(k, theta[k], error(k)));
    Some(Fitted { place, estimates, cycles: cycles.collect(), steps: predict(&theta, traces), theta })
}

/// What is told of a device.
fn shown(device: &Fitted) -> Vec<Option<Estimate>> {
    let all = device.estimates.iter().enumerate();
    all.map(|(k, e)| Some(*e).filter(|e| told(k, e))).collect()
}

/// Takes the errors that devices would have with the noise of all of them, where these are larger: a device whose noise came out
/// too small by chance would be too sure of everything.
fn widen(fitted: &mut [Fitted], seen: impl Fn(usize) -> Vec<Vec<Seen>>) {
    let noise = [4, 5].map(|k| {
        let square = fitted.iter().map(|d| (2.0 * d.theta[k]).exp()).sum::<f64>();
        0.5 * (square / fitted.len() as f64).ln()
    });
    for device in fitted {
        let [up, down, upper, lower, ..] = device.theta;
        let theta = [up, down, upper, lower, noise[0], noise[1]];
        let Some(covariances) = covariances(&theta, &seen(device.place)) else { continue };
        for (k, estimate) in device.estimates.iter_mut().enumerate() {
            let error = natural(k, theta[k], covariances[k][k].max(0.0).sqrt()).error;
            estimate.error = estimate.error.max(error);
        }
    }
}

/// A parameter as the law writes it; steps and noise are fitted as logarithms, bounds as inverses.
fn natural(k: usize, value: f64, error: f64) -> Estimate {
    match k {
        2 => Estimate { value: value.recip(), error: error / (value * value) },
        3 => Estimate { value: -value.recip(), error: error / (value * value) },
        _ => Estimate { value: value.exp(), error: value.exp() * error },
    }
}

/// Whether pulses tell of a bound at all.
pub(super) fn told(k: usize, e: &Estimate) -> bool {
    !matches!(k, 2 | 3) || e.error < 0.5 * e.value.abs()
}

/// Where to begin: a straight line through what some pulses of one direction change, over where they began.
fn guess(traces: &[Vec<Seen>]) -> Option<Theta> {
    let all = traces.iter().flatten().map(|s| s.1);
    let (low, high) = all.fold((f64::MAX, f64::MIN), |(low, high), w| (low.min(w), high.max(w)));
    let side = |up: bool| {
        let runs: Vec<&[Seen]> =
            traces.iter().flat_map(|t| t.chunk_by(|a, b| a.0 == b.0)).filter(|run| run[0].0 == up).collect();
        let longest = runs.iter().map(|run| run.len()).max()?;
        if runs.iter().map(|run| run.len()).sum::<usize>() < LEAST || longest < 3 {
            return None;
        }
        let lag = (longest / 6).max(1);
        let pairs = runs.iter().flat_map(|run| run.windows(lag + 1).map(|w| (w[0].1, w[lag].1 - w[0].1)));
        let (slope, at_zero) = line(pairs);
        let end = if up { high } else { low };
        let reach =
            if slope < -1e-9 { -at_zero / slope } else { end + (high - low) * if up { 1.0 } else { -1.0 } };
        let reach = if up {
            reach.clamp(0.5 * end, 4.0 * high.max(0.1))
        } else {
            reach.clamp(4.0 * low.min(-0.1), 0.5 * end)
        };
        // Weight 0 lies between the bounds.
        let reach = if up { reach.max(0.05) } else { reach.min(-0.05) };
        let kept = (1.0 + slope.clamp(-0.95, -1e-4)).powf(1.0 / lag as f64);
        Some(((reach.abs() * (1.0 - kept)).max(1e-6).ln(), reach))
    };
    let ((up, upper), (down, lower)) = (side(true)?, side(false)?);
    let changes: Vec<f64> =
        traces.iter().flat_map(|t| t.windows(3).map(|w| w[2].1 - 2.0 * w[1].1 + w[0].1)).collect();
    let jitter = changes.iter().map(|c| c * c).sum::<f64>() / changes.len().max(1) as f64;
    // A second difference has 6 times the variance of looking, and twice that of a step.
    let noise = (jitter / 8.0).sqrt().max(1e-6);
    Some([up, down, 1.0 / upper, -1.0 / lower, (noise / up.exp()).ln(), noise.ln()])
}

/// Slope, and value at 0, of the least-squares line.
fn line(pairs: impl Iterator<Item = (f64, f64)>) -> (f64, f64) {
    let sums =
        pairs.fold([0.0; 5], |[n, x, y, xx, xy], (a, b)| [n + 1.0, x + a, y + b, xx + a * a, xy + a * b]);
    let [n, x, y, xx, xy] = sums;
    let slope = (n * xy - x * y) / (n * xx - x * x);
    let slope = if slope.is_finite() { slope } else { 0.0 };
    (slope, (y - slope * x) / n.max(1.0))
}

fn parameter(k: usize, fitted: &[Fitted]) -> Spread {
    let mut all: Vec<Estimate> = fitted.iter().map(|d| d.estimates[k]).filter(|e| told(k, e)).collect();
    if all.is_empty() {
        // Nobody shows the bound: it is as far away as what was seen, and as uncertain.
        let far = fitted.iter().flat_map(|d| &d.steps).map(|s| s.at.abs()).fold(1.0, f64::max);
        all.push(Estimate { value: if k == 2 { far } else { -far }, error: far });
    }
    let (mean, devices) = over(&all);
    let groups: Vec<Vec<Estimate>> = fitted
        .iter()
        .map(|d| d.cycles.iter().filter_map(|c| c.get(k).copied().filter(|e| told(k, e))).collect())
        .collect();
    let (name, unit, about) = NAMES[k];
    Spread { name, unit, about, mean, devices, cycles: within(&groups), n: all.len() }
}

/// The device file: gains and asymmetries of the steps, relative spreads, noise in steps.
fn population(fitted: &[Fitted], parameters: &[Spread], asked: &Asked) -> SoftBoundsParameters {
    let mean = |k: usize| parameters[k].mean.value;
    // The larger step is the step, and the asymmetry shortens the other.
    let step = mean(0).max(mean(1));
    let up_down = (mean(0) - mean(1)) / step;
    let of = |f: &dyn Fn(f64, f64) -> f64| {
        let one = |d: &Fitted| {
            let [up, down] = [d.estimates[0], d.estimates[1]];
            let error = 0.5 / step * up.error.hypot(down.error);
            Estimate { value: 0.5 / step * f(up.value, down.value), error }
        };
        over(&fitted.iter().map(one).collect::<Vec<_>>()).1.map_or(0.0, |s| s.value)
    };
    let relative = |k: usize| parameters[k].devices.map_or(0.0, |s| s.value / mean(k).abs());
    let square = |k: usize| {
        let sum: f64 = fitted.iter().map(|d| d.estimates[k].value.powi(2)).sum();
        (sum / fitted.len() as f64).sqrt()
    };
    SoftBoundsParameters {
        name: asked.name.clone(),
        citation: asked.source.clone(),
        step: rounded(step),
        upper: rounded(mean(2)),
        lower: rounded(mean(3)),
        up_down: rounded(up_down),
        step_spread: rounded(of(&|up, down| up + down)),
        upper_spread: rounded(relative(2)),
        lower_spread: rounded(relative(3)),
        up_down_spread: rounded(of(&|up, down| up - down)),
        step_noise: rounded(square(4)),
        write_noise: rounded(square(5) / step),
        log_normal: false,
        multiplicative: false,
        up_slope: None,
        down_slope: None,
        slope_spread: 0.0,
        centred: false,
        reference_spread: 0.0,
    }
}

fn residuals(device: &Fitted) -> impl Iterator<Item = Residual> {
    device.steps.iter().map(|s| Residual {
        device: device.place,
        at: s.at,
        up: s.up,
        value: s.error / s.variance.sqrt(),
    })
}
