//! `bouton check` from Python.

use crate::errors::raise;
use crate::recipe::Recipe;
use crate::threads::compute;
use bouton::analysis::{self, CheckContext};
use pyo3::prelude::*;
use std::path::PathBuf;

/// The exact properties of a recipe, as JSON.
#[pyfunction]
#[pyo3(signature = (recipe, data=None))]
pub fn check(py: Python<'_>, recipe: &Recipe, data: Option<PathBuf>) -> PyResult<String> {
    let found = compute(py, || {
        let mut context = CheckContext::new(&recipe.inner, data.as_deref(), None)?;
        analysis::check(&mut context)
    })?;
    let findings = found.map_err(|e| raise(py, &e))?;
    Ok(serde_json::to_string(&findings).expect("findings are plain data"))
}
