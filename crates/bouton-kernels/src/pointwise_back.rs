//! Backwards through an equation of [`Pointwise`]: the same source in dual numbers of whole registers, one direction after the
//! other. The compiler shares what the directions have in common, and nobody writes an adjoint.

use pulp::{Simd, WithSimd};

use crate::account::count;
use crate::pack::Pack;
use crate::simd::{at, best_for};
use crate::{DType, Dual, Elem, Level, Pointwise, Real};

/// What the way back through an equation reads and replaces; all slices are equally long.
#[derive(Debug)]
pub struct Slopes<'a, 'v, T, const K: usize, const I: usize, const S: usize> {
    /// Numbers of the element's own.
    pub own: [&'a [T]; K],
    /// Inputs.
    pub input: [&'a [T]; I],
    /// States before the step.
    pub state: [&'a [T]; S],
    /// Gradient with respect to the output after it.
    pub g_out: &'a [T],
    /// Gradient with respect to the states after it, replaced by that of the states before it.
    pub g_state: [&'v mut [T]; S],
    /// Replaced by the gradient with respect to the inputs.
    pub g_input: [&'v mut [T]; I],
    /// Sums that the gradients of the elements' own numbers are added to, if anybody wants them.
    pub g_own: Option<[&'v mut [T]; K]>,
}

/// Back through one step of every element. The equation's output must not depend on the output before it.
///
/// The same bits for every instruction set and however the elements are cut into slices.
pub fn pointwise_back<T: Elem, F, const P: usize, const K: usize, const I: usize, const S: usize>(
    f: F,
    params: [T; P],
    slopes: Slopes<'_, '_, T, K, I, S>,
) where
    F: Pointwise<P, K, I, S, 1>,
{
    let all = All::new(f, params, slopes);
    let n = all.slopes.g_out.len();
    count((I + S) * (K + I + S + 1) * n, (2 * I + K + 3 * S + 1) * n * size_of::<T>());
    best_for::<T, _>(all);
}

/// [`pointwise_back`] with a given level, or `None` if this machine cannot run it; for tests.
#[doc(hidden)]
pub fn pointwise_back_at<T: Elem, F, const P: usize, const K: usize, const I: usize, const S: usize>(
    level: Level,
    f: F,
    params: [T; P],
    slopes: Slopes<'_, '_, T, K, I, S>,
) -> Option<()>
where
    F: Pointwise<P, K, I, S, 1>,
{
    at(level, All::new(f, params, slopes))
}

struct All<'a, 'v, T, F, const P: usize, const K: usize, const I: usize, const S: usize> {
    f: F,
    params: [T; P],
    slopes: Slopes<'a, 'v, T, K, I, S>,
}

/// Registers side by side where there are 32 of them: the equation holds more at once than on the way forth.
const MANY: usize = 2;

impl<T: Elem, F, const P: usize, const K: usize, const I: usize, const S: usize> WithSimd
    for All<'_, '_, T, F, P, K, I, S>
where
    F: Pointwise<P, K, I, S, 1>,
{
    type Output = ();

    #[inline(always)]
    fn with_simd<V: Simd>(mut self, s: V) {
        let mut at = 0;
        if const { matches!(T::DTYPE, DType::F32) && V::REGISTER_COUNT >= 32 && !V::IS_SCALAR } {
            at = self.run::<V, MANY>(s, at, false);
        }
        self.run::<V, 1>(s, at, true);
    }
}

impl<'a, 'v, T: Elem, F, const P: usize, const K: usize, const I: usize, const S: usize>
    All<'a, 'v, T, F, P, K, I, S>
where
    F: Pointwise<P, K, I, S, 1>,
{
    fn new(f: F, params: [T; P], slopes: Slopes<'a, 'v, T, K, I, S>) -> Self {
        let n = slopes.g_out.len();
        let read = slopes.own.iter().chain(&slopes.input).chain(&slopes.state).all(|x| x.len() == n);
        let written = slopes.g_state.iter().chain(&slopes.g_input).chain(slopes.g_own.iter().flatten());
        assert!(
            read && written.into_iter().all(|x| x.len() == n),
            "pointwise_back: slices of different lengths"
        );
        Self { f, params, slopes }
    }

    /// All elements from `at` on that fill N registers, and the rest if `end`; where they end.
    #[inline(always)]
    fn run<V: Simd, const N: usize>(&mut self, s: V, mut at: usize, end: bool) -> usize {
        let (full, len) = (N * T::count::<V>(), self.slopes.g_out.len());
        let zero = Pack::<V, T, N>::splat(T::default());
        let flat = Dual::<Pack<V, T, N>, 1>::cst(zero);
        let mut params = [flat; P];
        for i in 0..P {
            params[i].re = Pack::splat(self.params[i]);
        }
        while at + if end { 1 } else { full } <= len {
            let n = full.min(len - at);
            let (mut own, mut input, mut state) = ([flat; K], [flat; I], [flat; S]);
            let mut after = [zero; S];
            for i in 0..K {
                own[i].re = load(s, self.slopes.own[i], at, n);
            }
            for i in 0..I {
                input[i].re = load(s, self.slopes.input[i], at, n);
            }
            for i in 0..S {
                state[i].re = load(s, self.slopes.state[i], at, n);
                after[i] = load(s, self.slopes.g_state[i], at, n);
            }
            let g_out = load(s, self.slopes.g_out, at, n);
            let f = self.f;
            for i in 0..I {
                let g = weighted(f.at(params, own, along(input, i), state, [flat]), after, g_out);
                store(s, self.slopes.g_input[i], at, n, g);
            }
            for i in 0..S {
                let g = weighted(f.at(params, own, input, along(state, i), [flat]), after, g_out);
                store(s, self.slopes.g_state[i], at, n, g);
            }
            if let Some(sums) = &mut self.slopes.g_own {
                for i in 0..K {
                    let g = weighted(f.at(params, along(own, i), input, state, [flat]), after, g_out);
                    let sum = load::<V, T, N>(s, sums[i], at, n);
                    store(s, sums[i], at, n, sum + g);
                }
            }
            at += n;
        }
        at
    }
}

/// The same numbers, with a derivative of one along number `i`.
#[inline(always)]
fn along<R: Real, const L: usize>(mut all: [Dual<R, 1>; L], i: usize) -> [Dual<R, 1>; L] {
    all[i].eps = [R::constant(1.0)];
    all
}

/// Σ derivative · gradient, over all states and the output.
#[inline(always)]
fn weighted<R: Real, const S: usize>(
    (new, [out]): ([Dual<R, 1>; S], [Dual<R, 1>; 1]),
    after: [R; S],
    g_out: R,
) -> R {
    let mut g = out.eps[0] * g_out;
    for i in 0..S {
        g = g + new[i].eps[0] * after[i];
    }
    g
}

/// The lanes of N registers at `at`, or the first `n` of one register at the end.
#[inline(always)]
fn load<V: Simd, T: Elem, const N: usize>(s: V, from: &[T], at: usize, n: usize) -> Pack<V, T, N> {
    let mut all = Pack::<V, T, N>::splat(T::default());
    if n == N * T::count::<V>() {
        all.0.copy_from_slice(T::split::<V>(&from[at..][..n]).0);
    } else {
        // SAFETY: the mask has n lanes, the slice as many elements.
        all.0[0] = unsafe { T::load_part(s, T::first(s, n), &from[at..][..n]) };
    }
    all
}

/// The inverse of [`load`].
#[inline(always)]
fn store<V: Simd, T: Elem, const N: usize>(s: V, to: &mut [T], at: usize, n: usize, new: Pack<V, T, N>) {
    if n == N * T::count::<V>() {
        T::split_mut::<V>(&mut to[at..][..n]).0.copy_from_slice(&new.0);
    } else {
        // SAFETY: the mask has n lanes, the slice as many elements.
        unsafe { T::store_part(s, T::first(s, n), &mut to[at..][..n], new.0[0]) };
    }
}
