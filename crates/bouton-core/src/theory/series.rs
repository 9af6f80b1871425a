//! The curves of the theory lab. Axes named log10 hold logarithms, so that any line chart can draw them.

use super::{
    Beakers, Cascade, DeviceParameters, Quadratic, best_bounded, best_cascade, bounded_lifetime,
    resistance_quantiles,
};
use crate::Result;
use crate::fit::log_spaced;
use crate::property::Series;
use crate::rng::Key;

type Line = (String, Vec<(f64, f64)>);

/// Memory of cascades and of Benna-Fusi chains, lifetimes, importance of hidden weights and resistance of a device
/// population; about a second.
///
/// # Errors
/// None in practice: all models and presets are built in.
pub fn series() -> Result<Vec<Series>> {
    Ok(vec![cascades()?, kernels()?, lifetimes()?, importance(), resistance()?])
}

fn series_of(title: &str, x_label: &str, y_label: &str, lines: Vec<Line>) -> Series {
    Series { title: title.into(), x_label: x_label.into(), y_label: y_label.into(), lines }
}

fn cascades() -> Result<Series> {
    let mut times: Vec<usize> = log_spaced(1.0, 3000.0, 60).map(|t| t.round() as usize).collect();
    times.dedup();
    let line = |n: usize| -> Result<Line> {
        let signal = Cascade::standard(n)?.signal(&times);
        let seen = times.iter().zip(signal).filter(|(_, s)| *s > 1e-6);
        Ok((format!("{n} levels"), seen.map(|(&t, s)| ((t as f64).log10(), s.log10())).collect()))
    };
    let lines = [4, 7, 10, 15].into_iter().map(line).collect::<Result<_>>()?;
    Ok(series_of("Cascade: what is left of a stored pattern", "log10 t (events)", "log10 s(t)", lines))
}

fn kernels() -> Result<Series> {
    let line = |m: usize| -> Result<Line> {
        let chain = Beakers::standard(m)?;
        let times = log_spaced(1.0, 1e7, 80).map(f64::round);
        let curve = times.map(|t| (t.log10(), chain.kernel(t as u64).log10()));
        Ok((format!("{m} beakers"), curve.filter(|p| p.1 > -6.0).collect()))
    };
    let lines = [1, 4, 8, 12].into_iter().map(line).collect::<Result<_>>()?;
    Ok(series_of("Benna-Fusi: what is left of an input", "log10 t (steps)", "log10 r(t)", lines))
}

fn lifetimes() -> Result<Series> {
    let chain = Beakers::standard(16)?;
    let line = |name: &str, lifetime: &dyn Fn(f64) -> f64| -> Line {
        let curve = log_spaced(1e3, 1e8, 11).map(|n| (n.log10(), lifetime(n).log10()));
        (name.into(), curve.collect())
    };
    let lines = vec![
        line("best single rate", &|n| bounded_lifetime(best_bounded(n), n)),
        line("best cascade", &|n| best_cascade(n).0 as f64),
        line("Benna-Fusi, 16 beakers", &|n| chain.lifetime(n) as f64),
    ];
    Ok(series_of("How long a pattern stays above the noise", "log10 N (synapses)", "log10 lifetime", lines))
}

fn importance() -> Series {
    const BINS: usize = 15;
    let mut task = Quadratic::random(500, &Key::new(0));
    (0..1000).for_each(|_| drop(task.step()));
    let largest = task.hidden.iter().fold(0.0, |m: f64, w| m.max(w.abs()));
    let mut bins = [(0.0, 0.0, 0.0); BINS];
    for (w, cost) in task.hidden.iter().zip(task.flip_costs()) {
        let size = w.abs() / largest;
        let bin = &mut bins[((size * BINS as f64) as usize).min(BINS - 1)];
        *bin = (bin.0 + size, bin.1 + cost, bin.2 + 1.0);
    }
    let means = bins.iter().filter(|b| b.2 > 0.0).map(|b| (b.0 / b.2, b.1 / b.2)).collect();
    let lines = vec![("mean of a bin".into(), means)];
    series_of(
        "Quadratic binary task: hidden size is importance",
        "|hidden weight| / largest",
        "loss of a flip",
        lines,
    )
}

fn resistance() -> Result<Series> {
    let population = DeviceParameters::majumdar2021()?.population(10_000, &Key::new(0));
    let pulses: Vec<f64> = (0..=50).map(|i| 100.0 * f64::from(i)).collect();
    let quantiles: Vec<[f64; 3]> = pulses.iter().map(|&t| resistance_quantiles(&population, t)).collect();
    let line = |i: usize| pulses.iter().zip(&quantiles).map(|(&t, q)| (t, q[i] / 1e3)).collect();
    let lines = ["5 %", "median", "95 %"].iter().enumerate().map(|(i, name)| (name.to_string(), line(i)));
    Ok(series_of(
        "Weak RESET: resistance of the population",
        "pulses since the last SET",
        "R (kΩ)",
        lines.collect(),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn curves_have_finite_points_and_the_right_order() {
        let all = series().unwrap();
        for (title, points) in all.iter().flat_map(|s| s.lines.iter().map(|l| (&s.title, &l.1))) {
            assert!(points.len() > 2 && points.iter().all(|p| p.0.is_finite() && p.1.is_finite()), "{title}");
        }
        let last = |line: usize| all[2].lines[line].1[10].1;
        assert!(last(0) + 0.4 < last(1) && last(1) + 2.0 < last(2), "lifetimes at N = 1e8");
        let bins = &all[3].lines[0].1;
        assert!(bins.windows(3).all(|b| b[2].1 > b[0].1), "{bins:?}");
    }
}
