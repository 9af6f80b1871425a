//! What the `bouton` command is made of.

pub mod cli;
pub mod combos;
mod commands;
mod csv;
mod interrupt;
mod number;
mod printer;
mod progress;
pub mod report;
mod selection;
mod statistics;
mod terminal;

use clap::Parser;
use printer::Printer;
use std::ffi::OsString;

/// Source revision that the program was built from, and a mark of what was changed since (`34d4860, modified 1b2f3a9`);
/// none where there was no git.
pub const BUILD: Option<&str> = option_env!("BOUTON_BUILD");

/// Runs the command line of this process and returns its exit code.
pub fn main() -> std::process::ExitCode {
    std::panic::set_hook(Box::new(report_bug));
    run(std::env::args_os()).into()
}

/// Runs the command line `arguments`, the program's name first, and returns its exit code. Ends the process itself after
/// `--help` and after words that are no command line.
pub fn run(arguments: impl IntoIterator<Item = impl Into<OsString> + Clone>) -> u8 {
    let cli = cli::Cli::parse_from(arguments);
    let mut printer = Printer::default();
    let result = commands::dispatch(cli.verb, cli.threads, cli::command(), &mut printer);
    printer.end(result)
}

/// The command line of this process; what is no text in it is replaced.
pub(crate) fn command_line() -> Vec<String> {
    std::env::args_os().map(|word| word.to_string_lossy().into_owned()).collect()
}

/// A panic is a bug of bouton; the process then ends with code 101.
fn report_bug(panic: &std::panic::PanicHookInfo<'_>) {
    let place = panic.location().map_or_else(String::new, |l| format!(" at {}:{}", l.file(), l.line()));
    let message = panic.payload_as_str().unwrap_or("unknown reason").replace('\n', " ");
    terminal::say(format_args!(
        "error: bouton stopped because of a bug{place}: {message}; please report this line with your recipe"
    ));
}
