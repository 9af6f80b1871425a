//! Dictionaries of arrays and of numbers.

use crate::arrays::{array_of, exactly};
use crate::errors::{argument, raise};
use bouton::Error;
use bouton::credit::{GradCollector, Step};
use bouton::network::Network;
use bouton_kernels::{DType, Mat};
use pyo3::prelude::*;
use pyo3::types::PyDict;
use std::collections::HashMap;

/// Gradients by the names of their parameters; zeros where a rule has nothing to say.
pub fn named<'py>(
    py: Python<'py>,
    net: &Network,
    mut collected: GradCollector,
) -> PyResult<Bound<'py, PyDict>> {
    let d = PyDict::new(py);
    for (id, name, mat) in net.parameters() {
        let zeros = || Mat::zeros(mat.dtype(), mat.rows(), mat.cols());
        d.set_item(name, array_of(py, collected.gradients.remove(&id).unwrap_or_else(zeros))?)?;
    }
    Ok(d)
}

/// Arrays that fit parameters by name and shape.
pub fn checked(
    py: Python<'_>,
    arrays: &Bound<'_, PyDict>,
    shapes: &HashMap<String, (usize, usize)>,
    dtype: DType,
) -> PyResult<HashMap<String, Mat>> {
    let one = |(name, array): (Bound<'_, PyAny>, Bound<'_, PyAny>)| {
        let name: String = name.extract()?;
        let Some(shape) = shapes.get(&name) else {
            let mut known: Vec<_> = shapes.keys().map(String::as_str).collect();
            known.sort_unstable();
            let hint = format!("there are {}", known.join(", "));
            return Err(argument(py, "ShapeError", &format!("the network has no `{name}`"), &hint));
        };
        let mat = exactly(&array, dtype, *shape, &name)?;
        Ok((name, mat))
    };
    arrays.iter().map(one).collect()
}

/// What a batch came to, by name.
pub fn outcome<'py>(py: Python<'py>, step: &Step) -> PyResult<Bound<'py, PyDict>> {
    if !step.loss.is_finite() {
        let error = Error::Diverged {
            message: format!("the loss is {}", step.loss),
            hint: Some("lower the learning rate, or the gain of the initial weights".into()),
        };
        return Err(raise(py, &error));
    }
    let d = PyDict::new(py);
    d.set_item("loss", step.mean_loss())?;
    for (metric, value) in step.metrics() {
        d.set_item(metric.name, value)?;
    }
    d.set_item("samples", step.samples)?;
    for (phase, relaxed) in [("free", &step.free), ("nudged", &step.nudged)] {
        if relaxed.samples > 0 && relaxed.sweeps > 0 {
            d.set_item(format!("sweeps.{phase}"), relaxed.mean_sweeps())?;
            d.set_item(format!("residual.{phase}"), relaxed.residual)?;
        }
    }
    Ok(d)
}
