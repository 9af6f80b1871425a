//! The data sets bouton knows by name: files, checksums, mirrors, licence and citation, as a table.
//!
//! A file is pinned by the checksum of the bytes kept in the data folder: the unpacked file, so that every packaging
//! of it is recognised, or the `.gz` where only that has a published checksum (KMNIST). Where only the archive of a
//! set has one (CIFAR, ImageNet32), its files are known by name, size and layout ([`Pin::Layout`]).

mod colour;
mod grey;

use super::Split;
use super::layout::Layout;
use crate::{Error, Result};

/// A data set known by name.
#[derive(Debug)]
pub struct KnownSet {
    /// Its name in recipes and on the command line.
    pub name: &'static str,
    /// What it is to a recipe, in one line.
    pub about: &'static str,
    /// What it is, in one line.
    pub title: &'static str,
    /// Channels, height, width of an image.
    pub shape: [usize; 3],
    /// Number of classes.
    pub classes: usize,
    /// Their names; none where they are numbers, or too many to tell.
    pub names: &'static [&'static str],
    /// Samples to learn from.
    pub train: usize,
    /// Samples to be judged by.
    pub test: usize,
    /// Under which terms it is offered.
    pub licence: &'static str,
    /// BibTeX entry of the work to cite.
    pub bibtex: &'static str,
    /// How its files are laid out.
    pub format: Format,
    /// Addresses to which a file's name is appended (with `.gz` for IDX files); none if its files are not offered
    /// one by one.
    pub mirrors: &'static [&'static str],
    /// All files of the set.
    pub files: &'static [KnownFile],
    /// Its published archives, where their checksum is known.
    pub archives: &'static [KnownArchive],
}

impl KnownSet {
    /// The pixel value that stands for 1.0.
    pub fn scale(&self) -> f32 {
        if self.format == Format::Digits { super::digits::SCALE } else { 255.0 }
    }
}

/// The layout of a set's files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// An images and a labels file per split ([`idx`](super::idx)).
    Idx,
    /// One CSV for both splits ([`digits`](super::digits)).
    Digits,
    /// Colour images with their labels ([`samples`](super::samples)).
    Samples(Layout),
}

/// One file of a known set.
#[derive(Debug)]
pub struct KnownFile {
    /// Its name in the data folder, below the set's own folder.
    pub name: &'static str,
    /// What it holds.
    pub part: Part,
    /// Its size; 0 if none is published.
    pub bytes: u64,
    /// What its content is known by.
    pub pin: Pin,
    /// Bytes that a mirror sends for it.
    pub download: u64,
    /// Its content, if it is part of the program.
    pub embedded: Option<&'static [u8]>,
}

/// What the content of a file is known by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pin {
    /// SHA-256 of its bytes, in hexadecimal.
    Sha256(&'static str),
    /// MD5 of its bytes, in hexadecimal, where no other checksum is published.
    Md5(&'static str),
    /// Its name, size and layout: no checksum of it is published.
    Layout,
}

/// A published archive of a set's files.
#[derive(Debug)]
pub struct KnownArchive {
    /// Its name.
    pub name: &'static str,
    /// Its size.
    pub bytes: u64,
    /// SHA-256 of its bytes, in hexadecimal.
    pub sha256: &'static str,
    /// Addresses of it; none if it takes an account or a copy by hand.
    pub urls: &'static [&'static str],
    /// The file that its images become ([`jpegs`](super::jpegs)); none if it holds the files as they are kept.
    pub jpegs: Option<&'static str>,
}

/// What one file of a set holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// The images of a split.
    Images(Split),
    /// The labels of a split.
    Labels(Split),
    /// Images and labels of a split; of several such files, in this order.
    Samples(Split),
    /// Both splits, images and labels.
    All,
}

impl Part {
    /// Is this file needed to load `split`?
    pub fn serves(self, split: Split) -> bool {
        match self {
            Self::Images(s) | Self::Labels(s) | Self::Samples(s) => s == split,
            Self::All => true,
        }
    }

    /// Does the file hold labels and no images?
    pub fn is_labels(self) -> bool {
        matches!(self, Self::Labels(_))
    }
}

impl KnownSet {
    /// Key of the work to cite.
    pub fn cite(&self) -> &'static str {
        self.bibtex.split(['{', ',']).nth(1).unwrap_or_default().trim()
    }

    /// Is it part of the program?
    pub fn is_embedded(&self) -> bool {
        self.files.iter().all(|f| f.embedded.is_some())
    }

    /// Does every file of it have a published checksum?
    pub fn is_pinned(&self) -> bool {
        self.files.iter().all(|f| f.pin != Pin::Layout)
    }

    /// Does a mirror offer it, file by file or as archives?
    pub fn is_offered(&self) -> bool {
        !self.mirrors.is_empty() || self.offered().next().is_some()
    }

    /// Bytes that [`get`](super::download::get) fetches for all of it.
    pub fn download(&self) -> u64 {
        let archives = self.offered().map(|a| a.bytes).sum::<u64>();
        archives + self.files.iter().map(|f| f.download).sum::<u64>()
    }

    /// The archives that can be fetched.
    pub(super) fn offered(&self) -> impl Iterator<Item = &KnownArchive> {
        self.archives.iter().filter(|a| !a.urls.is_empty())
    }
}

impl KnownFile {
    /// Is this the size it must have?
    pub fn fits(&self, bytes: u64) -> bool {
        self.bytes == 0 || self.bytes == bytes
    }
}

/// The set called `name`.
///
/// # Errors
/// [`Error::Config`] with the nearest and all known names.
pub fn find(name: &str) -> Result<&'static KnownSet> {
    DATA.iter().find(|set| set.name == name).ok_or_else(|| {
        let names: Vec<_> = DATA.iter().map(|set| set.name).collect();
        let near = names.iter().max_by(|a, b| strsim::jaro(a, name).total_cmp(&strsim::jaro(b, name)));
        let near = near.filter(|n| strsim::jaro(n, name) > 0.7);
        let guess = near.map_or_else(String::new, |n| format!("did you mean `{n}`? "));
        Error::config(format!("no data set is called `{name}`"))
            .with_hint(format!("{guess}known sets: {}", names.join(", ")))
    })
}

/// Every known set.
pub static DATA: &[KnownSet] = &[
    grey::FASHION_MINI,
    grey::DIGITS,
    grey::MNIST,
    grey::FASHION_MNIST,
    grey::KMNIST,
    colour::CIFAR_10,
    colour::CIFAR_10_JPEG_Q75,
    colour::CIFAR_100,
    colour::SVHN,
    colour::STL_10,
    colour::IMAGENET_32,
];
