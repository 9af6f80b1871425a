//! A share of the samples held back: of every class alike, drawn by a seed of its own.
//!
//! Of n_c samples of class c, round(share · n_c) are held; which, a permutation of the class decides. Both parts keep the order
//! of the file.

use super::table::{Named, Table};
use crate::rng::Key;
use crate::{Error, Result};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Samples to be judged by.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Held {
    /// So much of the training samples, above 0 and below 1.
    Share(
        #[schemars(extend("exclusiveMinimum" = 0, "exclusiveMaximum" = 1, "x-hint" = "0.2 is usual, or the path of a file"))]
         f64,
    ),
    /// Those of another file.
    Path(String),
}

/// Samples to learn from and held ones.
///
/// # Errors
/// [`Error::Data`] if a class would have none in one of the two.
pub(super) fn apart(table: Table, share: f64, draw: u64) -> Result<[Table; 2]> {
    let mut groups: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for i in 0..table.answers.len() {
        let group = if let Named::Classes(names) = &table.answers { &*names[i] } else { "" };
        groups.entry(group).or_default().push(i);
    }
    let (mut train, mut held) = (Vec::new(), Vec::new());
    for (name, mut ids) in groups {
        let n = (share * ids.len() as f64).round() as usize;
        if n == 0 || n == ids.len() {
            let (what, all) = (if name.is_empty() { "they" } else { name }, ids.len());
            let message =
                format!("{}: {what} has {all} samples, of which a share of {share} leaves {n}", table.place);
            return Err(Error::data(message).with_hint("choose another share, or name a file of its own"));
        }
        Key::new(draw).of("split", 0).of(name, 0).stream().shuffle(&mut ids);
        held.extend(ids.drain(..n));
        train.extend(ids);
    }
    train.sort_unstable();
    held.sort_unstable();
    Ok([table.take(&train), table.take(&held)])
}

#[cfg(test)]
mod tests {
    use super::super::table::Inputs;
    use super::*;

    fn table(names: &[&str]) -> Table {
        let inputs = Inputs::Numbers((0..names.len()).map(|i| i as f32).collect());
        let answers = Named::Classes(names.iter().map(|&name| name.into()).collect());
        Table { place: "here".into(), shape: [1, 1, 1], inputs, answers }
    }

    #[test]
    fn every_class_gives_its_share() {
        let names: Vec<&str> = (0..60).map(|i| if i % 3 == 0 { "a" } else { "b" }).collect();
        let [train, held] = apart(table(&names), 0.25, 1).unwrap();
        let count = |t: &Table, class: &str| {
            let Named::Classes(names) = &t.answers else { panic!("classes") };
            names.iter().filter(|name| *name == class).count()
        };
        assert_eq!(
            [count(&held, "a"), count(&held, "b"), count(&train, "a"), count(&train, "b")],
            [5, 10, 15, 30]
        );
        let numbers =
            |t: &Table| if let Inputs::Numbers(x) = &t.inputs { x.clone() } else { panic!("numbers") };
        let mut all = [numbers(&train), numbers(&held)].concat();
        all.sort_by(f32::total_cmp);
        assert_eq!(all, (0..60).map(|i| i as f32).collect::<Vec<_>>(), "each sample once");
        assert!(numbers(&held).is_sorted());
        assert_eq!(apart(table(&names), 0.25, 1).unwrap()[1], held, "the same draw");
        assert_ne!(apart(table(&names), 0.25, 2).unwrap()[1], held, "another draw");
    }

    #[test]
    fn a_class_is_not_left_empty() {
        let error = apart(table(&["a", "a", "a", "a", "b"]), 0.25, 1).unwrap_err();
        assert!(error.to_string().contains("b has 1 samples, of which a share of 0.25 leaves 0"), "{error}");
        assert!(apart(table(&["a", "b"]), 0.9, 1).is_err());
    }
}
