//! Made-up images with patterns that depend on their class: a task without data, for tests.

use super::catalogue::KnownSet;
use super::images::{Images, Pad, Pixels};
use super::spec::{Loaded, Quick, TaskMethod, TaskSpec};
use super::{All, BatchSize, Dataset, Following, Held, Share};
use crate::axis::{Cite, Place};
use crate::error::Result;
use crate::objective::TargetKind;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::path::Path;

/// Made-up images with class-dependent patterns.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct SyntheticImages {
    /// Channels, height and width.
    #[schemars(extend(
        "minimum" = 1, "maximum" = 65_536,
        "x-hint" = "channels, height, width, such as [1, 28, 28]"
    ))]
    pub shape: [usize; 3],
    /// Number of classes.
    #[schemars(extend("minimum" = 2, "maximum" = 65_536, "x-hint" = "10 is usual"))]
    pub classes: usize,
    /// Training samples.
    #[schemars(extend("minimum" = 1, "maximum" = 10_000_000, "x-hint" = "100 is plenty"))]
    pub train: usize,
    /// Hold so much of them back to choose by, of each class alike: `best` and `run.patience` go by these. Default: nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub validation: Option<Share>,
    /// Test samples.
    #[schemars(extend("minimum" = 1, "maximum" = 10_000_000, "x-hint" = "100 is plenty"))]
    pub test: usize,
    /// Samples per batch, or `"all"`.
    pub batch: BatchSize,
    /// Passes over the training set.
    #[schemars(extend("minimum" = 1, "maximum" = 10_000_000, "x-hint" = "run.updates stops within an epoch"))]
    pub epochs: usize,
}

/// The stream settings of made-up samples: everything else at its default.
pub(super) fn shown(batch: BatchSize, epochs: usize) -> Images {
    Images {
        batch,
        epochs,
        train: None,
        validation: None,
        test: None,
        pixels: Pixels::Unit,
        shuffle: true,
        shift: 0,
        flip: false,
        pad: Pad::Zero,
        size: None,
        normalise: None,
    }
}

/// A task of so many samples of this shape, two at a time, once.
pub(super) fn smoke(shape: [usize; 3], classes: usize, samples: usize) -> TaskSpec {
    let (train, test, batch, epochs) = (samples, samples, BatchSize::Samples(2), 1);
    TaskSpec::Synthetic(SyntheticImages { shape, classes, train, validation: None, test, batch, epochs })
}

/// Most bytes of images that are made up to be timed.
const MOST_TIMED: usize = 1 << 29;

/// A task of so many samples, two of every class to test on; none if they take too much memory.
pub(super) fn as_many(
    (shape, classes): ([usize; 3], usize),
    train: usize,
    validation: Option<Share>,
    (batch, epochs): (BatchSize, usize),
) -> Option<TaskSpec> {
    let bytes = train.checked_mul(shape.iter().product()).filter(|bytes| *bytes <= MOST_TIMED);
    let task = SyntheticImages { shape, classes, train, validation, test: 2 * classes, batch, epochs };
    bytes.map(|_| TaskSpec::Synthetic(task))
}

impl TaskMethod for SyntheticImages {
    fn check(&self, _: &Place) -> Result<()> {
        Ok(())
    }

    fn cites(&self) -> Vec<Cite> {
        Vec::new()
    }

    fn shape(&self) -> ([usize; 3], usize) {
        (self.shape, self.classes)
    }

    fn targets(&self) -> TargetKind {
        TargetKind::Classes
    }

    fn validation(&self) -> Option<Held> {
        self.validation.map(Held::from)
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
        smoke(self.shape, self.classes, samples)
    }

    fn examples() -> Vec<Self> {
        let (batch, epochs) = (BatchSize::All(All::All), 2);
        let validation = Some(Share(0.5));
        vec![Self { shape: [2, 3, 4], classes: 5, train: 11, validation, test: 7, batch, epochs }]
    }

    fn bytes(&self, _: &[Following]) -> (u128, usize) {
        let pixels: u128 = self.shape.into_iter().map(|n| n as u128).product();
        ((self.train + self.test + self.classes) as u128 * pixels, self.train + self.test)
    }

    fn load(&self, _: Option<&Path>) -> Result<Loaded> {
        let set = |n, seed| Dataset::synthetic(self.shape, self.classes, n, seed);
        Ok(Loaded { train: set(self.train, 0)?, validation: None, test: set(self.test, 1)? })
    }
}
