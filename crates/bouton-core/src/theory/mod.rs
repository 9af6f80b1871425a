//! Theory lab: exactly solvable models of synapses with internal states, in 64-bit arithmetic.
//!
//! They say why a synapse should have a state at all, and what a simulation of it must reproduce:
//!
//! - [`Cascade`] (Fusi, Drew & Abbott 2005): bounded weights with metaplastic levels; lifetime ∝ √N.
//! - [`Beakers`] (Benna & Fusi 2016): a chain of variables on ever slower times; lifetime ∝ N.
//! - [`bounded_signal`]: the single-rate bounded synapse both are measured against.
//! - [`Quadratic`] (Laborieux et al. 2021): the growth of a hidden weight is the importance of its sign.
//! - [`DeviceParameters`] (Majumdar et al. 2021) and [`SoftBoundsParameters`]: populations of memristive devices, read
//!   from preset files.
//!
//! [`report`] lists the checks as rows, [`series`] the curves.

mod beakers;
mod bounded;
mod cascade;
mod eigen;
mod markov;
mod quadratic;
mod report;
mod series;

pub use crate::device::{
    Device, DeviceParameters, Distribution, Pink, Preset, SoftBounds, SoftBoundsParameters, Telegraph,
    built_in, presets, resistance_quantiles,
};
pub use beakers::Beakers;
pub use bounded::{best_bounded, bounded_lifetime, bounded_signal};
pub use cascade::{Cascade, best_cascade};
pub use quadratic::{Quadratic, pearson, spearman};
pub use report::report;
pub use series::series;
