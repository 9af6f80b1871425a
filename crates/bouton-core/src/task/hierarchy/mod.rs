//! The random hierarchy model (Cagnetta et al. 2024): classes that are made of features, made of features, made of symbols.
//!
//! Every feature is written as one of m synonymous tuples of features of the level below, and no tuple belongs to two features, so
//! the class follows from the string. Whoever finds the features learns from some n_c m^L strings; whoever does not needs a share of
//! all n_c m^((s^L − 1)/(s − 1)) of them. Inputs are one-hot, [v, 1, s^L]: symbols are channels, places stand in a row, and filters
//! of height 1, width s and stride s see one tuple each.

mod grammar;

pub use grammar::{Grammar, Sizes};

use super::drawn::drawn_samples;
use super::sequence::Following;
use super::spec::TaskMethod;
use super::{Answers, BatchSize, Dataset, Share};
use crate::axis::{Cite, Place};
use crate::error::Result;
use crate::objective::TargetKind;
use crate::rng::Key;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Longest string.
const LONGEST: usize = 1 << 16;
/// Most tuples to draw rules from.
const TUPLES: usize = 1 << 30;

/// Strings of a random hierarchy (`[task.random-hierarchy]`), all of them different, none in training and test alike.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct RandomHierarchy {
    /// Classes n_c.
    #[schemars(extend("minimum" = 2, "maximum" = 65_536, "x-hint" = "4 to 16 are usual"))]
    pub classes: usize,
    /// Features v of every level below the classes, and symbols of the last.
    #[schemars(extend("minimum" = 2, "maximum" = 65_536, "x-hint" = "as many as classes are usual"))]
    pub features: usize,
    /// Features s that a feature is written as. Default 2.
    #[serde(default = "two")]
    #[schemars(extend("minimum" = 2, "maximum" = 64, "x-hint" = "2 is usual"))]
    pub branching: usize,
    /// Synonymous tuples m of every feature; m · features may not exceed the features^branching tuples that there are.
    #[schemars(extend("minimum" = 1, "maximum" = 65_536, "x-hint" = "at most as many as features"))]
    pub multiplicity: usize,
    /// Levels L.
    #[schemars(extend("minimum" = 1, "maximum" = 16, "x-hint" = "2 to 4 are usual"))]
    pub levels: u32,
    /// Whether symbols are centred and scaled, x(1 + a) − a with a = 1/√(v − 1), so that they sum to zero. Default true.
    #[serde(default = "yes")]
    pub centred: bool,
    /// Training samples.
    #[schemars(extend("minimum" = 1, "maximum" = 10_000_000, "x-hint" = "some classes · multiplicity^levels are where learning begins"))]
    pub train: usize,
    /// Hold so much of them back to choose by, of each class alike: `best` and `run.patience` go by these. Default: nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub validation: Option<Share>,
    /// Test samples; they stay the same whatever the number of training samples.
    #[schemars(extend("minimum" = 1, "maximum" = 10_000_000, "x-hint" = "1000 is usual"))]
    pub test: usize,
    /// Samples per batch, or `"all"`.
    pub batch: BatchSize,
    /// Passes over the training set.
    #[schemars(extend("minimum" = 1, "maximum" = 10_000_000, "x-hint" = "run.updates stops within an epoch"))]
    pub epochs: usize,
    /// Which rules and which samples. Default 0.
    #[serde(default)]
    #[schemars(extend("minimum" = 0, "maximum" = i64::MAX, "x-hint" = "a smaller number does as well"))]
    pub draw: u64,
}

fn two() -> usize {
    2
}

fn yes() -> bool {
    true
}

impl RandomHierarchy {
    /// The sizes of its grammar.
    pub fn sizes(&self) -> Sizes {
        let Self { classes, features, branching, multiplicity, levels, .. } = *self;
        Sizes { classes, features, branching, multiplicity, levels }
    }

    /// Its rules.
    pub fn grammar(&self) -> Grammar {
        Grammar::new(self.sizes(), &Key::new(self.draw).of("random-hierarchy", 0))
    }

    /// The numbers of the strings of one split: those of the test come first, so that they do not depend on how many follow.
    pub fn numbers(&self, split: &str) -> Vec<u128> {
        let mut draws = Key::new(self.draw).of("random-hierarchy", 1).stream();
        let all = self.sizes().strings().unwrap_or(u128::MAX);
        let mut numbers = grammar::sample(all, self.test + self.train, &mut draws);
        if split == "test" {
            numbers.truncate(self.test)
        } else {
            numbers.drain(..self.test).for_each(drop)
        }
        numbers
    }

    /// What a network sees of a string.
    pub fn shown(&self, string: &[usize]) -> Vec<f32> {
        let (places, a) = (string.len(), 1.0 / ((self.features - 1) as f32).sqrt());
        let [on, off] = if self.centred { [1.0, -a] } else { [1.0, 0.0] };
        let mut x = vec![off; self.features * places];
        string.iter().enumerate().for_each(|(place, symbol)| x[symbol * places + place] = on);
        x
    }

