//! `bouton runs`: what has been run.

use super::OutArgs;
use crate::number::number;
use crate::printer::Printer;
use crate::progress::seconds;
use crate::terminal::say;
use bouton::objective::Metric;
use bouton::recipe::Recipe;
use bouton::train::{Provenance, RunDir, RunSummary};
use bouton::{Error, Result};
use clap::{Args, Subcommand};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::Path;

/// List, show and compare runs
#[derive(Args, Debug)]
pub struct Runs {
    #[command(subcommand)]
    verb: RunsVerb,
    #[command(flatten)]
    out: OutArgs,
    /// Print JSON
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Debug, Subcommand)]
enum RunsVerb {
    /// List runs, oldest first
    Ls,
    /// Show one run: how it went and where it came from
    Show {
        /// Its folder, a part of its name, or `last`
        run: String,
    },
    /// Compare two runs: recipes and results
    Diff {
        /// A folder, a part of its name, or `last`
        first: String,
        /// Another one
        second: String,
    },
}

impl Runs {
    /// Carries it out.
    pub fn go(self, printer: &mut Printer) -> Result<()> {
        let out = self.out.out.as_path();
        match &self.verb {
            RunsVerb::Ls => ls(printer, out, self.json),
            RunsVerb::Show { run } => show(printer, &find(out, run)?, self.json),
            RunsVerb::Diff { first, second } => {
                diff(printer, &[find(out, first)?, find(out, second)?], self.json)
            }
        }
    }
}

/// The run that `name` means: a folder, `last`, or part of a name of exactly one run in `out`.
pub fn find(out: &Path, name: &str) -> Result<RunDir> {
    if let Ok(run) = RunDir::open(name) {
        return Ok(run);
    }
    let runs = RunDir::list(out)?.runs;
    let mut fitting: Vec<_> = match name {
        "last" => runs.into_iter().next_back().into_iter().collect(),
        _ => runs.into_iter().filter(|r| folder(r).contains(name)).collect(),
    };
    match (fitting.pop(), fitting.len()) {
        (Some(only), 0) => Ok(only.run),
        (Some(_), others) => {
            Err(Error::config(format!("`{name}` fits {} runs in {}", others + 1, out.display()))
                .with_hint("name more of the folder, or `last`"))
        }
        (None, _) => Err(Error::config(format!("no run in {} fits `{name}`", out.display()))
            .with_hint("`bouton runs ls` lists the runs; --out names another folder")),
    }
}

fn folder(summary: &RunSummary) -> String {
    let name = summary.run.path().file_name().unwrap_or_default();
    name.to_string_lossy().into_owned()
}

/// The last test metrics, or those of whatever split there is.
pub(super) fn results(summary: &RunSummary) -> BTreeMap<String, f64> {
    let last = summary.last.get("test").or_else(|| summary.last.values().next_back());
    last.map_or_else(BTreeMap::new, |record| record.values.clone())
}

/// A run as JSON.
pub(super) fn as_json(summary: &RunSummary) -> Value {
    let s = &summary.status;
    json!({
        "folder": summary.run.path(), "name": s.name, "seed": s.seed, "hash": s.hash, "state": s.state,
        "started": s.started, "updates": s.step, "epochs": s.epoch, "seconds": summary.wall, "error": s.error,
        "metrics": summary.last.iter().map(|(split, r)| (split.clone(), json!(r.values))).collect::<serde_json::Map<_, _>>(),
    })
}

fn ls(printer: &mut Printer, out: &Path, json: bool) -> Result<()> {
    let listing = RunDir::list(out)?;
    for (path, what) in &listing.damaged {
        say(format_args!("damaged: {}: {what}", path.display()));
    }
    if json {
        return printer.json(&listing.runs.iter().map(as_json).collect::<Vec<_>>());
    }
    if listing.runs.is_empty() {
        say(format_args!("no runs in {}", out.display()));
        return Ok(());
    }
    let (head, scores) = scores(listing.runs.iter().map(Some));
    let rows = listing.runs.iter().zip(scores).map(|(r, score)| {
        let state = r.status.state.to_string();
        vec![folder(r), state, r.status.step.to_string(), score, seconds(r.wall)]
    });
    printer.columns(&["run", "state", "updates", head, "time"], rows.collect())
}

