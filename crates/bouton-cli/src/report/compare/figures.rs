//! Curves and last values of groups of runs.

use super::{Alike, last};
use crate::report::Figure;
use crate::report::boundaries;
use crate::report::figures::{DotRow, MILLIMETRE, Palette, Plot, Series, dots};
use crate::report::seeds::{Over, band, line, over_seeds};
use crate::selection::Key;
use crate::statistics::half_width;
use bouton::claims::Sample;
use std::collections::BTreeSet;

/// Size of the figures, and of their text, in points.
pub(super) const WIDTH: f64 = 170.0 * MILLIMETRE;
pub(super) const FONT: f64 = 9.0;
/// Points of all lines of a figure together, so that a page of many runs stays small.
const POINTS: usize = 6000;
/// Splits of the data that have curves; `batch` says what `train` says, with more noise.
const SPLITS: [&str; 2] = ["test", "train"];
/// Metrics without a curve, because others say the same: `error` is 1 − accuracy, the others are made of the matrix.
const SILENT: [&str; 7] = [
    "error",
    "acc",
    "bwt",
    "fwt",
    "forgetting.from-best",
    "forgetting.from-learning",
    "forgetting.from-peak",
];

/// The last score of every seed, and how much was forgotten where there are tasks.
pub(super) fn finals(groups: &[Alike<'_>], score: &Key, palette: &mut Palette) -> Vec<Figure> {
    let forgetting = Key::Metric(None, "forgetting.from-best".into());
    [score, &forgetting].into_iter().filter_map(|metric| final_values(groups, metric, palette)).collect()
}

fn final_values(groups: &[Alike<'_>], metric: &Key, palette: &mut Palette) -> Option<Figure> {
    let row = |one: &Alike<'_>| {
        let values = last(one, metric);
        let sample = Sample::of(&values)?;
        let half = half_width(&sample);
        let interval = half.map(|half| [sample.mean - half, sample.mean + half]);
        Some(DotRow { label: one.name.clone(), values, mean: sample.mean, interval })
    };
    let rows: Vec<_> = groups.iter().filter_map(row).collect();
    let title = format!("Last {}", metric.name());
    let caption = "Every dot is a seed, the stroke their mean, the line its 95 % interval.";
    let svg = (!rows.is_empty()).then(|| dots(&title, &metric.name(), &rows, palette).svg())?;
    Some(Figure { title, caption: caption.into(), svg })
}

/// One figure for every metric that changes over updates.
pub(super) fn curves(groups: &[Alike<'_>], palette: &mut Palette) -> Vec<Figure> {
    let mut metrics: BTreeSet<(usize, String)> = BTreeSet::new();
    for run in groups.iter().flat_map(|one| one.group.runs.values()) {
        for (rank, split) in SPLITS.iter().enumerate() {
            let names = run.last.get(*split).into_iter().flat_map(|record| record.values.keys());
            metrics.extend(names.map(|name| (rank, name.clone())));
        }
    }
    metrics.retain(|(_, name)| !SILENT.contains(&name.as_str()));
    let key = |(rank, name): (usize, String)| Key::Metric(Some(SPLITS[rank].into()), name);
    metrics.into_iter().map(key).filter_map(|metric| curve(groups, &metric, palette)).collect()
}

fn curve(groups: &[Alike<'_>], metric: &Key, palette: &mut Palette) -> Option<Figure> {
    let points = (POINTS / groups.len().max(1)).clamp(40, 200);
    let mean = |one: &Alike<'_>| -> Series {
        let runs = one.group.runs.values().zip(&one.records);
        let lines: Vec<_> = runs.map(|(run, records)| line(run, records, metric, Over::Updates)).collect();
        band(one.name.clone(), &over_seeds(&lines), points)
    };
    let series: Vec<_> = groups.iter().map(mean).filter(|series| !series.points.is_empty()).collect();
    // What was measured once is no curve.
    if series.iter().all(|series| series.points.len() < 2) {
        return None;
    }
    let title = metric.name();
    let x_label = "updates".into();
    let boundaries = shared(groups);
    Some(plot(
        &title,
        Plot { x_label, y_label: title.clone(), series, boundaries, ..Plot::default() },
        palette,
    ))
}

/// The ends of tasks, if they are the same in all runs.
fn shared(groups: &[Alike<'_>]) -> Vec<f64> {
    let mut ends = groups.iter().flat_map(|one| &one.records).map(|records| boundaries(records));
    let first = ends.next().unwrap_or_default();
    if ends.all(|other| other == first) { first } else { Vec::new() }
}

/// A figure of the size that the page has for it.
pub(super) fn plot(title: &str, plot: Plot, palette: &mut Palette) -> Figure {
    let banded = plot.series.iter().any(|series| !series.band.is_empty());
    let plot = Plot { title: title.into(), width: WIDTH, font: FONT, ..plot };
    let caption = if banded { "Means over seeds with a band of one standard deviation." } else { "" };
    Figure { svg: plot.draw(palette).svg(), title: title.into(), caption: caption.into() }
}
