//! Stored results: `recipes/<paper>/results.jsonl`, one line per finished run, appended and never rewritten.

use super::{Claim, embedded, papers, quick};
use crate::objective::Metric;
use crate::recipe::Recipe;
use crate::train::metrics::null_is_nan;
use crate::train::{Provenance, Record, RunDir, RunSummary, State, atomic, continual};
use crate::{Error, Result};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::path::Path;

/// One finished run of a claim's recipe.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ResultLine {
    /// The claim: `scellier2017/one-hidden`.
    pub claim: String,
    /// Content hash of the run's recipe.
    pub recipe: String,
    /// What differs from the claim's recipe and the published data, as `key=value`; runs with differences are shown but do
    /// not count.
    pub overrides: Vec<String>,
    /// Seed of the run.
    pub seed: u64,
    /// Epochs done.
    pub epochs: u64,
    /// Metrics of the test after the last update by name, as in `metrics.jsonl`; NaN where a number was not finite.
    #[serde(deserialize_with = "null_is_nan")]
    pub metrics: BTreeMap<String, f64>,
    /// Seconds of work.
    pub wall_seconds: f64,
    /// Version of the program.
    pub bouton: String,
    /// Source revision, if the build knew it, and a mark of what was changed since.
    pub commit: Option<String>,
    /// Day the run was started.
    pub date: String,
    /// Kind of machine.
    pub machine: String,
    /// Threads.
    pub threads: usize,
    /// Whether it is the scaled-down version, which never counts.
    pub quick: bool,
    /// Accuracy on each task at the end, for runs over several; null where a task was not tested then.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tasks: Vec<Option<f64>>,
    /// Metrics of continual learning by name, for runs over several tasks.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub continual: BTreeMap<String, f64>,
    /// What a run over a sequence was told about its tasks, and when; an empty list is nothing. Absent for a single task,
    /// and in lines of older versions, which left an empty list out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub told: Option<Vec<String>>,
}

impl ResultLine {
    /// Its `metric` in the unit of the metric; none if it was not measured.
    pub fn value(&self, metric: &Metric) -> Option<f64> {
        self.metrics.get(metric.name).map(|value| metric.unit.factor * value)
    }
}

/// Reads a finished run directory. Its claim is found by the name of its recipe, `<paper>-<claim>`.
///
/// # Errors
/// [`Error::Config`] if the run is not finished or belongs to no claim; [`Error::Io`] or [`Error::Data`] if its files
/// cannot be read.
pub fn result_of_run(run: &Path) -> Result<ResultLine> {
    result_among(papers().iter().flat_map(|p| &p.claims), run)
}

/// As [`result_of_run`], for one of `claims`.
pub(super) fn result_among<'a>(
    mut claims: impl Iterator<Item = &'a Claim>,
    run: &Path,
) -> Result<ResultLine> {
    let refuse = |message: &str| Error::config(format!("{}: {message}", run.display()));
    let dir = RunDir::open(run)?;
    let summary = dir.summary()?;
    if summary.status.state != State::Done {
        return Err(refuse(&format!("the run is {}, not done", summary.status.state)));
    }
    let recipe = Recipe::load(dir.recipe())?;
    let claim = claims.find(|c| format!("{}-{}", c.paper, c.id) == recipe.name);
    let claim = claim.ok_or_else(|| refuse(&format!("`{}` is not the recipe of a claim", recipe.name)))?;
    let test = summary.last.get("test").ok_or_else(|| refuse("there are no test metrics"))?;
    let wanted = claim.metric()?.name;
    if !test.values.contains_key(wanted) {
        return Err(refuse(&format!("the test metrics have no `{wanted}`")));
    }
    line(claim, &recipe, &summary, test, Provenance::read(&dir.provenance())?)
}

fn line(
    claim: &Claim,
    recipe: &Recipe,
    summary: &RunSummary,
    test: &Record,
    p: Provenance,
) -> Result<ResultLine> {
    let origin = claim.recipe()?;
    let is_quick = differences(&quick(&origin), recipe).is_empty() && recipe.task != origin.task;
    let mut overrides = if is_quick { Vec::new() } else { differences(&origin, recipe) };
    overrides.extend(p.unpublished.iter().map(|file| format!("data={file}, not the published file")));
    let of_tasks = |name: &str| continual::DEFINITIONS.iter().any(|(known, _)| *known == name);
    let (continual, metrics) = test.values.clone().into_iter().partition(|(name, _)| of_tasks(name));
    Ok(ResultLine {
        claim: claim.full_id(),
        recipe: recipe.hash(),
        overrides,
        seed: recipe.seed,
        epochs: test.epoch,
        metrics,
        wall_seconds: summary.wall,
        machine: format!("{}, {} cores", p.cpu.as_ref().unwrap_or(&p.os), p.cores),
        date: p.started.chars().take("2026-11-21".len()).collect(),
        bouton: p.bouton,
        commit: p.commit,
        threads: p.threads,
        quick: is_quick,
        tasks: tasks(&summary.last),
        continual,
        told: recipe.sequence.method().traits().several.then(|| continual::task_information(recipe).list()),
    })
}

