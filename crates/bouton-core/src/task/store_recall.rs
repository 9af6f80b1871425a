//! Store and recall: values go by, one of them is to be remembered, and asked for later (Bellec et al. 2018).
//!
//! A sample is a row of symbols. At each a value is shown by a group of spike trains of its own; at some a further group says "store".
//! From then on each symbol is the question with probability 1/(1 + delay): a group of its own fires, and no value. Then the next
//! store is waited for, each symbol being one with the same probability. The last symbol is always the question, and the first one a
//! store if there is no other; the class is the value at the last store.

use super::drawn::drawn_samples;
use super::sequence::Following;
use super::spec::TaskMethod;
use super::{Answers, BatchSize, Dataset, Share};
use crate::axis::{Cite, Place};
use crate::error::Result;
use crate::objective::TargetKind;
use crate::rng::{Key, Stream};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A value to be kept in mind (`[task.store-recall]`), one class for each. `time.reading = { window = … }` reads the answer while it
/// is asked for, as long as a symbol.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct StoreRecall {
    /// Values to tell apart. Default 2.
    #[serde(default = "two")]
    #[schemars(extend("minimum" = 2, "maximum" = 1024, "x-hint" = "2 are usual"))]
    pub values: usize,
    /// Symbols of a sample. Default 12.
    #[serde(default = "twelve")]
    #[schemars(extend("minimum" = 2, "maximum" = 65_536, "x-hint" = "12 are usual"))]
    pub symbols: usize,
    /// Steps of a symbol. Default 200.
    #[serde(default = "two_hundred")]
    #[schemars(extend("minimum" = 1, "maximum" = 65_536, "x-hint" = "200 steps of 1 ms are usual"))]
    pub symbol: usize,
    /// Symbols between a store and its question, in the mean of an endless row. Default 6.
    #[serde(default = "six")]
    #[schemars(extend("minimum" = 0, "maximum" = 1e6, "x-hint" = "6 is usual"))]
    pub delay: f64,
    /// Spike trains in each group: one group a value, one for stores, one for questions. Default 25.
    #[serde(default = "group")]
    #[schemars(extend("minimum" = 1, "maximum" = 16_384, "x-hint" = "25 are usual"))]
    pub group: usize,
    /// Spikes per step of a group that is shown. Default 0.05.
    #[serde(default = "rate")]
    #[schemars(extend("minimum" = 0, "maximum" = 1, "x-hint" = "0.05 is 50 Hz at steps of 1 ms"))]
    pub rate: f64,
    /// Training samples.
    #[schemars(extend("minimum" = 1, "maximum" = 10_000_000, "x-hint" = "2000 is usual"))]
    pub train: usize,
    /// Hold so much of them back to choose by, of each class alike: `best` and `run.patience` go by these. Default: nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub validation: Option<Share>,
    /// Test samples.
    #[schemars(extend("minimum" = 1, "maximum" = 10_000_000, "x-hint" = "500 is usual"))]
    pub test: usize,
    /// Samples per batch, or `"all"`.
    pub batch: BatchSize,
    /// Passes over the training set.
    #[schemars(extend("minimum" = 1, "maximum" = 10_000_000, "x-hint" = "run.updates stops within an epoch"))]
    pub epochs: usize,
    /// Which samples. Default 0.
    #[serde(default)]
    #[schemars(extend("minimum" = 0, "maximum" = i64::MAX, "x-hint" = "a smaller number does as well"))]
    pub draw: u64,
}

fn two() -> usize {
    2
}

fn twelve() -> usize {
    12
}

fn two_hundred() -> usize {
    200
}

fn six() -> f64 {
    6.0
}

fn group() -> usize {
    25
}

fn rate() -> f64 {
    0.05
}

/// What a symbol says beside its value.
#[derive(Clone, Copy, PartialEq)]
enum Told {
    Nothing,
    Store,
    Recall,
}

impl StoreRecall {
    fn steps_in_all(&self) -> usize {
        self.symbols * self.symbol
    }

    fn inputs_in_all(&self) -> usize {
        (self.values + 2) * self.group
    }

    /// Values and what is said of them, symbol by symbol.
    fn row(&self, draws: &mut Stream) -> Vec<(usize, Told)> {
        let chance = 1.0 / (1.0 + self.delay);
        let mut kept = false;
        let mut symbol = |_| {
            let value = draws.below(self.values as u64) as usize;
            let told = match (draws.uniform() < chance, kept) {
                (false, _) => Told::Nothing,
                (true, false) => Told::Store,
                (true, true) => Told::Recall,
            };
            kept ^= told != Told::Nothing;
            (value, told)
        };
        let mut row: Vec<_> = (0..self.symbols).map(&mut symbol).collect();
        row[self.symbols - 1].1 = Told::Recall;
        if row.iter().all(|(_, told)| *told != Told::Store) {
            row[0].1 = Told::Store;
        }
        row
    }

    /// `n` samples of one split.
    fn samples_of(&self, split: &str, n: usize) -> Result<Dataset> {
        let (mut spikes, mut labels) = (Vec::new(), Vec::new());
        for sample in 0..n {
            let mut draws = Key::new(self.draw).of("store-recall", 0).of(split, sample as u64).stream();
            let row = self.row(&mut draws);
            let last = row.iter().rfind(|(_, told)| *told == Told::Store);
            labels.push(last.map_or(0, |(value, _)| *value as u16));
            for &(value, told) in &row {
                let fires = |group: usize| match told {
                    Told::Recall => group == self.values + 1,
                    Told::Store => group == value || group == self.values,
                    Told::Nothing => group == value,
                };
                let of_symbol = self.symbol * self.inputs_in_all();
                spikes.extend((0..of_symbol).map(|i| {
                    let group = i % self.inputs_in_all() / self.group;
                    u8::from(fires(group) && draws.uniform() < self.rate)
                }));
            }
        }
        let answers = Answers::Classes { classes: self.values, labels };
        Dataset::of_pixels("store-recall", self.shape().0, (spikes, 1.0), answers)
    }
}

impl TaskMethod for StoreRecall {
    drawn_samples!(StoreRecall);

    fn check(&self, _: &Place) -> Result<()> {
        Ok(())
    }

    fn cites(&self) -> Vec<Cite> {
        vec![Cite::of("bellec2018")]
    }

    fn shape(&self) -> ([usize; 3], usize) {
        ([1, self.steps_in_all(), self.inputs_in_all()], self.values)
    }

    fn steps(&self) -> usize {
        self.steps_in_all()
    }

    fn answers_every_step(&self) -> bool {
        false
    }

    fn shows_spikes(&self) -> bool {
        true
    }

    fn targets(&self) -> TargetKind {
        TargetKind::Classes
    }

    fn examples() -> Vec<Self> {
        let (values, symbols, symbol, delay, group, rate) = (3, 4, 2, 1.0, 2, 0.5);
        let (train, test, batch, epochs, draw) = (11, 7, BatchSize::Samples(3), 2, 1);
        let validation = Some(Share(0.3));
        vec![Self {
            values,
            symbols,
            symbol,
            delay,
            group,
            rate,
            train,
            validation,
            test,
            batch,
            epochs,
            draw,
        }]
    }

    fn bytes(&self, _: &[Following]) -> (u128, usize) {
        let samples = self.train + self.test;
        (samples as u128 * self.steps_in_all() as u128 * self.inputs_in_all() as u128, samples)
    }
}
