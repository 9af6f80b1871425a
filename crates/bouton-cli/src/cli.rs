//! The grammar of the command line.

use crate::commands::Verb;
use clap::builder::styling::{AnsiColor, Style, Styles};
use clap::{CommandFactory, Parser};

/// What `--help` says last.
const CODES: &str = "\
Exit codes: 0 success; 1 a check or claim failed, or training diverged; 2 bad input; 3 data missing; \
130 interrupted by Ctrl-C, SIGTERM or SIGHUP (a checkpoint was written).
Environment: NO_COLOR switches colours off; RUST_LOG=debug shows what happens inside; BOUTON_DATA is the folder of \
data sets.";

/// What `--version` says.
const VERSION: &str = env!("BOUTON_VERSION");

const STYLES: Styles = Styles::styled()
    .header(Style::new().bold())
    .usage(Style::new().bold())
    .literal(AnsiColor::Cyan.on_default());

/// Brain-inspired learning, put together from free choices: neuron, wiring, credit, synapse.
#[derive(Debug, Parser)]
#[command(name = "bouton", version = VERSION, after_help = CODES, styles = STYLES, max_term_width = 100, subcommand_required = true)]
#[command(arg_required_else_help = true, disable_help_subcommand = true)]
pub struct Cli {
    /// Threads to compute with [default: one per core]; results do not depend on it
    #[arg(long, value_name = "N", global = true, value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) threads: Option<u16>,
    #[command(subcommand)]
    pub(crate) verb: Verb,
}

/// The grammar, for completions and the reference page.
pub fn command() -> clap::Command {
    Cli::command()
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_grammar_has_no_contradictions() {
        super::command().debug_assert();
    }
}
