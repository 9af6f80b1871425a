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
mod sweep;
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
    let arguments: Vec<OsString> = arguments.into_iter().map(Into::into).collect();
    let cli = cli::Cli::parse_from(&arguments);
    let mut printer = Printer::default();
    let result = commands::dispatch(cli.verb, cli.threads, program(&arguments), cli::command(), &mut printer);
    printer.end(result)
}

/// The words that start this program again, after which its verb stands.
fn program(arguments: &[OsString]) -> Vec<OsString> {
    let process = std::env::args_os().collect();
    let file = std::env::current_exe().unwrap_or_else(|_| "bouton".into());
    before(process, arguments.get(1..).unwrap_or_default(), file.into())
}

/// What stands before the `own` words in those of the `process`: within Python, its interpreter and a script. Of this
/// program alone the `file`, whatever it was called; the installed one where somebody else's words are there.
fn before(mut process: Vec<OsString>, own: &[OsString], file: OsString) -> Vec<OsString> {
    if !process.ends_with(own) {
        return vec!["bouton".into()];
    }
    process.truncate(process.len() - own.len());
    if process.len() > 1 { process } else { vec![file] }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn children_are_started_as_the_program_was() {
        let words = |text: &str| text.split(' ').map(OsString::from).collect::<Vec<_>>();
        let started = |process: &str| before(words(process), &words("sweep a.toml"), "/bin/bouton".into());
        assert_eq!(started("bouton sweep a.toml"), words("/bin/bouton"));
        assert_eq!(started("/v/bin/python /v/bin/bouton sweep a.toml"), words("/v/bin/python /v/bin/bouton"));
        assert_eq!(started("python notebook.py"), words("bouton"));
    }
}
