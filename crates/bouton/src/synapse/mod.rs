//! How a weight takes an update.
//!
//! A synapse is a scalar function too: proposal, weight and `S` further state variables in, weight and state out. One
//! blanket vectorises it in tiles; [`crate::optim::Updater`] is the only caller.

mod bayesbinn;
mod beakers;
mod bimu;
mod binary;
mod binary_beakers;
mod bop;
mod cascade;
mod draw;
mod mesu;
mod metaplastic;
mod plain;
mod rram;
mod rram_device;
mod soft_bounds;

pub use bayesbinn::BayesBiNn;
pub use beakers::Beakers;
pub use bimu::BiMu;
pub use binary::{Binary, SignOfZero};
pub use binary_beakers::BinaryBeakers;
pub use bop::Bop;
pub use cascade::Cascade;
pub use draw::Draw;
pub use mesu::Mesu;
pub use metaplastic::Metaplastic;
pub use plain::Plain;
pub use rram::{RRAM_STATE, Rram, log_ratio};
pub use soft_bounds::SoftBound;

use crate::Result;
use bouton_kernels::{Elem, Pointwise, Real, View, ViewMut, dispatch, pointwise, vectorize};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The synapse axis of a recipe: `[synapse.<name>]`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum SynapseSpec {
    /// A real number that takes every proposal as it is.
    Plain(Plain),
    /// The sign of a hidden weight.
    Binary(Binary),
    /// The sign of a hidden weight that is the harder to flip the larger it is.
    Metaplastic(Metaplastic),
    /// A sign without hidden weight that flips when its gradients agree.
    Bop(Bop),
    /// A real number that shares its changes with a chain of ever slower variables.
    Beakers(Beakers),
    /// A sign with ever more stable levels.
    Cascade(Cascade),
    /// A sign drawn from a distribution that the last tasks leave behind.
    #[serde(rename = "bayesbinn")]
    BayesBiNn(BayesBiNn),
    /// A sign drawn from a distribution whose variance sets the step; relaxed in training.
    #[serde(rename = "bimu")]
    BiMu(BiMu),
    /// A real number drawn from a normal distribution whose variance sets the step.
    Mesu(Mesu),
    /// The sign of a hidden weight that leads a chain of ever slower variables.
    BinaryBeakers(BinaryBeakers),
    /// The sign of the difference of two resistive devices.
    Rram(Rram),
    /// An analog resistive device with bounds.
    SoftBounds(SoftBound),
}

impl Default for SynapseSpec {
    fn default() -> Self {
        Self::Plain(Plain::default())
    }
}

impl SynapseSpec {
    /// The synapse of connection `layer`, counted from 0 at the input; `key` draws what its devices keep for good.
    ///
    /// # Errors
    /// If a device preset cannot be read.
    pub fn build(&self, layer: usize, key: u64) -> Result<Box<dyn Synapse>> {
        Ok(match self {
            Self::Plain(rule) => Box::new(Rule(*rule)),
            Self::Binary(rule) => Box::new(Rule(*rule)),
            Self::Metaplastic(spec) => Box::new(Rule(spec.at(layer))),
            Self::Bop(rule) => Box::new(Rule(*rule)),
            Self::Beakers(spec) => spec.build(),
            Self::Cascade(rule) => Box::new(Rule(*rule)),
            Self::BayesBiNn(rule) => Box::new(Rule(*rule)),
            Self::BiMu(rule) => Box::new(Rule(*rule)),
            Self::Mesu(spec) => Box::new(Rule(spec.at(layer))),
            Self::BinaryBeakers(spec) => spec.build(),
            Self::Rram(spec) => spec.build(key)?,
            Self::SoftBounds(spec) => spec.build()?,
        })
    }

    /// Whether weights have two values and keep theirs until an update turns it: drawn signs turn by themselves.
    pub fn binary(&self) -> bool {
        match self {
            Self::Metaplastic(s) => !s.real,
            Self::Binary(_) | Self::Bop(_) | Self::Cascade(_) | Self::BinaryBeakers(_) | Self::Rram(_) => {
                true
            }
            _ => false,
        }
    }

    /// The population of its devices: the name of a preset, a file, or the text of one.
    pub fn device_mut(&mut self) -> Option<&mut String> {
        match self {
            Self::Rram(spec) => spec.device.as_mut(),
            Self::SoftBounds(spec) => spec.device.as_mut(),
            _ => None,
        }
    }

