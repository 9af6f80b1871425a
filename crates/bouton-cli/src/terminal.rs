//! What is said beside the data, on stderr. That nobody can read it any more (a closed pipe, a full disk, a terminal that
//! is gone) is no reason to stop a run: what cannot be written is dropped.

use std::fmt::Display;
use std::io::Write;

/// Says one line, in colours where they show.
pub(crate) fn say(line: impl Display) {
    let _ = anstream::stderr().write_all(format!("{line}\n").as_bytes());
}

/// Characters in a line of the terminal that stdout is; none if it is none.
pub(crate) fn width() -> Option<usize> {
    terminal_size::terminal_size_of(std::io::stdout()).map(|(width, _)| width.0.into())
}
