//! Classified images of a data set of the catalogue: which of them, and how they are shown.

use super::catalogue::{DATA, KnownSet};
use super::files::Files;
use super::spec::{Loaded, Quick, TaskMethod, TaskSpec};
use super::{BatchSize, Following, Held, Share, Split, store, synthetic};
use crate::axis::{Cite, Place};
use crate::error::Result;
use crate::objective::TargetKind;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::path::Path;

/// What stands beyond the border of a shifted or cropped image.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Pad {
    /// Zeros.
    #[default]
    Zero,
    /// The nearest pixel.
    Edge,
}

/// What a pixel is to the network.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Pixels {
    /// 0 to 1.
    #[default]
    Unit,
    /// −1 to 1.
    Signed,
    /// −1 below half of the range, 1 from there on.
    Binary,
}

impl Pixels {
    /// The value of `pixel`, of 0 to `scale`.
    pub(super) fn value(self, pixel: f64, scale: f64) -> f64 {
        match self {
            Self::Unit => pixel * (1.0 / scale),
            Self::Signed => 2.0 * pixel / scale - 1.0,
            Self::Binary => {
                if 2.0 * pixel >= scale {
                    1.0
                } else {
                    -1.0
                }
            }
        }
    }
}

/// Mean and standard deviation of the pixels of each channel, on the scale from 0 to 1.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Normalise {
    /// What is subtracted, one number per channel.
    #[schemars(extend(
        "minimum" = -1e6, "maximum" = 1e6,
        "x-hint" = "the mean of the channel, on the scale from 0 to 1"
    ))]
    pub mean: Vec<f64>,
    /// What the difference is divided by, one positive number per channel.
    #[schemars(extend(
        "exclusiveMinimum" = 0, "maximum" = 1e6,
        "x-hint" = "the standard deviation of the channel"
    ))]
    pub std: Vec<f64>,
}

/// Supervised classification of images.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Images {
    /// Samples per batch, or `"all"`.
    pub batch: BatchSize,
    /// Passes over the training set.
    #[schemars(extend("minimum" = 1, "maximum" = 10_000_000, "x-hint" = "run.updates stops within an epoch"))]
    pub epochs: usize,
    /// Only the first so many training samples. Default: all.
    #[serde(default)]
    #[schemars(extend("minimum" = 1, "maximum" = 10_000_000, "x-hint" = "leave it out to use every sample"))]
    pub train: Option<usize>,
    /// Hold so much of them back to choose by, of each class alike: `best` and `run.patience` go by these. Default: nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub validation: Option<Share>,
    /// Only the first so many test samples. Default: all.
    #[serde(default)]
    #[schemars(extend("minimum" = 1, "maximum" = 10_000_000, "x-hint" = "leave it out to use every sample"))]
    pub test: Option<usize>,
    /// What a pixel is to the network.
    #[serde(default)]
    pub pixels: Pixels,
    /// Draw a new order every epoch. Default true.
    #[serde(default = "yes")]
    pub shuffle: bool,
    /// Shift training images by up to so many pixels in each direction. Default 0.
    #[serde(default)]
    #[schemars(extend("minimum" = 0, "maximum" = 1024, "x-hint" = "1 or 2 pixels are usual"))]
    pub shift: usize,
    /// Flip training images left to right with probability ½. Default false.
    #[serde(default)]
    pub flip: bool,
    /// What stands beyond the border of a shifted image.
    #[serde(default)]
    pub pad: Pad,
    /// Put every image in the middle of so many rows and columns of zeros: 32 lets 28×28 images into a network for
    /// 32×32. Default: as they are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("minimum" = 1, "maximum" = 1024, "x-hint" = "32 turns 28×28 into 32×32"))]
    pub size: Option<usize>,
    /// Subtract a mean and divide by a standard deviation in each channel, zeros of a border included. Default: do
    /// not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub normalise: Option<Normalise>,
}

fn yes() -> bool {
    true
}

/// A data set of the catalogue as a task: `[task.<its name>]`.
#[derive(Clone, Debug)]
pub struct Known {
    /// The data set.
    pub set: &'static KnownSet,
    /// Which images, and how they are shown.
    pub images: Images,
}

