//! One-to-one wiring without weights: post += pre (skip connections).

use super::{Form, Wiring};
use bouton_kernels::{Elem, View, ViewMut, WeightMat, dispatch, vectorize};
use std::ops::Range;

/// Identity wiring between two populations of equal size.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Identity;

impl Wiring for Identity {
    fn form(&self) -> Option<Form> {
        Some(Form::Identity)
    }

    fn weight_shape(&self) -> (usize, usize) {
        (0, 0)
    }

    fn factorises(&self) -> bool {
        true
    }

    fn forward(&self, _: &WeightMat, pre: View<'_>, post: ViewMut<'_>) {
        dispatch!(pre.dtype(), T => add::<T>(pre, post));
    }

    fn backward_input(&self, _: &WeightMat, g: View<'_>, pre: ViewMut<'_>) {
        dispatch!(g.dtype(), T => add::<T>(g, pre));
    }

    fn backward_weight(&self, _: View<'_>, _: View<'_>, _: Range<usize>, _: ViewMut<'_>) {}

    fn fan_out(&self, _: &WeightMat, [pre, _]: [usize; 2]) -> Vec<f64> {
        vec![0.0; pre]
    }
}

fn add<T: Elem>(from: View<'_>, mut to: ViewMut<'_>) {
    vectorize(
        #[inline(always)]
        || {
            for (to, &from) in to.slice_mut::<T>().iter_mut().zip(from.slice::<T>()) {
                *to += from;
            }
        },
    );
}
