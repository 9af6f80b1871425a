//! bouton: brain-inspired learning put together from four free choices (neuron, wiring, credit, synapse).

#![forbid(unsafe_code)]

mod error;
pub mod task;
pub mod train;

pub use error::{Error, Result};
