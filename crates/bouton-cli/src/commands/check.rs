//! `bouton check`: what theory says about a recipe.

use super::{DataArgs, OutArgs, RecipeArgs, runs};
use crate::printer::Printer;
use crate::report::figures::{LineChart, Palette, Series, line_chart};
use bouton::analysis::{self, CheckContext, Findings, Property, Verdict};
use bouton::theory;
use bouton::train::{Checkpoint, Checkpoints, atomic};
use bouton::{Error, Result};
use clap::Args;
use std::path::{Path, PathBuf};

/// Check what theory says about a recipe: gradients, fixed points, invariants
#[derive(Args, Debug)]
pub struct Check {
    /// The recipe, a TOML file, or a run (a folder, part of its name, or `last`), which is checked with the weights that it has
    #[arg(required_unless_present = "theory")]
    recipe: Option<PathBuf>,
    /// Changes to the recipe: `seed=2`, `credit.eq-prop.beta=0.5`
    #[arg(value_name = "KEY=VALUE")]
    overrides: Vec<String>,
    /// Check the theory of synapses with internal states instead, which needs no recipe
    #[arg(long, conflicts_with_all = ["recipe", "weights"])]
    theory: bool,
    /// Check with the weights of this checkpoint or run instead of the initial ones
    #[arg(long, value_name = "RUN")]
    weights: Option<PathBuf>,
    /// Write the curves here as SVG
    #[arg(long, value_name = "DIR")]
    figures: Option<PathBuf>,
    /// Fail also if no property applies and nothing was checked
    #[arg(long)]
    strict: bool,
    #[command(flatten)]
    out: OutArgs,
    #[command(flatten)]
    data: DataArgs,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl Check {
    /// Carries it out; false if a property failed, or if nothing was checked and that counts.
    pub fn go(self, printer: &mut Printer) -> Result<bool> {
        let findings = match &self.recipe {
            Some(path) => {
                let args = RecipeArgs { recipe: path.clone(), overrides: self.overrides.clone() };
                let (args, data) = (args.or_run(&self.out.out)?, self.data.data.as_deref());
                let of_run = args.recipe.join("recipe.toml").is_file().then_some(args.recipe.as_path());
                let weights = self.weights.as_deref().or(of_run);
                let weights = weights.map(|path| trained(path, &self.out.out)).transpose()?;
                analysis::check(&mut CheckContext::new(&args.load(data)?, data, weights.as_ref())?)?
            }
            None => {
                let (properties, series) = (theory::report()?, theory::series()?);
                Findings { properties, series, ..Findings::default() }
            }
        };
        if let Some(folder) = &self.figures {
            draw(&findings, folder)?;
        }
        if self.json {
            printer.json(&findings)?;
        } else {
            show(printer, &findings)?;
        }
        Ok(findings.passed() && (findings.tested() || !self.strict))
    }
}

/// A checkpoint file, or the newest checkpoint of a run in `out`.
fn trained(path: &Path, out: &Path) -> Result<Checkpoint> {
    if path.is_file() {
        return Checkpoint::load(path);
    }
    let run = runs::find(out, &path.to_string_lossy())?;
    let found = Checkpoints::new(run.checkpoints(), None).newest()?;
    found
        .map(|f| f.checkpoint)
        .ok_or_else(|| Error::checkpoint(format!("{}: no checkpoint yet", path.display())))
}

fn show(printer: &mut Printer, findings: &Findings) -> Result<()> {
    let rows = findings.properties.iter().map(|p| {
        let (measured, bound, verdict) = cells(p);
        vec![p.id.clone(), measured, bound, verdict, p.statement.clone()]
    });
    printer.columns(&["property", "measured", "bound", "verdict", "statement"], rows.collect())?;
    for p in &findings.properties {
        if let Verdict::NotApplicable(why) = &p.verdict {
            printer.line(format_args!("\n{} does not apply: {why}", p.id))?;
        }
    }
    findings.notes.iter().try_for_each(|note| printer.line(format_args!("\nnote: {note}")))
}

fn cells(p: &Property) -> (String, String, String) {
    let verdict = match p.verdict {
        Verdict::Pass => "pass",
        Verdict::Fail => "FAIL",
        Verdict::NotApplicable(_) => "–",
    };
    (p.measured.map_or("–".into(), |m| format!("{m:.2e}")), p.bound.to_string(), verdict.into())
}

/// One SVG per curve of the findings.
fn draw(findings: &Findings, folder: &Path) -> Result<()> {
    std::fs::create_dir_all(folder).map_err(|e| Error::io(folder, e))?;
    let mut palette = Palette::default();
    for (i, series) in findings.series.iter().enumerate() {
        let line = |(label, points): &(String, Vec<(f64, f64)>)| Series {
            label: label.clone(),
            points: points.clone(),
            band: Vec::new(),
        };
        let chart = LineChart {
            title: series.title.clone(),
            x_label: series.x_label.clone(),
            y_label: series.y_label.clone(),
            log_y: true,
            series: series.lines.iter().map(line).collect(),
            boundaries: Vec::new(),
        };
        atomic::write(folder.join(format!("check-{}.svg", i + 1)), line_chart(&chart, &mut palette)?)?;
    }
    Ok(())
}
