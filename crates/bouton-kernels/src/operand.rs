//! A matrix that is used in many products between two changes.

use std::any::Any;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::{Mat, View, ViewMut, dispatch};

/// Side of the squares that a matrix is transposed in.
pub(crate) const SQUARE: usize = 16;

/// A matrix with a version number; every change goes through [`WeightMat::update`].
///
/// Products with rows of weights ([`gemm_nt`](crate::gemm_nt)) need no packed copy, and for batches of some tens of
/// rows a transposed copy was measured to gain less than making it costs. Convolutions rearrange their weights: such a
/// form is made when it is first asked for, kept until the next change, and shared by all threads.
#[derive(Clone, Debug)]
pub struct WeightMat {
    value: Mat,
    version: u64,
    forms: Forms,
}

impl WeightMat {
    /// Takes over `value`; version 0.
    pub fn new(value: Mat) -> Self {
        WeightMat { value, version: 0, forms: Forms::default() }
    }

    /// The matrix.
    pub fn mat(&self) -> &Mat {
        &self.value
    }

    /// The matrix as a view.
    pub fn view(&self) -> View<'_> {
        self.value.view()
    }

    /// How many times the matrix was updated.
    pub fn version(&self) -> u64 {
        self.version
    }

    /// Changes the matrix; counts as a change whatever `f` does.
    pub fn update<R>(&mut self, f: impl FnOnce(ViewMut<'_>) -> R) -> R {
        self.version += 1;
        self.forms = Forms::default();
        f(self.value.view_mut())
    }

    /// The transpose, made once and kept until the next change: a product with columns becomes one with rows, which is faster where the
    /// matrix serves many small products.
    pub fn transposed(&self) -> Arc<WeightMat> {
        self.form(|_: &WeightMat| true, || WeightMat::new(transposed(&self.value)))
    }

    /// The form of this type that fits, else the one that `make` makes; others who ask meanwhile wait for it.
    pub fn form<F: Any + Send + Sync>(&self, fits: impl Fn(&F) -> bool, make: impl FnOnce() -> F) -> Arc<F> {
        let mut all = self.forms.all();
        for form in all.iter() {
            if let Ok(form) = form.clone().downcast::<F>()
                && fits(&form)
            {
                return form;
            }
        }
        let form = Arc::new(make());
        all.push(form.clone());
        form
    }
}

fn transposed(mat: &Mat) -> Mat {
    let (rows, cols) = (mat.rows(), mat.cols());
    let mut turned = Mat::zeros(mat.dtype(), cols, rows);
    dispatch!(mat.dtype(), T => {
        let (from, to) = (mat.slice::<T>(), turned.slice_mut::<T>());
        for r in (0..rows).step_by(SQUARE) {
            for c in (0..cols).step_by(SQUARE) {
                for i in r..(r + SQUARE).min(rows) {
                    for j in c..(c + SQUARE).min(cols) {
                        to[j * rows + i] = from[i * cols + j];
                    }
                }
            }
        }
    });
    turned
}

/// What was made of a matrix since its last change.
#[derive(Default)]
struct Forms(Mutex<Vec<Arc<dyn Any + Send + Sync>>>);

impl Forms {
    /// A list that another thread left while panicking is whole: it grows by one `push`.
    fn all(&self) -> MutexGuard<'_, Vec<Arc<dyn Any + Send + Sync>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Clone for Forms {
    fn clone(&self) -> Self {
        Forms(Mutex::new(self.all().clone()))
    }
}

impl fmt::Debug for Forms {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} forms", self.all().len())
    }
}
