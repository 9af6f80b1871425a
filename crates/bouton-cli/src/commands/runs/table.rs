//! `bouton runs table`: one row for each group of runs.

use crate::number::number;
use crate::printer::Printer;
use crate::selection::{Cell, Group, Key, Known, Which, chosen, groups, remarks};
use crate::statistics::half_width;
use crate::terminal::say;
use bouton::claims::Sample;
use bouton::{Error, Result};
use clap::Args;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::path::Path;

#[derive(Args, Debug)]
pub(super) struct Table {
    /// Keys whose values make a group
    #[arg(long, required = true, num_args = 1.., value_name = "KEY")]
    by: Vec<String>,
    /// The number that is averaged, such as `train.loss` [default: the score of the task on the test set]
    #[arg(long, value_name = "METRIC")]
    metric: Option<String>,
    /// The group that others are compared with, such as `0.5`, or `0.5,adam` by two keys [default: the first]
    #[arg(long, value_name = "VALUE")]
    against: Option<String>,
    #[command(flatten)]
    which: Which,
    /// Print comma-separated values
    #[arg(long)]
    csv: bool,
}

/// What is told of a group.
struct Row {
    values: Vec<Option<Cell>>,
    words: Vec<String>,
    seeds: Vec<u64>,
    all: Sample,
    /// Seed by seed to the reference, if both have the same seeds.
    difference: Option<Sample>,
}

impl Table {
    pub fn go(&self, printer: &mut Printer, out: &Path, json: bool) -> Result<()> {
        let runs = self.which.of(out)?;
        let chosen = chosen(&runs, self.metric.as_deref(), out)?;
        let known = Known::of(&runs);
        let by = known.keys(&self.by)?;
        let groups = groups(&chosen.runs, &by);
        remarks(&groups);
        let reference = self.reference(&groups)?;
        let rows = rows(&groups, &chosen.metric, reference);
        let alone = rows.iter().enumerate().filter(|(i, row)| *i != reference && row.difference.is_none());
        if alone.count() > 0 {
            let first = groups[reference].label();
            say(format_args!("groups with other seeds than `{first}` are not compared with it"));
        }
        let names: Vec<String> = by.iter().map(Key::name).collect();
        let metric = chosen.metric.name();
        if json {
            return printer.json(&rows.iter().map(|row| row.json(&names, &metric)).collect::<Vec<_>>());
        }
        if self.csv {
            let columns = ["metric", "n", "mean", "sd", "sem", "low", "high", "difference"];
            let columns = columns.iter().chain(&["difference-low", "difference-high"]);
            let heading: Vec<_> = names.iter().cloned().chain(columns.map(|c| c.to_string())).collect();
            return printer.csv(&heading, &rows.iter().map(|row| row.csv(&metric)).collect::<Vec<_>>());
        }
        let mean = format!("mean {metric}");
        let by: Vec<String> = by.iter().map(|key| known.short(key)).collect();
        let mut heading: Vec<&str> = by.iter().map(String::as_str).collect();
        heading.extend([&mean, "SD", "SEM", "n", "95 % interval"]);
        if rows.iter().any(|row| row.difference.is_some()) {
            heading.extend(["difference", "95 % interval"]);
        }
        printer.columns(&heading, rows.iter().map(Row::text).collect())
    }

    /// The number of the group that others are compared with.
    fn reference(&self, groups: &[Group<'_>]) -> Result<usize> {
        let Some(wanted) = &self.against else { return Ok(0) };
        let plain = |text: &str| text.split_whitespace().collect::<String>();
        let is = |group: &Group<'_>| match &group.values[..] {
            [Some(only)] => only.is(wanted),
            _ => plain(&group.label()) == plain(wanted),
        };
        groups.iter().position(is).ok_or_else(|| {
            let labels: Vec<_> = groups.iter().map(|group| format!("`{}`", group.label())).collect();
            let error = Error::config(format!("--against `{wanted}` is none of the groups"));
            error.with_hint(format!("there are {}", labels.join(", ")))
        })
    }
}

fn rows(groups: &[Group<'_>], metric: &Key, reference: usize) -> Vec<Row> {
    let by_seed = |group: &Group<'_>| -> BTreeMap<u64, f64> {
        group.runs.iter().filter_map(|(seed, run)| Some((*seed, metric.number(run)?))).collect()
    };
    let values: Vec<_> = groups.iter().map(by_seed).collect();
    let row = |(i, group): (usize, &Group<'_>)| {
        let (mine, theirs) = (&values[i], &values[reference]);
        let differences: Vec<f64> = mine.values().zip(theirs.values()).map(|(a, b)| a - b).collect();
        let paired = i != reference && mine.keys().eq(theirs.keys());
        Some(Row {
            values: group.values.clone(),
            words: group.words(),
            seeds: mine.keys().copied().collect(),
            all: Sample::of(&mine.values().copied().collect::<Vec<_>>())?,
            difference: if paired { Sample::of(&differences) } else { None },
        })
    };
    groups.iter().enumerate().filter_map(row).collect()
}

/// Ends of the 95 % interval.
fn interval(sample: &Sample) -> Option<[f64; 2]> {
    half_width(sample).map(|half| [sample.mean - half, sample.mean + half])
}

impl Row {
    fn text(&self) -> Vec<String> {
        let one = |x: Option<f64>| x.map_or("–".into(), number);
        let ends = |sample: &Sample| {
            interval(sample)
                .map_or("–".into(), |[low, high]| format!("{} to {}", number(low), number(high)))
        };
        let all = &self.all;
        let mut cells = self.words.clone();
        cells.extend([number(all.mean), one(all.std), one(all.sem()), all.n.to_string(), ends(all)]);
        if let Some(difference) = &self.difference {
            cells.extend([format!("{}{}", sign(difference.mean), number(difference.mean)), ends(difference)]);
        }
        cells
    }

    fn csv(&self, metric: &str) -> Vec<String> {
        let cell = |x: Option<f64>| x.map_or(String::new(), |x| x.to_string());
        let [low, high] = interval(&self.all).map_or([None; 2], |ends| ends.map(Some));
        let ends = self.difference.as_ref().and_then(interval).map_or([None; 2], |ends| ends.map(Some));
        let difference = self.difference.as_ref().map(|d| d.mean);
        let numbers = [Some(self.all.mean), self.all.std, self.all.sem(), low, high, difference];
        let mut cells = self.words.clone();
        cells.extend([metric.to_owned(), self.all.n.to_string()]);
        cells.extend(numbers.into_iter().chain(ends).map(cell));
        cells
    }

    fn json(&self, names: &[String], metric: &str) -> Value {
        let group: Map<_, _> = names
            .iter()
            .cloned()
            .zip(self.values.iter().map(|v| json!(v.as_ref().map(Cell::json))))
            .collect();
        let told = |sample: &Sample| {
            json!({
                "mean": sample.mean, "sd": sample.std, "sem": sample.sem(), "n": sample.n,
                "interval": interval(sample),
            })
        };
        let mut value = told(&self.all);
        value["group"] = Value::Object(group);
        value["metric"] = json!(metric);
        value["seeds"] = json!(self.seeds);
        value["difference"] = self.difference.as_ref().map_or(Value::Null, told);
        value
    }
}

fn sign(number: f64) -> &'static str {
    if number > 0.0 { "+" } else { "" }
}
