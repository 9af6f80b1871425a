//! Synapses that are scalar functions: proposal, weight and further state variables in, weight and state out, swept over a
//! tile with as many weights at a time as registers hold.

use super::{Draw, Info, Synapse};
use bouton_kernels::{Elem, Elements, Pointwise, Real, View, ViewMut, dispatch, pointwise, vectorize};

/// One weight as a scalar update rule of `V` values: the weight, then its states.
pub trait UpdateRule<const V: usize>: Copy + Send + Sync + std::fmt::Debug {
    /// Names of the states, for checkpoints.
    const STATES: &'static [&'static str];
    /// What the updater has to know. Rules that are not stochastic are given several weights at a time; the others stand in a
    /// loop that the compiler vectorises.
    const INFO: Info;
    /// The first values, from a weight drawn by the wiring.
    fn init<T: Real>(&self, drawn: T, draw: Draw) -> [T; V];
    /// The values after the proposal `delta`; after minus the gradient for rules with a step size of their own.
    fn update<T: Real>(&self, delta: T, values: [T; V], draw: Draw) -> [T; V];
    /// The values after one of several draws that share an update: `delta`, its part of the proposal, is kept for `update`, and
    /// the weight is drawn anew. Asked of Bayesian rules only; default: as they are.
    fn accumulate<T: Real>(&self, _delta: T, values: [T; V], _draw: Draw) -> [T; V] {
        values
    }
    /// The values after the end of a task. Asked of rules that change there; default: as they are.
    fn on_task_end<T: Real>(&self, values: [T; V]) -> [T; V] {
        values
    }
    /// A fresh sample of the weight's distribution, or its mean without `draw`. Asked of Bayesian rules only; default: the
    /// weight.
    fn sample_or_mean<T: Real>(&self, values: [T; V], _draw: Option<Draw>) -> T {
        values[0]
    }
}

/// The [`Synapse`] of a [`UpdateRule`] rule.
#[derive(Clone, Copy, Debug)]
pub struct ElementwiseSynapse<R, const V: usize>(pub R);

impl<R: UpdateRule<V> + 'static, const V: usize> Synapse for ElementwiseSynapse<R, V> {
    fn states(&self) -> Vec<String> {
        owned(R::STATES)
    }

    fn info(&self) -> Info {
        R::INFO
    }

    fn init(&self, key: u64, mut weight: ViewMut<'_>, state: &mut [ViewMut<'_>]) {
        dispatch!(weight.dtype(), T => {
            let mut values = array::<T, V>(&mut weight, state);
            for i in 0..values[0].len() {
                let new = self.0.init(values[0][i], Draw { key, index: i as u64 });
                values.iter_mut().zip(new).for_each(|(v, new)| v[i] = new);
            }
        });
    }

    fn update(
        &self,
        key: u64,
        at: usize,
        delta: View<'_>,
        mut weight: ViewMut<'_>,
        state: &mut [ViewMut<'_>],
    ) {
        dispatch!(delta.dtype(), T => {
            let (rule, delta, values) = (self.0, delta.slice::<T>(), array::<T, V>(&mut weight, state));
            if const { R::INFO.stochastic } {
                vectorize(#[inline(always)] move || {
                    one_by_one(#[inline(always)] move |d, old, draw| rule.update(d, old, draw), key, at, delta, values);
                });
            } else {
                let elements = Elements { own: [], input: [delta], state: [], out: values };
                pointwise(Deterministic::<R, V>(rule), [], elements);
            }
        });
    }

    fn accumulate(
        &self,
        key: u64,
        at: usize,
        delta: View<'_>,
        mut weight: ViewMut<'_>,
        state: &mut [ViewMut<'_>],
    ) {
        if const { R::INFO.bayesian } {
            dispatch!(delta.dtype(), T => {
                let (rule, delta, values) = (self.0, delta.slice::<T>(), array::<T, V>(&mut weight, state));
                vectorize(#[inline(always)] move || {
                    one_by_one(#[inline(always)] move |d, old, draw| rule.accumulate(d, old, draw), key, at, delta, values);
                });
            });
        }
    }

    fn on_task_end(&self, mut weight: ViewMut<'_>, state: &mut [ViewMut<'_>]) {
        dispatch!(weight.dtype(), T => {
            let mut values = array::<T, V>(&mut weight, state);
            for i in 0..values[0].len() {
                let new = self.0.on_task_end(std::array::from_fn(|k| values[k][i]));
                values.iter_mut().zip(new).for_each(|(v, new)| v[i] = new);
            }
        });
    }

    fn sample_or_mean(&self, key: Option<u64>, mut weight: ViewMut<'_>, state: &mut [ViewMut<'_>]) {
        dispatch!(weight.dtype(), T => {
            let values = array::<T, V>(&mut weight, state);
            for i in 0..values[0].len() {
                let draw = key.map(|key| Draw { key, index: i as u64 });
                values[0][i] = self.0.sample_or_mean(std::array::from_fn(|k| values[k][i]), draw);
            }
        });
    }
}

