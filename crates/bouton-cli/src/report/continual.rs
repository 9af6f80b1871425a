//! The accuracies of a run over several tasks, from its `continual.json`.

use bouton::train::RunDir;
use bouton::{Error, Result};
use serde_json::Value;

use super::Figure;
use super::figures::matrix;

/// The matrix of accuracies; `None` for a run without a sequence.
///
/// # Errors
/// [`Error::Io`] if the file cannot be read, [`Error::Data`] if it is garbled.
pub fn accuracies(run: &RunDir) -> Result<Option<Figure>> {
    let path = run.continual();
    if !path.exists() {
        return Ok(None);
    }
    let bytes = std::fs::read(&path).map_err(|e| Error::io(&path, e))?;
    let value: Value =
        serde_json::from_slice(&bytes).map_err(|e| Error::data(format!("{}: {e}", path.display())))?;
    let row = |v: &Value| -> Vec<f64> {
        v.as_array().into_iter().flatten().map(|x| x.as_f64().unwrap_or(f64::NAN)).collect()
    };
    let mut rows = Vec::new();
    let baseline = row(&value["baseline"]);
    if !baseline.is_empty() {
        rows.push(("before".to_owned(), baseline));
    }
    let learned = value["accuracy"].as_array().into_iter().flatten();
    let what = if value["tasks"] == "subsets" { "part" } else { "task" };
    rows.extend(learned.enumerate().map(|(i, v)| (format!("{what} {}", i + 1), row(v))));
    let told = |phase: &str| {
        let list: Vec<&str> =
            value["told"][phase].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        if list.is_empty() { "nothing".to_owned() } else { list.join("; ") }
    };
    let caption = format!(
        "Task boundaries used in training: {}. Task identity used in testing: {}.",
        told("boundaries-in-training"),
        told("task-known-in-testing")
    );
    let svg = matrix(
        "Accuracy by task",
        "rows: after learning",
        "accuracy in percent on the test set of task",
        &rows,
    );
    Ok(Some(Figure { title: "Accuracy by task".into(), caption, svg }))
}
