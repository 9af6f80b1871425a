//! Protocol: what resets, decays, averages and counts, what a run goes on with, whose data it sees and which checkpoint it
//! keeps. Most tests are rows of a table: two recipes, and which tensors of their checkpoints are equal and which are not.

mod anchors;
mod answers;
mod draws;
mod importance;
mod optimisers;
mod own;
mod phases;
mod refused;
mod runs;
mod samples;
mod settling;
mod starts;
mod streams;
mod tasks;
mod update;

use crate::common::learn;
use bouton::recipe::Recipe;
use bouton::train::{TensorData, Trainer};
use std::collections::BTreeMap;

/// Everything a checkpoint holds, by name.
type Tensors = BTreeMap<String, Vec<f64>>;

/// A feed-forward task of 24 samples in batches of 6, two epochs, in f64; `tables` hold the rest of the recipe.
fn layered(tables: &str) -> String {
    format!(
        "precision = \"f64\"\n[task.synthetic]\nshape = [1, 3, 3]\nclasses = 4\ntrain = 24\ntest = 12\nbatch = 6\nepochs = 2\n\
         [network]\nlayers = [9, 5, 4]\n[neuron.relu]\n[objective.softmax-cross-entropy]\n[credit.backprop]\n{tables}"
    )
}

/// The trainer of a recipe with some keys changed.
fn trainer(text: &str, overrides: &[&str]) -> Trainer {
    let recipe = Recipe::parse(text, "protocol").unwrap_or_else(|e| panic!("{e}\n{text}"));
    let recipe = recipe.with_overrides(overrides).unwrap_or_else(|e| panic!("{e}: {overrides:?}"));
    Trainer::new(&recipe, None).unwrap_or_else(|e| panic!("{e}: {overrides:?}\n{text}"))
}

fn tensors(trainer: &mut Trainer) -> Tensors {
    let values = |data: TensorData| match data {
        TensorData::F64(values) => values,
        TensorData::U64(bits) => bits.into_iter().map(|b| b as f64).collect(),
        other => panic!("{other:?}"),
    };
    trainer.checkpoint().unwrap().tensors.into_iter().map(|t| (t.name, values(t.data))).collect()
}

/// Everything after `updates` updates, tasks ended where they end.
fn after(text: &str, overrides: &[&str], updates: u64) -> Tensors {
    let mut trainer = trainer(text, overrides);
    learn(&mut trainer, updates);
    tensors(&mut trainer)
}

/// The tensors whose name contains `word`, which some do, and whose name begins with `weight`-like words only if asked for.
fn named<'a>(all: &'a Tensors, word: &str) -> BTreeMap<&'a str, &'a [f64]> {
    let own = |name: &str| {
        ["optim.", "anchor.", "task."].iter().any(|p| name.starts_with(p) && !word.starts_with(p))
    };
    let found: BTreeMap<_, _> =
        all.iter().filter(|(n, _)| n.contains(word) && !own(n)).map(|(n, v)| (&n[..], &v[..])).collect();
    assert!(!found.is_empty(), "no tensor `{word}` among {:?}", all.keys());
    found
}

/// Two recipes that differ in what stands for `@` in `text`, and which tensors are equal and which are not after some
/// updates.
struct Row<'a> {
    what: &'a str,
    text: &'a str,
    one: &'a str,
    other: &'a str,
    updates: u64,
    equal: &'a [&'a str],
    differ: &'a [&'a str],
}

impl Row<'_> {
    fn check(&self) {
        let run = |part: &str| after(&self.text.replace('@', part), &[], self.updates);
        let (one, other) = (run(self.one), run(self.other));
        for word in self.equal {
            assert_eq!(named(&one, word), named(&other, word), "{}: {word} is the same", self.what);
        }
        for word in self.differ {
            let other = named(&other, word);
            for (name, values) in named(&one, word) {
                assert!(other.get(name) != Some(&values), "{}: {name} is another", self.what);
            }
        }
    }
}

/// Whether two lists agree up to rounding.
fn near(a: &[f64], b: &[f64]) -> bool {
    a.len() == b.len() && a.iter().zip(b).all(|(x, y)| (x - y).abs() <= 1e-9 * x.abs().max(y.abs()).max(1e-3))
}

/// Element by element.
fn map2(a: &[f64], b: &[f64], f: impl Fn(f64, f64) -> f64) -> Vec<f64> {
    assert_eq!(a.len(), b.len());
    a.iter().zip(b).map(|(x, y)| f(*x, *y)).collect()
}
