//! A matrix that is used in many products between two changes.

use std::marker::PhantomData;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::panels::{Transpose, Widths};
use crate::simd::best;
use crate::{Elem, Mat, View, ViewMut, dispatch};

/// A matrix with a version number; every change goes through [`Operand::update`].
///
/// [`gemm_nt`](crate::gemm_nt) needs the matrix transposed. The second such product after a change makes a copy that
/// later ones use; it takes as much memory as the matrix and is dropped by the next change. Results do not depend on it.
#[derive(Debug)]
pub struct Operand {
    value: Mat,
    version: u64,
    used: AtomicBool,
    panels: OnceLock<Mat>,
}

impl Operand {
    /// Takes over `value`; version 0.
    pub fn new(value: Mat) -> Self {
        Operand { value, version: 0, used: AtomicBool::new(false), panels: OnceLock::new() }
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
        self.used = AtomicBool::new(false);
        self.panels = OnceLock::new();
        f(self.value.view_mut())
    }

    /// The transposed copy, from its second request after a change on.
    pub(crate) fn panels<T: Elem>(&self) -> Option<&[T]> {
        if self.panels.get().is_none() && !self.used.swap(true, Ordering::Relaxed) {
            return None;
        }
        Some(self.panels.get_or_init(|| transposed(&self.value)).slice())
    }
}

impl Clone for Operand {
    fn clone(&self) -> Self {
        Operand { version: self.version, ..Operand::new(self.value.clone()) }
    }
}

fn transposed(value: &Mat) -> Mat {
    dispatch!(value.dtype(), T => {
        let narrow = best(Widths(PhantomData::<T>)).1;
        let mut panels = Mat::zeros(T::DTYPE, value.rows().next_multiple_of(narrow), value.cols());
        best(Transpose { w: value.slice::<T>(), k: value.cols(), out: panels.slice_mut() });
        panels
    })
}
