//! The accuracies of a run over several tasks, from its `continual.json`.

use bouton::train::continual::Accuracies;
use bouton::train::{Record, RunDir};
use bouton::{Error, Result};

use super::Figure;
use super::figures::matrix;

/// What a run wrote of its tasks; none for one without a sequence, or before the first row.
///
/// # Errors
/// [`Error::Io`] if the file cannot be read, [`Error::Data`] if it is garbled.
pub fn accuracies(run: &RunDir) -> Result<Option<Accuracies>> {
    let path = run.continual();
    if !path.exists() {
        return Ok(None);
    }
    let bytes = std::fs::read(&path).map_err(|e| Error::io(&path, e))?;
    let file = Accuracies::parse(&bytes, &path.display().to_string())?;
    Ok(Some(file).filter(|file| !file.baseline.is_empty() || !file.accuracy.is_empty()))
}

/// The matrix of accuracies; `None` for a run without a sequence. `tasks` are the keys of its sequence.
///
/// # Errors
/// As [`accuracies`].
pub fn by_task(run: &RunDir, tasks: &str) -> Result<Option<Figure>> {
    let Some(file) = accuracies(run)? else { return Ok(None) };
    let row = |v: &[Option<f64>]| v.iter().map(|x| x.unwrap_or(f64::NAN)).collect();
    let rows: Vec<(String, Vec<f64>)> = file.rows().into_iter().map(|(name, v)| (name, row(v))).collect();
    let told = |list: &[String]| if list.is_empty() { "nothing".to_owned() } else { list.join("; ") };
    let caption = format!(
        "{tasks}{}Task boundaries used in training: {}. Task identity used in testing: {}.",
        classes(&file),
        told(&file.told.boundaries_in_training),
        told(&file.told.task_known_in_testing)
    );
    let svg = matrix(
        "Accuracy by task",
        "rows: after learning",
        "accuracy in percent on the test set of task",
        &file.columns().iter().map(|name| name.replace("task ", "")).collect::<Vec<_>>(),
        &rows,
    );
    Ok(Some(Figure { title: "Accuracy by task".into(), caption, svg }))
}

/// Updates at which a task ended and another one began: its test adds a row to the matrix.
pub(crate) fn boundaries(records: &[Record]) -> Vec<f64> {
    let last = records.last().map_or(0, |record| record.step);
    let ends = records.iter().filter(|r| r.split == "test" && r.values.contains_key("acc") && r.step < last);
    ends.map(|record| record.step as f64).collect()
}

/// The classes of every task, where tasks are parts of the classes.
fn classes(file: &Accuracies) -> String {
    if file.classes.is_empty() { String::new() } else { format!("{}. ", file.columns().join(", ")) }
}
