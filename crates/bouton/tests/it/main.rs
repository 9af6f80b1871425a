//! The integration tests of the library, in one binary: linking thirty programs took longer than running them.

mod anderson;
mod claims;
mod combos;
mod common;
mod continual;
mod convolution;
mod costs;
mod crash;
mod data;
mod determinism;
mod docs;
mod download;
mod draws;
mod dropout;
mod feedback;
mod golden;
mod gradients;
mod holomorphic;
mod image_recipes;
mod images;
mod metaplastic_adam;
mod recipe;
mod replay;
mod resume;
mod skips;
mod synapses;
