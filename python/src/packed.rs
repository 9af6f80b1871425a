//! A packed binary network from Python: the file that `bouton convert RUN --packed` writes.

use crate::arrays::{array_of, samples};
use crate::errors::raise;
use crate::threads::compute;
use bouton::train::Checkpoint;
use pyo3::prelude::*;
use std::path::PathBuf;

/// A binary network of one bit a weight, to be asked only.
#[pyclass(frozen, module = "bouton")]
pub struct Packed {
    inner: bouton::packed::Packed,
}

#[pymethods]
impl Packed {
    /// Reads the file at `path`.
    #[staticmethod]
    fn load(py: Python<'_>, path: PathBuf) -> PyResult<Self> {
        let read = || -> bouton::Result<_> {
            let file = Checkpoint::load(&path)?;
            bouton::packed::Packed::from_checkpoint(&file).map_err(|e| e.context(path.display()))
        };
        Ok(Self { inner: compute(py, read)?.map_err(|e| raise(py, &e))? })
    }

    /// Outputs, (samples, classes): those of the network it was made from, bit for bit.
    fn forward<'py>(&self, py: Python<'py>, x: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        let (x, _) = samples(x, self.inner.dtype(), self.inner.input(), "x")?;
        array_of(py, compute(py, || self.inner.outputs(x.view()))?)
    }

    fn __repr__(&self) -> String {
        format!("<bouton.Packed of {} bytes>", self.inner.bytes())
    }

    /// Bytes of weights, thresholds and normalisations in the file.
    #[getter]
    fn bytes(&self) -> usize {
        self.inner.bytes()
    }
}
