//! A population in its network: its units, what they receive behind a drive, and the numbers of their own.

use super::{OwnParam, Role, Shape};
use crate::neuron::{Ctx, Gradients, Inputs, Population, StepGradients};
use crate::norm::Norm;
use crate::objective::Objective;
use bouton_kernels::{Elem, Mat, View, ViewMut, WeightMat, dispatch};
use std::ops::Range;

/// A population in its network.
#[derive(Debug)]
pub struct Node {
    /// `input`, `hidden1`, …, `output`.
    pub name: String,
    /// Columns of the samples that a clamped population shows; empty for others.
    pub columns: Range<usize>,
    /// Number of units.
    pub units: usize,
    /// What decides its output.
    pub role: Role,
    /// How its units move.
    pub model: Box<dyn Population>,
    /// Numbers of the units' own, in the order of the model.
    pub own: Vec<OwnParam>,
    /// Height, width and channels; units without places are channels of a single pixel.
    pub shape: Shape,
    /// Bias, [1, channels], behind the normalisation if there is one; the input and units of several ports have none.
    pub bias: Option<WeightMat>,
    /// Normalisation of the drive.
    pub norm: Option<Norm>,
    /// Probability that a unit is silent in a training step.
    pub dropout: f64,
    /// Standard deviation of noise on the drive in training.
    pub noise: f64,
    /// An objective of its own beside that of the output, and its weight.
    pub objective: Option<(Box<dyn Objective>, f64)>,
}

impl Node {
    /// Columns of its drives, those of one port after those of the other.
    pub fn drives(&self) -> usize {
        self.model.ports() * self.units
    }

    /// State variables stored beside the output.
    pub fn num_states(&self) -> usize {
        self.model.states().len()
    }

    /// The states of `rows` samples before the first step, [rows, S·units].
    pub fn initial_states(&self, like: &Mat) -> Mat {
        let (states, rows) = (self.model.states(), like.rows());
        let rows = if states.is_empty() { 0 } else { rows };
        let at = |_, c: usize| states[c / self.units].start;
        Mat::from_fn(like.dtype(), rows, states.len() * self.units, at)
    }

    /// One step of some rows in place; `nudge` is its offset [rows, units] and its gain per row.
    pub fn advance(
        &self,
        ctx: &Ctx,
        drive: View<'_>,
        nudge: Option<(View<'_>, &[f64])>,
        h: ViewMut<'_>,
        out: ViewMut<'_>,
        change: &mut [f64],
    ) {
        let own = self.own_rows(drive);
        self.model.advance(ctx, Inputs { own: own.view(), drive, nudge }, h, out, change);
    }

    /// Backwards through a free step, as [`Population::backward`]; returns the gradients of the units' own numbers,
    /// [K·rows, units].
    pub fn backward(
        &self,
        ctx: &Ctx,
        drive: View<'_>,
        before: View<'_>,
        g_out: View<'_>,
        g_state: ViewMut<'_>,
        g_drive: ViewMut<'_>,
    ) -> Mat {
        let mut g_own = Mat::zeros(drive.dtype(), self.own.len() * drive.rows(), self.units);
        let g = Gradients { out: g_out, state: g_state, drive: g_drive, own: g_own.view_mut() };
        self.model.backward(ctx, Inputs { own: self.own_rows(drive).view(), drive, nudge: None }, before, g);
        g_own
    }

    /// Backwards through a step in time, as [`Population::backward_in_time`].
    pub fn backward_in_time(&self, ctx: &Ctx, drive: View<'_>, before: View<'_>, g: StepGradients<'_>) {
        let own = self.own_rows(drive);
        self.model.backward_in_time(ctx, Inputs { own: own.view(), drive, nudge: None }, before, g);
    }

    /// The numbers of the units' own, one row each; those of a channel stand at all of its places.
    fn own_rows(&self, like: View<'_>) -> Mat {
        let mut rows = Mat::zeros(like.dtype(), self.own.len(), self.units);
        dispatch!(rows.dtype(), T => for (k, own) in self.own.iter().enumerate() {
            repeat_row::<T>(own.value.mat(), rows.view_mut().row_mut(k));
        });
        rows
    }
}

fn repeat_row<T: Elem>(values: &Mat, to: &mut [T]) {
    let values = values.slice::<T>();
    to.chunks_exact_mut(values.len()).for_each(|place| place.copy_from_slice(values));
}
