//! Networks that move in time: sequences as arrays with a dimension of steps, and states that whoever feeds a network keeps.
//!
//! A state is a dict of arrays: `<population>.<variable>`, (samples, units), for what units remember, and, where connections have delays,
//! `<population>.out` and `input` for what was sent and shown in the last steps, (steps · samples, units).

use crate::arrays::{array_of, exactly, floats};
use crate::errors::argument;
use crate::tables::checked;
use bouton::network::{LastSteps, Network, Reading, Timing};
use bouton_kernels::{Mat, dispatch};
use pyo3::prelude::*;
use pyo3::types::PyDict;
use std::collections::HashMap;

/// Steps of a sample, and numbers of each.
pub type Sequence = (usize, usize);

/// How the network moves in time.
///
/// # Errors
/// A recipe error if it does not.
pub fn timing<'a>(py: Python<'_>, net: &'a Network) -> PyResult<&'a Timing> {
    net.time.as_ref().ok_or_else(|| {
        let hint = "use units such as neuron.lif, or forward()";
        argument(py, "RecipeError", "this network does not move in time: it has no state between steps", hint)
    })
}

/// Steps that have an answer each, and numbers of one; none if a sample has one answer.
pub fn answers(net: &Network) -> Option<Sequence> {
    let time = net.time.as_ref()?;
    let each = time.clock.reading == Reading::Each && time.answers_every_step;
    each.then(|| (time.shown.steps, net.populations[net.output()].units))
}

/// A sequence of shape (samples, steps, numbers) as rows of samples, with what one is, if it is among those that fit; anything else as
/// it is.
pub fn as_rows<'py>(
    value: &Bound<'py, PyAny>,
    fits: &[Sequence],
) -> PyResult<(Bound<'py, PyAny>, Option<Sequence>)> {
    let shape: Vec<usize> = value.getattr("shape").and_then(|s| s.extract()).unwrap_or_default();
    match shape[..] {
        [n, steps, numbers] if fits.contains(&(steps, numbers)) => {
            Ok((value.call_method1("reshape", (n, steps * numbers))?, Some((steps, numbers))))
        }
        _ => Ok((value.clone(), None)),
    }
}

/// Shapes of one sample as a sequence: as the task has it, and as the network sees it if that is the same numbers.
pub fn sequences(net: &Network) -> Vec<Sequence> {
    let Some(time) = &net.time else { return Vec::new() };
    let same = [time.own, time.shown].into_iter().filter(|s| s.all() == time.own.all());
    same.map(|s| (s.steps, s.columns)).collect()
}

/// Rows of samples as an array, with a dimension of steps if there is one.
pub fn array_with(py: Python<'_>, mat: Mat, steps: Option<Sequence>) -> PyResult<Bound<'_, PyAny>> {
    let n = mat.rows();
    let array = array_of(py, mat)?;
    match steps {
        Some((steps, numbers)) => array.call_method1("reshape", (n, steps, numbers)),
        None => Ok(array),
    }
}

/// The arrays of a state by name.
fn parts(net: &Network, state: &LastSteps) -> Vec<(String, Mat)> {
    let mut all = Vec::new();
    for (p, node) in net.populations.iter().enumerate() {
        for (k, variable) in node.model.states().iter().enumerate().filter(|_| !state.h[p].is_empty()) {
            all.push((
                format!("{}.{}", node.name, variable.name),
                columns(&state.h[p], k * node.units, node.units),
            ));
        }
        if !state.out[p].is_empty() {
            all.push((format!("{}.out", node.name), state.out[p].clone()));
        }
    }
    if !state.shown.is_empty() {
        all.push(("input".into(), state.shown.clone()));
    }
    all
}

fn columns(mat: &Mat, from: usize, n: usize) -> Mat {
    let mut part = Mat::zeros(mat.dtype(), mat.rows(), n);
    dispatch!(mat.dtype(), T => for r in 0..mat.rows() {
        part.view_mut().row_mut::<T>(r).copy_from_slice(&mat.view().row::<T>(r)[from..from + n]);
    });
    part
}

/// A state as a dict.
pub fn state_dict<'py>(py: Python<'py>, net: &Network, state: &LastSteps) -> PyResult<Bound<'py, PyDict>> {
    let dict = PyDict::new(py);
    for (name, mat) in parts(net, state) {
        dict.set_item(name, array_of(py, mat)?)?;
    }
    Ok(dict)
}

/// The state of `samples` sequences in a dict.
pub fn state_of(net: &Network, dict: &Bound<'_, PyDict>, samples: usize) -> PyResult<LastSteps> {
    let (py, mut state) = (dict.py(), net.at_rest(timing(dict.py(), net)?, samples));
    let shapes: HashMap<String, (usize, usize)> =
        parts(net, &state).into_iter().map(|(name, mat)| (name, (mat.rows(), mat.cols()))).collect();
    let mut given = checked(py, dict, &shapes, net.dtype)?;
    let mut take = |name: &str| {
        given.remove(name).ok_or_else(|| {
            let hint = "begin with start(), and go on with the state that stream() returns";
            argument(py, "DataError", &format!("the state has no `{name}`"), hint)
        })
    };
    for (p, node) in net.populations.iter().enumerate() {
        let variables = if state.h[p].is_empty() { Vec::new() } else { node.model.states() };
        for (k, variable) in variables.iter().enumerate() {
            let part = take(&format!("{}.{}", node.name, variable.name))?;
            dispatch!(part.dtype(), T => for r in 0..samples {
                let mut rows = state.h[p].rows_view_mut(r..r + 1);
                let to = &mut rows.slice_mut::<T>()[k * node.units..(k + 1) * node.units];
                to.copy_from_slice(part.view().row::<T>(r));
            });
        }
        if !state.out[p].is_empty() {
            state.out[p] = take(&format!("{}.out", node.name))?;
        }
    }
    if !state.shown.is_empty() {
        state.shown = take("input")?;
    }
    Ok(state)
}

/// What some steps show, (samples, numbers) or (steps, samples, numbers), as rows, and the number of steps if there are several.
pub fn shown(net: &Network, x: &Bound<'_, PyAny>) -> PyResult<(Mat, Option<usize>)> {
    let (py, numbers) = (x.py(), timing(x.py(), net)?.shown.columns);
    let shape = floats(x, "x")?;
    match shape[..] {
        [n, found] if found == numbers && n > 0 => Ok((exactly(x, net.dtype, (n, numbers), "x")?, None)),
        [steps, n, found] if found == numbers && steps * n > 0 => {
            let rows = x.call_method1("reshape", (steps * n, numbers))?;
            Ok((exactly(&rows, net.dtype, (steps * n, numbers), "x")?, Some(steps)))
        }
        _ => {
            let hint = format!("one step is (samples, {numbers}), several are (steps, samples, {numbers})");
            Err(argument(py, "ShapeError", &format!("x has shape {shape:?}"), &hint))
        }
    }
}
