//! `bouton runs ls`.

use crate::number::number;
use crate::printer::Printer;
use crate::progress::seconds;
use crate::selection::{Cell, Key, Known, Which, results};
use crate::terminal::{self, say};
use bouton::Result;
use bouton::objective::Metric;
use bouton::train::Entry;
use bouton::train::overview::differing;
use clap::Args;
use serde_json::{Map, Value, json};
use std::cmp::Ordering;
use std::collections::BTreeSet;
use std::path::Path;

/// Most characters of a value in a table.
const WIDEST: usize = 24;

#[derive(Args, Debug)]
pub(super) struct Ls {
    #[command(flatten)]
    which: Which,
    /// Sort by a key, a metric, or a column such as `time`; `-KEY` largest first [default: the start, oldest first]
    #[arg(long, value_name = "KEY", allow_hyphen_values = true)]
    sort: Option<String>,
    /// Print comma-separated values: state, results and every key of the recipe
    #[arg(long)]
    csv: bool,
}

impl Ls {
    pub fn go(&self, printer: &mut Printer, out: &Path, json: bool) -> Result<()> {
        let mut runs = self.which.of(out)?;
        if let Some(sort) = self.sort.as_ref().filter(|_| !runs.is_empty()) {
            let (word, falling) = sort.strip_prefix('-').map_or((sort.as_str(), false), |word| (word, true));
            let key = Known::of(&runs).key(word).map_err(|e| e.context(format_args!("--sort `{sort}`")))?;
            runs.sort_by_cached_key(|run| Place { cell: key.cell(run), falling });
        }
        if json {
            return printer.json(&runs.iter().map(as_json).collect::<Vec<_>>());
        }
        if self.csv {
            let (heading, rows) = whole(&runs);
            return printer.csv(&heading, &rows);
        }
        if runs.is_empty() {
            let such = if self.which.is_all() { "" } else { " such" };
            say(format_args!("no{such} runs in {}", out.display()));
            return Ok(());
        }
        table(printer, &runs)
    }
}

/// Where a run stands in a sorted list: what has no finite value last, whichever way it is sorted.
#[derive(PartialEq)]
struct Place {
    cell: Option<Cell>,
    falling: bool,
}

impl Ord for Place {
    fn cmp(&self, other: &Self) -> Ordering {
        let lost = |place: &Self| {
            place.cell.as_ref().is_none_or(|cell| cell.number.is_some_and(|number| !number.is_finite()))
        };
        let order = match (&self.cell, &other.cell) {
            (Some(a), Some(b)) if !lost(self) && !lost(other) => a.order(b),
            _ => return lost(self).cmp(&lost(other)),
        };
        if self.falling { order.reverse() } else { order }
    }
}

impl PartialOrd for Place {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Eq for Place {}

/// What is known of a run, with its whole recipe.
pub(in crate::commands) fn as_json(run: &Entry) -> Value {
    let s = &run.status;
    let metrics = run.last.iter().map(|(split, record)| (split.clone(), json!(record.values)));
    json!({
        "folder": run.path, "name": s.name, "seed": s.seed, "hash": s.hash, "state": s.state,
        "started": s.started, "updates": s.step, "epochs": s.epoch, "seconds": run.wall, "error": s.error,
        "tags": run.labels.tags, "note": run.labels.note,
        "metrics": metrics.collect::<Map<_, _>>(), "recipe": run.recipe,
    })
}

/// Everything that [`as_json`] tells, one column for each key and each metric.
fn whole(runs: &[Entry]) -> (Vec<String>, Vec<Vec<String>>) {
    let own = ["folder", "name", "seed", "hash", "state", "started", "updates", "epochs", "seconds", "error"];
    let flat: Vec<Map<String, Value>> = runs.iter().map(flat).collect();
    let mut columns: Vec<String> = own.iter().chain(&["tags", "note"]).map(|word| word.to_string()).collect();
    let known: BTreeSet<&String> = columns.iter().collect();
    let more: BTreeSet<&String> =
        flat.iter().flat_map(Map::keys).filter(|key| !known.contains(key)).collect();
    let more: Vec<String> = more.into_iter().cloned().collect();
    columns.extend(more);
    let text = |row: &Map<String, Value>, column: &String| match row.get(column) {
        None | Some(Value::Null) => String::new(),
        Some(value) => Cell::of(value).text,
    };
    let rows = flat.iter().map(|row| columns.iter().map(|column| text(row, column)).collect()).collect();
    (columns, rows)
}

/// One value for each column: keys of the recipe by their names, metrics by split and name.
fn flat(run: &Entry) -> Map<String, Value> {
    let Value::Object(mut told) = as_json(run) else { return Map::new() };
    told.remove("metrics");
    told.remove("recipe");
    let tags: Vec<&str> = run.labels.tags.iter().map(String::as_str).collect();
    told.insert("tags".into(), json!(tags.join(" ")));
    let metrics = run.last.iter().flat_map(|(split, record)| {
        record.values.iter().map(move |(name, value)| (format!("{split}.{name}"), json!(value)))
    });
    let keys = run.recipe.iter().filter(|(key, _)| !["name", "seed"].contains(&key.as_str()));
    told.extend(keys.map(|(key, value)| (key.clone(), value.clone())).chain(metrics));
    told
}

/// Runs with what they have come to, and as many of the keys in which they differ as fit the terminal.
fn table(printer: &mut Printer, runs: &[Entry]) -> Result<()> {
    let mut columns = fixed(runs);
    let (all, known) = (runs.iter().collect::<Vec<_>>(), Known::of(runs));
    let mut keys: Vec<Column> = differing(&all).into_iter().map(|key| column(runs, key, &known)).collect();
    if runs.iter().any(|run| !run.labels.tags.is_empty()) {
        let tags = |run: &Entry| run.labels.tags.iter().map(String::as_str).collect::<Vec<_>>().join(" ");
        keys.insert(0, Column { heading: "tags".into(), cells: runs.iter().map(tags).collect() });
    }
    let left = terminal::width().map(|width| width.saturating_sub(columns.iter().map(Column::width).sum()));
    let hidden = fit(&mut keys, left.unwrap_or(usize::MAX));
    columns.extend(keys);
    let heading: Vec<&str> = columns.iter().map(|column| column.heading.as_str()).collect();
    let row = |i: usize| columns.iter().map(|column| column.cells[i].clone()).collect();
    printer.columns(&heading, (0..runs.len()).map(row).collect())?;
    if !hidden.is_empty() {
        say(format_args!("they also differ in {}; --csv and --json tell all", hidden.join(", ")));
    }
    Ok(())
}

struct Column {
    heading: String,
    cells: Vec<String>,
}

impl Column {
    /// Characters that it takes with the gap behind it.
    fn width(&self) -> usize {
        let widths = self.cells.iter().chain([&self.heading]).map(|cell| cell.chars().count());
        widths.max().unwrap_or(0) + 2
    }
}

/// Takes out columns that do not fit into `left` characters, the last one before all others; returns their headings.
fn fit(columns: &mut Vec<Column>, left: usize) -> Vec<String> {
    let mut hidden = Vec::new();
    // The seed stands last and stays.
    while columns.iter().map(Column::width).sum::<usize>() > left && columns.len() > 1 {
        hidden.insert(0, columns.remove(columns.len() - 2).heading);
    }
    if columns.first().is_some_and(|only| only.width() > left) {
        hidden.extend(columns.drain(..).map(|column| column.heading));
    }
    hidden
}

/// The scores of runs, and what heads their column: one metric for all of them; of several, each cell says its own.
pub(in crate::commands) fn scores<'a>(
    runs: impl Iterator<Item = Option<&'a Entry>>,
) -> (&'static str, Vec<String>) {
    let score = |run: &Entry| results(run).and_then(|record| Metric::score_in(&record.values));
    let scores: Vec<_> = runs.map(|run| run.and_then(score)).collect();
    let names: BTreeSet<&'static str> = scores.iter().flatten().map(|(metric, _)| metric.name).collect();
    let (head, alike) = match names.len() {
        0 => ("accuracy", true),
        1 => (names.first().copied().unwrap_or_default(), true),
        _ => ("score", false),
    };
    let cell = |(metric, value): (&Metric, f64)| match alike {
        true => number(value),
        false => format!("{} {}", metric.name, number(value)),
    };
    (head, scores.into_iter().map(|score| score.map(cell).unwrap_or_default()).collect())
}

