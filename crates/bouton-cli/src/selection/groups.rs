//! Runs that share the values of some keys, one run for each seed.

use super::{Cell, Key};
use crate::terminal::say;
use bouton::train::Entry;
use bouton::train::overview::differing;
use std::collections::{BTreeMap, BTreeSet};

/// Runs that share the values of some keys.
#[derive(Debug)]
pub(crate) struct Group<'a> {
    /// The values; none where the runs have no such key.
    pub values: Vec<Option<Cell>>,
    /// The newest run of each seed.
    pub runs: BTreeMap<u64, &'a Entry>,
    /// Older runs of the same seeds.
    pub older: Vec<&'a Entry>,
}

impl Group<'_> {
    /// Its values in words, one for each key.
    pub fn words(&self) -> Vec<String> {
        self.values.iter().map(|value| value.as_ref().map_or("–".into(), |cell| cell.text.clone())).collect()
    }

    /// The values that it has, for a legend; nothing if there are no keys.
    pub fn name(&self) -> String {
        let words: Vec<&str> = self.values.iter().flatten().map(|cell| cell.text.as_str()).collect();
        if words.is_empty() && !self.values.is_empty() { "–".into() } else { words.join(", ") }
    }

    /// Its values in one word: `0.5,adam`.
    pub fn label(&self) -> String {
        self.words().join(",")
    }
}

/// `runs`, which are in the order of age, by the values of `keys`, small values first.
pub(crate) fn groups<'a>(runs: &[&'a Entry], keys: &[Key]) -> Vec<Group<'a>> {
    let mut groups: Vec<Group<'a>> = Vec::new();
    for run in runs {
        let values: Vec<_> = keys.iter().map(|key| key.cell(run)).collect();
        let at = groups.iter().position(|group| group.values == values).unwrap_or_else(|| {
            groups.push(Group { values, runs: BTreeMap::new(), older: Vec::new() });
            groups.len() - 1
        });
        let older = groups[at].runs.insert(run.status.seed, run);
        groups[at].older.extend(older);
    }
    let order = |a: &Option<Cell>, b: &Option<Cell>| match (a, b) {
        (Some(a), Some(b)) => a.order(b),
        // What has no value comes last.
        _ => a.is_none().cmp(&b.is_none()),
    };
    groups.sort_by(|a, b| {
        let orders = a.values.iter().zip(&b.values).map(|(a, b)| order(a, b));
        orders.fold(std::cmp::Ordering::Equal, std::cmp::Ordering::then)
    });
    groups
}

/// Keys but the seed in which runs differ.
pub(crate) fn differing_keys(runs: &[&Entry]) -> Vec<Key> {
    let keys = differing(runs).into_iter().filter(|key| *key != "seed");
    keys.map(|key| Key::Recipe(key.into())).collect()
}

/// Says what whoever reads means over groups has to know of them.
pub(crate) fn remarks(groups: &[Group<'_>]) {
    let within = |older: bool| -> BTreeSet<String> {
        let of = |group: &Group<'_>| {
            let left_out = group.older.iter().filter(|_| older);
            differing_keys(&group.runs.values().chain(left_out).copied().collect::<Vec<_>>())
        };
        groups.iter().flat_map(of).map(|key| key.name()).collect()
    };
    let (mixed, with_older) = (within(false), within(true));
    let older: usize = groups.iter().map(|group| group.older.len()).sum();
    if older > 0 {
        let runs = if older == 1 { "older run" } else { "older runs" };
        let apart: Vec<String> = with_older.difference(&mixed).cloned().collect();
        let apart =
            if apart.is_empty() { String::new() } else { format!(", with another {}", apart.join(", ")) };
        say(format_args!("left out: {older} {runs} of the same seed and group{apart}"));
    }
    if !mixed.is_empty() {
        let keys = mixed.into_iter().collect::<Vec<_>>().join(", ");
        say(format_args!("runs of one group differ in {keys}, too: add that to --by, or choose by --where"));
    }
}
