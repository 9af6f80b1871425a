//! The accuracies of a run over several tasks, as text.

use crate::printer::Printer;
use crate::report::accuracies;
use bouton::train::RunDir;
use bouton::{Error, Result};

/// Prints the matrix below a heading, in percent; nothing for a run without one.
pub fn print(printer: &mut Printer, run: &RunDir) -> Result<()> {
    let Some(file) = accuracies(run)? else { return Ok(()) };
    let (columns, rows) = (file.columns(), file.rows());
    let percent = |x: &Option<f64>| x.map_or("–".into(), |x| format!("{:.1}", 100.0 * x));
    let mut heading = vec!["after"];
    heading.extend(columns.iter().map(String::as_str));
    let row =
        |(name, row): (String, &[Option<f64>])| [vec![name], row.iter().map(percent).collect()].concat();
    printer.line("\naccuracy in percent on the test set of")?;
    printer.columns(&heading, rows.into_iter().map(row).collect())
}

/// Prints the matrix as comma-separated fractions, where what was not tested is empty, or as JSON.
pub fn data(printer: &mut Printer, run: &RunDir, json: bool) -> Result<()> {
    let file = accuracies(run)?.ok_or_else(|| {
        let error = Error::config(format!("{}: no accuracies of several tasks", run.path().display()));
        error.with_hint("runs with a `[sequence]` have them")
    })?;
    if json {
        return printer.json(&file);
    }
    let heading: Vec<_> = std::iter::once("after".to_owned()).chain(file.columns()).collect();
    let cell = |x: &Option<f64>| x.map_or(String::new(), |x| x.to_string());
    let row = |(name, row): (String, &[Option<f64>])| [vec![name], row.iter().map(cell).collect()].concat();
    printer.csv(&heading, &file.rows().into_iter().map(row).collect::<Vec<_>>())
}
