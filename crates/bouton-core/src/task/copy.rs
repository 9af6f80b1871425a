//! The copy task: symbols to be said again after a pause (Hochreiter & Schmidhuber 1997; in this form Arjovsky, Shah & Bengio 2016).
//!
//!   x: `length` symbols of n, one of n inputs each | `delay` steps, in the last of which input n + 1 asks | `length` steps of nothing
//!   y*_t = x_{t − length − delay} over the first n inputs, zero before: n values at every step, or the class of each of the last `length`

use super::drawn::drawn_samples;
use super::sequence::Following;
use super::spec::TaskMethod;
use super::{Answers, BatchSize, Dataset, Share};
use crate::axis::{Cite, Place, is_default};
use crate::encoder::Spans;
use crate::error::Result;
use crate::objective::TargetKind;
use crate::rng::Key;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::sync::LazyLock;

/// What a symbol is to be answered by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum CopyAnswers {
    /// A value for each symbol at every step, 0 before the answer.
    #[default]
    Values,
    /// The class of each symbol at its own step; what is said before is not judged.
    Classes,
}

/// What says so beside the data.
static MASK: LazyLock<[String; 1]> = LazyLock::new(|| ["mask".to_owned()]);

/// Symbols to be said again (`[task.copy]`), judged at every step: `time.reading = "each"`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct CopyTask {
    /// Symbols n to choose from: n + 1 inputs, n outputs. Default 8.
    #[serde(default = "eight")]
    #[schemars(extend("minimum" = 1, "maximum" = 1024, "x-hint" = "8 are usual"))]
    pub symbols: usize,
    /// Symbols to be said again, one a step. Default 10.
    #[serde(default = "ten")]
    #[schemars(extend("minimum" = 1, "maximum" = 16_384, "x-hint" = "10 are usual"))]
    pub length: usize,
    /// Steps between the last symbol and the first answer, one more than nothing is shown. Default 100.
    #[serde(default = "hundred")]
    #[schemars(extend("minimum" = 1, "maximum" = 65_536, "x-hint" = "100 to 1000 are usual"))]
    pub delay: usize,
    /// What a symbol is to be answered by. Default "values".
    #[serde(default, skip_serializing_if = "is_default")]
    pub answers: CopyAnswers,
    /// Training samples.
    #[schemars(extend("minimum" = 1, "maximum" = 10_000_000, "x-hint" = "10000 is usual"))]
    pub train: usize,
    /// Hold so much of them back to choose by: `best` and `run.patience` go by these. Default: nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub validation: Option<Share>,
    /// Test samples.
    #[schemars(extend("minimum" = 1, "maximum" = 10_000_000, "x-hint" = "1000 is usual"))]
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

fn eight() -> usize {
    8
}

fn ten() -> usize {
    10
}

fn hundred() -> usize {
    100
}

impl CopyTask {
    fn steps_in_all(&self) -> usize {
        2 * self.length + self.delay
    }

    /// `n` samples of one split.
    fn samples_of(&self, split: &str, n: usize) -> Result<Dataset> {
        let (steps, symbols) = (self.steps_in_all(), self.symbols);
        let mut shown = vec![0; n * steps * (symbols + 1)];
        let mut values = vec![0.0; if self.answers == CopyAnswers::Values { n * steps * symbols } else { 0 }];
        let mut classes = vec![0; n * steps];
        for sample in 0..n {
            let mut draws = Key::new(self.draw).of("copy", 0).of(split, sample as u64).stream();
            let first = sample * steps;
            for t in first..first + self.length {
                let symbol = draws.below(symbols as u64) as usize;
                shown[t * (symbols + 1) + symbol] = 1;
                let answered = t + self.length + self.delay;
                classes[answered] = symbol as u16;
                values.get_mut(answered * symbols + symbol).into_iter().for_each(|value| *value = 1.0);
            }
            let asked = first + self.length + self.delay - 1;
            shown[asked * (symbols + 1) + symbols] = 1;
        }
        let shown = |answers| Dataset::of_pixels("copy", self.shape().0, (shown, 1.0), answers);
        if self.answers == CopyAnswers::Values {
            return shown(Answers::Values { outputs: steps * symbols, values });
        }
        let labels = classes.chunks_exact(steps).map(|classes| classes[steps - 1]).collect();
        let spans = Spans { classes: Some(classes), ..Spans::whole(steps, n).of_last(self.length) };
        Ok(shown(Answers::Classes { classes: symbols, labels })?.with_spans(Some(spans)))
    }
}

impl TaskMethod for CopyTask {
    drawn_samples!(Copy);

    fn check(&self, at: &Place) -> Result<()> {
        let answers = self.steps_in_all() * self.symbols;
        let few = answers <= 1 << 16 || self.answers == CopyAnswers::Classes;
        at.require(few, "delay", self.delay, "shorter", "symbols · (2 · length + delay) is at most 65536")
    }

    fn cites(&self) -> Vec<Cite> {
        vec![Cite::of("hochreiter1997"), Cite::of("arjovsky2016")]
    }

    fn shape(&self) -> ([usize; 3], usize) {
        ([1, self.steps_in_all(), self.symbols + 1], self.symbols)
    }

    fn steps(&self) -> usize {
        self.steps_in_all()
    }

    fn beside(&self) -> &[String] {
        if self.answers == CopyAnswers::Classes { &*MASK } else { &[] }
    }

    fn answers_every_step(&self) -> bool {
        self.answers == CopyAnswers::Values
    }

    fn shows_spikes(&self) -> bool {
        true
    }

    fn targets(&self) -> TargetKind {
        if self.answers == CopyAnswers::Values { TargetKind::Values } else { TargetKind::Classes }
    }

    fn examples() -> Vec<Self> {
        let (symbols, length, delay, validation) = (3, 2, 3, Some(Share(0.3)));
        let (train, test, batch, epochs, draw) = (11, 7, BatchSize::Samples(3), 2, 1);
        let of =
            |answers| Self { symbols, length, delay, answers, train, validation, test, batch, epochs, draw };
        vec![of(CopyAnswers::Values), of(CopyAnswers::Classes)]
    }

    fn bytes(&self, _: &[Following]) -> (u128, usize) {
        let (steps, samples) = (self.steps_in_all() as u128, self.train + self.test);
        let shown = self.symbols as u128 + 1;
        let answers = match self.answers {
            CopyAnswers::Values => 4 * self.symbols as u128 * steps,
            CopyAnswers::Classes => 10 * steps + 8,
        };
        (samples as u128 * (steps * shown + answers), samples)
    }
}
