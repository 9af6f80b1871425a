//! Recipes from Python.

use crate::errors::raise;
use bouton::network::Role;
use bouton::recipe::{NetworkPlan, variant_name};
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList, PyString};

/// A complete, checked experiment.
#[pyclass(frozen, eq, from_py_object, module = "bouton")]
#[derive(Clone, PartialEq)]
pub struct Recipe {
    /// The recipe itself.
    pub inner: bouton::recipe::Recipe,
}

#[pymethods]
impl Recipe {
    /// From a file, TOML text or a dictionary, with keyword overrides.
    #[new]
    #[pyo3(signature = (source, /, **overrides))]
    pub fn new(source: &Bound<'_, PyAny>, overrides: Option<&Bound<'_, PyDict>>) -> PyResult<Self> {
        let py = source.py();
        let recipe = if let Ok(known) = source.extract::<Recipe>() {
            Ok(known.inner)
        } else if let Ok(table) = source.cast::<PyDict>() {
            let text: String = py.import("bouton._toml")?.call_method1("dumps", (table,))?.extract()?;
            bouton::recipe::Recipe::parse(&text, "dict")
        } else if let Some(text) =
            source.cast::<PyString>().ok().map(|s| s.to_string()).filter(|s| s.contains('\n'))
        {
            bouton::recipe::Recipe::parse(&text, "recipe")
        } else if let Ok(path) = source.extract::<std::path::PathBuf>() {
            bouton::recipe::Recipe::load(path)
        } else {
            let class = source.get_type().name()?.to_string();
            return Err(PyTypeError::new_err(format!(
                "a recipe is a path, TOML text, a dict or a Recipe, not {class}"
            )));
        };
        let mut inner = recipe.map_err(|e| raise(py, &e))?;
        if inner.name.is_empty() {
            inner.name = "python".to_owned();
        }
        Self { inner }.replace(py, overrides)
    }

    /// This recipe with overrides: `credit__eq_prop__beta=0.5` or `**{"credit.eq-prop.beta": 0.5}`; None leaves a key out.
    #[pyo3(signature = (**overrides))]
    fn replace(&self, py: Python<'_>, overrides: Option<&Bound<'_, PyDict>>) -> PyResult<Self> {
        let mut words: Vec<String> = Vec::new();
        let mut out: Vec<String> = Vec::new();
        for (key, value) in overrides.into_iter().flatten() {
            let key = key.extract::<String>()?.replace("__", ".").replace('_', "-");
            if value.is_none() {
                out.push(key);
                continue;
            }
            let value: String = py.import("bouton._toml")?.call_method1("value", (value,))?.extract()?;
            words.push(format!("{key}={value}"));
        }
        let inner = out.iter().try_fold(self.inner.clone(), |recipe, key| recipe.without(key));
        let inner = inner.and_then(|r| r.with_overrides(&words)).and_then(|r| r.check().map(|()| r));
        Ok(Self { inner: inner.map_err(|e| raise(py, &e))? })
    }

    /// Name of its runs.
    #[getter]
    fn name(&self) -> &str {
        &self.inner.name
    }

    /// Seed of everything random.
    #[getter]
    fn seed(&self) -> u64 {
        self.inner.seed
    }

    /// Content hash: two runs with the same hash give the same bits.
    #[getter]
    fn hash(&self) -> String {
        self.inner.hash()
    }

    /// What samples should come to: `classes` or `values`.
    #[getter]
    fn targets(&self) -> String {
        self.inner.task.method().targets().to_string()
    }

    /// The recipe as TOML with every default filled in.
    fn to_toml(&self) -> String {
        self.inner.to_toml()
    }

    /// What its network comes to: `populations` and `connections`, each a list of dicts in the order of computation.
    fn plan<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let plan = NetworkPlan::new(&self.inner).map_err(|e| raise(py, &e))?;
        let (populations, connections) = (PyList::empty(py), PyList::empty(py));
        for p in &plan.populations {
            let row = PyDict::new(py);
            row.set_item("name", &p.name)?;
            row.set_item("units", p.shape.units())?;
            row.set_item("role", format!("{:?}", p.role).to_lowercase())?;
            row.set_item("neuron", (p.role != Role::Clamped).then(|| variant_name(p.neuron)))?;
            row.set_item("columns", (p.role == Role::Clamped).then_some((p.columns.start, p.columns.end)))?;
            row.set_item("output", p.output)?;
            populations.append(row)?;
        }
        for c in &plan.connections {
            let row = PyDict::new(py);
            row.set_item("name", &c.name)?;
            let [from, to] = c.ends().map(|p| &plan.populations[p].name);
            row.set_item("from", from)?;
            row.set_item("to", to)?;
            row.set_item("carries", variant_name(&c.carries))?;
            row.set_item("wiring", variant_name(c.wiring))?;
            row.set_item("synapse", variant_name(c.synapse))?;
            row.set_item("lr", c.lr)?;
            row.set_item("optim", c.optim.map(variant_name))?;
            row.set_item("learn", c.learns)?;
            connections.append(row)?;
        }
        let plan = PyDict::new(py);
        plan.set_item("populations", populations)?;
        plan.set_item("connections", connections)?;
        Ok(plan)
    }

    /// The recipe as JSON with every default filled in.
    fn to_json(&self) -> String {
        serde_json::to_string(&self.inner).expect("a recipe is plain data")
    }

    /// Pickled and copied by its text.
    fn __reduce__<'py>(slf: &Bound<'py, Self>) -> (Bound<'py, PyAny>, (String,)) {
        (slf.get_type().into_any(), (slf.get().to_toml(),))
    }

    fn __repr__(&self) -> String {
        format!(
            "<bouton.Recipe {} seed={} hash={}>",
            self.inner.name,
            self.inner.seed,
            &self.inner.hash()[..8]
        )
    }

    fn __hash__(&self) -> u64 {
        u64::from_str_radix(&self.inner.hash()[..16], 16).unwrap_or_default()
    }
}