    /// The samples of one split.
    fn samples_of(&self, split: &str, _: usize) -> Result<Dataset> {
        let (grammar, mut inputs, mut labels) = (self.grammar(), Vec::new(), Vec::new());
        for number in self.numbers(split) {
            let (string, class) = grammar.string(number);
            inputs.extend(Self::shown(self, &string));
            labels.push(class as u16);
        }
        Dataset::of_numbers(
            "random-hierarchy",
            TaskMethod::shape(self).0,
            inputs,
            Answers::Classes { classes: self.classes, labels },
        )
    }
}

impl TaskMethod for RandomHierarchy {
    drawn_samples!(RandomHierarchy);

    fn check(&self, at: &Place) -> Result<()> {
        let sizes = self.sizes();
        let length = sizes.length().filter(|length| *length <= LONGEST);
        let long = format!("{} with branching {}", self.levels, self.branching);
        at.require(
            length.is_some(),
            "levels",
            long,
            "such that a string has at most 65536 symbols",
            "use fewer levels",
        )?;
        let tuples = sizes.tuples().filter(|tuples| *tuples <= TUPLES);
        let wide = format!("{} with {} features", self.branching, self.features);
        at.require(
            tuples.is_some(),
            "branching",
            wide,
            "such that there are at most 2^30 tuples",
            "use fewer features",
        )?;
        let room = tuples.unwrap_or(0);
        let (need, most) = (sizes.needed(), sizes.needed() / self.multiplicity);
        at.require(
            need <= room,
            "multiplicity",
            format!("{}: {need} tuples for {most} features", self.multiplicity),
            &format!(
                "at most {}, as there are {room} tuples and none may belong to two features",
                room / most
            ),
            "use fewer rules, or more features or branching",
        )?;
        let strings = sizes.strings();
        at.require(
            strings.is_some(),
            "levels",
            self.levels,
            "such that its strings can be counted in 128 bits",
            "use fewer levels, or a smaller multiplicity or branching",
        )?;
        let (wanted, all) = (self.train + self.test, strings.unwrap_or(0));
        at.require(
            wanted as u128 <= all,
            "train",
            format!("{} beside {} for the test", self.train, self.test),
            &format!("no more than the {all} strings that there are, all together"),
            "use fewer samples, or a larger hierarchy",
        )
    }

    fn cites(&self) -> Vec<Cite> {
        vec![Cite::of("cagnetta2024")]
    }

    fn shape(&self) -> ([usize; 3], usize) {
        ([self.features, 1, self.sizes().length().unwrap_or(0)], self.classes)
    }

    fn targets(&self) -> TargetKind {
        TargetKind::Classes
    }

    fn examples() -> Vec<Self> {
        let first = Self {
            classes: 3,
            features: 4,
            branching: 2,
            multiplicity: 2,
            levels: 2,
            centred: true,
            train: 11,
            validation: Some(Share(0.3)),
            test: 7,
            batch: BatchSize::Samples(3),
            epochs: 2,
            draw: 1,
        };
        vec![first.clone(), Self { centred: false, ..first }]
    }

    fn bytes(&self, _: &[Following]) -> (u128, usize) {
        let samples = self.train + self.test;
        let length = self.sizes().length().unwrap_or(0) as u128;
        (4 * self.features as u128 * length * samples as u128, samples)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn strings_of_training_and_test_are_different_and_the_test_stays() {
        let task = RandomHierarchy { train: 9, ..RandomHierarchy::examples()[0].clone() };
        let all: HashSet<u128> = task.numbers("train").into_iter().chain(task.numbers("test")).collect();
        assert_eq!(all.len(), 16);
        let more = RandomHierarchy { train: 17, ..task.clone() };
        assert_eq!(more.numbers("test"), task.numbers("test"));
        assert_eq!(more.numbers("train")[..9], task.numbers("train"));
        assert_ne!(RandomHierarchy { draw: 2, ..task.clone() }.numbers("train"), task.numbers("train"));
    }

    #[test]
    fn symbols_are_channels_and_sum_to_zero() {
        let task = RandomHierarchy::examples()[0].clone();
        let x = RandomHierarchy::shown(&task, &[1, 0, 3, 3]);
        let hot: Vec<usize> = (0..16).filter(|&i| x[i] == 1.0).collect();
        assert_eq!(hot, [1, 4, 14, 15]);
        let two = RandomHierarchy { features: 2, ..task.clone() };
        assert_eq!(RandomHierarchy::shown(&two, &[1]), [-1.0, 1.0]);
        let plain = RandomHierarchy { centred: false, ..task };
        assert_eq!(RandomHierarchy::shown(&plain, &[1, 0]).iter().sum::<f32>(), 2.0);
    }
}
