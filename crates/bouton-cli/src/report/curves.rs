//! The curves of a run: one figure a quantity, one line a split of the data and phase.
//!
//! A metric `residual.free` is the quantity `residual` in the phase `free`; a metric `loss` has no phase. Flips have
//! connections in the place of phases.

use std::collections::BTreeMap;

use bouton::Result;
use bouton::train::Record;

use super::Figure;
use super::continual::boundaries;
use super::figures::{LineChart, Palette, Series, line_chart, wants_log};

/// Quantities that come first, with what their y axis says.
const KNOWN: [(&str, &str); 9] = [
    ("accuracy", "accuracy (fraction of samples)"),
    ("error", "error rate (fraction of samples)"),
    ("mse", "mean squared error per output"),
    ("mae", "mean absolute error per output"),
    ("r2", "coefficient of determination R²"),
    ("loss", "loss (mean over samples)"),
    ("residual", "residual of the fixed point"),
    ("sweeps", "sweeps"),
    ("flips", "weights that flipped in an epoch (fraction)"),
];
/// A longer line is drawn by means over about this many equal ranges of updates.
const POINTS: usize = 200;

/// A line under construction: (split, phase) and its points.
type Lines<'a> = BTreeMap<(&'a str, &'a str), Vec<(f64, f64)>>;

/// Draws everything in `records` over updates. Long lines show the mean and a band of one standard deviation.
///
/// # Errors
/// [`bouton::Error::Data`] if a figure cannot be drawn.
pub fn curves(records: &[Record], palette: &mut Palette) -> Result<Vec<Figure>> {
    let mut quantities: BTreeMap<(usize, &str), Lines<'_>> = BTreeMap::new();
    for record in records {
        for (name, &value) in &record.values {
            let (quantity, phase) = name.split_once('.').unwrap_or((name, ""));
            let rank = KNOWN.iter().position(|known| known.0 == quantity).unwrap_or(KNOWN.len());
            let lines = quantities.entry((rank, quantity)).or_default();
            lines.entry((&record.split, phase)).or_default().push((record.step as f64, value));
        }
    }
    let boundaries = boundaries(records);
    let figure = |((rank, quantity), lines)| figure(rank, quantity, lines, &boundaries, palette);
    quantities.into_iter().map(figure).collect()
}

fn figure(
    rank: usize,
    quantity: &str,
    lines: Lines<'_>,
    boundaries: &[f64],
    palette: &mut Palette,
) -> Result<Figure> {
    let values = || lines.values().flatten().map(|point| point.1).filter(|v| v.is_finite());
    let thinned = lines.values().any(|points| points.len() > 2 * POINTS);
    let log_y = wants_log(values());
    let lost = lines.values().flatten().count() - values().count();
    let phases = lines.keys().any(|key| !key.1.is_empty());
    let title = format!(
        "{}{}{}",
        quantity[..1].to_uppercase(),
        &quantity[1..],
        match (phases, quantity) {
            (false, _) => "",
            (true, "flips") => " of binary weights per epoch",
            (true, _) => " per phase",
        }
    );
    let series =
        lines.into_iter().map(|((split, phase), points)| line(label(quantity, split, phase), points));
    let chart = LineChart {
        title: title.clone(),
        x_label: "updates".into(),
        y_label: KNOWN.get(rank).map_or(quantity, |known| known.1).into(),
        log_y,
        series: series.collect(),
        boundaries: boundaries.to_vec(),
    };
    let mut caption = Vec::new();
    if thinned {
        caption.push("Lines are means over neighbouring records, bands one standard deviation.".to_string());
    }
    if !boundaries.is_empty() {
        caption.push("Thin lines are the ends of tasks.".to_string());
    }
    if lost > 0 {
        caption.push(format!("{lost} values were not finite and leave a gap."));
    }
    Ok(Figure { svg: line_chart(&chart, palette)?, title, caption: caption.join(" ") })
}

/// The name of a line, the same in every figure. Connections have theirs wherever they are drawn.
fn label(quantity: &str, split: &str, phase: &str) -> String {
    match (quantity, phase) {
        (_, "") => split.into(),
        ("flips", connection) => connection.into(),
        (_, phase) => format!("{phase} ({split})"),
    }
}

/// The points as they are, or the mean and deviation of equal ranges if they are too many.
fn line(label: String, points: Vec<(f64, f64)>) -> Series {
    if points.len() <= 2 * POINTS {
        return Series { label, points, band: Vec::new() };
    }
    let mut series = Series { label, ..Series::default() };
    for group in points.chunks(points.len().div_ceil(POINTS)) {
        let n = group.len() as f64;
        let (x, y) = group.iter().fold((0.0, 0.0), |(x, y), p| (x + p.0 / n, y + p.1 / n));
        let deviation = (group.iter().map(|p| (p.1 - y).powi(2)).sum::<f64>() / n).sqrt();
        series.points.push((x, y));
        series.band.push((y - deviation, y + deviation));
    }
    series
}

#[cfg(test)]
mod tests {
    use super::*;

    fn curves(records: &[Record]) -> Result<Vec<Figure>> {
        super::curves(records, &mut Palette::default())
    }

    fn record(step: u64, split: &str, values: &[(&str, f64)]) -> Record {
        let values = values.iter().map(|&(name, v)| (name.to_string(), v)).collect();
        Record { step, epoch: 0, wall: 0.0, split: split.into(), values }
    }

    #[test]
    fn a_figure_for_each_quantity_in_a_fixed_order() {
        let values =
            [("zeta", 1.0), ("sweeps.free", 9.0), ("residual.free", 1e-3), ("residual.nudged", 1e-6)];
        let mut records: Vec<_> = (0..3).map(|step| record(step, "train", &values)).collect();
        records.push(record(2, "test", &[("accuracy", 0.5), ("residual.free", f64::NAN)]));
        let figures = curves(&records).unwrap();
        let titles: Vec<_> = figures.iter().map(|figure| figure.title.as_str()).collect();
        assert_eq!(titles, ["Accuracy", "Residual per phase", "Sweeps per phase", "Zeta"]);
        let residual = &figures[1];
        assert!(residual.svg.contains("nudged (train)") && residual.svg.contains("10⁻⁵"));
        assert_eq!(residual.caption, "1 values were not finite and leave a gap.");
        assert!(figures[2].svg.contains(">\nfree (train)\n<"), "{}", figures[2].svg);
        assert!(curves(&[]).unwrap().is_empty());
    }

    #[test]
    fn flips_have_a_line_for_each_connection() {
        let values = [("flips.input-hidden1", 0.25), ("flips.hidden1-output", 0.5)];
        let records: Vec<_> = (0..3).map(|step| record(step, "train", &values)).collect();
        let figures = curves(&records).unwrap();
        assert_eq!(figures[0].title, "Flips of binary weights per epoch");
        assert!(figures[0].svg.contains(">\nhidden1-output\n<"), "{}", figures[0].svg);
    }

    #[test]
    fn long_lines_become_means_with_a_band() {
        let points: Vec<_> = (0..2000).map(|i| (i as f64, f64::from(i % 2) * 2.0)).collect();
        let series = line("x".into(), points);
        assert_eq!((series.points.len(), series.band.len()), (200, 200));
        assert_eq!(series.points[0], (4.5, 1.0));
        assert_eq!(series.band[199], (0.0, 2.0));
        assert_eq!(line("x".into(), vec![(0.0, 1.0); 400]).points.len(), 400);
    }
}
