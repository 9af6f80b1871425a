//! The task of a recipe: which data, in which batches.

use super::catalogue::{DATA, KnownSet};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The task of a recipe: `[task.<data set>]`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum TaskSpec {
    /// 3,000 + 1,000 images of Fashion-MNIST, embedded in the program.
    FashionMini(Images),
    /// UCI optical digits, 8×8, 1,500 + 297, embedded in the program.
    Digits(Images),
    /// MNIST, 28×28, 60,000 + 10,000.
    Mnist(Images),
    /// Fashion-MNIST, 28×28, 60,000 + 10,000.
    FashionMnist(Images),
    /// Kuzushiji-MNIST, 28×28, 60,000 + 10,000.
    Kmnist(Images),
    /// CIFAR-10, 3×32×32, 50,000 + 10,000.
    #[serde(rename = "cifar-10")]
    Cifar10(Images),
    /// CIFAR-10 after JPEG compression of quality 75: never comparable with published CIFAR-10 results.
    #[serde(rename = "cifar10-jpegq75")]
    Cifar10JpegQ75(Images),
    /// CIFAR-100 (fine labels), 3×32×32, 50,000 + 10,000.
    #[serde(rename = "cifar-100")]
    Cifar100(Images),
    /// House number digits, cropped, 3×32×32, 73,257 + 26,032.
    Svhn(Images),
    /// STL-10, 3×96×96, 5,000 + 8,000.
    #[serde(rename = "stl-10")]
    Stl10(Images),
    /// ImageNet at 3×32×32, 1,000 classes, 1,281,167 + 50,000.
    #[serde(rename = "imagenet32")]
    ImageNet32(Images),
    /// Made-up images, for tests.
    Synthetic(SyntheticImages),
}

/// Samples per batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum BatchSize {
    /// This many.
    Samples(
        #[schemars(extend(
            "minimum" = 1, "maximum" = 10_000_000,
            "x-hint" = "20 is usual; \"all\" takes the whole training set"
        ))]
        usize,
    ),
    /// The whole training set (`"all"`).
    All(All),
}

/// The word `"all"`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum All {
    /// Everything that there is.
    All,
}

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
    /// Test samples.
    #[schemars(extend("minimum" = 1, "maximum" = 10_000_000, "x-hint" = "100 is plenty"))]
    pub test: usize,
    /// Samples per batch, or `"all"`.
    pub batch: BatchSize,
    /// Passes over the training set.
    #[schemars(extend("minimum" = 1, "maximum" = 10_000_000, "x-hint" = "run.updates stops within an epoch"))]
    pub epochs: usize,
}

fn yes() -> bool {
    true
}

impl TaskSpec {
    /// Shape of one image (channels, height, width) as the network sees it, and number of classes.
    pub fn shape(&self) -> ([usize; 3], usize) {
        match (self, self.known()) {
            (Self::Synthetic(s), _) => (s.shape, s.classes),
            (_, Some(set)) => {
                (self.images().map_or(set.shape, |images| images.shape(set.shape)), set.classes)
            }
            (_, None) => ([0; 3], 0),
        }
    }

    /// The data set of the catalogue that this task is about; none if it is made up.
    pub fn known(&self) -> Option<&'static KnownSet> {
        DATA.iter().find(|set| set.name == self.name())
    }

    /// The choices about a data set; none if it is made up.
    pub fn images(&self) -> Option<&Images> {
        match self {
            Self::FashionMini(t)
            | Self::Digits(t)
            | Self::Mnist(t)
            | Self::FashionMnist(t)
            | Self::Kmnist(t)
            | Self::Cifar10(t)
            | Self::Cifar10JpegQ75(t)
            | Self::Cifar100(t)
            | Self::Svhn(t)
            | Self::Stl10(t)
            | Self::ImageNet32(t) => Some(t),
            Self::Synthetic(_) => None,
        }
    }

    /// As [`images`](Self::images), to change them.
    pub fn images_mut(&mut self) -> Option<&mut Images> {
        match self {
            Self::FashionMini(t)
            | Self::Digits(t)
            | Self::Mnist(t)
            | Self::FashionMnist(t)
            | Self::Kmnist(t)
            | Self::Cifar10(t)
            | Self::Cifar10JpegQ75(t)
            | Self::Cifar100(t)
            | Self::Svhn(t)
            | Self::Stl10(t)
            | Self::ImageNet32(t) => Some(t),
            Self::Synthetic(_) => None,
        }
    }

    /// Samples per batch.
    pub fn batch(&self) -> BatchSize {
        match (self, self.images()) {
            (Self::Synthetic(s), _) => s.batch,
            (_, images) => images.map_or(BatchSize::All(All::All), |i| i.batch),
        }
    }

    /// Training samples.
    pub fn samples(&self) -> usize {
        match (self, self.images()) {
            (Self::Synthetic(s), _) => s.train,
            (_, images) => {
                images.and_then(|i| i.train).unwrap_or_else(|| self.known().map_or(0, |k| k.train))
            }
        }
    }

    /// Name of the data set, as in the recipe.
    pub fn name(&self) -> &'static str {
        match self {
            Self::FashionMini(_) => "fashion-mini",
            Self::Digits(_) => "digits",
            Self::Mnist(_) => "mnist",
            Self::FashionMnist(_) => "fashion-mnist",
            Self::Kmnist(_) => "kmnist",
            Self::Cifar10(_) => "cifar-10",
            Self::Cifar10JpegQ75(_) => "cifar10-jpegq75",
            Self::Cifar100(_) => "cifar-100",
            Self::Svhn(_) => "svhn",
            Self::Stl10(_) => "stl-10",
            Self::ImageNet32(_) => "imagenet32",
            Self::Synthetic(_) => "synthetic",
        }
    }
}

impl SyntheticImages {
    /// The stream settings of made-up images: everything else at its default.
    pub(super) fn images(&self) -> Images {
        Images {
            batch: self.batch,
            epochs: self.epochs,
            train: None,
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
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_data_set_of_the_catalogue_is_a_task_with_its_shape() {
        for set in DATA {
            let text = format!("[{}]\nbatch = 1\nepochs = 1", set.name);
            let task: TaskSpec = toml::from_str(&text).unwrap();
            assert_eq!(task.name(), set.name);
            assert_eq!(task.shape(), (set.shape, set.classes));
            assert_eq!(task.images().map(|images| images.epochs), Some(1));
        }
    }
}
