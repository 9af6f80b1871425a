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
mod part;
mod replay;
mod sequence;
mod spec;
pub mod store;
pub mod stream;

pub use augment::{Augment, Padding};
pub use catalogue::{DATA, KnownFile, KnownSet};
pub use dataset::{Dataset, Split};
pub use part::Part;
pub use replay::{Policy, ReplaySpec};
pub use sequence::{
    ContinualSpec, Permuted, Rotated, Scenario, SequenceSpec, Sets, Split as SplitClasses, Subsets,
};
pub use spec::{BatchSize, Images, Pad, Pixels, SyntheticImages, TaskSpec};
pub use store::load;
