//! `bouton check`: what theory says about a recipe, measured.

use super::{DataArgs, RecipeArgs};
use crate::printer::Printer;
use crate::report::Figure;
use crate::report::figures::{LineChart, Series, line_chart};
use bouton::analysis::{self, Findings, Lab, Property, Verdict};
use bouton::train::{Checkpoint, Checkpoints, RunDir, atomic};
use bouton::{Error, Result};
use clap::Args;
use std::path::{Path, PathBuf};

/// Check what theory says about a recipe: gradients, fixed points, invariants
///
/// Runs in 64-bit arithmetic on a few samples of the recipe's own data. Exit code 1 if a property fails.
#[derive(Args, Debug)]
pub struct Check {
    #[command(flatten)]
    recipe: RecipeArgs,
    #[command(flatten)]
    data: DataArgs,
    /// Take the weights of this run folder or checkpoint file instead of the initial ones
    #[arg(long, value_name = "PATH")]
    weights: Option<PathBuf>,
    /// Write the curves of the checks as SVG files into this folder
    #[arg(long, value_name = "DIR")]
    figures: Option<PathBuf>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl Check {
    /// Carries it out.
    pub fn go(self, printer: &mut Printer) -> Result<()> {
        let recipe = self.recipe.load()?;
        let weights = self.weights.as_deref().map(weights).transpose()?;
        let mut lab = Lab::new(&recipe, self.data.data.as_deref(), weights.as_ref())?;
        let findings = analysis::check(&mut lab)?;
        if self.json {
            printer.json(&findings)?;
        } else {
            table(printer, &findings)?;
        }
        if let Some(folder) = &self.figures {
            write(folder, &findings)?;
            printer.line(format_args!("figures in {}", folder.display()))?;
        }
        let failed = findings.properties.iter().filter(|p| p.verdict == Verdict::Fail).count();
        if failed > 0 {
            return Err(Error::Failed { message: format!("{failed} of the properties failed"), hint: None });
        }
        Ok(())
    }
}

/// The newest checkpoint of a run folder, or a checkpoint file.
fn weights(path: &Path) -> Result<Checkpoint> {
    if path.is_file() {
        return Checkpoint::load(path);
    }
    let run = RunDir::open(path)?;
    let found = Checkpoints::new(run.checkpoints(), None).newest()?;
    found.map(|f| f.checkpoint).ok_or_else(|| Error::checkpoint(format!("{}: no checkpoint yet", path.display())))
}

fn table(printer: &mut Printer, findings: &Findings) -> Result<()> {
    let rows = findings.properties.iter().map(|p: &Property| {
        let (verdict, measured) = match (&p.verdict, p.measured) {
            (Verdict::NotApplicable(_), _) | (_, None) => ("–", String::new()),
            (Verdict::Pass, Some(value)) => ("pass", format!("{value:.3e}")),
            (Verdict::Fail, Some(value)) => ("FAIL", format!("{value:.3e}")),
        };
        vec![verdict.into(), p.id.clone(), measured, p.bound.to_string(), p.statement.clone()]
    });
    printer.columns(&["", "property", "measured", "bound", "statement"], rows.collect())?;
    for p in &findings.properties {
        if let Verdict::NotApplicable(why) = &p.verdict {
            printer.line(format_args!("{} does not apply: {why}", p.id))?;
        }
    }
    for note in &findings.notes {
        printer.line(note)?;
    }
    Ok(())
}

fn write(folder: &Path, findings: &Findings) -> Result<()> {
    std::fs::create_dir_all(folder).map_err(|e| Error::io(folder, e))?;
    for (i, series) in findings.series.iter().enumerate() {
        let line = |(label, points): &(String, Vec<(f64, f64)>)| Series {
            label: label.clone(),
            points: points.clone(),
            band: Vec::new(),
        };
        let lines = series.lines.iter().map(line);
        let chart = LineChart {
            title: series.title.clone(),
            x_label: series.x_label.clone(),
            y_label: series.y_label.clone(),
            log_y: true,
            series: lines.collect(),
        };
        let figure = Figure { title: series.title.clone(), caption: String::new(), svg: line_chart(&chart)? };
        atomic::write(folder.join(format!("check-{}.svg", i + 1)), &figure.svg)?;
    }
    Ok(())
}
