//! The data that travel inside the program (1.8 MB): real images for a first run without any download.
//!
//! `fashion-mini` is the first 300 train and 100 test images of each Fashion-MNIST class (MIT, Zalando SE);
//! `digits` is the UCI optical digits (CC BY 4.0). Their notices: [`FASHION_NOTICE`], [`DIGITS_NOTICE`].

/// Licence notice of `fashion-mini`.
pub const FASHION_NOTICE: &str = include_str!("../../data/NOTICE-fashion-mini.txt");
/// Licence notice of `digits`.
pub const DIGITS_NOTICE: &str = include_str!("../../data/NOTICE-digits.txt");

pub(super) const TRAIN_IMAGES: &[u8] = include_bytes!("../../data/fashion-mini-train-images-idx3-ubyte.gz");
pub(super) const TRAIN_LABELS: &[u8] = include_bytes!("../../data/fashion-mini-train-labels-idx1-ubyte.gz");
pub(super) const TEST_IMAGES: &[u8] = include_bytes!("../../data/fashion-mini-t10k-images-idx3-ubyte.gz");
pub(super) const TEST_LABELS: &[u8] = include_bytes!("../../data/fashion-mini-t10k-labels-idx1-ubyte.gz");
pub(super) const DIGITS: &[u8] = include_bytes!("../../data/digits.csv.gz");
