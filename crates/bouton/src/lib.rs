//! bouton: brain-inspired learning put together from four free choices (neuron, wiring, credit, synapse).
//!
//! Features, off by default and on in the command: `import` takes data sets out of archives (zip, tar, xz) and JPEG images,
//! `download` fetches them from their mirrors.

#![forbid(unsafe_code)]

pub mod analysis;
pub mod claims;
pub mod onnx;
pub mod packed;
pub mod recipe;
pub mod train;

pub use bouton_core::{
    Cite, Error, Own, OwnSpec, OwnTable, Place, Result, Start, anchor, credit, device, encoder, network,
    neuron, norm, objective, optim, rng, solver, synapse, task, theory, wiring,
};
use bouton_core::{axis, error, io, own, property, shape, vectors};

/// Raised by hand whenever the same recipe and data give other numbers than before, or checkpoints hold them otherwise: a run
/// goes on only with the arithmetic that it began with.
pub const ARITHMETIC: u32 = 4;

/// The programs of the guide, which `cargo test --doc` runs.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/src/guides/write-your-own.md")]
struct WriteYourOwn;
