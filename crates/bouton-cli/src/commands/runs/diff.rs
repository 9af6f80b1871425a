//! `bouton runs diff`.

use super::find;
use crate::printer::Printer;
use bouton::Result;
use bouton::train::{Entry, RunDir};
use clap::Args;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::Path;

#[derive(Args, Debug)]
pub(super) struct Diff {
    /// A folder, a part of its name, or `last`
    first: String,
    /// Another one
    second: String,
}

impl Diff {
    pub fn go(&self, printer: &mut Printer, out: &Path, json: bool) -> Result<()> {
        let (a, b) = (facts(&find(out, &self.first)?)?, facts(&find(out, &self.second)?)?);
        let mut keys: Vec<_> = a.keys().chain(b.keys()).collect();
        keys.sort();
        keys.dedup();
        let differing: Vec<_> = keys.into_iter().filter(|key| a.get(*key) != b.get(*key)).collect();
        if json {
            let pair = |key: &String| json!({ "key": key, "first": a.get(key), "second": b.get(key) });
            return printer.json(&differing.into_iter().map(pair).collect::<Vec<_>>());
        }
        if differing.is_empty() {
            return printer.line("same recipe, same results");
        }
        // Numbers have all their digits: those that differ look different.
        let cell = |facts: &BTreeMap<String, Value>, key: &String| match facts.get(key) {
            Some(Value::Null) => "not finite".into(),
            value => value.map_or("–".to_string(), Value::to_string),
        };
        let rows = differing.into_iter().map(|key| vec![key.clone(), cell(&a, key), cell(&b, key)]);
        printer.columns(&["key", "first", "second"], rows.collect())
    }
}

/// Recipe keys and last results of a run; null is a result that is not finite.
fn facts(run: &RunDir) -> Result<BTreeMap<String, Value>> {
    let run = Entry::of(run)?;
    let mut facts = run.recipe;
    for (split, record) in run.last {
        facts.extend(record.values.iter().map(|(name, v)| (format!("result.{split}.{name}"), json!(v))));
    }
    Ok(facts)
}
