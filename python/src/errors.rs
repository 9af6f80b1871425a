//! bouton's errors as the exceptions of `bouton.errors`.

use bouton::Error;
use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;

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
