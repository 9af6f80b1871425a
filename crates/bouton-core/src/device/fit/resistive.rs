//! Weak RESET: the logarithm of the resistance is a line with one bend, found by least squares.
//!
//! ln R = L + m1 min(t, t*) + m2 max(t − t*, 0) + pink, L of each cycle, m1, t* and m2 of each device. For a given t* the rest is
//! linear; t* is the one that leaves least. Pink noise is undone first where pulses are consecutive: it is white noise behind
//! a filter that is known, e_t = y_t − Σ b_k e_(t−k).

use super::moments::{Estimate, Spread, over, within};
use super::solve::{inverse, times};
use super::telegraph::{self, Counts};
use super::{Asked, Fit, Residual, rounded, too_few};
use crate::Result;
use crate::device::pulses::{Pulses, Trace};
use crate::device::{DeviceParameters, Distribution, Law, Pink, Population, Telegraph};

/// Pulses that a device needs.
const LEAST: usize = 12;
/// Length of the register of the pink noise, that of the published devices.
const TAPS: usize = 15;
/// Places that are tried for the bend.
const PLACES: usize = 40;
/// Drop of the squares, in variances, from which on there is a bend.
const BEND: f64 = 25.0;

const NAMES: [(&str, &str, &str); 5] = [
    ("early-slope", "1/pulse", "growth of ln R per pulse up to the breakpoint"),
    ("breakpoint", "pulses", "pulses after which the growth slows down"),
    ("late-slope", "1/pulse", "growth of ln R per pulse after the breakpoint"),
    ("level", "ln ohm", "ln R before any pulse"),
    ("noise", "", "noise of ln R behind a pulse, its memory taken off"),
];

/// A cycle: numbers of the pulses since the SET, and ln R.
struct Cycle {
    pulses: Vec<f64>,
    logs: Vec<f64>,
    /// Those in the high state of telegraph noise, which say nothing of the law.
    high: Vec<bool>,
}

/// A device that was fitted.
struct Fitted {
    place: usize,
    estimates: [Option<Estimate>; 5],
    levels: Vec<Estimate>,
    residuals: Vec<Residual>,
    /// A of its telegraph noise, if it shows enough of it.
    jumps: Option<f64>,
}

pub(super) fn fit(pulses: &Pulses, asked: &Asked) -> Result<Fit> {
    let cycles = |place: usize| -> Vec<Cycle> {
        let own = pulses.traces.iter().filter(|t| t.device == place);
        own.map(cycle).filter(|c| c.logs.len() >= 3).collect()
    };
    let mut all: Vec<(usize, Vec<Cycle>)> =
        (0..pulses.devices.len()).map(|place| (place, cycles(place))).collect();
    let usual = telegraph::usual(all.iter().flat_map(|d| &d.1).map(|c| &c.logs[..]));
    all.iter_mut().flat_map(|d| &mut d.1).for_each(|c| c.high = telegraph::high(&c.logs, usual));
    let consecutive = all.iter().flat_map(|d| &d.1).all(|c| c.pulses.windows(2).all(|w| w[1] == w[0] + 1.0));
    let pink = Pink { amplitude: 1.0, taps: TAPS };
    let filter = if consecutive { pink.coefficients() } else { vec![1.0] };
    // The mean of the noise grows with the first pulses, by an amplitude that what is left tells.
    let mut amplitude = 0.0;
    let mut fitted = Vec::new();
    for _ in 0..2 {
        fitted = all.iter().filter_map(|(place, c)| device(*place, c, &filter, amplitude)).collect();
        // A device that jumped unseen has too much noise: the one in the middle has not.
        let mut noise: Vec<f64> =
            fitted.iter().filter_map(|d: &Fitted| d.estimates[4]).map(|e| e.value).collect();
        noise.sort_by(f64::total_cmp);
        let white = noise.get(noise.len() / 2).copied().unwrap_or(0.0);
        amplitude = if consecutive { 12f64.sqrt() * white } else { white / pink.sd() };
    }
    if fitted.is_empty() {
        let message = "weak-reset: no device has a cycle with enough RESET pulses";
        return Err(too_few(message, "each needs a dozen in a row, numbered from its last SET on"));
    }
    let parameters: Vec<Spread> = (0..5).filter_map(|k| parameter(k, &fitted)).collect();
    let left_out = pulses.traces.iter().flat_map(|t| &t.pulses).filter(|p| p.up).count();
    let doubts = doubts(&fitted, consecutive, left_out, pulses.devices.len());
    Ok(Fit {
        law: Law::WeakReset,
        devices: fitted.iter().map(|d| (pulses.devices[d.place].clone(), d.estimates.to_vec())).collect(),
        residuals: fitted.iter().flat_map(|d| d.residuals.iter().copied()).collect(),
        population: Population::WeakReset(population(&fitted, amplitude, noise(&all, &fitted), asked)),
        parameters,
        doubts,
        notes: vec![
            asked.source.clone(),
            "resistances in ohm, times in pulses; the logarithm is natural".into(),
        ],
    })
}

