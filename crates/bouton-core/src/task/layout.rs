//! Which reader takes the files of a set of colour images.

use std::io::{Read, Seek};

#[cfg(feature = "import")]
use super::imagenet32;
use super::samples::Samples;
use super::{cifar, stl, svhn};
#[cfg(not(feature = "import"))]
use crate::Error;
use crate::Result;

/// The layout of the files of a set of colour images.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Layout {
    /// Records of a label and a 32x32 image ([`cifar`]).
    Cifar10,
    /// Records of a coarse label, a fine label and a 32x32 image; the fine label counts ([`cifar`]).
    Cifar100,
    /// MATLAB files with `X` and `y` ([`svhn`]).
    Svhn,
    /// A file of 96x96 images and one of labels per split ([`stl`]).
    Stl10,
    /// NumPy archives with `data` and `labels` ([`imagenet32`]).
    ImageNet32,
}

impl Layout {
    /// Appends what one file holds, which is `labels` alone or images too; `file` is its name in messages.
    ///
    /// # Errors
    /// [`Error::Data`](crate::Error::Data) with file and place for anything that does not follow the layout.
    pub fn decode(
        self,
        labels: bool,
        reader: impl Read + Seek,
        file: &str,
        into: &mut Samples,
    ) -> Result<()> {
        match self {
            Self::Cifar10 => cifar::decode(reader, file, cifar::CIFAR_10, into),
            Self::Cifar100 => cifar::decode(reader, file, cifar::CIFAR_100, into),
            Self::Svhn => svhn::decode(reader, file, into),
            Self::Stl10 if labels => stl::labels(reader, file, into),
            Self::Stl10 => stl::images(reader, file, into),
            #[cfg(feature = "import")]
            Self::ImageNet32 => imagenet32::decode(reader, file, into),
            #[cfg(not(feature = "import"))]
            Self::ImageNet32 => Err(Error::data(format!("{file}: this program cannot read NumPy archives"))
                .with_hint("build the library with its feature `import`")),
        }
    }
}
