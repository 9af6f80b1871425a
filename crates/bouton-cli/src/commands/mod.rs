//! One file per verb.

mod ablate;
mod check;
mod cite;
mod complete;
mod completions;
mod convert;
mod data;
mod device;
mod evaluate;
mod explain;
mod figure;
mod list;
mod new;
mod plot;
mod predict;
mod report;
mod reproduce;
mod run;
mod runs;
mod sweep;

use crate::interrupt;
use crate::printer::Printer;
use crate::sweep::grammar;
use crate::terminal::say;
use bouton::claims;
use bouton::recipe::Recipe;
use bouton::train::shell;
use bouton::{Error, Result};
use clap::{Args, Subcommand};
use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// The verbs.
#[derive(Debug, Subcommand)]
pub enum Verb {
    New(new::New),
    Run(run::Run),
    Sweep(sweep::Sweep),
    Ablate(ablate::Ablate),
    Check(check::Check),
    Reproduce(reproduce::Reproduce),
    Runs(runs::Runs),
    Report(report::Report),
    Plot(plot::Plot),
    List(list::List),
    Explain(explain::Explain),
    Cite(cite::Cite),
    Data(data::Data),
    Device(device::Device),
    Predict(predict::Predict),
    Evaluate(evaluate::Evaluate),
    Convert(convert::Convert),
    Completions(completions::Completions),
    Complete(complete::Complete),
}

/// A recipe with overrides.
#[derive(Args, Debug)]
pub struct RecipeArgs {
    /// The recipe: a TOML file, the folder of a run of it, or `@paper/claim` (see `bouton list papers`)
    pub recipe: PathBuf,
    /// Changes to the recipe: `seed=2`, `credit.eq-prop.beta=0.5`, `optim.adam.lr=1e-3`, `neuron=relu`
    #[arg(value_name = "KEY=VALUE")]
    pub overrides: Vec<String>,
}

/// The recipe at `path`, or that of the claim `@paper/claim`, before overrides; sets of one's own are looked for in the data folder `data`.
pub fn named(path: &Path, data: Option<&Path>) -> Result<Recipe> {
    match path.to_str().and_then(|name| name.strip_prefix('@')) {
        None => Recipe::load_for_overrides(path, data),
        Some(name) => {
            let (paper, claim) = name.split_once('/').unwrap_or((name, ""));
            claims::paper(paper)?.claim(claim)?.recipe()
        }
    }
}

impl RecipeArgs {
    /// The same, where a recipe that is no file is the run of that name in `out`: part of its name, or `last`.
    pub fn or_run(mut self, out: &Path) -> Result<Self> {
        let name = self.recipe.to_string_lossy();
        if !self.recipe.exists()
            && !name.starts_with('@')
            && let Some(run) = runs::part(out, &name)?
        {
            self.recipe = run.path().to_owned();
        }
        Ok(self)
    }

    /// The recipe, checked; sets of one's own are looked for in the data folder `data`.
    pub fn load(&self, data: Option<&Path>) -> Result<Recipe> {
        let recipe = named(&self.recipe, data)?;
        let recipe = recipe.with_overrides_in(&self.overrides, data).map_err(|e| self.or_sweep(e))?;
        recipe.check().map_err(|e| e.context(self.recipe.display()))?;
        Ok(recipe)
    }

    /// Names `bouton sweep` where a value is refused that means several.
    fn or_sweep(&self, error: Error) -> Error {
        let text = error.to_string();
        let several = |one: &&String| {
            let rest = text.split_once(&format!("override `{one}`: ")).map(|(_, rest)| rest);
            let value = one.split_once('=').map_or("", |(_, value)| value.trim());
            grammar::is_several(value) && rest.is_some_and(|rest| rest.contains(value))
        };
        match self.overrides.iter().find(several) {
            Some(one) => {
                let words = ["bouton", "sweep", &self.recipe.to_string_lossy(), one].map(String::from);
                error.with_hint(format!("to train once for each value: {}", shell(&words)))
            }
            None => error,
        }
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
/// the whole command line, for completions; `program` are the words that start this program, for its children.
pub fn dispatch(
    verb: Verb,
    threads: Option<u16>,
    program: Vec<OsString>,
    grammar: clap::Command,
    printer: &mut Printer,
) -> Result<bool> {
    start_log();
    interrupt::respect_nohup();
    let (per_run, threads) = (threads, threads.map_or(0, usize::from));
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
    let pool = pool.map_err(|e| Error::config(format!("cannot start {threads} threads: {e}")))?;
    pool.install(|| {
        match verb {
            Verb::New(v) => v.go(printer),
            Verb::Run(v) => v.go(printer),
            Verb::Sweep(v) => return v.go(per_run, program, printer),
            Verb::Ablate(v) => return v.go(per_run, program, printer),
            Verb::Check(v) => return v.go(printer),
            Verb::Reproduce(v) => return v.go(printer),
            Verb::Runs(v) => v.go(printer),
            Verb::Report(v) => v.go(printer),
            Verb::Plot(v) => v.go(printer),
            Verb::List(v) => v.go(printer),
            Verb::Explain(v) => v.go(printer),
            Verb::Cite(v) => v.go(printer),
            Verb::Data(v) => v.go(printer),
            Verb::Device(v) => v.go(printer),
            Verb::Predict(v) => v.go(printer),
            Verb::Evaluate(v) => v.go(printer),
            Verb::Convert(v) => v.go(printer),
            Verb::Completions(v) => v.go(grammar, printer),
            Verb::Complete(v) => v.go(grammar, printer),
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
