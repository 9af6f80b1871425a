//! Shows how a run goes: a bar on a terminal, plain lines otherwise.

use crate::number::number;
use crate::terminal::say;
use bouton::objective::Metric;
use bouton::train::{Event, Observer, Record};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::time::{Duration, Instant};

/// Without a bar, a line appears at least this often.
const QUIET: Duration = Duration::from_secs(10);

/// Watches a run for people.
pub struct Progress {
    bar: Option<ProgressBar>,
    epochs: usize,
    first: u64,
    started: Instant,
    spoke: Instant,
    /// Training and validation points of the epoch that just ended, until its test point is there.
    waiting: Vec<Record>,
}

impl Default for Progress {
    fn default() -> Self {
        let bar = shown(bar(ProgressDrawTarget::stderr()));
        let now = Instant::now();
        Self { bar, epochs: 0, first: 0, started: now, spoke: now, waiting: Vec::new() }
    }
}

/// A bar, if it shows: never in a file, nor on a terminal that cannot move its cursor (`TERM=dumb`, or none).
pub(crate) fn shown(bar: ProgressBar) -> Option<ProgressBar> {
    // A hidden bar swallows the lines that are printed above it.
    (!bar.is_hidden()).then_some(bar)
}

fn bar(target: ProgressDrawTarget) -> ProgressBar {
    let template = "{bar:24.cyan/blue} {pos}/{len} updates  {per_sec}  {eta} left  {msg}";
    let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
    let bar = ProgressBar::with_draw_target(None, target);
    bar.with_style(style.progress_chars("━━─"))
}

impl Observer for Progress {
    fn on(&mut self, event: &Event<'_>) {
        match *event {
            Event::Start { run, resumed_at, updates, epochs, samples, parameters } => {
                self.first = resumed_at.unwrap_or(0);
                self.epochs = epochs;
                self.started = Instant::now();
                if let Some(run) = run {
                    self.say(&format!("run folder {}", run.display()));
                }
                if let Some(update) = resumed_at {
                    self.say(&format!("going on after update {update}"));
                }
                self.say(&format!("{samples} samples, {updates} updates, {parameters} parameters"));
                if let Some(bar) = &self.bar {
                    bar.set_length(updates);
                    bar.set_position(self.first);
                    bar.reset_eta();
                }
            }
            Event::Update { update, updates, loss, score, .. } => {
                self.flush();
                self.update(update, updates, &told(loss, score));
            }
            Event::Metrics { record } => self.metrics(record),
            Event::Checkpoint { .. } => {}
            Event::Note { text } => self.say(text),
            Event::Finish { .. } => {
                self.flush();
                if let Some(bar) = &self.bar {
                    bar.finish_and_clear();
                }
            }
        }
    }
}

/// "loss 0.5  accuracy 0.25".
fn told(loss: f64, score: Option<(&'static Metric, f64)>) -> String {
    let score = score.map(|(metric, value)| format!("  {} {}", metric.name, number(value)));
    format!("loss {}{}", number(loss), score.unwrap_or_default())
}

impl Progress {
    fn update(&mut self, update: u64, updates: u64, told: &str) {
        if let Some(bar) = &self.bar {
            bar.set_position(update);
            bar.set_message(told.to_owned());
        } else if self.spoke.elapsed() >= QUIET {
            let rate = (update - self.first) as f64 / self.started.elapsed().as_secs_f64();
            let left = updates.saturating_sub(update) as f64 / rate;
            self.say(&format!(
                "update {update}/{updates}  {told}  {}/s  {} left",
                number(rate),
                seconds(left)
            ));
        }
    }

    fn metrics(&mut self, record: &Record) {
        match record.split.as_str() {
            "train" => {
                self.flush();
                self.waiting.push(record.clone());
            }
            "validation" => self.waiting.push(record.clone()),
            "test" => {
                let mut records = std::mem::take(&mut self.waiting);
                records.push(record.clone());
                self.say(&self.epoch(&records));
            }
            _ => {}
        }
    }

    /// Prints a training point that no test point followed.
    fn flush(&mut self) {
        let records = std::mem::take(&mut self.waiting);
        if !records.is_empty() {
            self.say(&self.epoch(&records));
        }
    }

    /// The line on records of one epoch.
    fn epoch(&self, records: &[Record]) -> String {
        let (width, last) = (self.epochs.to_string().len(), records.last());
        let (epoch, wall) = last.map_or((0, 0.0), |last| (last.epoch, last.wall));
        let mut line = format!("epoch {epoch:width$}/{}", self.epochs);
        for record in records {
            line += &format!("  {}", record.split);
            if let Some(loss) = record.values.get("loss") {
                line += &format!(" loss {}", number(*loss));
            }
            if let Some((metric, value)) = Metric::score_in(&record.values) {
                line += &format!(" {} {}", metric.name, number(value));
            }
        }
        format!("{line}  {}", seconds(wall))
    }

    fn say(&mut self, line: &str) {
        self.spoke = Instant::now();
        match &self.bar {
            Some(bar) => bar.println(line),
            None => say(line),
        }
    }
}

/// A duration for people: `42 s`, `3 min 5 s`, `2 h 10 min`.
pub fn seconds(s: f64) -> String {
    if !s.is_finite() {
        return "?".into();
    }
    let s = s.round() as u64;
    match s {
        0..60 => format!("{s} s"),
        60..3600 => format!("{} min {} s", s / 60, s % 60),
        _ => format!("{} h {} min", s / 3600, s % 3600 / 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    #[test]
    fn a_bar_that_does_not_show_gives_way_to_lines() {
        assert!(shown(bar(ProgressDrawTarget::hidden())).is_none());
    }

    #[test]
    fn durations_are_for_people() {
        assert_eq!(seconds(59.4), "59 s");
        assert_eq!(seconds(59.6), "1 min 0 s");
        assert_eq!(seconds(7800.0), "2 h 10 min");
        assert_eq!(seconds(f64::INFINITY), "?");
    }

    #[test]
    fn an_epoch_is_one_line_with_train_and_test() {
        let mut progress = Progress { epochs: 12, ..Progress::default() };
        let record = |split: &str| {
            let values = BTreeMap::from([("loss".into(), 0.5), ("accuracy".into(), 0.25)]);
            Record { step: 1, epoch: 3, wall: 61.0, split: split.into(), values }
        };
        progress.on(&Event::Metrics { record: &record("train") });
        progress.on(&Event::Metrics { record: &record("validation") });
        assert_eq!(progress.waiting.len(), 2, "they wait for the test point");
        progress.on(&Event::Metrics { record: &record("test") });
        assert!(progress.waiting.is_empty());
        assert_eq!(
            progress.epoch(&[record("train"), record("test")]),
            "epoch  3/12  train loss 0.5000 accuracy 0.2500  test loss 0.5000 accuracy 0.2500  1 min 1 s"
        );
    }
}
