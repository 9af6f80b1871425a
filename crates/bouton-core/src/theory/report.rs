//! The checks of the theory lab as rows.

use super::{
    Beakers, Cascade, DeviceParameters, Quadratic, SoftBoundsParameters, best_bounded, best_cascade,
    bounded_lifetime, pearson, resistance_quantiles, spearman,
};
use crate::Result;
use crate::fit::log_log_slope;
use crate::property::{Bound, Property};
use crate::rng::Key;

/// Every check of this folder, in a fixed order and with the same numbers each time; about a second.
///
/// # Errors
/// None in practice: all models and presets are built in.
pub fn report() -> Result<Vec<Property>> {
    let mut rows = Vec::new();
    cascade(&mut rows)?;
    beakers(&mut rows)?;
    quadratic(&mut rows);
    device(&mut rows)?;
    soft_bounds(&mut rows)?;
    Ok(rows)
}

fn within(of: f64, by: f64) -> Bound {
    Bound::Within { of, by }
}

/// Largest magnitude; not a number if any value is none.
fn largest(values: impl Iterator<Item = f64>) -> f64 {
    values.map(f64::abs).max_by(f64::total_cmp).unwrap_or(f64::NAN)
}

fn cascade(rows: &mut Vec<Property>) -> Result<()> {
    let all = (1..=15).map(Cascade::standard).collect::<Result<Vec<_>>>()?;
    let uneven = all.iter().map(|c| {
        let still = c.stationary();
        largest(still.iter().map(|o| o * still.len() as f64 - 1.0))
    });
    let first = all.iter().enumerate().skip(1).map(|(i, c)| c.signal(&[1])[0] * (i + 1) as f64 / 2.0 - 1.0);
    let times = [1, 2, 4, 10, 30, 100, 300, 1000];
    let table = [0.2, 0.066666, 0.060950, 0.038798, 0.019483, 0.008257, 0.003382, 0.000730];
    let signal = all[9].signal(&times);
    let off = signal.iter().zip(table).map(|(s, t)| s - t);
    let lifetimes: Vec<(f64, f64)> =
        [1e5, 1e6, 1e7, 1e8].iter().map(|&n| (n, best_cascade(n).0 as f64)).collect();
    let (n, best) = lifetimes[1];
    let gain = best / bounded_lifetime(best_bounded(n), n);
    let row = Property::measured;
    rows.extend([
        row(
            "cascade-occupancy",
            "cascade: every state is equally occupied (1 to 15 levels, relative error)",
            largest(uneven),
            Bound::AtMost(1e-12),
        ),
        row(
            "cascade-first-signal",
            "cascade: s(1) = 2/n (2 to 15 levels, relative error)",
            largest(first),
            Bound::AtMost(1e-12),
        ),
        row(
            "cascade-signal",
            "cascade: table of s(t), 10 levels, t up to 1000",
            largest(off),
            Bound::AtMost(1e-6),
        ),
        row(
            "cascade-eigenvalue",
            "cascade: second-largest eigenvalue of 12 levels",
            all[11].second_eigenvalue(),
            within(0.999511, 1e-6),
        ),
        row(
            "cascade-lifetime",
            "cascade: exponent of the best lifetime against N, 1e5 to 1e8",
            log_log_slope(lifetimes.into_iter()),
            within(0.51, 0.02),
        ),
        row(
            "cascade-gain",
            "cascade: best lifetime over that of a single rate, N = 1e6",
            gain,
            within(3.0, 0.25),
        ),
    ]);
    Ok(())
}

fn beakers(rows: &mut Vec<Property>) -> Result<()> {
    let chains = (8..=12).map(Beakers::standard).collect::<Result<Vec<_>>>()?;
    let long = Beakers::standard(16)?;
    let growth = chains.windows(2).map(|c| c[1].variance() - c[0].variance() - 1.25);
    let slope = chains[4].slope(16.0, chains[4].slowest() / 4.0, 200);
    let lifetimes = [1e4, 1e5, 1e6, 1e7].map(|n| long.lifetime(n) as f64);
    let ratio = lifetimes.windows(2).map(|l| l[1] / l[0] - 10.0);
    let mut levels = vec![0.0; 8];
    levels[0] = 1.0;
    let mut off = Vec::new();
    for t in 0..10_000 {
        off.push(chains[0].kernel(t) - levels[0]);
        chains[0].step(&mut levels);
    }
    let closed = Beakers::new(8, 2.0, 4.0, false)?;
    let before = closed.content(&levels);
    (0..10_000).for_each(|_| closed.step(&mut levels));
    let row = Property::measured;
    rows.extend([
        row(
            "beakers-slope",
            "Benna-Fusi: log-log slope of the kernel, 12 beakers",
            slope,
            within(-0.5, 0.01),
        ),
        row(
            "beakers-variance",
            "Benna-Fusi: Var(u_1) grows by 1.25 per beaker (8 to 12, largest difference)",
            largest(growth),
            Bound::AtMost(5e-3),
        ),
        row(
            "beakers-lifetime",
            "Benna-Fusi: lifetime grows tenfold per decade of N (16 beakers, largest difference)",
            largest(ratio),
            Bound::AtMost(0.1),
        ),
        row(
            "beakers-recurrence",
            "Benna-Fusi: closed form of the kernel equals 10,000 steps of the chain",
            largest(off.into_iter()),
            Bound::AtMost(1e-12),
        ),
        row(
            "beakers-conservation",
            "Benna-Fusi: without leak the content stays (10,000 steps, relative error)",
            (closed.content(&levels) / before - 1.0).abs(),
            Bound::AtMost(1e-12),
        ),
    ]);
    Ok(())
}

