//! Pages of HTML: one file that works offline, filled from a template. Everything but the drawings is escaped.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use bouton::train::{Metrics, Record, RunDir, metrics};
use bouton::{Error, Result};
use minijinja::{Environment, context};
use serde_json::Value;

use crate::number::number;

use super::{COST_COLUMNS, Figure, OPERATION_COLUMNS, cost_rows, costs, operation_rows, operations};

/// The last values of every epoch: a column for each split and metric.
struct Table {
    columns: Vec<String>,
    rows: Vec<(u64, Vec<String>)>,
}

/// The report of a run with these figures. Files that the run has not written yet are left out.
///
/// # Errors
/// [`Error::Io`] if the run has no readable status, [`Error::Data`] if its status or metrics are damaged.
pub fn render(run: &RunDir, figures: Vec<Figure>) -> Result<String> {
    let status = run.status()?;
    let metrics = if run.metrics().exists() { metrics::read(&run.metrics())? } else { Metrics::default() };
    let table = table(&metrics.records);
    let wall = metrics.records.last().map(|record| duration(record.wall));
    let figures: Vec<_> = figures
        .into_iter()
        .map(|figure| context! { title => figure.title, caption => figure.caption, svg => figure.svg })
        .collect();
    let (costs, operations) = (costs(run)?, operations(run)?);
    let sparsities = operations.iter().flat_map(|all| &all.populations);
    let sparsities: Vec<_> = sparsities.map(|(name, share)| (name.clone(), number(*share))).collect();
    fill(
        include_str!("template.html"),
        context! {
            name => status.name,
            seed => status.seed,
            state => status.state.to_string(),
            step => status.step,
            epoch => status.epoch,
            started => status.started,
            hash => status.hash,
            error => status.error,
            note => metrics.note,
            wall, figures,
            finals => finals(&metrics.records),
            columns => table.columns,
            rows => table.rows,
            counted => costs.first().map(|c| c.samples),
            cost_columns => COST_COLUMNS,
            costs => cost_rows(&costs),
            answered => operations.as_ref().map(|all| all.samples),
            operation_columns => OPERATION_COLUMNS,
            operations => operations.as_ref().map(operation_rows),
            sparsity => operations.as_ref().map(|all| number(all.sparsity)),
            sparsities => sparsities,
            provenance => provenance(&run.provenance())?,
            recipe => text(&run.recipe())?,
            command => text(&run.command())?,
        },
    )
}

/// A page of HTML from a template, which knows the program's version and the common style.
pub(super) fn fill(template: &str, values: minijinja::Value) -> Result<String> {
    let mut environment = Environment::new();
    environment.add_global("version", env!("CARGO_PKG_VERSION"));
    environment.add_global("style", include_str!("style.css"));
    environment.add_template("page.html", template).map_err(template_error)?;
    environment.get_template("page.html").and_then(|page| page.render(values)).map_err(template_error)
}

fn template_error(error: minijinja::Error) -> Error {
    Error::data(format!("report template: {error}"))
}

/// The last numbers of the split that counts: `test` if there is one.
fn finals(records: &[Record]) -> Vec<(String, String)> {
    let test = records.iter().rev().find(|record| record.split == "test");
    let Some(record) = test.or(records.last()) else { return Vec::new() };
    record.values.iter().map(|(name, v)| (format!("{} {name}", record.split), number(*v))).collect()
}

fn table(records: &[Record]) -> Table {
    let mut epochs: BTreeMap<u64, BTreeMap<(String, String), f64>> = BTreeMap::new();
    for record in records {
        let cells = record.values.iter().map(|(name, &v)| ((record.split.clone(), name.clone()), v));
        epochs.entry(record.epoch).or_default().extend(cells);
    }
    let columns: BTreeSet<_> = epochs.values().flat_map(|cells| cells.keys().cloned()).collect();
    let row = |cells: BTreeMap<_, f64>| {
        columns.iter().map(|column| cells.get(column).map_or(String::new(), |v| number(*v))).collect()
    };
    let rows = epochs.into_iter().map(|(epoch, cells)| (epoch, row(cells))).collect();
    Table { columns: columns.iter().map(|(split, name)| format!("{split} {name}")).collect(), rows }
}

fn duration(seconds: f64) -> String {
    match seconds {
        s if s < 100.0 => format!("{s:.1} s"),
        s if s < 6000.0 => format!("{:.0} min {:.0} s", (s / 60.0).floor(), s % 60.0),
        s => format!("{:.0} h {:.0} min", (s / 3600.0).floor(), (s % 3600.0 / 60.0).floor()),
    }
}

/// The fields of `provenance.json` as rows, whatever they are.
fn provenance(path: &Path) -> Result<Vec<(String, String)>> {
    let Some(text) = text(path)? else { return Ok(Vec::new()) };
    let value: Value =
        serde_json::from_str(&text).map_err(|e| Error::data(format!("{}: {e}", path.display())))?;
    let fields = value.as_object().into_iter().flatten().filter(|(_, value)| !value.is_null());
    Ok(fields.map(|(name, value)| (name.clone(), plain(value))).collect())
}

fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().map(plain).collect::<Vec<_>>().join(" "),
        Value::Object(fields) => fields
            .iter()
            .map(|(name, value)| format!("{name}: {}", plain(value)))
            .collect::<Vec<_>>()
            .join("\n"),
        other => other.to_string(),
    }
}

/// The file's text; `None` if there is no such file.
fn text(path: &Path) -> Result<Option<String>> {
    if !path.exists() {
        return Ok(None);
    }
    let bytes = std::fs::read(path).map_err(|e| Error::io(path, e))?;
    Ok(Some(String::from_utf8_lossy(&bytes).into_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_readable() {
        assert_eq!([3.1, 754.0, 7260.0].map(duration), ["3.1 s", "12 min 34 s", "2 h 1 min"]);
    }

    #[test]
    fn the_table_has_the_last_value_of_every_epoch() {
        let record = |epoch, split: &str, v| {
            let values = BTreeMap::from([("x".to_string(), v)]);
            Record { step: 0, epoch, wall: 0.0, split: split.into(), values }
        };
        let table = table(&[record(1, "train", 1.0), record(1, "train", 2.0), record(2, "test", 3.0)]);
        assert_eq!(table.columns, ["test x", "train x"]);
        let row = |epoch, cells: [&str; 2]| (epoch, cells.map(String::from).to_vec());
        assert_eq!(table.rows, [row(1, ["", "2"]), row(2, ["3", ""])]);
    }
}
