//! bouton: brain-inspired learning put together from four free choices (neuron, wiring, credit, synapse).
//!
//! Features, off by default and on in the command: `import` takes data sets out of archives (zip, tar, xz) and JPEG images,
//! `download` fetches them from their mirrors.

#![forbid(unsafe_code)]

mod axis;
mod error;
mod fit;
mod io;

pub mod analysis;
pub mod anchor;
pub mod claims;
pub mod credit;
pub mod device;
pub mod encoder;
pub mod network;
pub mod neuron;
pub mod norm;
pub mod objective;
pub mod onnx;
pub mod optim;
mod own;
pub mod packed;
pub mod recipe;
pub mod rng;
mod shape;
pub mod solver;
pub mod synapse;
pub mod task;
pub mod theory;
pub mod train;
pub mod wiring;

pub use axis::{Cite, Place};
pub use error::{Error, Result};
pub use own::{Own, OwnSpec, OwnTable, Start};

/// Raised by hand whenever the same recipe and data give other numbers than before, or checkpoints hold them otherwise: a run
/// goes on only with the arithmetic that it began with.
pub const ARITHMETIC: u32 = 3;

/// The programs of the guide, which `cargo test --doc` runs.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/src/guides/write-your-own.md")]
struct WriteYourOwn;
