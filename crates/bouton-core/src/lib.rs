//! The parts that [bouton](https://docs.rs/bouton) puts together: units, connections, synapses, rules of credit, optimisers, data.
//! What reads recipes and trains stands above it, in `bouton`, which offers all of this under its own name.
//!
//! Features, off by default: `import` takes data sets out of archives (zip, tar, xz) and JPEG images, `download` fetches them
//! from their mirrors.

#![forbid(unsafe_code)]

#[doc(hidden)]
pub mod axis;
#[doc(hidden)]
pub mod error;
#[doc(hidden)]
pub mod fit;
#[doc(hidden)]
pub mod io;

pub mod anchor;
pub mod credit;
pub mod device;
pub mod encoder;
pub mod network;
pub mod neuron;
pub mod norm;
pub mod objective;
pub mod optim;
#[doc(hidden)]
pub mod own;
#[doc(hidden)]
pub mod property;
pub mod rng;
#[doc(hidden)]
pub mod shape;
pub mod solver;
pub mod synapse;
pub mod task;
pub mod theory;
#[doc(hidden)]
pub mod vectors;
pub mod wiring;

pub use axis::{Cite, Place};
pub use error::{Error, Result};
pub use own::{Own, OwnSpec, OwnTable, Start};
