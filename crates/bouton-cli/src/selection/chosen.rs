//! The finished runs and the number that is compared of them.

use super::{Key, Known, results};
use crate::terminal::say;
use bouton::objective::Metric;
use bouton::train::{Entry, State};
use bouton::{Error, Result};
use std::collections::BTreeSet;
use std::path::Path;

/// Finished runs that have a metric, in the order of age.
#[derive(Debug)]
pub(crate) struct Chosen<'a> {
    pub runs: Vec<&'a Entry>,
    pub metric: Key,
}

/// The finished ones of `runs` in `out`, and the metric called `word`, or else their score. What is left out is told.
///
/// # Errors
/// [`Error::Config`] if no run is finished, or none has the metric.
pub(crate) fn chosen<'a>(runs: &'a [Entry], word: Option<&str>, out: &Path) -> Result<Chosen<'a>> {
    let mut done: Vec<&Entry> = runs.iter().filter(|run| run.status.state == State::Done).collect();
    tell(runs.len() - done.len(), "not finished");
    if done.is_empty() {
        let error = Error::config(format!("none of {} runs in {} is finished", runs.len(), out.display()));
        return Err(error.with_hint("`bouton runs ls` lists them; --out names another folder"));
    }
    let metric = match word {
        Some(word) => Known::of(runs).key(word).map_err(|e| e.context("metric"))?,
        None => score(&done)?,
    };
    let all = done.len();
    done.retain(|run| metric.number(run).is_some());
    if done.is_empty() {
        let error = Error::config(format!("no finished run has a number `{}`", metric.name()));
        return Err(error.with_hint("`bouton runs show RUN` prints the metrics of a run"));
    }
    tell(all - done.len(), &format!("without a finite `{}`", metric.name()));
    Ok(Chosen { runs: done, metric })
}

/// Says how many runs a result is not about.
pub(crate) fn tell(runs: usize, why: &str) {
    if runs > 0 {
        say(format_args!("left out: {runs} {} {why}", if runs == 1 { "run" } else { "runs" }));
    }
}

/// The score that all of them have.
fn score(runs: &[&Entry]) -> Result<Key> {
    let scores = runs.iter().filter_map(|run| Metric::score_in(&results(run)?.values));
    let names: BTreeSet<&str> = scores.map(|(metric, _)| metric.name).collect();
    match names.iter().collect::<Vec<_>>()[..] {
        [only] => Ok(Key::Metric(None, (*only).into())),
        [] => Err(Error::config("no finished run has a score").with_hint("name a metric that they have")),
        _ => Err(Error::config("some runs learn classes, others values: they have no score in common")
            .with_hint("name a metric, such as `loss`, or choose by --where")),
    }
}