fn quadratic(rows: &mut Vec<Property>) {
    let d = 500;
    let mut task = Quadratic::random(d, &Key::new(0));
    (0..1000).for_each(|_| drop(task.step()));
    let (costs, size) = (task.flip_costs(), task.hidden.iter().map(|w| w.abs()).collect::<Vec<_>>());
    let flips = (0..d).step_by(5).map(|i| task.flip_cost_by_loss(i) - costs[i]).collect::<Vec<_>>();
    let growth = task.step();
    let drift = task.flip_costs_by_growth(&growth);
    let small = Quadratic::random(50, &Key::new(0));
    // The same time, in steps of two lengths.
    let paths = [(1e-3, 200), (5e-4, 400)].map(|(rate, steps)| {
        let [decrease, path] = small.descent(rate, steps);
        (rate, (path / decrease - 1.0).abs())
    });
    let row = Property::measured;
    rows.extend([
        row(
            "quadratic-importance",
            "quadratic binary task: flipping weight i costs -2 b_i q_i + 2 H_ii",
            largest(flips.into_iter()),
            Bound::AtMost(1e-9),
        ),
        row(
            "quadratic-drift",
            "quadratic binary task: that cost is (2/η) times the growth of the hidden weight + 2 H_ii",
            largest(drift.iter().zip(&costs).map(|(d, c)| d - c)),
            Bound::AtMost(1e-9),
        ),
        row(
            "quadratic-pearson",
            "quadratic binary task: correlation of hidden size and importance, 500 weights",
            pearson(&size, &costs),
            within(1.0, 0.05),
        ),
        row(
            "quadratic-spearman",
            "quadratic binary task: rank correlation of hidden size and importance",
            spearman(&size, &costs),
            within(1.0, 0.03),
        ),
        row(
            "quadratic-path",
            "quadratic task: SI's path integral is the loss decrease, but for an error of this order in the learning rate",
            log_log_slope(paths.into_iter()),
            within(1.0, 0.1),
        ),
    ]);
}

fn device(rows: &mut Vec<Property>) -> Result<()> {
    let preset = DeviceParameters::majumdar2021()?;
    let population = preset.population(50_000, &Key::new(0));
    let table = [
        (100.0, [6515.0, 7479.0, 8919.0]),
        (1000.0, [7007.0, 9041.0, 26_219.0]),
        (10_000.0, [7719.0, 11_958.0, 44_174.0]),
    ];
    let off = table.iter().flat_map(|&(pulses, printed)| {
        resistance_quantiles(&population, pulses).into_iter().zip(printed).map(|(r, p)| r / p - 1.0)
    });
    let jump = population.iter().map(|d| d.growth(d.breakpoint.next_down()) - d.growth(d.breakpoint));
    let mut pink = preset.pink;
    let mean = pink.mean();
    pink.taps = 127;
    let row = Property::measured;
    rows.extend([
        row(
            "device-population",
            "weak RESET: 5, 50 and 95 % of R after 100, 1,000 and 10,000 pulses (relative difference)",
            largest(off),
            Bound::AtMost(0.03),
        ),
        row(
            "device-continuity",
            "weak RESET: growth of ln R is continuous at the breakpoint",
            largest(jump),
            Bound::AtMost(1e-12),
        ),
        row("device-pink-mean", "weak RESET: stationary mean of the pink noise", mean, within(0.0542, 1e-4)),
        row(
            "device-pink-slope",
            "weak RESET: slope of the noise density, 127 taps",
            pink.slope(400),
            within(-1.0, 0.1),
        ),
        row(
            "device-telegraph",
            "weak RESET: occupancy of the high telegraph state",
            preset.telegraph.high_after(true, 100_000),
            within(0.2857, 1e-4),
        ),
    ]);
    Ok(())
}

fn soft_bounds(rows: &mut Vec<Property>) -> Result<()> {
    let device = SoftBoundsParameters::reram()?.draw([0.0; 7]);
    let mut weight = 0.0;
    let mut off = Vec::new();
    for pulses in 0..3000 {
        off.push(device.after_up(pulses) - weight);
        weight = device.pulse(weight, true, 0.0);
    }
    rows.push(Property::measured(
        "soft-bounds",
        "soft bounds: w_n = b_max (1 - (1 - a/b_max)^n) over 3,000 pulses",
        largest(off.into_iter()),
        Bound::AtMost(1e-12),
    ));
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::property::Verdict;

    #[test]
    fn every_row_passes() {
        let rows = super::report().unwrap();
        let failed: Vec<_> = rows.iter().filter(|r| r.verdict != Verdict::Pass).collect();
        assert!(failed.is_empty(), "{failed:#?}");
        let mut ids: Vec<_> = rows.iter().map(|r| &r.id).collect();
        ids.sort();
        ids.dedup();
        assert_eq!(ids.len(), rows.len());
    }
}
