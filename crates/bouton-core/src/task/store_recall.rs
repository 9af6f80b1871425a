//! Store and recall: values go by, one of them is to be remembered, and asked for later (Bellec et al. 2018).
//!
//! A sample is a row of symbols. At each a value is shown by a group of spike trains of its own; at some a further group says "store".
//! From then on each symbol is the question with probability 1/(1 + delay): a group of its own fires, and no value. Then the next
//! store is waited for, each symbol being one with the same probability. The last symbol is always the question, and the first one a
//! store if there is no other; the class is the value at the last store.

use super::drawn::drawn_samples;
use super::sequence::Following;
use super::spec::TaskMethod;
use super::trains::Trains;
use super::{Answers, BatchSize, Dataset, Share};
use crate::axis::{Cite, Place, is_default};
use crate::encoder::Spans;
use crate::error::Result;
use crate::objective::TargetKind;
use crate::rng::{Key, Stream};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::sync::LazyLock;

/// Which questions are judged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Questions {
    /// The last one: a sample has one answer.
    #[default]
    Last,
    /// All of them, at each of their steps by the value of the store before: `time.reading = "each"`.
    All,
}

/// What says so beside the data.
static MASK: LazyLock<[String; 1]> = LazyLock::new(|| ["mask".to_owned()]);

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
    /// Which questions are judged. Default "last".
    #[serde(default, skip_serializing_if = "is_default")]
    pub questions: Questions,
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
        let key = Key::new(self.draw).of("store-recall", 0);
        let (mut labels, mut mask, mut classes) = (Vec::new(), Vec::new(), Vec::new());
        for sample in 0..n {
            let row = self.row(&mut key.of(split, sample as u64).stream());
            let mut kept = 0;
            for &(value, told) in &row {
                kept = if told == Told::Store { value as u16 } else { kept };
                if self.questions == Questions::All {
                    mask.extend(vec![f64::from(u8::from(told == Told::Recall)); self.symbol]);
                    classes.extend(vec![kept; self.symbol]);
                }
            }
            labels.push(kept);
        }
        let spans = (self.questions == Questions::All).then(|| {
            let whole = Spans::whole(self.steps_in_all(), n);
            Spans { mask: Some(mask), classes: Some(classes), ..whole }
        });
        let answers = Answers::Classes { classes: self.values, labels };
        let (task, split) = (self.clone(), split.to_owned());
        let trains = Trains::new(n, move |sample| task.spikes(&mut key.of(&split, sample as u64).stream()));
        Ok(Dataset::of_trains("store-recall", self.shape().0, trains, answers)?.with_spans(spans))
    }

    /// A sample, step by step.
    fn spikes(&self, draws: &mut Stream) -> Vec<u8> {
        let (row, of_symbol) = (self.row(draws), self.symbol * self.inputs_in_all());
        let mut spikes = Vec::with_capacity(self.symbols * of_symbol);
        for (value, told) in row {
            let fires = |group: usize| match told {
                Told::Recall => group == self.values + 1,
                Told::Store => group == value || group == self.values,
                Told::Nothing => group == value,
            };
            spikes.extend((0..of_symbol).map(|i| {
                let group = i % self.inputs_in_all() / self.group;
                u8::from(fires(group) && draws.uniform() < self.rate)
            }));
        }
        spikes
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

    fn beside(&self) -> &[String] {
        if self.questions == Questions::All { &*MASK } else { &[] }
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
        let last = Self {
            values,
            symbols,
            symbol,
            delay,
            group,
            rate,
            questions: Questions::Last,
            train,
            validation,
            test,
            batch,
            epochs,
            draw,
        };
        vec![Self { questions: Questions::All, ..last.clone() }, last]
    }

    fn bytes(&self, _: &[Following]) -> (u128, usize) {
        let samples = self.train + self.test;
        let judged = if self.questions == Questions::All { 10 * self.steps_in_all() as u128 + 8 } else { 0 };
        (samples as u128 * judged, samples)
    }
}