    /// Reads the population of its devices, if it has one.
    ///
    /// # Errors
    /// With what is wrong with its file.
    pub fn check_device(&self) -> Result<()> {
        match self {
            Self::Rram(spec) => spec.parameters().map(drop),
            Self::SoftBounds(spec) => spec.parameters().map(drop),
            _ => Ok(()),
        }
    }

    /// Whether weights are exactly ±1 and keep their sign until an update turns it.
    pub fn signs(&self) -> bool {
        let ones = match self {
            Self::Binary(Binary { scale, zero, .. })
            | Self::Metaplastic(Metaplastic { scale, zero, .. })
            | Self::BinaryBeakers(BinaryBeakers { scale, zero, .. })
            | Self::Rram(Rram { scale, zero, .. }) => *scale == 1.0 && *zero == SignOfZero::Plus,
            Self::Bop(Bop { scale, .. }) | Self::Cascade(Cascade { scale, .. }) => *scale == 1.0,
            _ => false,
        };
        ones && self.binary()
    }

    /// Whether weights are the signs of hidden weights.
    pub fn has_hidden_sign(&self) -> bool {
        self.binary() && self.build(0, 0).is_ok_and(|synapse| synapse.hidden().is_some())
    }

    /// Whether the synapse takes gradients instead of an optimiser's proposals.
    pub fn raw(&self) -> bool {
        self.build(0, 0).is_ok_and(|synapse| synapse.raw())
    }
}

/// One weight as a scalar update rule of `V` values: the weight, then its state.
pub trait Scalar<const V: usize>: Copy + Send + Sync + std::fmt::Debug {
    /// Names of the state values, for checkpoints.
    const STATE: &'static [&'static str];
    /// The state that plays the weight's part for the optimiser's decay and for anchors on hidden weights; default: the
    /// weight itself.
    const HIDDEN: Option<usize> = None;
    /// Whether the rule has its own step sizes: then `delta` is minus the gradient and no optimiser proposes.
    const RAW: bool = false;
    /// Whether `take` uses random numbers. Rules that do not are given several weights at a time; the others stand in a loop
    /// that the compiler vectorises.
    const DRAWS: bool = false;
    /// Whether the weight is a sample of a distribution; `answer` then says which weight answers.
    const SAMPLED: bool = false;
    /// The first values, from a weight drawn by the wiring.
    fn begin<T: Real>(&self, drawn: T, draw: Draw) -> [T; V];
    /// The values after the proposal `delta`.
    fn take<T: Real>(&self, delta: T, values: [T; V], draw: Draw) -> [T; V];
    /// The values after one of several draws that share an update: `delta`, its part of the proposal, is kept for `take`, and
    /// the weight is drawn anew. Default, for weights that are no samples: as they are.
    fn gather<T: Real>(&self, _delta: T, values: [T; V], _draw: Draw) -> [T; V] {
        values
    }
    /// The values after the end of a task; default: as they are.
    fn task_ended<T: Real>(&self, values: [T; V]) -> [T; V] {
        values
    }
    /// A fresh sample of the weight's distribution, or its mean without `draw`; default: the weight.
    fn answer<T: Real>(&self, values: [T; V], _draw: Option<Draw>) -> T {
        values[0]
    }
}

