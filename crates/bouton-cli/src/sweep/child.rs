//! A process of this program that trains one point. What it says is kept, in case it fails.

use std::collections::VecDeque;
use std::ffi::OsString;
use std::io::{self, BufRead, BufReader, Read};
use std::process::{self, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};

/// Lines that are kept of what a child says.
const TAIL: usize = 30;

/// The last lines that a child said.
type Tail = Arc<Mutex<VecDeque<String>>>;

/// A child at work.
pub(crate) struct Child {
    /// The number of its point.
    pub point: usize,
    process: process::Child,
    tail: Tail,
    reader: Option<JoinHandle<()>>,
    asked: bool,
}

impl Child {
    /// Starts `program` with `words`.
    ///
    /// # Errors
    /// If the system does not start it.
    pub fn start(point: usize, program: &[OsString], words: &[OsString]) -> io::Result<Self> {
        let (file, first) = program.split_first().ok_or(io::ErrorKind::NotFound)?;
        let mut command = Command::new(file);
        command.args(first).args(words).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        command.env("NO_COLOR", "1").env_remove("CLICOLOR_FORCE");
        // Ctrl-C of a terminal goes to every process of a group: a child would hear it twice, and stop without a checkpoint.
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        let mut process = command.spawn()?;
        let tail = Tail::default();
        let reader = process.stderr.take().map(|from| {
            let tail = tail.clone();
            thread::spawn(move || listen(from, &tail))
        });
        Ok(Self { point, process, tail, reader, asked: false })
    }

    /// Its process.
    pub fn id(&self) -> u32 {
        self.process.id()
    }

    /// Asks it to write a checkpoint and stop; once, as the second time would be at once.
    pub fn stop(&mut self) {
        if !std::mem::replace(&mut self.asked, true) {
            #[cfg(unix)]
            {
                use nix::{sys::signal, unistd::Pid};
                let _ = signal::kill(Pid::from_raw(self.id() as i32), signal::Signal::SIGTERM);
            }
            #[cfg(not(unix))]
            let _ = self.process.kill();
        }
    }

    /// The last line that it said.
    pub fn last_line(&self) -> String {
        self.tail.lock().ok().and_then(|tail| tail.back().cloned()).unwrap_or_default()
    }

    /// How it ended, with the reason if it failed; nothing while it works.
    pub fn ended(&mut self) -> Option<Result<(), String>> {
        let status = match self.process.try_wait() {
            Ok(status) => status?,
            Err(e) => return Some(Err(format!("lost: {e}"))),
        };
        if let Some(reader) = self.reader.take() {
            let _ = reader.join();
        }
        if status.success() {
            return Some(Ok(()));
        }
        let tail = self.tail.lock().map(|tail| tail.iter().cloned().collect::<Vec<_>>());
        Some(Err(reason(&tail.unwrap_or_default(), status)))
    }
}

/// Keeps the last lines of `from` until it is closed.
fn listen(from: impl Read, tail: &Tail) {
    let mut from = BufReader::new(from);
    let mut line = Vec::new();
    while from.read_until(b'\n', &mut line).is_ok_and(|n| n > 0) {
        let text = String::from_utf8_lossy(&line).trim_end().to_owned();
        line.clear();
        if let Ok(mut tail) = tail.lock()
            && !text.is_empty()
        {
            tail.push_back(text);
            let surplus = tail.len().saturating_sub(TAIL);
            tail.drain(..surplus);
        }
    }
}

/// Why a child failed, in one line: its error with its hint, else the last that it said and how it ended.
fn reason(said: &[String], status: ExitStatus) -> String {
    let Some(error) = said.iter().rposition(|line| line.starts_with("error: ")) else {
        let last = said.last().map_or(String::new(), |line| format!("; it said last: {line}"));
        return format!("{}{last}", how(status));
    };
    let lines =
        said[error..].iter().map(|line| match (line.strip_prefix("error: "), line.strip_prefix("hint: ")) {
            (Some(error), _) => error.to_owned(),
            (_, Some(hint)) => format!("({hint})"),
            _ => line.clone(),
        });
    lines.collect::<Vec<_>>().join(" ")
}

/// An exit code or a signal in words.
fn how(status: ExitStatus) -> String {
    #[cfg(unix)]
    if let Some(signal) = std::os::unix::process::ExitStatusExt::signal(&status) {
        return format!("its process was ended by signal {signal}");
    }
    match status.code() {
        Some(130) => "interrupted".into(),
        code => format!("its process ended with code {}", code.unwrap_or(-1)),
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use std::os::unix::process::ExitStatusExt;

    #[test]
    fn a_failure_is_told_in_one_line() {
        let told = |said: &[&str], status| {
            reason(&said.iter().map(|s| (*s).to_string()).collect::<Vec<_>>(), status)
        };
        let code = |code: i32| ExitStatus::from_raw(code << 8);
        let said = ["run folder x", "error: a: wrong", "b: wrong, too", "hint: write 1"];
        assert_eq!(told(&said, code(2)), "a: wrong b: wrong, too (write 1)");
        assert_eq!(
            told(&said[..1], ExitStatus::from_raw(9)),
            "its process was ended by signal 9; it said last: run folder x"
        );
        assert_eq!(told(&[], code(130)), "interrupted");
    }

    #[test]
    fn only_the_last_lines_are_kept() {
        let tail = Tail::default();
        let text: Vec<u8> =
            (0..100).flat_map(|i| format!("line {i} \u{e9}\n\n").into_bytes()).chain([0xff]).collect();
        listen(&text[..], &tail);
        let tail = tail.lock().unwrap();
        assert_eq!(
            (tail.len(), tail[TAIL - 2].as_str(), tail[TAIL - 1].as_str()),
            (TAIL, "line 99 é", "\u{fffd}")
        );
    }
}
