//! What the `bouton` command is made of.

pub mod cli;
pub mod combos;
mod commands;
mod interrupt;
mod printer;
mod progress;
pub mod report;

use clap::Parser;
use printer::Printer;
use std::process::ExitCode;

/// Runs the command line of this process and returns its exit code.
pub fn main() -> ExitCode {
    std::panic::set_hook(Box::new(report_bug));
    let cli = cli::Cli::parse();
    let mut printer = Printer::default();
    let result = commands::dispatch(cli.verb, cli.threads, cli::command(), &mut printer);
    ExitCode::from(printer.end(result))
}

/// A panic is a bug of bouton; the process then ends with code 101.
fn report_bug(panic: &std::panic::PanicHookInfo<'_>) {
    let place = panic.location().map_or_else(String::new, |l| format!(" at {}:{}", l.file(), l.line()));
    let message = panic.payload_as_str().unwrap_or("unknown reason").replace('\n', " ");
    anstream::eprintln!(
        "error: bouton stopped because of a bug{place}: {message}; please report this line with your recipe"
    );
}
