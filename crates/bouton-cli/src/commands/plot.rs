//! `bouton plot`: a figure for a paper.

use super::{OutArgs, figure};
use crate::csv;
use crate::printer::Printer;
use crate::report::boundaries;
use crate::report::figures::{Drawing, MILLIMETRE, Palette, Plot as Figure, Series};
use crate::report::seeds::{Over, Spread, band, intervals, line, over_seeds};
use crate::selection::{Group, Key, Known, Which, chosen, differing_keys, groups, remarks, tell};
use crate::statistics::half_width;
use bouton::claims::Sample;
use bouton::objective::Metric;
use bouton::train::{Entry, atomic, metrics};
use bouton::{Error, Result};
use clap::Args;
use std::path::PathBuf;

/// Most points of a line.
const POINTS: usize = 300;
/// Height of text in points.
const FONT: f64 = 8.0;

/// Draw a metric of finished runs for a paper, over updates or over a key
///
/// Over updates and epochs: the mean over seeds with a band of one standard deviation. Over a key: the mean of the last values
/// with its 95 % interval.
#[derive(Args, Debug)]
pub struct Plot {
    /// The metric, such as `accuracy` or `train.loss`
    metric: String,
    /// Keys whose values make a line [default: all in which the runs differ, the seed aside]
    #[arg(long, num_args = 1.., value_name = "KEY")]
    by: Vec<String>,
    /// What it is drawn over: `updates`, `epochs`, or a key
    #[arg(long, default_value = "updates", value_name = "KEY")]
    x: String,
    #[command(flatten)]
    which: Which,
    /// File to write, whose ending chooses the kind: svg, pdf, png (300 dots per inch) or csv [default: METRIC.svg]
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Width of the figure in millimetres; text is 8 points high
    #[arg(long, default_value_t = 85, value_name = "MM", value_parser = clap::value_parser!(u16).range(30..=1000))]
    width: u16,
    #[command(flatten)]
    out: OutArgs,
}

/// A line of the figure.
struct Line {
    name: String,
    values: Vec<String>,
    spreads: Vec<Spread>,
}

/// What a figure shows.
struct Shown {
    lines: Vec<Line>,
    /// Full names of the keys that make a line.
    keys: Vec<String>,
    /// What the lines are values of.
    legend: String,
    x_label: String,
    x_names: Vec<String>,
    boundaries: Vec<f64>,
    points: bool,
}

impl Plot {
    /// Carries it out.
    pub fn go(self, printer: &mut Printer) -> Result<()> {
        let output = self.output.clone().unwrap_or_else(|| format!("{}.svg", self.metric).into());
        figure::known(&output, &["csv"])?;
        let runs = self.which.of(&self.out.out)?;
        let chosen = chosen(&runs, Some(&self.metric), &self.out.out)?;
        if !matches!(chosen.metric, Key::Metric(..)) {
            let error = Error::config(format!("`{}` is no metric", chosen.metric.name()));
            return Err(error.with_hint("name one, such as `accuracy` or `train.loss`"));
        }
        let known = Known::of(&runs);
        let over = match self.x.as_str() {
            "updates" => Some(Over::Updates),
            "epochs" => Some(Over::Epochs),
            _ => None,
        };
        let x = known.key(&self.x).map_err(|e| e.context("--x"))?;
        let by = match self.by.is_empty() {
            true => differing_keys(&chosen.runs).into_iter().filter(|key| *key != x).collect(),
            false => known.keys(&self.by)?,
        };
        let shown = match over {
            Some(over) => curves(&chosen.runs, &by, &chosen.metric, over, &known)?,
            None => points(&chosen.runs, &by, &chosen.metric, &x, &known),
        };
        match figure::ending(&output).as_str() {
            "csv" => atomic::write(&output, shown.csv(&self.x, &chosen.metric))?,
            _ => figure::write(&output, &shown.draw(&chosen.metric, self.width))?,
        }
        printer.line(output.display())
    }
}

/// Lines over updates or epochs.
fn curves(runs: &[&Entry], by: &[Key], metric: &Key, over: Over, known: &Known<'_>) -> Result<Shown> {
    let groups = groups(runs, by);
    remarks(&groups);
    let mut ends: Vec<Vec<f64>> = Vec::new();
    let mut read = |run: &Entry| {
        let records = metrics::read(&run.run().metrics())?.records;
        ends.push(boundaries(&records));
        Ok(line(run, &records, metric, over))
    };
    let one = |group: &Group<'_>| {
        let lines = group.runs.values().map(|run| read(run)).collect::<Result<Vec<_>>>()?;
        Ok(Line { name: group.name(), values: group.words(), spreads: over_seeds(&lines) })
    };
    let x_label = if over == Over::Updates { "updates" } else { "epochs" };
    let lines = groups.iter().map(one).collect::<Result<_>>()?;
    ends.dedup();
    // Where runs change tasks at different updates, no line could stand for all of them.
    let boundaries = if ends.len() == 1 && over == Over::Updates { ends.remove(0) } else { Vec::new() };
    Ok(Shown {
        lines,
        boundaries,
        keys: by.iter().map(Key::name).collect(),
        legend: legend(by, known),
        x_label: x_label.into(),
        x_names: Vec::new(),
        points: false,
    })
}

