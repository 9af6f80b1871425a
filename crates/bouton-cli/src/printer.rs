//! Data on stdout, everything else on stderr, errors with a hint.

use anstream::AutoStream;
use bouton::{Error, Result};
use comfy_table::{Table, presets};
use serde::Serialize;
use std::io::{ErrorKind, Stdout, Write};

/// What stdout is called in errors.
const STDOUT: &str = "<stdout>";

/// Where a command prints.
pub struct Printer {
    out: AutoStream<Stdout>,
}

impl Default for Printer {
    fn default() -> Self {
        Self { out: anstream::stdout() }
    }
}

impl Printer {
    /// Prints text as it is.
    ///
    /// # Errors
    /// [`Error::Io`] if stdout is closed or full.
    pub fn text(&mut self, text: &str) -> Result<()> {
        self.out.write_all(text.as_bytes()).map_err(|e| Error::io(STDOUT, e))
    }

    /// Prints a line.
    ///
    /// # Errors
    /// As [`Printer::text`].
    pub fn line(&mut self, line: impl std::fmt::Display) -> Result<()> {
        self.text(&format!("{line}\n"))
    }

    /// Prints a value as JSON.
    ///
    /// # Errors
    /// As [`Printer::text`].
    pub fn json(&mut self, value: &impl Serialize) -> Result<()> {
        let text = serde_json::to_string_pretty(value).map_err(|e| Error::config(e.to_string()))?;
        self.line(text)
    }

    /// Prints aligned columns; the first row is a heading unless it is empty.
    ///
    /// # Errors
    /// As [`Printer::text`].
    pub fn columns(&mut self, heading: &[&str], rows: Vec<Vec<String>>) -> Result<()> {
        let mut table = Table::new();
        table.load_style(presets::NOTHING);
        if !heading.is_empty() {
            table.set_header(heading.to_vec());
        }
        table.add_rows(rows);
        for column in table.column_iter_mut() {
            column.set_padding((0, 2));
        }
        self.line(table.trim_fmt())
    }

    /// Prints what went wrong and returns the exit code; `Ok(false)` is a check or claim that failed.
    pub fn end(&mut self, result: Result<bool>) -> u8 {
        let flushed = result.and_then(|ok| self.out.flush().map(|()| ok).map_err(|e| Error::io(STDOUT, e)));
        let error = match flushed {
            Ok(ok) => return u8::from(!ok),
            Err(error) => error,
        };
        if is_broken_pipe(&error) {
            return 0;
        }
        if matches!(error, Error::Interrupted) {
            anstream::eprintln!("interrupted; the same command goes on from the checkpoint");
            return error.exit_code();
        }
        let error_style = anstyle::AnsiColor::Red.on_default().bold();
        anstream::eprintln!("{error_style}error:{error_style:#} {error}");
        if let Some(hint) = error.hint() {
            let hint_style = anstyle::AnsiColor::Cyan.on_default().bold();
            anstream::eprintln!("\n{hint_style}hint:{hint_style:#} {hint}");
        }
        error.exit_code()
    }
}

/// Whoever read stdout has seen enough (`bouton list … | head`).
fn is_broken_pipe(error: &Error) -> bool {
    matches!(error, Error::Io { path, source }
        if path.as_os_str() == STDOUT && source.kind() == ErrorKind::BrokenPipe)
}