/// A synapse as the network sees it: elementwise over a tile of a weight matrix.
pub trait Synapse: Send + Sync + std::fmt::Debug {
    /// Names of the state matrices beside the weight, each of its shape.
    fn state(&self) -> Vec<String>;
    /// The state matrix that plays the weight's part for decay and anchors; `None`, the default: the weight.
    fn hidden(&self) -> Option<usize> {
        None
    }
    /// Whether `take` wants minus the gradient instead of a proposal; default: no.
    fn raw(&self) -> bool {
        false
    }
    /// Whether `take` uses random numbers; default: no.
    fn draws(&self) -> bool {
        false
    }
    /// Turns drawn numbers into the first weights and states.
    fn begin(&self, key: u64, weight: ViewMut<'_>, state: &mut [ViewMut<'_>]);
    /// Changes `weight` and its state by the proposal `delta`; the tile's first weight is number `at` of its matrix.
    fn take(&self, key: u64, at: usize, delta: View<'_>, weight: ViewMut<'_>, state: &mut [ViewMut<'_>]);
    /// Keeps `delta`, the part of one of several draws in a proposal, for [`Synapse::take`], and draws weights anew, tile by tile
    /// as there; default, for weights that are no samples: nothing happens.
    fn gather(
        &self,
        _key: u64,
        _at: usize,
        _delta: View<'_>,
        _weight: ViewMut<'_>,
        _state: &mut [ViewMut<'_>],
    ) {
    }
    /// Tells a whole matrix of weights that a task ended; default: nothing happens.
    fn task_ended(&self, _weight: ViewMut<'_>, _state: &mut [ViewMut<'_>]) {}
    /// Whether weights are samples of distributions.
    fn sampled(&self) -> bool {
        false
    }
    /// Overwrites a whole matrix of weights with samples of their distributions, drawn by `key`, or with their means
    /// without one; default: weights stay.
    fn answer(&self, _key: Option<u64>, _weight: ViewMut<'_>, _state: &mut [ViewMut<'_>]) {}
}

/// The [`Synapse`] of a [`Scalar`] rule.
#[derive(Clone, Copy, Debug)]
pub struct Rule<R, const V: usize>(pub R);

impl<R: Scalar<V> + 'static, const V: usize> Synapse for Rule<R, V> {
    fn state(&self) -> Vec<String> {
        owned(R::STATE)
    }

    fn hidden(&self) -> Option<usize> {
        R::HIDDEN
    }

    fn raw(&self) -> bool {
        R::RAW
    }

    fn draws(&self) -> bool {
        R::DRAWS
    }

    fn begin(&self, key: u64, mut weight: ViewMut<'_>, state: &mut [ViewMut<'_>]) {
        dispatch!(weight.dtype(), T => {
            let mut values = array::<T, V>(&mut weight, state);
            for i in 0..values[0].len() {
                let new = self.0.begin(values[0][i], Draw { key, index: i as u64 });
                values.iter_mut().zip(new).for_each(|(v, new)| v[i] = new);
            }
        });
    }

    fn take(&self, key: u64, at: usize, delta: View<'_>, mut weight: ViewMut<'_>, state: &mut [ViewMut<'_>]) {
        dispatch!(delta.dtype(), T => {
            let (rule, delta, values) = (self.0, delta.slice::<T>(), array::<T, V>(&mut weight, state));
            if R::DRAWS {
                vectorize(#[inline(always)] move || {
                    one_by_one(#[inline(always)] move |d, old, draw| rule.take(d, old, draw), key, at, delta, values);
                });
            } else {
                pointwise(Certain::<R, V>(rule), [], [delta], values);
            }
        });
    }

    fn gather(
        &self,
        key: u64,
        at: usize,
        delta: View<'_>,
        mut weight: ViewMut<'_>,
        state: &mut [ViewMut<'_>],
    ) {
        if R::SAMPLED {
            dispatch!(delta.dtype(), T => {
                let (rule, delta, values) = (self.0, delta.slice::<T>(), array::<T, V>(&mut weight, state));
                vectorize(#[inline(always)] move || {
                    one_by_one(#[inline(always)] move |d, old, draw| rule.gather(d, old, draw), key, at, delta, values);
                });
            });
        }
    }

    fn task_ended(&self, mut weight: ViewMut<'_>, state: &mut [ViewMut<'_>]) {
        dispatch!(weight.dtype(), T => {
            let mut values = array::<T, V>(&mut weight, state);
            for i in 0..values[0].len() {
                let new = self.0.task_ended(std::array::from_fn(|k| values[k][i]));
                values.iter_mut().zip(new).for_each(|(v, new)| v[i] = new);
            }
        });
    }

    fn sampled(&self) -> bool {
        R::SAMPLED
    }

    fn answer(&self, key: Option<u64>, mut weight: ViewMut<'_>, state: &mut [ViewMut<'_>]) {
        dispatch!(weight.dtype(), T => {
            let values = array::<T, V>(&mut weight, state);
            for i in 0..values[0].len() {
                let draw = key.map(|key| Draw { key, index: i as u64 });
                values[0][i] = self.0.answer(std::array::from_fn(|k| values[k][i]), draw);
            }
        });
    }
}

