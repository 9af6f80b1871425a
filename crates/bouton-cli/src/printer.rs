//! Data on stdout, everything else on stderr, errors with a hint.

use crate::terminal::say;
use anstream::AutoStream;
use bouton::{Error, Result};
use comfy_table::{Table, presets};
use serde::Serialize;
use std::io::{self, ErrorKind, Stdout, Write};

/// What stdout is called in errors.
const STDOUT: &str = "<stdout>";

/// Where a command prints.
pub struct Printer {
    out: AutoStream<Stdout>,
    /// Whether what is printed only tells of what files keep.
    only_tells: bool,
    /// Why nothing is printed any more.
    lost: Option<io::Error>,
}

impl Default for Printer {
    fn default() -> Self {
        Self { out: anstream::stdout(), only_tells: false, lost: None }
    }
}

impl Printer {
    /// From now on stdout only tells of what files keep: that it is closed or full does not stop the command.
    pub fn only_tell(&mut self) {
        self.only_tells = true;
    }

    /// Prints text as it is.
    ///
    /// # Errors
    /// [`Error::Io`] if stdout is closed or full, unless it only tells.
    pub fn text(&mut self, text: &str) -> Result<()> {
        if self.lost.is_some() {
            return Ok(());
        }
        let written = self.out.write_all(text.as_bytes());
        self.kept(written)
    }

    /// What a failure of stdout means.
    fn kept(&mut self, written: io::Result<()>) -> Result<()> {
        match written {
            Err(e) if self.only_tells => self.lost = Some(e),
            written => written.map_err(|e| Error::io(STDOUT, e))?,
        }
        Ok(())
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

    /// Prints comma-separated values, the heading first.
    ///
    /// # Errors
    /// As [`Printer::text`].
    pub fn csv(&mut self, heading: &[String], rows: &[Vec<String>]) -> Result<()> {
        self.text(&crate::csv::table(heading, rows))
    }

    /// Prints what went wrong and returns the exit code; `Ok(false)` is a check or claim that failed.
    pub fn end(&mut self, result: Result<bool>) -> u8 {
        let flushed = result.and_then(|ok| {
            let flushed = self.out.flush();
            self.kept(flushed).map(|()| ok)
        });
        if let Some(lost) = self.lost.take_if(|lost| lost.kind() != ErrorKind::BrokenPipe) {
            say(format_args!("warning: {STDOUT}: {lost}: what was printed is lost, what was done is kept"));
        }
        let error = match flushed {
            Ok(ok) => return u8::from(!ok),
            Err(error) => error,
        };
        if is_broken_pipe(&error) {
            return 0;
        }
        if matches!(error, Error::Interrupted) {
            say("interrupted; the same command goes on from the checkpoint");
            return error.exit_code();
        }
        let error_style = anstyle::AnsiColor::Red.on_default().bold();
        say(format_args!("{error_style}error:{error_style:#} {error}"));
        if let Some(hint) = error.hint() {
            let hint_style = anstyle::AnsiColor::Cyan.on_default().bold();
            say(format_args!("\n{hint_style}hint:{hint_style:#} {hint}"));
        }
        error.exit_code()
    }
}

/// Whoever read stdout has seen enough (`bouton list … | head`).
fn is_broken_pipe(error: &Error) -> bool {
    matches!(error, Error::Io { path, source }
        if path.as_os_str() == STDOUT && source.kind() == ErrorKind::BrokenPipe)
}