/// The scores of runs and what heads their column: one metric for all of them; of several, each cell says its own.
pub(super) fn scores<'a>(runs: impl Iterator<Item = Option<&'a RunSummary>>) -> (&'static str, Vec<String>) {
    let scores: Vec<_> = runs.map(|run| run.and_then(|run| Metric::score_in(&results(run)))).collect();
    let mut names: Vec<&str> = scores.iter().flatten().map(|(metric, _)| metric.name).collect();
    names.dedup();
    let (head, alike) = match names[..] {
        [] => ("accuracy", true),
        [only] => (only, true),
        _ => ("score", false),
    };
    let cell = |score: Option<(&Metric, f64)>| match score {
        None => String::new(),
        Some((_, value)) if alike => number(value),
        Some((metric, value)) => format!("{} {}", metric.name, number(value)),
    };
    (head, scores.into_iter().map(cell).collect())
}

fn show(printer: &mut Printer, run: &RunDir, as_json_text: bool) -> Result<()> {
    let summary = run.summary()?;
    let provenance = Provenance::read(&run.provenance()).ok();
    if as_json_text {
        let mut value = as_json(&summary);
        value["provenance"] = json!(provenance);
        return printer.json(&value);
    }
    let s = &summary.status;
    let mut rows = vec![
        ("folder", run.path().display().to_string()),
        ("recipe", format!("{} (seed {})", s.name, s.seed)),
        ("hash", s.hash.clone()),
        ("state", s.state.to_string()),
        ("started", s.started.clone()),
        ("progress", format!("{} updates, {} epochs, {}", s.step, s.epoch, seconds(summary.wall))),
    ];
    rows.extend(s.error.clone().map(|e| ("error", e)));
    if let Some(p) = provenance {
        rows.push(("program", p.program()));
        rows.extend(
            (!p.unpublished.is_empty())
                .then(|| ("data", format!("not published: {}", p.unpublished.join(", ")))),
        );
        rows.push(("machine", format!("{}, {} threads, {}", p.cpu.unwrap_or(p.os), p.threads, p.simd)));
        rows.push(("command", p.command.join(" ")));
    }
    let mut rows: Vec<_> = rows.into_iter().map(|(key, value)| vec![key.to_string(), value]).collect();
    for (split, record) in &summary.last {
        let values: Vec<_> = record.values.iter().map(|(name, v)| format!("{name} {}", number(*v))).collect();
        rows.push(vec![split.clone(), values.join("  ")]);
    }
    printer.columns(&[], rows)
}

fn diff(printer: &mut Printer, runs: &[RunDir; 2], as_json: bool) -> Result<()> {
    let [a, b] = runs.each_ref().map(facts);
    let (a, b) = (a?, b?);
    let mut keys: Vec<_> = a.keys().chain(b.keys()).collect();
    keys.sort();
    keys.dedup();
    let differing: Vec<_> = keys.into_iter().filter(|key| a.get(*key) != b.get(*key)).collect();
    if as_json {
        let pair = |key: &String| json!({ "key": key, "first": a.get(key), "second": b.get(key) });
        return printer.json(&differing.into_iter().map(pair).collect::<Vec<_>>());
    }
    if differing.is_empty() {
        return printer.line("same recipe, same results");
    }
    // Numbers have all their digits: those that differ look different.
    let cell = |facts: &BTreeMap<String, Value>, key: &String| match facts.get(key) {
        Some(Value::Null) => "not finite".into(),
        value => value.map_or("–".to_string(), Value::to_string),
    };
    let rows = differing.into_iter().map(|key| vec![key.clone(), cell(&a, key), cell(&b, key)]);
    printer.columns(&["key", "first", "second"], rows.collect())
}

/// Recipe keys and last results of a run; null is a result that is not finite.
fn facts(run: &RunDir) -> Result<BTreeMap<String, Value>> {
    let mut facts = BTreeMap::new();
    flatten("", &json!(Recipe::load(run.recipe())?), &mut facts);
    for (split, record) in run.summary()?.last {
        facts.extend(record.values.iter().map(|(name, v)| (format!("result.{split}.{name}"), json!(v))));
    }
    Ok(facts)
}

fn flatten(path: &str, value: &Value, facts: &mut BTreeMap<String, Value>) {
    match value {
        Value::Object(table) => table.iter().for_each(|(key, v)| {
            let full = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
            flatten(&full, v, facts);
        }),
        Value::Null => {}
        other => {
            facts.insert(path.to_string(), other.clone());
        }
    }
}
