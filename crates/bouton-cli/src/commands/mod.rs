//! One file per verb.

mod check;
mod cite;
mod completions;
mod convert;
mod data;
mod explain;
mod list;
mod plot;
mod report;
mod reproduce;
mod run;
mod runs;

use crate::interrupt;
use crate::printer::Printer;
use crate::terminal::say;
use bouton::recipe::Recipe;
use bouton::{Error, Result};
use clap::{Args, Subcommand};
use std::path::PathBuf;

/// The verbs.
#[derive(Debug, Subcommand)]
pub enum Verb {
    Run(run::Run),
    Check(check::Check),
    Reproduce(reproduce::Reproduce),
    Runs(runs::Runs),
    Report(report::Report),
    Plot(plot::Plot),
    List(list::List),
    Explain(explain::Explain),
    Cite(cite::Cite),
    Data(data::Data),
    Convert(convert::Convert),
    Completions(completions::Completions),
}

/// A recipe with overrides.
#[derive(Args, Debug)]
pub struct RecipeArgs {
    /// The recipe, a TOML file, or the folder of a run of it
    pub recipe: PathBuf,
    /// Changes to the recipe: `seed=2`, `credit.eq-prop.beta=0.5`, `optim.adam.lr=1e-3`, `neuron=relu`
    #[arg(value_name = "KEY=VALUE")]
    pub overrides: Vec<String>,
}

impl RecipeArgs {
    /// The recipe, checked.
    pub fn load(&self) -> Result<Recipe> {
        let recipe = Recipe::load(&self.recipe)?.with_overrides(&self.overrides)?;
        recipe.check().map_err(|e| e.context(self.recipe.display()))?;
        Ok(recipe)
    }
}

/// Where run directories are.
#[derive(Args, Debug)]
pub struct OutArgs {
    /// Folder of run directories
    #[arg(long, global = true, value_name = "DIR", default_value = "runs")]
    pub out: PathBuf,
}

/// Where data sets are.
#[derive(Args, Debug)]
pub struct DataArgs {
    /// Folder of data sets [default: BOUTON_DATA, else the user's data folder]
    #[arg(long, global = true, value_name = "DIR")]
    pub data: Option<PathBuf>,
}

/// Carries out a verb on `threads` threads (one per core if not given); false if a check or a claim failed. `grammar` is
/// the whole command line, for completions.
pub fn dispatch(
    verb: Verb,
    threads: Option<u16>,
    grammar: clap::Command,
    printer: &mut Printer,
) -> Result<bool> {
    start_log();
    interrupt::respect_nohup();
    let threads = threads.map_or(0, usize::from);
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
    let pool = pool.map_err(|e| Error::config(format!("cannot start {threads} threads: {e}")))?;
    pool.install(|| {
        match verb {
            Verb::Run(v) => v.go(printer),
            Verb::Check(v) => return v.go(printer),
            Verb::Reproduce(v) => return v.go(printer),
            Verb::Runs(v) => v.go(printer),
            Verb::Report(v) => v.go(printer),
            Verb::Plot(v) => v.go(printer),
            Verb::List(v) => v.go(printer),
            Verb::Explain(v) => v.go(printer),
            Verb::Cite(v) => v.go(printer),
            Verb::Data(v) => v.go(printer),
            Verb::Convert(v) => v.go(printer),
            Verb::Completions(v) => v.go(grammar, printer),
        }
        .map(|()| true)
    })
}

/// Logs go to stderr; RUST_LOG chooses how much, by default warnings.
fn start_log() {
    let mut log = env_logger::Builder::new();
    let wanted = std::env::var("RUST_LOG").unwrap_or_else(|_| "warn".into());
    if env_filter::Builder::new().try_parse(&wanted).is_ok() {
        log.parse_filters(&wanted);
    } else {
        say(format_args!("RUST_LOG is not understood: `{wanted}` (try RUST_LOG=bouton=debug)"));
    }
    let _ = log.try_init();
}
