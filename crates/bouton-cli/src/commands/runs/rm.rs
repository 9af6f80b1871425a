//! `bouton runs rm`.

use super::find_all;
use crate::printer::Printer;
use crate::terminal::say;
use bouton::train::RunDir;
use bouton::{Error, Result};
use clap::Args;
use std::io::IsTerminal;
use std::path::Path;

#[derive(Args, Debug)]
pub(super) struct Rm {
    /// Folders, parts of their names, `last`, or patterns such as '*_s1_*'
    #[arg(required = true, value_name = "RUN")]
    runs: Vec<String>,
    /// Do not ask
    #[arg(long)]
    yes: bool,
}

impl Rm {
    pub fn go(&self, printer: &mut Printer, out: &Path) -> Result<()> {
        let runs = find_all(out, &self.runs)?;
        // Whoever would write one of them has to wait: none is deleted unless all can be.
        let locks = runs.iter().map(RunDir::lock).collect::<Result<Vec<_>>>()?;
        if !self.yes && !agreed(&runs)? {
            say("nothing was deleted");
            return Ok(());
        }
        for run in &runs {
            std::fs::remove_dir_all(run.path()).map_err(|e| Error::io(run.path(), e))?;
            printer.line(format_args!("deleted {}", run.path().display()))?;
        }
        drop(locks);
        Ok(())
    }
}

/// Asks on a terminal.
fn agreed(runs: &[RunDir]) -> Result<bool> {
    if !std::io::stdin().is_terminal() {
        let error = Error::config(format!("{} would be deleted for good", count(runs.len())));
        return Err(error.with_hint("--yes does it without a question"));
    }
    runs.iter().for_each(|run| say(run.path().display()));
    say(format_args!("delete {} for good? [y/N]", count(runs.len())));
    let mut answer = String::new();
    std::io::stdin().read_line(&mut answer).map_err(|e| Error::io("<stdin>", e))?;
    Ok(["y", "yes"].contains(&answer.trim().to_lowercase().as_str()))
}

fn count(runs: usize) -> String {
    if runs == 1 { "one run".into() } else { format!("{runs} runs") }
}