impl PartialEq for Known {
    fn eq(&self, other: &Self) -> bool {
        self.set.name == other.set.name && self.images == other.images
    }
}

impl Known {
    /// Training and test samples that are used of `set`.
    fn used(&self, set: &KnownSet) -> usize {
        let cut = |n: Option<usize>, all: usize| n.map_or(all, |n| n.min(all));
        cut(self.images.train, set.train) + cut(self.images.test, set.test)
    }
}

impl TaskMethod for Known {
    fn check(&self, at: &Place) -> Result<()> {
        let (images, set) = (&self.images, self.set);
        for (field, wanted, all) in [("train", images.train, set.train), ("test", images.test, set.test)] {
            let Some(n) = wanted else { continue };
            let need = format!("from 1 to {all}, the samples of {}", set.name);
            at.require(n <= all, field, n, &need, "leave it out to use every sample")?;
        }
        images.check(set)?;
        let fits = images.shift < set.shape[1].min(set.shape[2]);
        at.require(fits, "shift", images.shift, "smaller than the image", "1 or 2 pixels are usual")
    }

    fn cites(&self) -> Vec<Cite> {
        vec![Cite::of(self.set.cite())]
    }

    fn shape(&self) -> ([usize; 3], usize) {
        (self.images.shape(self.set.shape), self.set.classes)
    }

    fn targets(&self) -> TargetKind {
        TargetKind::Classes
    }

    fn validation(&self) -> Option<Held> {
        self.images.validation.map(Held::from)
    }

    fn batch(&self) -> BatchSize {
        self.images.batch
    }

    fn samples(&self) -> usize {
        self.images.train.unwrap_or(self.set.train)
    }

    fn set(&self) -> Option<&'static KnownSet> {
        Some(self.set)
    }

    fn shown(&self) -> Images {
        self.images.clone()
    }

    fn pixels(&self) -> Option<f32> {
        Some(self.set.scale())
    }

    fn reads(&self) -> Option<Files> {
        let [channels, height, width] = self.set.shape;
        Some(Files::plain(Some([height, width]), channels == 1))
    }

    fn names(&self) -> Vec<String> {
        match self.set.names {
            [] => (0..self.set.classes).map(|class| class.to_string()).collect(),
            names => names.iter().map(|&name| name.to_owned()).collect(),
        }
    }

    fn smoke(&self, samples: usize) -> TaskSpec {
        let (shape, classes) = self.shape();
        synthetic::smoke(shape, classes, samples)
    }

    fn made_up(&self) -> Option<TaskSpec> {
        let Images { batch, epochs, validation, .. } = self.images;
        synthetic::as_many(self.shape(), self.samples(), validation, (batch, epochs))
    }

    fn quicken(&mut self, Quick { train, test, epochs }: Quick) {
        let images = &mut self.images;
        images.train = Some(images.train.map_or(train, |n| n.min(train)));
        images.test = Some(images.test.map_or(test, |n| n.min(test)));
        images.epochs = images.epochs.min(epochs);
    }

    fn bytes(&self, then: &[Following]) -> (u128, usize) {
        let product = |sides: [usize; 3]| sides.into_iter().map(|n| n as u128).product::<u128>();
        let all = DATA
            .iter()
            .filter(|set| set.name == self.set.name || then.iter().any(|next| next.name() == set.name));
        let own = then.iter().filter_map(Following::own).map(|files| files.bytes(&[]));
        let own = own.fold((0, 0), |sum, (bytes, samples)| (sum.0 + bytes, sum.1 + samples));
        let pixels = product(self.shape().0);
        all.fold(own, |(bytes, samples), set| {
            let used = self.used(set);
            let bordered = if self.images.size.is_some() { used as u128 * pixels } else { 0 };
            (bytes + (set.train + set.test) as u128 * product(set.shape) + bordered, samples + used)
        })
    }

    fn load(&self, folder: Option<&Path>) -> Result<Loaded> {
        let of = |split| store::load(self.set.name, split, folder);
        Ok(Loaded { train: of(Split::Train)?, validation: None, test: of(Split::Test)? })
    }
}