/// Last values over the values of a key.
fn points(runs: &[&Entry], by: &[Key], metric: &Key, x: &Key, known: &Known<'_>) -> Shown {
    let with_x: Vec<&Entry> = runs.iter().copied().filter(|run| x.cell(run).is_some()).collect();
    tell(runs.len() - with_x.len(), &format!("without `{}`", x.name()));
    let places = groups(&with_x, std::slice::from_ref(x));
    let cells: Vec<_> = places.iter().filter_map(|group| group.values[0].clone()).collect();
    let numbers = cells.iter().all(|cell| cell.number.is_some());
    let mut lines: Vec<Line> = Vec::new();
    let mut all = groups(&with_x, &[by, std::slice::from_ref(x)].concat());
    remarks(&all);
    for group in &mut all {
        let cell = group.values.pop().flatten().expect("every run has the key");
        let named = cells.iter().position(|other| *other == cell).unwrap_or(0) as f64;
        let at = cell.number.filter(|_| numbers).unwrap_or(named);
        let last: Vec<f64> = group.runs.values().filter_map(|run| metric.number(run)).collect();
        let Some(sample) = Sample::of(&last) else { continue };
        match lines.iter_mut().find(|line| line.values == group.words()) {
            Some(line) => line.spreads.push((at, sample)),
            None => {
                lines.push(Line { name: group.name(), values: group.words(), spreads: vec![(at, sample)] })
            }
        }
    }
    let x_names = if numbers { Vec::new() } else { cells.into_iter().map(|cell| cell.text).collect() };
    let keys = by.iter().map(Key::name).collect();
    let legend = legend(by, known);
    Shown { lines, keys, legend, x_label: known.short(x), x_names, boundaries: Vec::new(), points: true }
}

impl Shown {
    fn draw(&self, metric: &Key, width: u16) -> Drawing {
        let series = |line: &Line| -> Series {
            match self.points {
                true => intervals(line.name.clone(), &line.spreads),
                false => band(line.name.clone(), &line.spreads, POINTS),
            }
        };
        let figure = Figure {
            x_label: self.x_label.clone(),
            y_label: axis(metric),
            legend: self.legend.clone(),
            series: self.lines.iter().map(series).collect(),
            points: self.points,
            x_names: self.x_names.clone(),
            boundaries: self.boundaries.clone(),
            width: f64::from(width) * MILLIMETRE,
            font: FONT,
            ..Figure::default()
        };
        figure.draw(&mut Palette::default())
    }

    /// The numbers of the figure.
    fn csv(&self, x: &str, metric: &Key) -> String {
        let columns = ["metric", x, "n", "mean", "sd", "low", "high"].map(String::from);
        let heading: Vec<_> = self.keys.iter().cloned().chain(columns).collect();
        let row = |line: &Line, (at, sample): &Spread| {
            let half = half_width(sample);
            let ends = [half.map(|half| sample.mean - half), half.map(|half| sample.mean + half)];
            let numbers = [Some(sample.mean), sample.std].into_iter().chain(ends);
            let place = self.x_names.get(*at as usize).cloned().unwrap_or_else(|| at.to_string());
            let mut row = line.values.clone();
            row.extend([metric.name(), place, sample.n.to_string()]);
            row.extend(numbers.map(|x| x.map_or(String::new(), |x| x.to_string())));
            row
        };
        let rows =
            self.lines.iter().flat_map(|line| line.spreads.iter().map(move |spread| row(line, spread)));
        csv::table(&heading, &rows.collect::<Vec<_>>())
    }
}

/// The short names of keys.
fn legend(by: &[Key], known: &Known<'_>) -> String {
    by.iter().map(|key| known.short(key)).collect::<Vec<_>>().join(", ")
}

/// What stands beside the axis of a metric.
fn axis(metric: &Key) -> String {
    let Key::Metric(split, name) = metric else { return metric.name() };
    let about = Metric::named(name).map_or(name.as_str(), |metric| metric.about);
    let split = split.as_deref().filter(|split| *split != "test");
    split.map_or_else(|| about.to_owned(), |split| format!("{about}, {split}"))
}
