//! What the outcome should have been.

mod given;
mod head;
mod heads;
mod hinge;
mod metric;
mod squared_error;
mod target;
mod xent;

pub use given::Given;
pub use head::Head;
pub use heads::Heads;
pub use hinge::SquaredHinge;
pub use metric::{METRICS, Metric, Sums, Unit};
pub use squared_error::SquaredError;
pub use target::{Target, TargetKind, TargetView};
pub use xent::SoftmaxCrossEntropy;

use crate::axis::{Cite, axis};
use crate::own::Own;
use bouton_kernels::{Elem, View, ViewMut, dispatch};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::ops::Range;

axis! {
    /// The objective of a recipe: `[objective.<name>]`.
    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
    #[serde(rename_all = "kebab-case", deny_unknown_fields)]
    pub enum ObjectiveSpec: ObjectiveMethod {
        /// ½‖s − y‖² on the output population, which is part of the dynamics of a settling network.
        SquaredError(SquaredError),
        /// Cross-entropy of a softmax readout, which is not part of the dynamics of a settling network.
        SoftmaxCrossEntropy(SoftmaxCrossEntropy),
        /// Squared hinge on ±1 targets, of a feed-forward network.
        SquaredHinge(SquaredHinge),
    }
}

/// What a recipe's objective says of itself, in its own file.
pub trait ObjectiveMethod: std::fmt::Debug {
    /// The publications that it comes from, in a network that settles or in one that does not.
    fn cites(&self, settles: bool) -> Vec<Cite>;
    /// What the other axes may ask.
    fn traits(&self) -> LossTraits;
    /// Numbers of its own that are learned with the network.
    fn own(&self) -> Vec<Own>;
    /// Settings for the tests of every member, in which each word and each switch occurs.
    fn examples() -> Vec<Self>
    where
        Self: Sized;
    /// The objective itself.
    fn build(&self) -> Box<dyn Objective>;
}

/// What the other axes may ask of an objective.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LossTraits {
    /// Whether it is minus the logarithm of a probability.
    pub log_likelihood: bool,
    /// Whether it continues to complex outputs.
    pub analytic: bool,
    /// What outputs have to be.
    pub outputs: Outputs,
    /// What it compares outputs with.
    pub targets: &'static [TargetKind],
}

/// What the outputs are that an objective judges.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outputs {
    /// Whatever the output units send; they can be part of a settling network.
    States,
    /// Logits of a linear readout behind the network.
    Logits,
    /// Numbers whose sign is the answer, of a linear readout.
    Signs,
}

impl Default for ObjectiveSpec {
    fn default() -> Self {
        Self::SquaredError(SquaredError::default())
    }
}

impl ObjectiveSpec {
    /// The objective itself.
    pub fn build(&self) -> Box<dyn Objective> {
        self.method().build()
    }
}

/// What the rows of an output are compared with.
#[derive(Clone, Copy, Debug)]
pub struct Targets<'a> {
    /// What each row should come to.
    pub rows: TargetView<'a>,
    /// Place of each row's sample in its batch.
    pub samples: &'a [usize],
    /// Values of the objective's own parameters, those of [`ObjectiveMethod::own`].
    pub own: &'a [f64],
}

/// A loss ℓ(output, target) per sample. Outputs are [rows, outputs]; nothing is divided by the batch size.
pub trait Objective: Send + Sync + std::fmt::Debug {
    /// Overwrites `err` with ∂ℓ/∂output and `loss` with ℓ, row by row.
    fn error(&self, out: View<'_>, targets: Targets<'_>, err: ViewMut<'_>, loss: &mut [f64]);
    /// As `error`, continued to complex outputs: the first half of the rows of `out` and `err` holds real parts, the second
    /// half imaginary ones; false if the objective is not analytic.
    fn error_complex(&self, out: View<'_>, targets: Targets<'_>, err: ViewMut<'_>) -> bool;
    /// Adds ∂ℓ/∂θ, summed over rows, to `sums`, one for each of its own parameters θ. Default: it has none.
    fn own_gradient(&self, _out: View<'_>, _targets: Targets<'_>, sums: &mut [f64]) {
        assert!(sums.is_empty(), "an objective with parameters of its own has their gradient");
    }
    /// Whether ℓ = ½‖out − y‖², so that a nudge is a spring towards y.
    fn is_squared_error(&self) -> bool;
    /// A loss from outside, whose gradients have any size, as one of gradients of size 1 and the size of each sample's.
    /// Default: the loss is one whose gradients nudges are made for.
    fn unit(&self) -> Option<(Given, Vec<f64>)> {
        None
    }
    /// Overwrites outputs by that in which the answers of several networks are averaged: probabilities, if there are any.
    /// Default: the outputs.
    fn to_probabilities(&self, _out: ViewMut<'_>, _own: &[f64]) {}
    /// Temperature of the softmax that is the map to probabilities. Default: it is none.
    fn softmax(&self, _own: &[f64]) -> Option<f64> {
        None
    }
    /// Overwrites such an average by outputs that stand for it. Default: the average.
    fn to_outputs(&self, _belief: ViewMut<'_>, _own: &[f64]) {}
    /// The outputs that take part for a sample of class `label`, of `outputs`: those of the task in a network with one head
    /// per task. Default: all.
    fn active(&self, outputs: usize, _label: u16) -> Range<usize> {
        0..outputs
    }
}

impl<'a> Targets<'a> {
    /// Classes alone, row r being sample r, for objectives that look at nothing else.
    pub fn classes(labels: &'a [u16]) -> Self {
        Self { rows: TargetView::Classes(labels), samples: &[], own: &[] }
    }
}

/// Index of the largest of a row's `active` outputs, for every row; the first one at a tie.
pub fn predictions(out: View<'_>, active: impl Fn(usize) -> Range<usize>) -> Vec<usize> {
    dispatch!(out.dtype(), T => (0..out.rows()).map(|r| largest(out.row::<T>(r), active(r))).collect())
}

fn largest<T: Elem>(row: &[T], active: Range<usize>) -> usize {
    active.clone().fold(active.start, |best, i| if row[i] > row[best] { i } else { best })
}