fn fixed(runs: &[Entry]) -> Vec<Column> {
    let (head, scores) = scores(runs.iter().map(Some));
    let told = |heading: &str, cell: &dyn Fn(&Entry) -> String| Column {
        heading: heading.into(),
        cells: runs.iter().map(cell).collect(),
    };
    vec![
        told("run", &Entry::folder),
        told("state", &|run| run.status.state.to_string()),
        told("updates", &|run| run.status.step.to_string()),
        Column { heading: head.into(), cells: scores },
        told("time", &|run| seconds(run.wall)),
    ]
}

fn column(runs: &[Entry], key: &str, known: &Known<'_>) -> Column {
    let heading = known.heading(key).to_owned();
    let key = Key::Recipe(key.into());
    Column { heading, cells: runs.iter().map(|run| short(key.cell(run))).collect() }
}

/// A value on one short line; `–` for none.
fn short(cell: Option<Cell>) -> String {
    let Some(Cell { text, .. }) = cell else { return "–".into() };
    let mut line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if let Some((end, _)) = line.char_indices().nth(WIDEST) {
        line.truncate(end);
        line.push('…');
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_that_do_not_fit_are_named_and_the_seed_stays() {
        let columns = |names: &[&str]| -> Vec<Column> {
            names.iter().map(|n| Column { heading: n.to_string(), cells: vec!["1".into()] }).collect()
        };
        let headings = |columns: &[Column]| columns.iter().map(|c| c.heading.clone()).collect::<Vec<_>>();
        let mut some = columns(&["beta", "lr", "seed"]);
        assert!(fit(&mut some, 16).is_empty());
        assert_eq!(fit(&mut some, 15), ["lr"]);
        assert_eq!(headings(&some), ["beta", "seed"]);
        assert_eq!((fit(&mut some, 6), headings(&some)), (vec!["beta".into()], vec!["seed".into()]));
        assert_eq!((fit(&mut some, 5), some.len()), (vec!["seed".to_string()], 0));
    }

    #[test]
    fn what_has_no_value_is_last_either_way() {
        let cell = |text: &str| Some(Cell { text: text.into(), number: text.parse().ok() });
        for (falling, expected) in [(false, ["2", "10", "NaN"]), (true, ["10", "2", "NaN"])] {
            let mut places: Vec<_> =
                ["NaN", "10", "2"].map(cell).into_iter().map(|cell| Place { cell, falling }).collect();
            places.push(Place { cell: None, falling });
            places.sort();
            let texts: Vec<_> = places.iter().flat_map(|p| &p.cell).map(|cell| cell.text.as_str()).collect();
            assert_eq!(texts, expected);
            assert!(places[3].cell.is_none() || places[2].cell.is_none());
        }
    }
}
