//! One equation for every element: values are replaced in place, many registers at a time.

use pulp::{Simd, WithSimd};
use std::ops::Range;

use crate::account::count;
use crate::pack::Pack;
use crate::simd::{at, best_for};
use crate::{DType, Elem, Level, Real};

/// An equation of `P` parameters, `K` numbers of the element's own and `I` inputs, which replaces `S` states and `O` outputs of
/// every element.
pub trait Pointwise<const P: usize, const K: usize, const I: usize, const S: usize, const O: usize>:
    Copy
{
    /// The new states and outputs.
    fn at<T: Real>(
        self,
        params: [T; P],
        own: [T; K],
        input: [T; I],
        state: [T; S],
        out: [T; O],
    ) -> ([T; S], [T; O]);
}

/// The elements of an equation: all slices are equally long.
#[derive(Debug)]
pub struct Elements<'a, 'v, T, const K: usize, const I: usize, const S: usize, const O: usize> {
    /// Numbers of the element's own.
    pub own: [&'a [T]; K],
    /// Inputs.
    pub input: [&'a [T]; I],
    /// States, replaced.
    pub state: [&'v mut [T]; S],
    /// Outputs, replaced.
    pub out: [&'v mut [T]; O],
}

/// Replaces states and outputs of every element; returns the largest |change| of the last output and of the states behind the
/// first, whose change the output shows; of those that are not NaN.
///
/// The same bits for every instruction set and however the elements are cut into slices.
pub fn pointwise<T: Elem, F, const P: usize, const K: usize, const I: usize, const S: usize, const O: usize>(
    f: F,
    params: [T; P],
    elements: Elements<'_, '_, T, K, I, S, O>,
) -> T
where
    F: Pointwise<P, K, I, S, O>,
{
    let all = All::new(f, params, elements);
    let n = all.len();
    count((K + I + S + O) * n, (K + I + 2 * (S + O)) * n * size_of::<T>());
    best_for::<T, _>(all)
}

/// [`pointwise`] with a given level, or `None` if this machine cannot run it; for tests.
#[doc(hidden)]
pub fn pointwise_at<
    T: Elem,
    F,
    const P: usize,
    const K: usize,
    const I: usize,
    const S: usize,
    const O: usize,
>(
    level: Level,
    f: F,
    params: [T; P],
    elements: Elements<'_, '_, T, K, I, S, O>,
) -> Option<T>
where
    F: Pointwise<P, K, I, S, O>,
{
    at(level, All::new(f, params, elements))
}

struct All<'a, 'v, T, F, const P: usize, const K: usize, const I: usize, const S: usize, const O: usize> {
    f: F,
    params: [T; P],
    elements: Elements<'a, 'v, T, K, I, S, O>,
}

impl<'a, 'v, T: Elem, F, const P: usize, const K: usize, const I: usize, const S: usize, const O: usize>
    All<'a, 'v, T, F, P, K, I, S, O>
{
    fn new(f: F, params: [T; P], elements: Elements<'a, 'v, T, K, I, S, O>) -> Self {
        const { assert!(O > 0) };
        let all = Self { f, params, elements };
        let (n, Elements { own, input, state, out }) = (all.len(), &all.elements);
        let read = own.iter().chain(input).all(|x| x.len() == n);
        let fit = read && state.iter().chain(out).all(|x| x.len() == n);
        assert!(fit, "pointwise: slices of different lengths");
        all
    }

    fn len(&self) -> usize {
        self.elements.out[0].len()
    }
}

/// Registers side by side where there are 32 of them, and where there are fewer.
const MANY: usize = 4;
const FEW: usize = 2;

impl<T: Elem, F, const P: usize, const K: usize, const I: usize, const S: usize, const O: usize> WithSimd
    for All<'_, '_, T, F, P, K, I, S, O>
where
    F: Pointwise<P, K, I, S, O>,
{
    type Output = T;

    #[inline(always)]
    fn with_simd<V: Simd>(mut self, s: V) -> T {
        // Double precision is for checks, and where registers hold a single number the compiler fills them: one at a time
        // halves what there is to compile.
        let (at, most) = if const { matches!(T::DTYPE, DType::F64) || V::IS_SCALAR } {
            (0, T::default())
        } else if const { V::REGISTER_COUNT >= 32 } {
            self.whole::<V, MANY>(s)
        } else {
            self.whole::<V, FEW>(s)
        };
        let last = self.single(s, at);
        if last > most { last } else { most }
    }
}

impl<T: Elem, F, const P: usize, const K: usize, const I: usize, const S: usize, const O: usize>
    All<'_, '_, T, F, P, K, I, S, O>
where
    F: Pointwise<P, K, I, S, O>,
{
    /// As many packs of N registers as there are; where they end, and the largest change.
    #[inline(always)]
    fn whole<V: Simd, const N: usize>(&mut self, s: V) -> (usize, T) {
        let mut at = 0;
        let width = N * T::count::<V>();
        let (params, len) = (self.splat::<V, N>(), self.len());
        let mut most = Pack::<V, T, N>::splat(T::default());
        while at + width <= len {
            let Elements { own, input, state, out } = &self.elements;
            let (own, input) = (packs::<V, T, N, _, K>(own, at), packs::<V, T, N, _, I>(input, at));
            let (state, old) = (packs::<V, T, N, _, S>(state, at), packs::<V, T, N, _, O>(out, at));
            let (then, new) = self.f.at(params, own, input, state, old);
            for i in 0..S {
                T::split_mut::<V>(&mut self.elements.state[i][at..][..width]).0.copy_from_slice(&then[i].0);
            }
            for i in 0..O {
                T::split_mut::<V>(&mut self.elements.out[i][at..][..width]).0.copy_from_slice(&new[i].0);
            }
            most = most.max((new[O - 1] - old[O - 1]).abs());
            for i in 1..S {
                most = most.max((then[i] - state[i]).abs());
            }
            at += width;
        }
        let mut all = most.0[0];
        for i in 1..N {
            all = T::choose(s, T::less(s, all, most.0[i]), most.0[i], all);
        }
        (at, T::largest(s, all))
    }

    /// The elements from `at` on, a register at a time, the last one in part; the largest change.
    #[inline(always)]
    fn single<V: Simd>(&mut self, s: V, mut at: usize) -> T {
        let (zero, len) = (Pack::<V, T, 1>::splat(T::default()), self.len());
        let params = self.splat::<V, 1>();
        let mut most = zero;
        while at < len {
            let n = T::count::<V>().min(len - at);
            let mask = T::first(s, n);
            // SAFETY: the mask has n lanes.
            let (own, input, state, old) = unsafe {
                let Elements { own, input, state, out } = &self.elements;
                let (own, input) = (parts(s, mask, own, at..at + n), parts(s, mask, input, at..at + n));
                (own, input, parts(s, mask, state, at..at + n), parts(s, mask, out, at..at + n))
            };
            let (then, new) = self.f.at(params, own, input, state, old);
            for i in 0..S {
                // SAFETY: as above.
                unsafe { T::store_part(s, mask, &mut self.elements.state[i][at..][..n], then[i].0[0]) };
            }
            for i in 0..O {
                // SAFETY: as above.
                unsafe { T::store_part(s, mask, &mut self.elements.out[i][at..][..n], new[i].0[0]) };
            }
            let mut change = zero.max((new[O - 1] - old[O - 1]).abs());
            for i in 1..S {
                change = change.max((then[i] - state[i]).abs());
            }
            most = most.max(Pack([T::choose(s, mask, change.0[0], zero.0[0])]));
            at += n;
        }
        T::largest(s, most.0[0])
    }

    #[inline(always)]
    fn splat<V: Simd, const N: usize>(&self) -> [Pack<V, T, N>; P] {
        let mut params = [Pack::splat(T::default()); P];
        for i in 0..P {
            params[i] = Pack::splat(self.params[i]);
        }
        params
    }
}

/// N registers of each slice, from `at` on.
#[inline(always)]
fn packs<V: Simd, T: Elem, const N: usize, X: AsRef<[T]>, const L: usize>(
    from: &[X; L],
    at: usize,
) -> [Pack<V, T, N>; L] {
    let mut all = [Pack::splat(T::default()); L];
    for i in 0..L {
        all[i].0.copy_from_slice(T::split::<V>(&from[i].as_ref()[at..][..N * T::count::<V>()]).0);
    }
    all
}

/// A register of each slice, of which `mask` takes as many lanes as there are elements in `at`.
///
/// # Safety
/// `mask` has no more lanes than that.
#[inline(always)]
unsafe fn parts<V: Simd, T: Elem, X: AsRef<[T]>, const L: usize>(
    s: V,
    mask: T::Mask<V>,
    from: &[X; L],
    at: Range<usize>,
) -> [Pack<V, T, 1>; L] {
    let mut all = [Pack::splat(T::default()); L];
    for i in 0..L {
        // SAFETY: the slice has as many elements as the mask has lanes.
        all[i].0[0] = unsafe { T::load_part(s, mask, &from[i].as_ref()[at.clone()]) };
    }
    all
}
