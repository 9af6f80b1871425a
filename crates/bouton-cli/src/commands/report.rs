//! `bouton report`: one HTML file per run.

use super::{OutArgs, runs};
use crate::printer::Printer;
use crate::report::{Patch, build};
use bouton::recipe::Recipe;
use bouton::train::RunDir;
use bouton::{Error, Result};
use clap::Args;
use std::path::PathBuf;

/// Write report.html of runs: curves, sweeps, weights, all in one file
#[derive(Args, Debug)]
pub struct Report {
    /// Runs: folders, parts of their names, or `last`
    #[arg(required = true, value_name = "RUN")]
    runs: Vec<String>,
    /// Also copy the report of a single run here
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    #[command(flatten)]
    out: OutArgs,
}

impl Report {
    /// Carries it out.
    pub fn go(self, printer: &mut Printer) -> Result<()> {
        if self.output.is_some() && self.runs.len() > 1 {
            return Err(Error::config("--output takes the report of one run")
                .with_hint("without it, each report is written into its run folder"));
        }
        for name in &self.runs {
            let written = report(&runs::find(&self.out.out, name)?)?;
            if let Some(copy) = &self.output {
                std::fs::copy(&written, copy).map_err(|e| Error::io(copy, e))?;
            }
            printer.line(self.output.as_ref().unwrap_or(&written).display())?;
        }
        Ok(())
    }
}

/// Writes the report of a run, with every figure that its files allow; returns its path.
pub fn report(run: &RunDir) -> Result<PathBuf> {
    build(run, Some(Patch::of(&Recipe::load(run.recipe())?)))
}