/// The RESET pulses of a cycle.
fn cycle(trace: &Trace) -> Cycle {
    let down = trace.pulses.iter().filter(|p| !p.up);
    let (pulses, logs): (_, Vec<f64>) = down.map(|p| (p.number, -p.conductance.ln())).unzip();
    Cycle { pulses, logs, high: Vec::new() }
}

/// What is left of values behind the filter of the pink noise, which begins anew behind a stretch that is left out.
fn whitened(values: impl Iterator<Item = f64>, high: &[bool], filter: &[f64]) -> Vec<f64> {
    let (mut white, mut begin): (Vec<f64>, usize) = (Vec::new(), 0);
    for (y, high) in values.zip(high) {
        let memory: f64 = filter[1..].iter().zip(white[begin..].iter().rev()).map(|(b, e)| b * e).sum();
        white.push(if *high { 0.0 } else { y - memory });
        begin = if *high { white.len() } else { begin };
    }
    white
}

/// Normal equations of a device: levels of its cycles, slope before and after the bend, and the bend itself.
struct Squares {
    solution: Vec<f64>,
    covariances: Vec<Vec<f64>>,
    left: Vec<Vec<f64>>,
    sum: f64,
}

/// Least squares with a bend at `place`; with `slope`, the difference of the slopes there, also over the place of the bend.
fn squares(
    cycles: &[Cycle],
    filter: &[f64],
    amplitude: f64,
    place: Option<f64>,
    slope: Option<f64>,
) -> Option<Squares> {
    let (n, at) = (cycles.len(), place.unwrap_or(f64::MAX));
    let size = n + 1 + usize::from(place.is_some()) + usize::from(slope.is_some());
    let rising: Vec<f64> = filter
        .iter()
        .scan(0.0, |sum, b| {
            Some({
                *sum += b;
                0.5 * amplitude * *sum
            })
        })
        .collect();
    let (mut matrix, mut right, mut rows) = (vec![vec![0.0; size]; size], vec![0.0; size], Vec::new());
    for (c, cycle) in cycles.iter().enumerate() {
        let white =
            |f: &dyn Fn(f64) -> f64| whitened(cycle.pulses.iter().map(|t| f(*t)), &cycle.high, filter);
        // The register fills with the pulses since the SET.
        let mean = |i: usize| if filter.len() > 1 { rising[i.min(rising.len() - 1)] } else { 0.0 };
        let ys = whitened(cycle.logs.iter().enumerate().map(|(i, y)| y - mean(i)), &cycle.high, filter);
        let mut columns = vec![(c, white(&|_| 1.0)), (n, white(&|t| t.min(at)))];
        if place.is_some() {
            columns.push((n + 1, white(&|t| (t - at).max(0.0))));
        }
        if let Some(slope) = slope {
            columns.push((n + 2, white(&|t| if t > at { slope } else { 0.0 })));
        }
        for i in 0..ys.len() {
            for (a, x) in &columns {
                right[*a] += x[i] * ys[i];
                columns.iter().for_each(|(b, z)| matrix[*a][*b] += x[i] * z[i]);
            }
        }
        rows.push((ys, columns));
    }
    let covariances = inverse(&matrix)?;
    let solution = times(&covariances, &right);
    let left: Vec<Vec<f64>> = rows
        .iter()
        .map(|(ys, columns)| {
            let law = |i: usize| columns.iter().map(|(a, x)| solution[*a] * x[i]).sum::<f64>();
            ys.iter().enumerate().map(|(i, y)| y - law(i)).collect()
        })
        .collect();
    let sum = left.iter().flatten().map(|e| e * e).sum();
    Some(Squares { solution, covariances, left, sum })
}

