//! Evidence accumulation: cues on the left and on the right, a pause, and the question which side had more of them (Morcos & Harvey
//! 2016, as a network task in Bellec et al. 2020).
//!
//! Four groups of spike trains: left cues, right cues, the question at the end, and noise throughout. The side with more cues is
//! drawn first; each cue is on it with probability 0.7. Whatever the network answers in the pause does not count.

use super::drawn::drawn_samples;
use super::sequence::Following;
use super::spec::TaskMethod;
use super::trains::Trains;
use super::{Answers, BatchSize, Dataset, Share};
use crate::axis::{Cite, Place};
use crate::error::Result;
use crate::objective::TargetKind;
use crate::rng::{Key, Stream};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Probability that a cue is on the side of most.
const ASIDE: f64 = 0.7;
/// Share of `rate` at which the fourth group fires.
const NOISE: f64 = 0.25;

/// Evidence to be weighed (`[task.evidence]`): 2 classes, left and right. `time.reading = { window = … }` reads the answer while
/// the question is shown.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Evidence {
    /// Cues, an odd number. Default 7.
    #[serde(default = "seven")]
    #[schemars(extend("minimum" = 1, "maximum" = 1001, "x-hint" = "7 is usual"))]
    pub cues: usize,
    /// Steps of a cue. Default 100.
    #[serde(default = "hundred")]
    #[schemars(extend("minimum" = 1, "maximum" = 65_536, "x-hint" = "100 steps of 1 ms are usual"))]
    pub cue: usize,
    /// Steps before each cue. Default 50.
    #[serde(default = "fifty")]
    #[schemars(extend("minimum" = 0, "maximum" = 65_536, "x-hint" = "50 steps of 1 ms are usual"))]
    pub gap: usize,
    /// Steps between the last cue and the question. Default 1050.
    #[serde(default = "pause")]
    #[schemars(extend("minimum" = 0, "maximum" = 1_000_000, "x-hint" = "300 to 1500 steps of 1 ms are usual"))]
    pub delay: usize,
    /// Steps of the question. Default 150.
    #[serde(default = "question")]
    #[schemars(extend("minimum" = 1, "maximum" = 65_536, "x-hint" = "150 steps of 1 ms are usual"))]
    pub question: usize,
    /// Spike trains in each of the four groups. Default 10.
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

fn seven() -> usize {
    7
}

fn hundred() -> usize {
    100
}

fn fifty() -> usize {
    50
}

fn pause() -> usize {
    1050
}

fn question() -> usize {
    150
}

fn ten() -> usize {
    10
}

fn rate() -> f64 {
    0.04
}

impl Evidence {
    fn steps_in_all(&self) -> usize {
        self.cues * (self.gap + self.cue) + self.delay + self.question
    }

    /// `n` samples of one split.
    fn samples_of(&self, split: &str, n: usize) -> Result<Dataset> {
        let key = Key::new(self.draw).of("evidence", 0);
        let more_right = |sides: Vec<usize>| u16::from(2 * sides.iter().sum::<usize>() > self.cues);
        let label = |sample| more_right(self.sides(&mut key.of(split, sample as u64).stream()));
        let answers = Answers::Classes { classes: 2, labels: (0..n).map(label).collect() };
        let (task, split) = (self.clone(), split.to_owned());
        let trains = Trains::new(n, move |sample| task.spikes(&mut key.of(&split, sample as u64).stream()));
        Dataset::of_trains("evidence", self.shape().0, trains, answers)
    }

    /// The side of each cue of a sample: 0 is left.
    fn sides(&self, draws: &mut Stream) -> Vec<usize> {
        let most = draws.below(2) as usize;
        (0..self.cues).map(|_| if draws.uniform() < ASIDE { most } else { 1 - most }).collect()
    }

    /// A sample, step by step; nothing at the first one.
    fn spikes(&self, draws: &mut Stream) -> Vec<u8> {
        let (sides, inputs) = (self.sides(draws), 4 * self.group);
        let mut spike = |i: usize| {
            let (t, group) = (i / inputs, i % inputs / self.group);
            u8::from(t > 0 && draws.uniform() < self.probability(&sides, t, group))
        };
        (0..self.steps_in_all() * inputs).map(&mut spike).collect()
    }

    /// Spikes per step of a group at step `t`.
    fn probability(&self, sides: &[usize], t: usize, group: usize) -> f64 {
        let (period, asked) = (self.gap + self.cue, self.steps_in_all() - self.question);
        let shown = match group {
            0 | 1 => t % period >= self.gap && sides.get(t / period) == Some(&group),
            2 => t >= asked,
            _ => return NOISE * self.rate,
        };
        if shown { self.rate } else { 0.0 }
    }
}

impl TaskMethod for Evidence {
    drawn_samples!(Evidence);

    fn check(&self, at: &Place) -> Result<()> {
        let odd = self.cues % 2 == 1;
        at.require(odd, "cues", self.cues, "odd", "of an even number neither side may have more")
    }

    fn cites(&self) -> Vec<Cite> {
        vec![Cite::of("bellec2020")]
    }

    fn shape(&self) -> ([usize; 3], usize) {
        ([1, self.steps_in_all(), 4 * self.group], 2)
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
        vec!["left".into(), "right".into()]
    }

    fn examples() -> Vec<Self> {
        let (cues, cue, gap, delay, question, group, rate) = (3, 2, 1, 3, 2, 2, 0.5);
        let (train, test, batch, epochs, draw, validation) =
            (11, 7, BatchSize::Samples(3), 2, 1, Some(Share(0.3)));
        vec![Self {
            cues,
            cue,
            gap,
            delay,
            question,
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
        (0, samples)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// At a rate of one spike per step the class can be counted.
    #[test]
    fn the_class_is_the_side_with_more_cues() {
        let task = Evidence { rate: 1.0, train: 40, draw: 3, ..Evidence::examples().remove(0) };
        let set = task.samples_of("train", task.train).unwrap();
        let mut seen = [0, 0];
        for i in 0..40 {
            let image = set.image(i);
            let count = |group: usize| (0..task.steps()).filter(|t| image[t * 8 + 2 * group] > 0).count();
            let label = usize::from(count(1) > count(0));
            assert_eq!(
                (set.label(i), count(0) + count(1)),
                (label, 3 * task.cue - usize::from(task.gap == 0))
            );
            assert_eq!(count(2), task.question);
            seen[label] += 1;
        }
        assert!(seen.iter().all(|n| *n > 5), "{seen:?}");
    }
}
