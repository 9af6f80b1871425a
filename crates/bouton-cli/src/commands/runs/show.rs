//! `bouton runs show`.

use super::{find_all, ls, matrix};
use crate::number::number;
use crate::printer::Printer;
use crate::progress::seconds;
use bouton::train::{Entry, Provenance, RunDir};
use bouton::{Error, Result};
use clap::Args;
use serde_json::{Value, json};
use std::path::Path;

#[derive(Args, Debug)]
pub(super) struct Show {
    /// Folders, parts of their names, `last`, or patterns such as '*_s1_*'
    #[arg(required = true, value_name = "RUN")]
    runs: Vec<String>,
    /// Print the matrix of accuracies of a run over several tasks, as comma-separated values or with --json, and nothing else
    #[arg(long)]
    matrix: bool,
}

impl Show {
    pub fn go(&self, printer: &mut Printer, out: &Path, json: bool) -> Result<()> {
        let runs = find_all(out, &self.runs)?;
        if self.matrix {
            let [run] = &runs[..] else {
                let error = Error::config(format!("--matrix prints that of one run, not of {}", runs.len()));
                return Err(error.with_hint("name one run"));
            };
            return matrix::data(printer, run, json);
        }
        if json {
            let values = runs.iter().map(as_json).collect::<Result<Vec<_>>>()?;
            return match &values[..] {
                [only] => printer.json(only),
                all => printer.json(&all),
            };
        }
        for (i, run) in runs.iter().enumerate() {
            if i > 0 {
                printer.line("")?;
            }
            show(printer, run)?;
        }
        Ok(())
    }
}

fn as_json(run: &RunDir) -> Result<Value> {
    let mut value = ls::as_json(&Entry::of(run)?);
    value["provenance"] = json!(Provenance::read(&run.provenance()).ok());
    Ok(value)
}

fn show(printer: &mut Printer, run: &RunDir) -> Result<()> {
    let entry = Entry::of(run)?;
    let s = &entry.status;
    let mut rows = vec![
        ("folder", run.path().display().to_string()),
        ("recipe", format!("{} (seed {})", s.name, s.seed)),
        ("hash", s.hash.clone()),
        ("state", s.state.to_string()),
        ("started", s.started.clone()),
        ("progress", format!("{} updates, {} epochs, {}", s.step, s.epoch, seconds(entry.wall))),
    ];
    rows.extend(s.error.clone().map(|e| ("error", e)));
    let tags: Vec<&str> = entry.labels.tags.iter().map(String::as_str).collect();
    rows.extend((!tags.is_empty()).then(|| ("tags", tags.join(" "))));
    rows.extend(Some(("note", entry.labels.note)).filter(|(_, note)| !note.is_empty()));
    rows.extend(origin(run));
    let mut rows: Vec<_> = rows.into_iter().map(|(key, value)| vec![key.to_string(), value]).collect();
    for (split, record) in &entry.last {
        let values: Vec<_> = record.values.iter().map(|(name, v)| format!("{name} {}", number(*v))).collect();
        rows.push(vec![split.clone(), values.join("  ")]);
    }
    printer.columns(&[], rows)?;
    matrix::print(printer, run)
}

/// Program, machine and command of a run that tells them.
fn origin(run: &RunDir) -> Vec<(&'static str, String)> {
    let Ok(p) = Provenance::read(&run.provenance()) else { return Vec::new() };
    let mut rows = vec![("program", p.program())];
    let unpublished = format!("not published: {}", p.unpublished.join(", "));
    rows.extend((!p.unpublished.is_empty()).then_some(("data", unpublished)));
    rows.push(("machine", format!("{}, {} threads, {}", p.cpu.unwrap_or(p.os), p.threads, p.simd)));
    rows.push(("command", p.command.join(" ")));
    rows
}
