//! One page about many runs: what differs, curves, last values and matrices, seeds together.

mod figures;
mod tasks;

use crate::number::number;
use crate::selection::{Group, Key, Known, differing_keys, groups, results};
use crate::statistics::half_width;
use bouton::Result;
use bouton::claims::Sample;
use bouton::objective::Metric;
use bouton::train::{Entry, Record, metrics};
use minijinja::context;
use std::collections::BTreeSet;

use super::Figure;
use super::figures::Palette;
use super::html::fill;

/// Most characters of a group's name.
const LONGEST: usize = 48;

/// Runs that are equal but for the seed.
struct Alike<'a> {
    /// Its name in every figure.
    name: String,
    group: Group<'a>,
    /// The records of its runs, in the order of seeds.
    records: Vec<Vec<Record>>,
}

/// The page about `runs`, which are in the order of age.
///
/// # Errors
/// [`bouton::Error::Io`] or [`bouton::Error::Data`] if files of a run cannot be read.
pub fn compare(runs: &[Entry]) -> Result<String> {
    let all: Vec<&Entry> = runs.iter().collect();
    let (keys, known) = (differing_keys(&all), Known::of(runs));
    let alike = groups(&all, &keys).into_iter().enumerate().map(|(i, group)| alike(i, group, &keys, &known));
    let alike = alike.collect::<Result<Vec<_>>>()?;
    let score = score(&all);
    let mut palette = Palette::default();
    // Named in the order of the table, whatever is drawn of them.
    alike.iter().for_each(|one| palette.know(&one.name));
    let mut drawn = figures::finals(&alike, &score, &mut palette);
    drawn.extend(tasks::figures(&alike, &mut palette)?);
    drawn.extend(figures::curves(&alike, &mut palette));
    let older: usize = alike.iter().map(|one| one.group.older.len()).sum();
    let mut heading: Vec<String> = vec!["group".into()];
    heading.extend(keys.iter().map(|key| known.short(key)));
    heading.extend(["seeds".into(), "n".into(), format!("mean {}", score.name())]);
    heading.extend(["SD", "95 % interval"].map(String::from));
    fill(
        include_str!("page.html"),
        context! {
            runs => runs.len(), groups => alike.len(), older, heading,
            rows => alike.iter().map(|one| row(one, &score)).collect::<Vec<_>>(),
            figures => drawn.into_iter().map(told).collect::<Vec<_>>(),
            folders => runs.iter().map(|run| (run.folder(), run.status.state.to_string())).collect::<Vec<_>>(),
        },
    )
}

fn told(figure: Figure) -> minijinja::Value {
    context! { title => figure.title, caption => figure.caption, svg => figure.svg }
}

fn alike<'a>(i: usize, group: Group<'a>, keys: &[Key], known: &Known<'_>) -> Result<Alike<'a>> {
    let read = |run: &&Entry| match run.run().metrics() {
        path if path.exists() => Ok(metrics::read(&path)?.records),
        _ => Ok(Vec::new()),
    };
    let records = group.runs.values().map(read).collect::<Result<Vec<_>>>()?;
    Ok(Alike { name: name(i, &group, keys, known), group, records })
}

/// The values that differ, shortened and numbered if they are long.
fn name(i: usize, group: &Group<'_>, keys: &[Key], known: &Known<'_>) -> String {
    let values = keys.iter().zip(&group.values);
    let words =
        values.filter_map(|(key, cell)| Some(format!("{} {}", known.short(key), cell.as_ref()?.text)));
    let name = words.collect::<Vec<_>>().join(", ").split_whitespace().collect::<Vec<_>>().join(" ");
    if name.is_empty() {
        return "all runs".into();
    }
    if name.chars().count() <= LONGEST {
        return name;
    }
    let cut: String = name.chars().take(LONGEST).collect();
    format!("{}: {cut}…", i + 1)
}

/// The score that most of the page is about: that of the first run that has one.
fn score(runs: &[&Entry]) -> Key {
    let scores: BTreeSet<&str> =
        runs.iter().filter_map(|run| Metric::score_in(&results(run)?.values)).map(|(m, _)| m.name).collect();
    Key::Metric(None, scores.first().copied().unwrap_or("accuracy").into())
}

/// The last values of a metric, by seed.
fn last(one: &Alike<'_>, metric: &Key) -> Vec<f64> {
    one.group.runs.values().filter_map(|run| metric.number(run)).collect()
}

fn row(one: &Alike<'_>, score: &Key) -> Vec<String> {
    let seeds: Vec<String> = one.group.runs.keys().map(u64::to_string).collect();
    let mut cells = vec![one.name.clone()];
    cells.extend(one.group.words());
    cells.push(seeds.join(" "));
    let sample = Sample::of(&last(one, score));
    let shown = |x: Option<f64>| x.map_or("–".into(), number);
    cells.push(sample.map_or("0".into(), |s| s.n.to_string()));
    cells.extend([shown(sample.map(|s| s.mean)), shown(sample.and_then(|s| s.std))]);
    let ends = sample.and_then(|s| Some((s.mean, half_width(&s)?)));
    cells.push(ends.map_or("–".into(), |(m, half)| format!("{} to {}", number(m - half), number(m + half))));
    cells
}
