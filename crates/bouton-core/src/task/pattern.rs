//! Pattern generation: frozen random spikes in, a sum of four sines out, one value at every step (Bellec et al. 2020, "pattern
//! generation"; the form of NEST's regression).
//!
//!   y*_t = Σ_i A_i sin(2πt/P_i + φ_i),  P = T, T/2, T/3, T/5,  A_i ~ U(½, 2), φ_i ~ U(0, 2π),  first value subtracted, |y*| ≤ 1

use super::catalogue::KnownSet;
use super::images::Images;
use super::sequence::Following;
use super::spec::{Loaded, Quick, TaskMethod, TaskSpec};
use super::synthetic::shown;
use super::{Answers, BatchSize, Dataset, Held};
use crate::axis::{Cite, Place};
use crate::error::Result;
use crate::objective::TargetKind;
use crate::rng::Key;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::f64::consts::TAU;
use std::path::Path;

/// Patterns to generate (`[task.pattern]`), judged at every step: `time.reading = "each"`. A test asks for the first of the patterns that are learned.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Pattern {
    /// Steps T of a pattern.
    #[schemars(extend("minimum" = 2, "maximum" = 65_536, "x-hint" = "1000 is usual"))]
    pub steps: usize,
    /// Spike trains that are shown.
    #[schemars(extend("minimum" = 1, "maximum" = 65_536, "x-hint" = "20 to 100 are usual"))]
    pub inputs: usize,
    /// Spikes per step of each. Default 0.05.
    #[serde(default = "rate")]
    #[schemars(extend("minimum" = 0, "maximum" = 1, "x-hint" = "0.05 is 50 Hz at steps of 1 ms"))]
    pub rate: f64,
    /// Patterns to learn, each with spike trains of its own. Default 1.
    #[serde(default = "one")]
    #[schemars(extend("minimum" = 1, "maximum" = 10_000_000, "x-hint" = "1 is usual"))]
    pub train: usize,
    /// Patterns that a test asks for, the first ones. Default 1.
    #[serde(default = "one")]
    #[schemars(extend("minimum" = 1, "maximum" = 10_000_000, "x-hint" = "as many as are learned"))]
    pub test: usize,
    /// Patterns per batch, or `"all"`.
    pub batch: BatchSize,
    /// Passes over the patterns to learn.
    #[schemars(extend("minimum" = 1, "maximum" = 10_000_000, "x-hint" = "run.updates stops within an epoch"))]
    pub epochs: usize,
    /// Which patterns. Default 0.
    #[serde(default)]
    #[schemars(extend("minimum" = 0, "maximum" = i64::MAX, "x-hint" = "a smaller number does as well"))]
    pub draw: u64,
}

fn rate() -> f64 {
    0.05
}

fn one() -> usize {
    1
}

impl Pattern {
    /// The first `n` patterns.
    fn first(&self, n: usize) -> Result<Dataset> {
        let (mut spikes, mut values) = (Vec::new(), Vec::new());
        for pattern in 0..n {
            let key = Key::new(self.draw).of("pattern", pattern as u64);
            let mut draws = key.of("spikes", 0).stream();
            let all = self.steps * self.inputs;
            spikes.extend((0..all).map(|i| u8::from(draws.uniform() < self.rate && i >= self.inputs)));
            values.extend(self.sines(&key));
        }
        let answers = Answers::Values { outputs: self.steps, values };
        Dataset::of_pixels("pattern", [1, self.steps, self.inputs], (spikes, 1.0), answers)
    }

    fn sines(&self, key: &Key) -> Vec<f32> {
        let mut draws = key.of("sines", 0).stream();
        let parts =
            [1.0, 2.0, 3.0, 5.0].map(|cycles| (cycles, 0.5 + 1.5 * draws.uniform(), TAU * draws.uniform()));
        let at = |t: usize| -> f64 {
            let turn = TAU * t as f64 / self.steps as f64;
            parts.iter().map(|(cycles, size, phase)| size * (cycles * turn + phase).sin()).sum()
        };
        let wave: Vec<f64> = (0..self.steps).map(|t| at(t) - at(0)).collect();
        let most = wave.iter().fold(f64::MIN_POSITIVE, |most, y| most.max(y.abs()));
        wave.iter().map(|y| (y / most) as f32).collect()
    }
}

impl TaskMethod for Pattern {
    fn check(&self, _: &Place) -> Result<()> {
        Ok(())
    }

    fn cites(&self) -> Vec<Cite> {
        vec![Cite::of("bellec2020")]
    }

    fn shape(&self) -> ([usize; 3], usize) {
        ([1, self.steps, self.inputs], 1)
    }

    fn steps(&self) -> usize {
        self.steps
    }

    fn answers_every_step(&self) -> bool {
        true
    }

    fn shows_spikes(&self) -> bool {
        true
    }

    fn targets(&self) -> TargetKind {
        TargetKind::Values
    }

    fn validation(&self) -> Option<Held> {
        None
    }

    fn batch(&self) -> BatchSize {
        self.batch
    }

    fn samples(&self) -> usize {
        self.train
    }

    fn set(&self) -> Option<&'static KnownSet> {
        None
    }

    fn shown(&self) -> Images {
        shown(self.batch, self.epochs)
    }

    fn quicken(&mut self, Quick { train, test, epochs }: Quick) {
        (self.train, self.test) = (self.train.min(train), self.test.min(test));
        self.epochs = self.epochs.min(epochs);
    }

    fn smoke(&self, samples: usize) -> TaskSpec {
        let (train, test, batch, epochs) = (samples, samples, BatchSize::Samples(2), 1);
        TaskSpec::Pattern(Self { train, test, batch, epochs, ..self.clone() })
    }

    fn examples() -> Vec<Self> {
        let (batch, epochs, rate, draw) = (BatchSize::Samples(3), 2, 0.3, 1);
        vec![Self { steps: 6, inputs: 4, rate, train: 11, test: 7, batch, epochs, draw }]
    }

    fn bytes(&self, _: &[Following]) -> (u128, usize) {
        let (steps, inputs) = (self.steps as u128, self.inputs as u128);
        let samples = self.train + self.test;
        (samples as u128 * steps * (inputs + 4), samples)
    }

    fn load(&self, _: Option<&Path>) -> Result<Loaded> {
        Ok(Loaded { train: self.first(self.train)?, validation: None, test: self.first(self.test)? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_start_at_zero_and_reach_one() {
        let (batch, epochs) = (BatchSize::Samples(1), 1);
        let task = Pattern { steps: 500, inputs: 20, rate: 0.1, train: 2, test: 1, batch, epochs, draw: 4 };
        let set = task.first(2).unwrap();
        let Answers::Values { outputs: 500, values } = set.answers() else { panic!("values") };
        for wave in values.chunks(500) {
            assert_eq!(wave[0], 0.0);
            assert!((wave.iter().fold(0.0_f32, |most, y| most.max(y.abs())) - 1.0).abs() < 1e-6);
        }
        assert_ne!(values[..500], values[500..]);
        let spikes = set.image(0).iter().filter(|&&s| s > 0).count() as f64 / 10_000.0;
        assert!((spikes - 0.1).abs() < 0.02, "{spikes}");
        assert!(set.image(0)[..20].iter().all(|&s| s == 0), "nothing is shown at the first step");
    }
}
