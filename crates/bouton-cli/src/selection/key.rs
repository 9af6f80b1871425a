//! What can be asked of a run by a word: `seed`, `beta`, `credit.eq-prop.beta`, `accuracy`, `train.loss`.

use bouton::recipe::nearest;
use bouton::train::{Entry, Record};
use bouton::{Error, Result};
use serde_json::Value;
use std::cmp::Ordering;
use std::collections::BTreeSet;

/// What is known of every run, whatever its recipe.
const OWN: [&str; 10] =
    ["run", "name", "seed", "state", "tag", "note", "updates", "epochs", "time", "started"];

/// Something that runs can be sorted, chosen and grouped by.
#[derive(Clone, Debug, PartialEq)]
pub enum Key {
    /// One of [`OWN`].
    Own(&'static str),
    /// A key of recipes.
    Recipe(String),
    /// The last value of a metric on a split; without one on the test set, or on whatever split there is.
    Metric(Option<String>, String),
}

/// A value of a run.
#[derive(Clone, Debug, PartialEq)]
pub struct Cell {
    /// As it is written.
    pub text: String,
    /// The number that it is.
    pub number: Option<f64>,
}

impl Cell {
    fn word(text: impl Into<String>) -> Self {
        Self { text: text.into(), number: None }
    }

    fn whole(number: u64) -> Self {
        Self { text: number.to_string(), number: Some(number as f64) }
    }

    fn number(number: f64) -> Self {
        Self { text: number.to_string(), number: Some(number) }
    }

    /// A value of a recipe.
    pub fn of(value: &Value) -> Self {
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        Self { text: in_a_line(text), number: value.as_f64() }
    }

    /// The number, a whole one as such, or the words.
    pub fn json(&self) -> Value {
        let whole = self.text.parse::<u64>().map(Value::from);
        whole.unwrap_or_else(|_| self.number.map_or_else(|| Value::from(self.text.clone()), Value::from))
    }

    /// Whether it is what `text` says: the same number or, spaces aside, the same words.
    pub fn is(&self, text: &str) -> bool {
        let plain = |text: &str| text.split_whitespace().collect::<String>();
        match (self.number, text.parse::<f64>()) {
            (Some(number), Ok(other)) => number == other,
            _ => plain(&self.text) == plain(text),
        }
    }

    /// Numbers by size before words by the alphabet; what is not finite last.
    pub fn order(&self, other: &Self) -> Ordering {
        let finite = |cell: &Self| cell.number.filter(|number| number.is_finite());
        match (finite(self), finite(other)) {
            (Some(a), Some(b)) => a.total_cmp(&b),
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (None, None) => self.text.cmp(&other.text),
        }
    }
}

/// A file of many lines, such as that of a device, by the name in it and the beginning of what tells it apart.
fn in_a_line(text: String) -> String {
    if !text.contains('\n') {
        return text;
    }
    let named = text.lines().find_map(|line| line.strip_prefix("name")?.trim_start().strip_prefix('='));
    let name = named.map_or("a file", |rest| rest.trim().trim_matches('"'));
    format!("{name} ({:04x})", bouton::rng::Key::new(0).of(&text, 0).number() & 0xffff)
}

/// The last record of the test set, or of whatever split there is.
pub(crate) fn results(entry: &Entry) -> Option<&Record> {
    entry.last.get("test").or_else(|| entry.last.values().next_back())
}

impl Key {
    /// What a run has there: nothing, a value, or several tags.
    pub fn cells(&self, entry: &Entry) -> Vec<Cell> {
        let status = &entry.status;
        match self {
            Self::Own("tag") => entry.labels.tags.iter().map(Cell::word).collect(),
            Self::Own(word) => vec![match *word {
                "run" => Cell::word(entry.folder()),
                "name" => Cell::word(&status.name),
                "seed" => Cell::whole(status.seed),
                "state" => Cell::word(status.state.to_string()),
                "note" => Cell::word(&entry.labels.note),
                "updates" => Cell::whole(status.step),
                "epochs" => Cell::whole(status.epoch),
                "time" => Cell::number(entry.wall),
                _ => Cell::word(&status.started),
            }],
            Self::Recipe(key) => entry.recipe.get(key).map(Cell::of).into_iter().collect(),
            Self::Metric(split, name) => {
                let record = split.as_ref().map_or_else(|| results(entry), |split| entry.last.get(split));
                let value = record.and_then(|record| record.values.get(name));
                value.map(|value| Cell::number(*value)).into_iter().collect()
            }
        }
    }

