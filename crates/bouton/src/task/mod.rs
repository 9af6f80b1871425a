//! Streams of batches: data sets, their files and their order.

pub mod augment;
pub mod catalogue;
mod dataset;
pub mod digits;
pub mod download;
pub mod embedded;
pub mod idx;
pub mod import;
pub mod order;
mod spec;
pub mod store;
pub mod stream;

pub use augment::{Augment, Padding};
pub use catalogue::{DATA, KnownFile, KnownSet};
pub use dataset::{Dataset, Split};
pub use spec::{BatchSize, Images, Pad, SyntheticImages, TaskSpec};
pub use store::load;
