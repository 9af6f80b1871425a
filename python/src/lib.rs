//! `bouton._bouton`: the library behind the Python package.
//!
//! Inputs are copied in, results go out without a copy, and the interpreter is released while bouton computes.

mod arrays;
mod check;
mod errors;
mod experiment;
mod inner;
mod network;
mod packed;
mod progress;
mod recipe;
mod steps;
mod tables;
mod threads;

use bouton::objective::{Metric, TargetKind};
use pyo3::prelude::*;

/// The compiled half of the package.
#[pymodule]
fn _bouton(module: &Bound<'_, PyModule>) -> PyResult<()> {
    threads::start(module.py())?;
    module.add("__version__", env!("CARGO_PKG_VERSION"))?;
    module.add("SCORES", [TargetKind::Classes, TargetKind::Values].map(|of| Metric::score(of).name))?;
    module.add_class::<recipe::Recipe>()?;
    module.add_class::<network::Network>()?;
    module.add_class::<packed::Packed>()?;
    module.add_function(wrap_pyfunction!(check::check, module)?)?;
    module.add_function(wrap_pyfunction!(experiment::train, module)?)?;
    module.add_function(wrap_pyfunction!(experiment::runs, module)?)?;
    module.add_function(wrap_pyfunction!(experiment::records, module)?)?;
    module.add_function(wrap_pyfunction!(command, module)?)?;
    module.add_function(wrap_pyfunction!(_panic, module)?)?;
    Ok(())
}

/// Panics where the library computes: the tests look at what arrives in Python.
#[pyfunction]
fn _panic(py: Python<'_>) -> PyResult<()> {
    threads::compute(py, || panic!("a panic for the tests"))
}

/// Runs the command line `arguments` (the program's name first) and returns the exit code.
#[pyfunction]
fn command(py: Python<'_>, arguments: Vec<String>) -> u8 {
    py.detach(|| bouton_cli::run(arguments))
}