    /// The value, or the first of several.
    pub fn cell(&self, entry: &Entry) -> Option<Cell> {
        self.cells(entry).into_iter().next()
    }

    /// The number, if it is a finite one.
    pub fn number(&self, entry: &Entry) -> Option<f64> {
        self.cell(entry)?.number.filter(|number| number.is_finite())
    }

    /// Its full name.
    pub fn name(&self) -> String {
        match self {
            Self::Own(word) => (*word).into(),
            Self::Recipe(key) => key.clone(),
            Self::Metric(None, name) => name.clone(),
            Self::Metric(Some(split), name) => format!("{split}.{name}"),
        }
    }
}

/// All keys that some runs have.
pub(crate) struct Known<'a> {
    runs: &'a [Entry],
    keys: BTreeSet<&'a str>,
}

impl<'a> Known<'a> {
    /// The keys of `runs`.
    pub fn of(runs: &'a [Entry]) -> Self {
        Self { runs, keys: bouton::train::overview::keys(runs) }
    }

    /// What `word` means: a word that every run has, a key, a metric, or the end of one key.
    ///
    /// # Errors
    /// [`Error::Config`] with the keys that end so, or with the nearest names.
    pub fn key(&self, word: &str) -> Result<Key> {
        if let Some(own) = OWN.iter().find(|own| **own == word) {
            return Ok(Key::Own(own));
        }
        if self.keys.contains(word) {
            return Ok(Key::Recipe(word.into()));
        }
        if let Some(metric) = self.runs.iter().find_map(|run| metric(run, word)) {
            return Ok(metric);
        }
        match self.ending(word)[..] {
            [] => Err(Error::config(format!("no run here has `{word}`")).with_hint(self.near(word))),
            [only] => Ok(Key::Recipe(only.into())),
            ref several => {
                let several: Vec<_> = several.iter().map(|key| format!("`{key}`")).collect();
                Err(Error::config(format!("`{word}` may be {}", several.join(" or ")))
                    .with_hint("name more of the key"))
            }
        }
    }

    /// The keys of `--by`.
    ///
    /// # Errors
    /// As [`Known::key`].
    pub fn keys(&self, words: &[String]) -> Result<Vec<Key>> {
        words
            .iter()
            .map(|word| self.key(word).map_err(|e| e.context(format_args!("--by `{word}`"))))
            .collect()
    }

    /// The shortest end of `key` that means it alone.
    pub fn heading<'k>(&self, key: &'k str) -> &'k str {
        let starts = key.match_indices('.').map(|(at, _)| at + 1).rev();
        let mut ends = starts.map(|at| &key[at..]);
        ends.find(|end| matches!(self.key(end), Ok(Key::Recipe(found)) if found == key)).unwrap_or(key)
    }

    /// The shortest name of a key.
    pub fn short(&self, key: &Key) -> String {
        match key {
            Key::Recipe(key) => self.heading(key).to_owned(),
            key => key.name(),
        }
    }

    fn ending(&self, word: &str) -> Vec<&'a str> {
        let end = format!(".{word}");
        self.keys.iter().copied().filter(|key| key.ends_with(&end)).collect()
    }

    fn near(&self, word: &str) -> String {
        let metrics = self.runs.iter().filter_map(results).flat_map(|record| record.values.keys());
        let mut names: BTreeSet<&str> = metrics.map(String::as_str).chain(OWN).collect();
        let plain = word.rsplit('.').next().unwrap_or(word);
        // Of keys their ends, unless more was written.
        names.extend(self.keys.iter().map(|key| match plain == word {
            true => key.rsplit('.').next().unwrap_or(key),
            false => key,
        }));
        nearest(word, names.into_iter())
    }
}

/// The metric called `word` in this run, with or without its split.
fn metric(run: &Entry, word: &str) -> Option<Key> {
    if results(run).is_some_and(|record| record.values.contains_key(word)) {
        return Some(Key::Metric(None, word.into()));
    }
    run.last.iter().find_map(|(split, record)| {
        let name = word.strip_prefix(split)?.strip_prefix('.')?;
        record.values.contains_key(name).then(|| Key::Metric(Some(split.clone()), name.into()))
    })
}
