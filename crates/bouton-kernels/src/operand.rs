//! A matrix that is used in many products between two changes.

use crate::{Mat, View, ViewMut};

/// A matrix with a version number; every change goes through [`Operand::update`].
///
/// It holds no packed copies: products with rows of weights ([`gemm_nt`](crate::gemm_nt)) need none, and for batches
/// of some tens of rows a transposed copy was measured to gain less than making it costs.
#[derive(Clone, Debug)]
pub struct Operand {
    value: Mat,
    version: u64,
}

impl Operand {
    /// Takes over `value`; version 0.
    pub fn new(value: Mat) -> Self {
        Operand { value, version: 0 }
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
        f(self.value.view_mut())
    }
}
