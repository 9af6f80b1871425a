//! Runs from Python: progress goes to a callback, Ctrl-C and errors of the callback stop the run with a checkpoint.

use crate::errors::raise;
use crate::recipe::Recipe;
use crate::threads::watch;
use bouton::Error;
use bouton::train::{Earlier, Entry, Event, Outcome, Overview, RunOptions, metrics, run};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyDict;
use std::cell::RefCell;
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// How often a callback hears of an update.
const BETWEEN: Duration = Duration::from_millis(50);

/// Trains; returns the run's folder and whether it had been done before.
#[pyfunction]
#[pyo3(signature = (recipe, out, data=None, again=false, callback=None))]
pub fn train(
    py: Python<'_>,
    recipe: &Recipe,
    out: PathBuf,
    data: Option<PathBuf>,
    again: bool,
    callback: Option<Py<PyAny>>,
) -> PyResult<(PathBuf, bool)> {
    let recipe = recipe.inner.clone();
    let (outcome, failure) = watch(py, move |stop| {
        let failure: RefCell<Option<PyErr>> = RefCell::new(None);
        let interrupt = || failure.borrow().is_some() || stop();
        let mut spoke = Instant::now();
        let mut observer = |event: &Event<'_>| {
            let Some(callback) = &callback else { return };
            if failure.borrow().is_some() {
                return;
            }
            if matches!(event, Event::Update { .. }) {
                // Other events come and go in between.
                if spoke.elapsed() < BETWEEN {
                    return;
                }
                spoke = Instant::now();
            }
            let told = Python::attach(|py| callback.call1(py, (describe(py, event)?,)).map(drop));
            if let Err(error) = told {
                *failure.borrow_mut() = Some(error);
            }
        };
        let options = RunOptions {
            data,
            earlier: if again { Earlier::Ignored } else { Earlier::Same },
            interrupt: &interrupt,
            command: vec!["bouton (Python)".to_owned()],
            build: bouton_cli::BUILD.map(Into::into),
            ..RunOptions::new(out)
        };
        let outcome = run(&recipe, &options, &mut observer);
        (outcome, failure.into_inner())
    })?;
    match (outcome, failure) {
        (_, Some(error)) => Err(error),
        (Ok(Outcome::Finished { run, .. }), None) => Ok((run, false)),
        (Ok(Outcome::AlreadyDone { run }), None) => Ok((run, true)),
        (Err(error), None) => Err(raise(py, &error)),
    }
}

/// An event as a dictionary.
fn describe<'py>(py: Python<'py>, event: &Event<'_>) -> PyResult<Bound<'py, PyDict>> {
    let d = PyDict::new(py);
    match event {
        Event::Start { run, resumed_at, updates, epochs, samples, parameters } => {
            d.set_item("event", "start")?;
            d.set_item("run", run.map(|p| p.to_path_buf()))?;
            d.set_item("resumed_at", *resumed_at)?;
            d.set_item("updates", *updates)?;
            d.set_item("epochs", *epochs)?;
            d.set_item("samples", *samples)?;
            d.set_item("parameters", *parameters)?;
        }
        Event::Update { update, updates, epoch, loss, score } => {
            d.set_item("event", "update")?;
            d.set_item("update", *update)?;
            d.set_item("updates", *updates)?;
            d.set_item("epoch", *epoch)?;
            d.set_item("loss", *loss)?;
            if let Some((metric, value)) = score {
                d.set_item(metric.name, *value)?;
            }
        }
        Event::Metrics { record } => {
            d.set_item("event", "metrics")?;
            d.set_item("step", record.step)?;
            d.set_item("epoch", record.epoch)?;
            d.set_item("wall", record.wall)?;
            d.set_item("split", &record.split)?;
            d.set_item("values", record.values.clone())?;
        }
        Event::Checkpoint { path, update } => {
            d.set_item("event", "checkpoint")?;
            d.set_item("path", path.to_path_buf())?;
            d.set_item("update", *update)?;
        }
        Event::Note { text } => {
            d.set_item("event", "note")?;
            d.set_item("text", *text)?;
        }
        Event::Finish { updates, wall, values } => {
            d.set_item("event", "finish")?;
            d.set_item("updates", *updates)?;
            d.set_item("wall", *wall)?;
            d.set_item("values", (*values).clone())?;
        }
    }
    Ok(d)
}

/// Every readable run below a folder, oldest first, as dictionaries: how it went, every key of its recipe, the last metrics.
#[pyfunction]
pub fn runs(py: Python<'_>, out: PathBuf) -> PyResult<Vec<Bound<'_, PyDict>>> {
    let build = bouton_cli::BUILD.unwrap_or(env!("CARGO_PKG_VERSION"));
    let overview = Overview::of(&out, build).map_err(|e: Error| raise(py, &e))?;
    let json = py.import("json")?;
    let one = |run: Entry| {
        let d = PyDict::new(py);
        d.set_item("path", &run.path)?;
        d.set_item("name", &run.status.name)?;
        d.set_item("seed", run.status.seed)?;
        d.set_item("state", run.status.state.to_string())?;
        d.set_item("started", &run.status.started)?;
        d.set_item("step", run.status.step)?;
        d.set_item("epoch", run.status.epoch)?;
        d.set_item("wall", run.wall)?;
        let keys = serde_json::to_string(&run.recipe).map_err(|e| PyValueError::new_err(e.to_string()))?;
        for (key, value) in json.call_method1("loads", (keys,))?.cast_into::<PyDict>()? {
            if !d.contains(&key)? {
                d.set_item(key, value)?;
            }
        }
        for (split, record) in run.last {
            for (name, value) in record.values {
                d.set_item(format!("{split}.{name}"), value)?;
            }
        }
        Ok(d)
    };
    overview.runs.into_iter().map(one).collect()
}

/// The complete lines of a run's metrics, in order, as dictionaries.
#[pyfunction]
pub fn records(py: Python<'_>, path: PathBuf) -> PyResult<Vec<Bound<'_, PyDict>>> {
    let metrics = metrics::read(&path).map_err(|e| raise(py, &e))?;
    let one = |record: metrics::Record| {
        let d = PyDict::new(py);
        d.set_item("step", record.step)?;
        d.set_item("epoch", record.epoch)?;
        d.set_item("wall", record.wall)?;
        d.set_item("split", record.split)?;
        for (name, value) in record.values {
            d.set_item(name, value)?;
        }
        Ok(d)
    };
    metrics.records.into_iter().map(one).collect()
}
