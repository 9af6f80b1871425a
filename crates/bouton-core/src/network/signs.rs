//! Feedback of the sign of the forward weights (Liao, Leibo & Poggio 2016).
//!
//!   B = sign(W) ⊙ |R|
//!
//! with magnitudes R that are all the same, drawn once, or drawn again for every batch.

use crate::rng::Key;
use crate::wiring::Dense;
use bouton_kernels::{Elem, Mat, WeightMat, dispatch};
use std::ops::Deref;
use std::sync::Arc;

/// Magnitudes of feedback weights that have the signs of the forward ones.
#[derive(Debug)]
pub struct Signs {
    /// |R|, in forward shape.
    pub magnitudes: WeightMat,
    /// How they are drawn again for every batch; none: they stay.
    pub redraw: Option<Draw>,
}

/// How weights of a connection are drawn.
#[derive(Clone, Debug)]
pub struct Draw {
    /// By which distribution.
    pub dense: Dense,
    /// Weights that lead away from a presynaptic unit.
    pub fan_out: usize,
    /// Factor on them.
    pub gain: f64,
}

/// A weight that is stored, or was made of others.
#[derive(Debug)]
pub enum Back<'a> {
    /// Stored.
    Stored(&'a WeightMat),
    /// Made, until one of the others changes.
    Made(Arc<WeightMat>),
}

impl Deref for Back<'_> {
    type Target = WeightMat;

    fn deref(&self) -> &WeightMat {
        match self {
            Self::Stored(weight) => weight,
            Self::Made(weight) => weight,
        }
    }
}

/// What was made of magnitudes of this version.
struct Signed {
    version: u64,
    weight: Arc<WeightMat>,
}

impl Signs {
    /// Magnitudes |R| of drawn weights, or their root mean square if they are to be `alike`.
    pub fn new(drawn: &WeightMat, alike: bool, redraw: Option<Draw>) -> Self {
        let mat = drawn.mat();
        let square: f64 = mat.to_f64s().iter().map(|r| r * r).sum();
        let rms = (square / (mat.rows() * mat.cols()).max(1) as f64).sqrt();
        let of = |r, c| if alike { rms } else { mat.get(r, c).abs() };
        let magnitudes = WeightMat::new(Mat::from_fn(mat.dtype(), mat.rows(), mat.cols(), of));
        Self { magnitudes, redraw }
    }

    /// Draws them again, if they are.
    pub fn draw_again(&mut self, key: &Key) {
        let Some(Draw { dense, fan_out, gain }) = &self.redraw else { return };
        let shape = [self.magnitudes.mat().rows(), self.magnitudes.mat().cols()];
        let drawn = dense.draw(self.magnitudes.mat().dtype(), shape, *fan_out, *gain, &mut key.stream());
        let new = Self::new(&WeightMat::new(drawn), false, None).magnitudes;
        self.magnitudes.update(|mut to| to.copy_from(new.view()));
    }

    /// sign(W) ⊙ |R|.
    pub(super) fn of(&self, weight: &WeightMat) -> Arc<WeightMat> {
        let version = self.magnitudes.version();
        let make = || {
            let mut mat = weight.mat().clone();
            dispatch!(mat.dtype(), T => {
                let sizes = self.magnitudes.mat().slice::<T>();
                mat.slice_mut::<T>().iter_mut().zip(sizes).for_each(|(w, &size)| {
                    let x = w.to_f64();
                    *w = T::from_f64(if x == 0.0 { 0.0 } else { x.signum() }) * size;
                });
            });
            Signed { version, weight: Arc::new(WeightMat::new(mat)) }
        };
        weight.form(|form: &Signed| form.version == version, make).weight.clone()
    }
}
