//! `bouton run`: trains.

use super::{DataArgs, OutArgs, RecipeArgs, report, runs};
use crate::interrupt::Interrupt;
use crate::number::number;
use crate::printer::Printer;
use crate::progress::Progress;
use crate::terminal::say;
use bouton::recipe::{NetworkPlan, Recipe};
use bouton::train::{Earlier, Outcome, RunDir, RunOptions, Trained, Weights, run};
use bouton::{Error, Result};
use clap::Args;
use std::collections::BTreeMap;
use std::path::Path;

/// Train a recipe; go on where an unfinished run of the same recipe and data stopped
#[derive(Args, Debug)]
pub struct Run {
    #[command(flatten)]
    recipe: RecipeArgs,
    #[command(flatten)]
    out: OutArgs,
    #[command(flatten)]
    data: DataArgs,
    /// Train anew, whatever runs of the same recipe are there
    #[arg(long)]
    again: bool,
    /// Begin with the weights of a run (a folder, part of its name, or `last`) or of a checkpoint file
    #[arg(long, value_name = "RUN")]
    from: Option<String>,
    /// Go on with a finished run: RECIPE is that run (a folder, part of its name, or `last`), with more epochs or updates
    #[arg(long, conflicts_with_all = ["again", "from", "smoke"])]
    extend: bool,
    /// Only try it: two updates on made-up data of the right shape, kept nowhere
    #[arg(long)]
    smoke: bool,
    /// Print the recipe with every default filled in, and stop
    #[arg(long)]
    print_config: bool,
    /// Print every population and connection of the network, and stop
    #[arg(long)]
    print_network: bool,
}

impl Run {
    /// Carries it out.
    pub fn go(self, printer: &mut Printer) -> Result<()> {
        let extend = match self.extend {
            true => Some(runs::find(&self.out.out, &self.recipe.recipe.to_string_lossy())?),
            false => None,
        };
        let mut recipe = self.load(extend.as_ref())?;
        if self.smoke {
            recipe = recipe.smoke();
        }
        if self.print_config {
            return printer.text(&recipe.to_toml());
        }
        if self.print_network {
            recipe.check()?;
            return printer.text(&NetworkPlan::new(&recipe)?.to_string());
        }
        printer.only_tell();
        let scratch = if self.smoke { Some(scratch()?) } else { None };
        let interrupt = Interrupt::listen()?;
        let options = RunOptions {
            data: self.data.data.clone(),
            earlier: if self.again { Earlier::Ignored } else { Earlier::Same },
            extend,
            interrupt: &|| interrupt.asked(),
            command: crate::command_line(),
            build: crate::BUILD.map(Into::into),
            ..RunOptions::new(scratch.as_ref().map_or(self.out.out.as_path(), |s| s.path()))
        };
        match run(&recipe, &options, &mut Progress::default())? {
            Outcome::Finished { run, values } if scratch.is_none() => finished(printer, &run, &values),
            Outcome::Finished { values, .. } => metrics(printer, &values),
            Outcome::AlreadyDone { run } => {
                printer.line(format_args!("already done: {}", run.display()))?;
                printer.line("use --again to train it once more")
            }
        }
    }
}

impl Run {
    /// The recipe, checked, with the weights that it begins with.
    fn load(&self, extend: Option<&RunDir>) -> Result<Recipe> {
        let file = extend.map_or(self.recipe.recipe.clone(), RunDir::recipe);
        let mut overrides = self.recipe.overrides.clone();
        if let Some(from) = &self.from {
            let file = match Path::new(from).is_file() {
                true => from.into(),
                false => Trained::weights(&runs::find(&self.out.out, from)?, &Weights::Chosen)?,
            };
            overrides.push(format!("run.from={}", serde_json::json!(file)));
        }
        RecipeArgs { recipe: file, overrides }.load(self.data.data.as_deref())
    }
}

const UNSETTLED: &str = "warning: many test samples did not reach the solver's tolerance within free-steps; lower the learning \
    rate or the gain, or raise free-steps (docs: My network does not converge)";

fn scratch() -> Result<tempfile::TempDir> {
    tempfile::tempdir().map_err(|e| Error::io(std::env::temp_dir(), e))
}

fn metrics(printer: &mut Printer, values: &BTreeMap<String, f64>) -> Result<()> {
    let rows = values.iter().map(|(name, value)| vec![format!("test {name}"), number(*value)]);
    printer.columns(&[], rows.collect())
}

fn finished(printer: &mut Printer, run: &Path, values: &BTreeMap<String, f64>) -> Result<()> {
    metrics(printer, values)?;
    if values.get("unsettled.free").is_some_and(|share| *share > 0.1) {
        say(UNSETTLED);
    }
    let dir = RunDir::open(run)?;
    runs::matrix::print(printer, &dir)?;
    printer.line(format_args!("\nrun folder   {}", run.display()))?;
    // The run itself is done and kept: a report that cannot be written does not make it fail.
    match report::report(&dir) {
        Ok(path) => printer.line(format_args!("report       {}", path.display()))?,
        Err(error) => say(format_args!("no report: {error}")),
    }
    match run.parent().filter(|out| *out != Path::new("runs")) {
        Some(out) => printer.line(format_args!("all runs     bouton runs ls --out {}", out.display())),
        None => printer.line("all runs     bouton runs ls"),
    }
}