/// Hands the proposals of a tile to `update`, the first of which is for weight number `at`.
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
struct Deterministic<R, const V: usize>(R);

impl<R: UpdateRule<V>, const V: usize> Pointwise<0, 0, 1, 0, V> for Deterministic<R, V> {
    #[inline(always)]
    fn at<T: Real>(self, _: [T; 0], _: [T; 0], [delta]: [T; 1], _: [T; 0], old: [T; V]) -> ([T; 0], [T; V]) {
        ([], self.0.update(delta, old, Draw { key: 0, index: 0 }))
    }
}

/// The weights, then their states one by one.
pub(super) fn values<'a, T: Elem>(
    weight: &'a mut ViewMut<'_>,
    state: &'a mut [ViewMut<'_>],
) -> impl Iterator<Item = &'a mut [T]> {
    std::iter::once(weight.slice_mut::<T>()).chain(state.iter_mut().map(|v| v.slice_mut::<T>()))
}

/// The weights and a number of states that the rule knows.
pub(super) fn array<'a, T: Elem, const V: usize>(
    weight: &'a mut ViewMut<'_>,
    state: &'a mut [ViewMut<'_>],
) -> [&'a mut [T]; V] {
    let mut all = values::<T>(weight, state);
    std::array::from_fn(|_| all.next().expect("as many matrices as the rule has values"))
}

pub(super) fn owned(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use bouton_kernels::{DType, Mat};

    /// Moves only after two proposals: half of each is kept back.
    #[derive(Clone, Copy, Debug)]
    struct Lagging;

    impl UpdateRule<2> for Lagging {
        const STATES: &'static [&'static str] = &["kept"];
        const INFO: Info = Info::PLAIN;

        fn init<T: Real>(&self, drawn: T, _: Draw) -> [T; 2] {
            [drawn, T::constant(0.0)]
        }

        fn update<T: Real>(&self, delta: T, [weight, kept]: [T; 2], _: Draw) -> [T; 2] {
            let half = delta * T::constant(0.5);
            [weight + half + kept, half]
        }
    }

    /// Adds the place of the weight, in hundreds.
    #[derive(Clone, Copy, Debug)]
    struct Placed;

    impl UpdateRule<1> for Placed {
        const STATES: &'static [&'static str] = &[];
        const INFO: Info = Info { stochastic: true, ..Info::PLAIN };

        fn init<T: Real>(&self, drawn: T, _: Draw) -> [T; 1] {
            [drawn]
        }

        fn update<T: Real>(&self, delta: T, [weight]: [T; 1], draw: Draw) -> [T; 1] {
            [weight + delta + T::constant(100.0 * draw.index as f64)]
        }
    }

    #[test]
    fn a_rule_that_draws_knows_the_place_of_its_weight() {
        let mut w = Mat::zeros(DType::F32, 1, 2);
        let delta = Mat::from_f64s(DType::F32, 1, 2, &[1.0, 2.0]);
        ElementwiseSynapse(Placed).update(0, 3, delta.view(), w.view_mut(), &mut []);
        assert_eq!(w.to_f64s(), [301.0, 402.0]);
    }

    #[test]
    fn state_variables_survive_between_updates() {
        let row = |v: &[f64]| Mat::from_f64s(DType::F64, 1, 2, v);
        let (mut w, mut state) = (row(&[1.0, 2.0]), row(&[9.0, 9.0]));
        let synapse = ElementwiseSynapse(Lagging);
        assert_eq!(synapse.states(), ["kept"]);
        synapse.init(0, w.view_mut(), &mut [state.view_mut()]);
        for _ in 0..2 {
            synapse.update(0, 0, row(&[1.0, -2.0]).view(), w.view_mut(), &mut [state.view_mut()]);
        }
        assert_eq!(w.to_f64s(), [2.5, -1.0]);
        assert_eq!(state.to_f64s(), [0.5, -1.0]);
    }
}