fn device(place: usize, cycles: &[Cycle], filter: &[f64], amplitude: f64) -> Option<Fitted> {
    let rows = cycles.iter().flat_map(|c| &c.high).filter(|high| !**high).count();
    if rows < LEAST {
        return None;
    }
    let n = cycles.len();
    let line = squares(cycles, filter, amplitude, None, None)?;
    let at = |t: f64| squares(cycles, filter, amplitude, Some(t), None);
    let (tried, found) = bend(cycles, &at)?;
    let bent = at(found)?;
    let variance = bent.sum / rows.saturating_sub(n + 3).max(1) as f64;
    // Bends that leave little more than the best say how far everything may be off: two standard errors.
    let likely: Vec<(f64, Squares)> = tried.into_iter().filter_map(|t| Some((t, at(t)?))).collect();
    let likely = || likely.iter().filter(|(_, s)| s.sum - bent.sum < 4.0 * variance);
    let is_bent = line.sum - bent.sum > BEND * variance;
    let best = if is_bent { &bent } else { &line };
    let of = |k: usize| {
        let off = likely().map(|(_, s)| (s.solution[k] - best.solution[k]).abs()).fold(0.0, f64::max);
        let own = (variance * bent.covariances[k][k].min(best.covariances[k][k])).sqrt();
        Estimate { value: best.solution[k], error: own.hypot(0.5 * off) }
    };
    let slope = bent.solution[n] - bent.solution[n + 1];
    let full = squares(cycles, filter, amplitude, Some(found), Some(slope)).filter(|_| is_bent);
    let breakpoint = full.map(|full| {
        let own = (variance * full.covariances[n + 2][n + 2]).sqrt();
        let off = likely().map(|(t, _)| (t - found).abs()).fold(0.0, f64::max);
        Estimate { value: found, error: own.max(0.5 * off) }
    });
    let levels: Vec<Estimate> = (0..n).map(of).collect();
    let errors = levels.iter().map(|e| e.error * e.error).sum::<f64>().sqrt();
    let level = levels.iter().map(|e| e.value).sum::<f64>() / n as f64;
    // What is off in all cycles alike is not averaged out.
    let level = Estimate { value: level, error: errors / (n as f64).sqrt() };
    let sd = variance.sqrt();
    let noise = Estimate { value: sd, error: sd / (2.0 * rows as f64).sqrt() };
    let seen = |(c, left): (&Cycle, &Vec<f64>)| -> Vec<(f64, f64)> {
        let all = c.pulses.iter().zip(left).zip(&c.high);
        all.filter(|(_, high)| !**high).map(|((t, e), _)| (*t, *e)).collect()
    };
    let pairs = cycles.iter().zip(&best.left).flat_map(seen);
    let jumps = telegraph::amplitude(cycles.iter().map(|c| (&c.logs[..], &c.high[..])));
    let residual = |(at, e): (f64, f64)| Residual { device: place, at, up: false, value: e / sd };
    let early = Some(of(n)).filter(|e| is_bent || e.error < e.value.abs());
    let estimates = [early, breakpoint, breakpoint.map(|_| of(n + 1)), Some(level), Some(noise)];
    let residuals = if sd > 0.0 { pairs.map(residual).collect() } else { Vec::new() };
    Some(Fitted { place, estimates, levels, residuals, jumps })
}

