//! Delayed match to sample: a stimulus, a pause, another stimulus, and the question whether it is the first one again (Miller,
//! Erickson & Desimone 1996, without distractors).
//!
//! Each stimulus is a group of spike trains; in the pause nothing fires. A sample matches with probability ½; where it does not, the
//! second stimulus is any of the others.

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

/// Stimuli to be compared over a pause (`[task.delayed-match]`): 2 classes, `other` and `match`. `time.reading = { window = … }` reads
/// the answer while the second one is shown.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct DelayedMatch {
    /// Stimuli. Default 4.
    #[serde(default = "four")]
    #[schemars(extend("minimum" = 2, "maximum" = 1024, "x-hint" = "2 to 8 are usual"))]
    pub stimuli: usize,
    /// Steps of each of the two. Default 100.
    #[serde(default = "hundred")]
    #[schemars(extend("minimum" = 1, "maximum" = 65_536, "x-hint" = "100 to 500 steps of 1 ms are usual"))]
    pub stimulus: usize,
    /// Steps between them. Default 500.
    #[serde(default = "pause")]
    #[schemars(extend("minimum" = 0, "maximum" = 1_000_000, "x-hint" = "500 to 1500 steps of 1 ms are usual"))]
    pub delay: usize,
    /// Spike trains of each stimulus. Default 10.
    #[serde(default = "ten")]
    #[schemars(extend("minimum" = 1, "maximum" = 16_384, "x-hint" = "10 are usual"))]
    pub group: usize,
    /// Spikes per step of a group that is shown. Default 0.04.
    #[serde(default = "rate")]
    #[schemars(extend("minimum" = 0, "maximum" = 1, "x-hint" = "0.04 is 40 Hz at steps of 1 ms"))]
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

fn four() -> usize {
    4
}

fn hundred() -> usize {
    100
}

fn pause() -> usize {
    500
}

fn ten() -> usize {
    10
}

fn rate() -> f64 {
    0.04
}

impl DelayedMatch {
    fn steps_in_all(&self) -> usize {
        2 * self.stimulus + self.delay
    }

    fn inputs_in_all(&self) -> usize {
        self.stimuli * self.group
    }

    /// `n` samples of one split.
    fn samples_of(&self, split: &str, n: usize) -> Result<Dataset> {
        let (mut spikes, mut labels) = (Vec::new(), Vec::new());
        for sample in 0..n {
            let mut draws = Key::new(self.draw).of("delayed-match", 0).of(split, sample as u64).stream();
            let first = draws.below(self.stimuli as u64) as usize;
            let same = draws.below(2) as usize;
            let further = 1 + draws.below(self.stimuli as u64 - 1) as usize;
            let second = if same == 1 { first } else { (first + further) % self.stimuli };
            labels.push(same as u16);
            for t in 0..self.steps_in_all() {
                let shown = match t {
                    _ if t < self.stimulus => Some(first),
                    _ if t >= self.stimulus + self.delay => Some(second),
                    _ => None,
                };
                spikes.extend(
                    (0..self.inputs_in_all()).map(|input| {
                        u8::from(shown == Some(input / self.group) && draws.uniform() < self.rate)
                    }),
                );
            }
        }
        let answers = Answers::Classes { classes: 2, labels };
        Dataset::of_pixels("delayed-match", self.shape().0, (spikes, 1.0), answers)
    }
}

impl TaskMethod for DelayedMatch {
    drawn_samples!(DelayedMatch);

    fn check(&self, _: &Place) -> Result<()> {
        Ok(())
    }

    fn cites(&self) -> Vec<Cite> {
        vec![Cite::of("miller1996")]
    }

    fn shape(&self) -> ([usize; 3], usize) {
        ([1, self.steps_in_all(), self.inputs_in_all()], 2)
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

    fn names(&self) -> Vec<String> {
        ["other", "match"].map(String::from).to_vec()
    }

    fn examples() -> Vec<Self> {
        let (stimuli, stimulus, delay, group, rate) = (3, 2, 3, 2, 0.5);
        let (train, test, batch, epochs, draw) = (11, 7, BatchSize::Samples(3), 2, 1);
        let validation = Some(Share(0.3));
        vec![Self { stimuli, stimulus, delay, group, rate, train, validation, test, batch, epochs, draw }]
    }

    fn bytes(&self, _: &[Following]) -> (u128, usize) {
        let samples = self.train + self.test;
        (samples as u128 * self.steps_in_all() as u128 * self.inputs_in_all() as u128, samples)
    }
}
