//! The accuracies of a run over several tasks, from its `continual.json`.

use bouton::train::RunDir;
use bouton::train::continual::Accuracies;
use bouton::{Error, Result};

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
    let file = Accuracies::parse(&bytes, &path.display().to_string())?;
    let row = |v: &[Option<f64>]| v.iter().map(|x| x.unwrap_or(f64::NAN)).collect();
    let mut rows: Vec<(String, Vec<f64>)> = Vec::new();
    if !file.baseline.is_empty() {
        rows.push(("before".to_owned(), row(&file.baseline)));
    }
    let what = if file.tasks == "subsets" { "part" } else { "task" };
    rows.extend(file.accuracy.iter().enumerate().map(|(i, v)| (format!("{what} {}", i + 1), row(v))));
    let told = |list: &[String]| if list.is_empty() { "nothing".to_owned() } else { list.join("; ") };
    let caption = format!(
        "Task boundaries used in training: {}. Task identity used in testing: {}.",
        told(&file.told.boundaries_in_training),
        told(&file.told.task_known_in_testing)
    );
    let svg = matrix(
        "Accuracy by task",
        "rows: after learning",
        "accuracy in percent on the test set of task",
        &rows,
    );
    Ok(Some(Figure { title: "Accuracy by task".into(), caption, svg }))
}
