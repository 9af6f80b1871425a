//! bouton's errors as the exceptions of `bouton.errors`.

use bouton::Error;
use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;
use rayon::ThreadPoolBuildError;
use std::any::Any;

/// The exception that stands for `error`, with its hint and the exit code of the command.
pub fn raise(py: Python<'_>, error: &Error) -> PyErr {
    let class = match error {
        Error::Config { .. } | Error::Incompatible { .. } => "RecipeError",
        Error::Shape { .. } => "ShapeError",
        Error::Data { .. } => "DataError",
        Error::DataMissing { .. } => "DataMissingError",
        Error::Checkpoint { .. } => "CheckpointError",
        Error::Diverged { .. } => "DivergedError",
        _ => "BoutonError",
    };
    make(py, class, &error.to_string(), error.hint(), error.exit_code())
}

/// An exception about an argument.
pub fn argument(py: Python<'_>, class: &str, message: &str, hint: &str) -> PyErr {
    make(py, class, message, Some(hint), 2)
}

/// A panic as an exception: a fault of bouton, not of whoever called it.
pub fn fault(py: Python<'_>, panic: &(dyn Any + Send)) -> PyErr {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    let text = text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_default();
    let hint = "this is a fault of bouton: please report it, with the recipe and the call";
    make(py, "BoutonError", &format!("bouton failed inside: {text}"), Some(hint), 1)
}

/// The system lets no thread begin.
pub fn no_threads(py: Python<'_>, error: &ThreadPoolBuildError) -> PyErr {
    let hint = "raise the limit of processes (ulimit -u), or set RAYON_NUM_THREADS to a smaller number";
    make(py, "BoutonError", &format!("no threads to compute on: {error}"), Some(hint), 1)
}

fn make(py: Python<'_>, class: &str, message: &str, hint: Option<&str>, code: u8) -> PyErr {
    let made = py
        .import("bouton.errors")
        .and_then(|module| module.getattr(class))
        .and_then(|class| class.call1((message, hint, code)));
    match made {
        Ok(value) => PyErr::from_value(value),
        Err(_) => PyRuntimeError::new_err(message.to_owned()),
    }
}