/// Places of bends that were tried, and where a bend leaves least: the best of these, then the best between its neighbours
/// (golden section). Some pulses stand on both sides of it.
fn bend(cycles: &[Cycle], at: &dyn Fn(f64) -> Option<Squares>) -> Option<(Vec<f64>, f64)> {
    let mut times: Vec<f64> = cycles.iter().flat_map(|c| c.pulses.iter().copied()).collect();
    times.sort_by(f64::total_cmp);
    times.dedup();
    let edge = (times.len() / 50).max(2);
    let inner = times.get(edge..times.len().checked_sub(edge)?).filter(|inner| !inner.is_empty())?;
    let every = inner.len().div_ceil(PLACES).max(1);
    let mut tried: Vec<f64> = inner.iter().copied().step_by(every).collect();
    let sum = |t: f64| at(t).map_or(f64::MAX, |s| s.sum);
    let sums: Vec<f64> = tried.iter().map(|t| sum(*t)).collect();
    let best = (0..tried.len()).min_by(|a, b| sums[*a].total_cmp(&sums[*b]))?;
    let (mut low, mut high) = (tried[best.saturating_sub(1)], tried[(best + 1).min(tried.len() - 1)]);
    for _ in 0..18 {
        let (a, b) = (low + 0.381_966 * (high - low), low + 0.618_034 * (high - low));
        tried.extend([a, b]);
        if sum(a) < sum(b) { high = b } else { low = a }
    }
    Some((tried, 0.5 * (low + high)))
}

fn parameter(k: usize, fitted: &[Fitted]) -> Option<Spread> {
    let all: Vec<Estimate> = fitted.iter().filter_map(|d| d.estimates[k]).collect();
    if all.is_empty() {
        return None;
    }
    let (mean, devices) = over(&all);
    let levels: Vec<Vec<Estimate>> = fitted.iter().map(|d| d.levels.clone()).collect();
    let (name, unit, about) = NAMES[k];
    let cycles = if k == 3 { within(&levels) } else { None };
    Some(Spread { name, unit, about, mean, devices, cycles, n: all.len() })
}

/// Mean and spread of a parameter over the devices that tell of it.
fn moments(k: usize, fitted: &[Fitted], f: fn(f64) -> f64) -> Option<(f64, f64)> {
    let told: Vec<f64> = fitted.iter().filter_map(|d| d.estimates[k]).map(|e| f(e.value)).collect();
    let n = told.len() as f64;
    let mean = told.iter().sum::<f64>() / n;
    let square = told.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / (n - 1.0).max(1.0);
    (!told.is_empty()).then(|| (mean, square.sqrt()))
}

