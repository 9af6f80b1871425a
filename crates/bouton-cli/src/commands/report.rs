//! `bouton report`: one HTML file per run, or one about many.

use super::{DataArgs, OutArgs, runs};
use crate::printer::Printer;
use crate::report::{COST_COLUMNS, Patch, build, compare, cost_rows};
use crate::selection::Which;
use crate::terminal::say;
use bouton::analysis::{Cost, activity, alignment, costs, operations};
use bouton::recipe::Recipe;
use bouton::train::{Checkpoint, Checkpoints, Entry, RunDir, atomic};
use bouton::{Error, Result};
use clap::Args;
use serde::Serialize;
use std::path::{Path, PathBuf};

/// Checkpoints at which gradients are compared with the true ones.
const MOMENTS: usize = 6;

/// Write report.html of runs, all in one file: curves, sweeps, weights, what a training sample costs, and how well the
/// gradients point
#[derive(Args, Debug)]
pub struct Report {
    /// Runs: folders, parts of their names, `last`, or patterns such as '*_s1_*'; with --compare all, if none is named
    #[arg(required_unless_present = "compare", value_name = "RUN")]
    runs: Vec<String>,
    /// Write one page about all of them instead: what differs, means over seeds, every seed's last value
    #[arg(long)]
    compare: bool,
    #[command(flatten)]
    which: Which,
    /// Also copy the report of a single run here; with --compare the page [default: compare.html in the folder of runs]
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Draw what the run wrote; measure nothing
    #[arg(long)]
    quick: bool,
    #[command(flatten)]
    out: OutArgs,
    #[command(flatten)]
    data: DataArgs,
}

impl Report {
    /// Carries it out.
    pub fn go(self, printer: &mut Printer) -> Result<()> {
        printer.only_tell();
        if self.compare {
            return self.comparison(printer);
        }
        let runs = self.named()?;
        if self.output.is_some() && runs.len() > 1 {
            return Err(Error::config("--output takes the report of one run")
                .with_hint("without it, each report is written into its run folder"));
        }
        for run in runs.iter().map(Entry::run) {
            if !self.quick {
                self.measured(&run, printer)?;
            }
            let written = report(&run)?;
            if let Some(copy) = &self.output {
                let page = std::fs::read(&written).map_err(|e| Error::io(&written, e))?;
                atomic::write(copy, page)?;
            }
            printer.line(self.output.as_ref().unwrap_or(&written).display())?;
        }
        Ok(())
    }

    /// The named runs for which all conditions hold.
    fn named(&self) -> Result<Vec<Entry>> {
        let named = runs::find_all(&self.out.out, &self.runs)?;
        self.which.among(named.iter().map(Entry::of).collect::<Result<_>>()?)
    }

    /// Writes the page about all runs.
    fn comparison(&self, printer: &mut Printer) -> Result<()> {
        let out = self.out.out.as_path();
        let mut runs = if self.runs.is_empty() { self.which.of(out)? } else { self.named()? };
        runs.sort_by_key(|run| run.status.since());
        if runs.is_empty() {
            return Err(Error::config(format!("no run in {} is meant", out.display()))
                .with_hint("`bouton runs ls` lists the runs; it takes --where, too"));
        }
        let path = self.output.clone().unwrap_or_else(|| out.join("compare.html"));
        atomic::write(&path, compare(&runs)?)?;
        printer.line(path.display())
    }

    /// Measures what the report adds to the files of a run, and prints the costs. Without the run's data there is nothing to
    /// measure on: a report is still written.
    fn measured(&self, run: &RunDir, printer: &mut Printer) -> Result<()> {
        let recipe = Recipe::load(run.recipe())?;
        match measure(run, &recipe, self.data.data.as_deref()) {
            Ok(costs) => {
                let batch = costs.first().map_or(0, |c| c.samples);
                printer.line(format_args!("one training sample, counted on a batch of {batch}:"))?;
                printer.columns(&COST_COLUMNS, cost_rows(&costs))
            }
            Err(Error::DataMissing { message, .. }) => {
                say(format_args!("nothing measured: {message}"));
                Ok(())
            }
            Err(error) => Err(error),
        }
    }
}

/// Writes `costs.json`, `alignment.json`, of networks that do not settle `operations.json`, and of networks in time `activity.json` of a
/// run that has checkpoints.
fn measure(run: &RunDir, recipe: &Recipe, data: Option<&Path>) -> Result<Vec<Cost>> {
    let checkpoints = Checkpoints::new(run.checkpoints(), None);
    let steps = checkpoints.steps()?;
    let every = steps.len().div_ceil(MOMENTS).max(1);
    let chosen = steps.iter().rev().step_by(every).rev();
    let loaded: Result<Vec<_>> = chosen.map(|&step| Checkpoint::load(&checkpoints.path(step))).collect();
    let loaded = loaded?;
    let costs = costs(recipe, data, loaded.last())?;
    store(&run.costs(), &costs)?;
    let moves = activity(recipe, data, loaded.last())?;
    if !moves.is_empty() {
        store(&run.activity(), &moves)?;
    }
    if let Some(operations) = operations(recipe, data, loaded.last())? {
        store(&run.operations(), &operations)?;
    }
    store(&run.alignment(), &alignment(recipe, data, &loaded)?)?;
    Ok(costs)
}

fn store(path: &Path, value: &impl Serialize) -> Result<()> {
    let text = serde_json::to_vec_pretty(value).map_err(|e| Error::data(e.to_string()))?;
    atomic::write(path, text)
}

/// Writes the report of a run, with every figure that its files allow; returns its path.
pub fn report(run: &RunDir) -> Result<PathBuf> {
    build(run, Some(Patch::of(&Recipe::load(run.recipe())?)))
}
