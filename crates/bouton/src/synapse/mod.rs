//! How a weight takes an update.
//!
//! A synapse is a scalar function too: proposal, weight and `S` further state variables in, weight and state out. One
//! blanket vectorises it in tiles; [`crate::optim::Updater`] is the only caller.

mod plain;

pub use plain::Plain;

use bouton_kernels::{Elem, Real, View, ViewMut, dispatch, vectorize};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The synapse axis of a recipe: `[synapse.<name>]`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum SynapseSpec {
    /// A real number that takes every proposal as it is.
    Plain(Plain),
}

impl Default for SynapseSpec {
    fn default() -> Self {
        Self::Plain(Plain::default())
    }
}

impl SynapseSpec {
    /// The synapse itself.
    pub fn build(&self) -> Box<dyn Synapse> {
        match self {
            Self::Plain(rule) => Box::new(Rule(*rule)),
        }
    }
}

/// One weight as a scalar update rule with `S` state variables beside the weight.
pub trait Scalar<const S: usize>: Copy + Send + Sync + std::fmt::Debug {
    /// The weight and the state after the proposal `delta`.
    fn take<T: Real>(&self, delta: T, weight: T, state: [T; S]) -> (T, [T; S]);
}

/// A synapse as the updater sees it: elementwise over one tile of a weight matrix.
pub trait Synapse: Send + Sync + std::fmt::Debug {
    /// State matrices beside the weight, each of its shape.
    fn slots(&self) -> usize;
    /// Changes `weight` and its state by the proposal `delta`.
    fn take(&self, delta: View<'_>, weight: ViewMut<'_>, state: &mut [ViewMut<'_>]);
}

/// The [`Synapse`] of a [`Scalar`] rule.
#[derive(Clone, Copy, Debug)]
pub struct Rule<R>(pub R);

impl<R: Scalar<0>> Synapse for Rule<R> {
    fn slots(&self) -> usize {
        0
    }

    fn take(&self, delta: View<'_>, mut weight: ViewMut<'_>, _: &mut [ViewMut<'_>]) {
        dispatch!(delta.dtype(), T => take(&self.0, delta.slice::<T>(), weight.slice_mut::<T>()));
    }
}

fn take<R: Scalar<0>, T: Elem>(rule: &R, delta: &[T], weight: &mut [T]) {
    vectorize(
        #[inline(always)]
        || {
            for (w, &d) in weight.iter_mut().zip(delta) {
                *w = rule.take(d, *w, []).0;
            }
        },
    );
}
