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
pub struct Rule<R, const S: usize>(pub R);

impl<R: Scalar<S>, const S: usize> Synapse for Rule<R, S> {
    fn slots(&self) -> usize {
        S
    }

    fn take(&self, delta: View<'_>, mut weight: ViewMut<'_>, state: &mut [ViewMut<'_>]) {
        dispatch!(delta.dtype(), T => {
            let mut state = state.iter_mut();
            let state = std::array::from_fn(|_| state.next().map_or(&mut [][..], |s| s.slice_mut::<T>()));
            take(&self.0, delta.slice::<T>(), weight.slice_mut::<T>(), state);
        });
    }
}

fn take<R: Scalar<S>, T: Elem, const S: usize>(
    rule: &R,
    delta: &[T],
    weight: &mut [T],
    state: [&mut [T]; S],
) {
    let rule = *rule;
    vectorize(
        #[inline(always)]
        move || {
            let n = delta.len();
            let weight = &mut weight[..n];
            let state = state.map(|s| &mut s[..n]);
            for i in 0..n {
                let (w, new) = rule.take(delta[i], weight[i], std::array::from_fn(|k| state[k][i]));
                weight[i] = w;
                for k in 0..S {
                    state[k][i] = new[k];
                }
            }
        },
    );
}

#[cfg(test)]
mod tests {
    use super::*;
    use bouton_kernels::{DType, Mat};

    /// Moves only after two proposals: half of each is kept back.
    #[derive(Clone, Copy, Debug)]
    struct Lagging;

    impl Scalar<1> for Lagging {
        fn take<T: Real>(&self, delta: T, weight: T, [kept]: [T; 1]) -> (T, [T; 1]) {
            let half = delta * T::lit(0.5);
            (weight + half + kept, [half])
        }
    }

    #[test]
    fn state_variables_survive_between_updates() {
        let row = |v: &[f64]| Mat::from_f64s(DType::F64, 1, 2, v);
        let (mut w, mut state) = (row(&[1.0, 2.0]), row(&[0.0, 0.0]));
        let synapse = Rule(Lagging);
        assert_eq!(synapse.slots(), 1);
        for _ in 0..2 {
            synapse.take(row(&[1.0, -2.0]).view(), w.view_mut(), &mut [state.view_mut()]);
        }
        assert_eq!(w.to_f64s(), [2.5, -1.0]);
        assert_eq!(state.to_f64s(), [0.5, -1.0]);
    }
}
