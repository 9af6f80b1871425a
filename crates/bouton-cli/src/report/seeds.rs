//! Lines of several runs as one: mean and spread over seeds.

use crate::selection::{Key, results};
use crate::statistics::half_width;
use bouton::claims::Sample;
use bouton::train::{Entry, Record};
use std::collections::BTreeMap;

use super::figures::Series;

/// What a line is drawn over.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Over {
    /// Updates done.
    Updates,
    /// Epochs begun; of several points of an epoch the last one.
    Epochs,
}

/// A number over runs at one place.
pub type Spread = (f64, Sample);

/// The metric in the records of `run`.
pub fn line(run: &Entry, records: &[Record], metric: &Key, over: Over) -> Vec<(f64, f64)> {
    let Key::Metric(split, name) = metric else { return Vec::new() };
    let split = split.as_deref().or_else(|| results(run).map(|record| record.split.as_str()));
    let mut points: Vec<(f64, f64)> = Vec::new();
    for record in records.iter().filter(|record| Some(record.split.as_str()) == split) {
        let Some(&value) = record.values.get(name) else { continue };
        let x = if over == Over::Updates { record.step } else { record.epoch } as f64;
        if points.last().is_some_and(|last| last.0 == x) {
            points.pop();
        }
        points.push((x, value));
    }
    points
}

/// Mean and spread at every place that all lines have and where all are finite.
pub fn over_seeds(lines: &[Vec<(f64, f64)>]) -> Vec<Spread> {
    let mut places: BTreeMap<u64, Vec<f64>> = BTreeMap::new();
    for (x, y) in lines.iter().flatten().filter(|(_, y)| y.is_finite()) {
        // Updates, epochs and tasks are counted from zero: their bits are in their order.
        places.entry(x.to_bits()).or_default().push(*y);
    }
    let whole = places.into_iter().filter(|(_, values)| values.len() == lines.len());
    whole.filter_map(|(x, values)| Some((f64::from_bits(x), Sample::of(&values)?))).collect()
}

/// A line with a band of one standard deviation, of at most so many points: means over neighbours.
pub fn band(label: String, spreads: &[Spread], points: usize) -> Series {
    let mut series = Series { label, ..Series::default() };
    let banded = spreads.iter().any(|(_, sample)| sample.n > 1);
    for group in spreads.chunks(spreads.len().div_ceil(points.max(1)).max(1)) {
        let mean = |of: &dyn Fn(&Spread) -> f64| group.iter().map(of).sum::<f64>() / group.len() as f64;
        let (x, y) = (mean(&|s| s.0), mean(&|s| s.1.mean));
        series.points.push((x, y));
        if banded {
            let deviation = mean(&|s| s.1.std.unwrap_or(0.0));
            series.band.push((y - deviation, y + deviation));
        }
    }
    series
}

/// Points with 95 % intervals; one run has none.
pub fn intervals(label: String, spreads: &[Spread]) -> Series {
    let ends = |sample: &Sample| {
        let half = half_width(sample).unwrap_or(0.0);
        (sample.mean - half, sample.mean + half)
    };
    Series {
        label,
        points: spreads.iter().map(|(x, sample)| (*x, sample.mean)).collect(),
        band: spreads.iter().map(|(_, sample)| ends(sample)).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// By hand: (1, 3) and (2, 4) have means 2 and 3 and a deviation of √2; what one line lacks is left out.
    #[test]
    fn lines_become_their_mean_where_all_are() {
        let lines = [vec![(0.0, 1.0), (5.0, 2.0), (9.0, f64::NAN)], vec![(0.0, 3.0), (5.0, 4.0), (7.0, 1.0)]];
        let spreads = over_seeds(&lines);
        let root = 2f64.sqrt();
        let found = band("a".into(), &spreads, 10);
        assert_eq!(found.points, [(0.0, 2.0), (5.0, 3.0)]);
        assert!((found.band[1].0 - (3.0 - root)).abs() < 1e-12, "{:?}", found.band);
        assert_eq!(band("a".into(), &spreads, 1).points, [(2.5, 2.5)]);
        assert!(band("a".into(), &over_seeds(&lines[..1]), 10).band.is_empty(), "one run has no band");
    }
}
