//! Conformance: what every member of every axis has to keep, asked of all that stand in its list. A member that says something
//! of itself that is not so fails here.

mod anchors;
mod credits;
mod examples;
mod neurons;
mod norms;
mod objectives;
mod optimisers;
mod sequences;
mod solvers;
mod synapses;
mod tasks;

use bouton_kernels::{DType, Mat};

/// A matrix of unlike numbers between −1 and 1.
fn noise(rows: usize, cols: usize, seed: u64) -> Mat {
    let mut stream = bouton::rng::Key::new(seed).of("noise", 0).stream();
    Mat::from_fn(DType::F64, rows, cols, |_, _| 2.0 * stream.uniform() - 1.0)
}

/// Whether two lists are near each other, by the larger of their sizes.
#[track_caller]
fn near(a: &[f64], b: &[f64], tolerance: f64, what: &dyn std::fmt::Debug) {
    assert_eq!(a.len(), b.len(), "{what:?}");
    let size = a.iter().chain(b).fold(1e-6_f64, |top, x| top.max(x.abs()));
    for (i, (x, y)) in a.iter().zip(b).enumerate() {
        assert!((x - y).abs() <= tolerance * size, "{what:?}: number {i} is {x}, not {y}");
    }
}
