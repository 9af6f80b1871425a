//! The integration tests of the library, in one binary: linking thirty programs took longer than running them.

mod anderson;
mod by_hand;
mod check;
mod claims;
mod combos;
mod common;
mod continual;
mod convolution;
mod costs;
#[cfg(feature = "download")]
mod crash;
#[cfg(feature = "download")]
mod data;
mod determinism;
mod docs;
#[cfg(feature = "download")]
mod download;
mod draws;
mod dropout;
mod feedback;
mod fuzz;
mod golden;
mod gradients;
mod holomorphic;
mod identity;
mod image_recipes;
#[cfg(feature = "download")]
mod images;
mod memory;
mod metaplastic_adam;
mod outside;
mod protocol;
mod recipe;
mod replay;
mod resume;
mod skips;
mod synapses;
