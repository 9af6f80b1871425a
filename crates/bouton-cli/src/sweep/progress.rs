//! Shows how a sweep goes: points that are done, and what those at work said last.

use crate::progress::shown;
use crate::terminal::say;
use indicatif::{ProgressBar, ProgressStyle};

/// Watches a sweep for people.
pub(crate) struct Progress {
    bar: Option<ProgressBar>,
    ended: usize,
    points: usize,
}

impl Progress {
    /// Of so many points, some of which had ended before.
    pub fn new(ended: usize, points: usize) -> Self {
        let template = "{bar:24.cyan/blue} {pos}/{len} points  {elapsed}  {wide_msg}";
        let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
        let bar = ProgressBar::new(points as u64)
            .with_style(style.progress_chars("━━─"))
            .with_position(ended as u64);
        Self { bar: shown(bar), ended, points }
    }

    /// A point ended; `how` is told.
    pub fn ended(&mut self, point: &str, how: &str) {
        self.ended += 1;
        if let Some(bar) = &self.bar {
            bar.set_position(self.ended as u64);
        }
        self.note(&format!("{}/{}  {point}: {how}", self.ended, self.points));
    }

    /// Says one line.
    pub fn note(&self, line: &str) {
        match &self.bar {
            Some(bar) => bar.println(line),
            None => say(line),
        }
    }

    /// Shows what the points at work say.
    pub fn show(&self, at_work: impl Iterator<Item = String>) {
        if let Some(bar) = &self.bar {
            bar.set_message(at_work.collect::<Vec<_>>().join(" │ "));
        }
    }

    /// Takes the bar away.
    pub fn finish(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