/// The device file: exponential slopes, a log-normal breakpoint, normal levels; what differs between the cycles of a device is
/// the resistance after a SET, the rest of the level is its own.
fn population(fitted: &[Fitted], amplitude: f64, telegraph: Telegraph, asked: &Asked) -> DeviceParameters {
    let exponential = |k: usize| {
        let (mean, sd) = moments(k, fitted, |x| x.max(0.0)).unwrap_or((1e-9, 0.0));
        let scale = rounded(sd.clamp(1e-3 * mean, mean).max(1e-12));
        let location = rounded((mean - scale).max(0.0));
        Distribution::ShiftedExponential {
            location,
            scale,
            low: location,
            high: rounded(location + 8.0 * scale),
        }
    };
    // No bend was seen: it lies beyond what was measured.
    let last = fitted.iter().flat_map(|d| &d.residuals).map(|r| r.at).fold(1.0, f64::max);
    let (log, shape) = moments(1, fitted, |x| x.max(1e-3).ln()).unwrap_or((last.ln(), 0.0));
    let (shape, scale) = (rounded(shape.max(1e-3)), rounded(log.exp()));
    let breakpoint = Distribution::LogNormal {
        shape,
        scale,
        low: rounded(scale * (-3.0 * shape).exp()),
        high: rounded(scale * (3.0 * shape).exp()),
    };
    let levels: Vec<Estimate> = fitted.iter().filter_map(|d| d.estimates[3]).collect();
    let (level, devices) = over(&levels);
    let own = devices.map_or(0.0, |d| d.value);
    let cycles = within(&fitted.iter().map(|d| d.levels.clone()).collect::<Vec<_>>());
    // A mean over few cycles still has a part of what differs between them.
    let each = fitted.iter().map(|d| d.levels.len()).sum::<usize>() as f64 / fitted.len() as f64;
    let (offset, fresh) = cycles.map_or((0.0, own), |c| ((own * own - c * c / each).max(0.0).sqrt(), c));
    let normal = |mean: f64, sd: f64| {
        let (mean, sd) = (rounded(mean), rounded(sd));
        Distribution::Normal { mean, sd, low: rounded(mean - 3.0 * sd), high: rounded(mean + 3.0 * sd) }
    };
    let resistance = level.value.exp();
    DeviceParameters {
        name: asked.name.clone(),
        citation: asked.source.clone(),
        early_slope: exponential(0),
        breakpoint,
        offset: normal(0.0, offset.max(1e-6)),
        late_slope: exponential(2),
        fresh_resistance: normal(resistance, resistance * fresh.clamp(1e-6, 0.3)),
        pink: Pink { amplitude: rounded(amplitude), taps: TAPS },
        telegraph,
    }
}

/// The telegraph noise of all devices: the mean A is half of the largest.
fn noise(all: &[(usize, Vec<Cycle>)], fitted: &[Fitted]) -> Telegraph {
    let mut counts = Counts::default();
    all.iter().flat_map(|d| &d.1).for_each(|cycle| counts.add(&cycle.high));
    let jumps: Vec<f64> = fitted.iter().filter_map(|d| d.jumps).collect();
    let mean = jumps.iter().sum::<f64>() / jumps.len().max(1) as f64;
    let [rise, fall] = counts.rates().map(rounded);
    Telegraph { rise, fall, amplitude: rounded((2.0 * mean).min(100.0)) }
}

fn doubts(fitted: &[Fitted], consecutive: bool, sets: usize, devices: usize) -> Vec<String> {
    let mut doubts = Vec::new();
    let jumping = fitted.iter().filter(|d| d.jumps.is_some()).count();
    if jumping > 0 {
        doubts.push(format!(
            "{jumping} of {} devices jump in stretches: these are left out and told as telegraph noise, whose small steps go unseen",
            fitted.len()
        ));
    }
    if !consecutive {
        doubts.push(
            "pulses are not numbered one by one: pink noise cannot be told from noise without memory".into(),
        );
    }
    if sets > 0 {
        doubts.push(format!("{sets} lines of SET pulses are left out: the law is about RESET alone"));
    }
    if fitted.len() < devices {
        doubts.push(format!("{} of {devices} devices have too few RESET pulses", devices - fitted.len()));
    }
    let unbent = fitted.iter().filter(|d| d.estimates[1].is_none()).count();
    if unbent > 0 {
        let n = fitted.len();
        doubts.push(format!(
            "{unbent} of {n} devices show no breakpoint: theirs, and the late slope, are not in the means"
        ));
    }
    let falling = fitted.iter().filter_map(|d| d.estimates[0]).filter(|e| e.value < -2.0 * e.error).count();
    if falling > 0 {
        doubts.push(format!(
            "the resistance of {falling} devices falls under RESET pulses, which the law has not"
        ));
    }
    doubts
}