/// The accuracies of the splits `test.1`, `test.2`, … at the step of the last test; none for a task that was not tested then.
fn tasks(last: &BTreeMap<String, Record>) -> Vec<Option<f64>> {
    let end = last.get("test").map(|r| r.step);
    let of = |task: usize| {
        let record = last.get(&format!("test.{task}"))?;
        Some(record.values.get("accuracy").copied().filter(|_| Some(record.step) == end))
    };
    (1..).map_while(of).collect()
}

/// The finished runs of `claim` among `runs`, whatever their seed: those whose content hash is the one of its recipe or
/// of its scaled-down version.
///
/// # Errors
/// As [`result_of_run`].
pub fn collect(claim: &Claim, runs: &[RunSummary]) -> Result<Vec<ResultLine>> {
    let recipe = claim.recipe()?;
    let belongs = |run: &RunSummary| {
        let seeded = Recipe { seed: run.status.seed, ..recipe.clone() };
        run.status.hash == seeded.hash() || run.status.hash == quick(&seeded).hash()
    };
    let done = runs.iter().filter(|run| run.status.state == State::Done && belongs(run));
    done.map(|run| result_of_run(run.run.path())).collect()
}

/// The results of `recipes/<paper>/results.jsonl` of every paper, as compiled in.
///
/// # Errors
/// [`Error::Data`] with the line that is garbled.
pub fn stored() -> Result<Vec<ResultLine>> {
    let folders = embedded::FOLDERS.iter();
    let lines = folders.map(|f| parse_results(f.results, &format!("recipes/{}/results.jsonl", f.slug)));
    Ok(lines.collect::<Result<Vec<_>>>()?.concat())
}

/// The results in the file at `path`; none if there is no such file.
///
/// # Errors
/// [`Error::Io`] if it cannot be read, [`Error::Data`] with the line that is garbled.
pub fn read_results(path: &Path) -> Result<Vec<ResultLine>> {
    parse_results(&text(path)?, &path.display().to_string())
}

/// Appends `line` to the file at `path`; the file is replaced as a whole, so that it is never torn.
///
/// # Errors
/// [`Error::Io`] if it cannot be read or written.
pub fn append_result(path: &Path, line: &ResultLine) -> Result<()> {
    let mut content = text(path)?;
    content.push_str(&serde_json::to_string(line).expect("a result is plain data"));
    content.push('\n');
    atomic::write(path, content)
}

fn text(path: &Path) -> Result<String> {
    match std::fs::read_to_string(path) {
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(String::new()),
        read => read.map_err(|e| Error::io(path, e)),
    }
}

/// The results in `text`; `origin` is what errors call it.
///
/// # Errors
/// [`Error::Data`] with the line that is garbled.
pub fn parse_results(text: &str, origin: &str) -> Result<Vec<ResultLine>> {
    let read = |(i, line)| {
        serde_json::from_str(line)
            .and_then(|line| serde_json::from_value(by_name(line)))
            .map_err(|e| Error::data(format!("{origin}:{}: garbled line: {e}", i + 1)))
    };
    text.lines().enumerate().map(read).collect()
}

/// A line as it is written now: in older ones accuracy and error, in percent, were fields of their own and the only metrics.
fn by_name(mut line: Map<String, Value>) -> Value {
    if !line.contains_key("metrics") {
        let percent = line.get("error_percent").and_then(Value::as_f64);
        if let (Some(percent), Some(accuracy)) = (percent, line.get("accuracy").cloned()) {
            line.retain(|name, _| name != "error_percent" && name != "accuracy");
            line.insert("metrics".into(), json!({"accuracy": accuracy, "error": percent / 100.0}));
        }
    }
    line.into()
}

/// The settings of `recipe` that `origin` does not have, as `key=value`. Seed, name and description do not count.
fn differences(origin: &Recipe, recipe: &Recipe) -> Vec<String> {
    let (before, after) = (settings(origin), settings(recipe));
    let changed = after.iter().filter(|(key, value)| before.get(*key) != Some(value));
    let gone = before.keys().filter(|key| !after.contains_key(*key)).map(|key| format!("{key}="));
    changed.map(|(key, value)| format!("{key}={value}")).chain(gone).collect()
}

fn settings(recipe: &Recipe) -> BTreeMap<String, String> {
    let anonymous =
        Recipe { name: String::new(), about: String::new(), cite: Vec::new(), seed: 0, ..recipe.clone() };
    let mut flat = BTreeMap::new();
    if let Ok(table) = toml::Table::try_from(&anonymous) {
        flatten("", &table, &mut flat);
    }
    flat
}

fn flatten(path: &str, table: &toml::Table, flat: &mut BTreeMap<String, String>) {
    for (key, value) in table {
        let full = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
        match value {
            toml::Value::Table(inner) if !inner.is_empty() => flatten(&full, inner, flat),
            value => {
                flat.insert(full, value.to_string());
            }
        }
    }
}