/// Hands the proposals of a tile to `take`, the first of which is for weight number `at`.
#[inline(always)]
fn one_by_one<T: Elem, const V: usize>(
    take: impl Fn(T, [T; V], Draw) -> [T; V],
    key: u64,
    at: usize,
    delta: &[T],
    values: [&mut [T]; V],
) {
    let n = delta.len();
    let values = values.map(|v| &mut v[..n]);
    for i in 0..n {
        let old = std::array::from_fn(|k| values[k][i]);
        let new = take(delta[i], old, Draw { key, index: (at + i) as u64 });
        for k in 0..V {
            values[k][i] = new[k];
        }
    }
}

/// A rule without random numbers, as an equation.
#[derive(Clone, Copy)]
struct Certain<R, const V: usize>(R);

impl<R: Scalar<V>, const V: usize> Pointwise<0, 1, V> for Certain<R, V> {
    #[inline(always)]
    fn at<T: Real>(self, _: [T; 0], [delta]: [T; 1], old: [T; V]) -> [T; V] {
        self.0.take(delta, old, Draw { key: 0, index: 0 })
    }
}

/// The weights, then their states one by one.
fn values<'a, T: Elem>(
    weight: &'a mut ViewMut<'_>,
    state: &'a mut [ViewMut<'_>],
) -> impl Iterator<Item = &'a mut [T]> {
    std::iter::once(weight.slice_mut::<T>()).chain(state.iter_mut().map(|v| v.slice_mut::<T>()))
}

/// The weights and a number of states that the rule knows.
fn array<'a, T: Elem, const V: usize>(
    weight: &'a mut ViewMut<'_>,
    state: &'a mut [ViewMut<'_>],
) -> [&'a mut [T]; V] {
    let mut all = values::<T>(weight, state);
    std::array::from_fn(|_| all.next().expect("as many matrices as the rule has values"))
}

fn owned(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use bouton_kernels::{DType, Mat};

    /// Moves only after two proposals: half of each is kept back.
    #[derive(Clone, Copy, Debug)]
    struct Lagging;

    impl Scalar<2> for Lagging {
        const STATE: &'static [&'static str] = &["kept"];

        fn begin<T: Real>(&self, drawn: T, _: Draw) -> [T; 2] {
            [drawn, T::lit(0.0)]
        }

        fn take<T: Real>(&self, delta: T, [weight, kept]: [T; 2], _: Draw) -> [T; 2] {
            let half = delta * T::lit(0.5);
            [weight + half + kept, half]
        }
    }

    /// Adds the place of the weight, in hundreds.
    #[derive(Clone, Copy, Debug)]
    struct Placed;

    impl Scalar<1> for Placed {
        const STATE: &'static [&'static str] = &[];
        const DRAWS: bool = true;

        fn begin<T: Real>(&self, drawn: T, _: Draw) -> [T; 1] {
            [drawn]
        }

        fn take<T: Real>(&self, delta: T, [weight]: [T; 1], draw: Draw) -> [T; 1] {
            [weight + delta + T::lit(100.0 * draw.index as f64)]
        }
    }

    #[test]
    fn a_rule_that_draws_knows_the_place_of_its_weight() {
        let mut w = Mat::zeros(DType::F32, 1, 2);
        let delta = Mat::from_f64s(DType::F32, 1, 2, &[1.0, 2.0]);
        Rule(Placed).take(0, 3, delta.view(), w.view_mut(), &mut []);
        assert_eq!(w.to_f64s(), [301.0, 402.0]);
    }

    #[test]
    fn state_variables_survive_between_updates() {
        let row = |v: &[f64]| Mat::from_f64s(DType::F64, 1, 2, v);
        let (mut w, mut state) = (row(&[1.0, 2.0]), row(&[9.0, 9.0]));
        let synapse = Rule(Lagging);
        assert_eq!(synapse.state(), ["kept"]);
        synapse.begin(0, w.view_mut(), &mut [state.view_mut()]);
        for _ in 0..2 {
            synapse.take(0, 0, row(&[1.0, -2.0]).view(), w.view_mut(), &mut [state.view_mut()]);
        }
        assert_eq!(w.to_f64s(), [2.5, -1.0]);
        assert_eq!(state.to_f64s(), [0.5, -1.0]);
    }
}
