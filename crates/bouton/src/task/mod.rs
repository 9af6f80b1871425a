//! Streams of batches: data sets, their files and their order.

mod spec;

pub use spec::{BatchSize, Images, Pad, SyntheticImages, TaskSpec};
