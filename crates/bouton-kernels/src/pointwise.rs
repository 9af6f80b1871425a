//! One equation for every element: values are replaced in place, many registers at a time.

use pulp::{Simd, WithSimd};

use crate::account::count;
use crate::pack::Pack;
use crate::simd::{at, best_for};
use crate::{DType, Elem, Level, Real};

/// An equation of `P` parameters and `I` inputs that replaces `O` values of an element.
pub trait Pointwise<const P: usize, const I: usize, const O: usize>: Copy {
    /// The new values.
    fn at<T: Real>(self, params: [T; P], input: [T; I], old: [T; O]) -> [T; O];
}

/// Replaces the values of every element, all slices being equally long; returns the largest |change| of the last
/// value, of those that are not NaN.
///
/// The same bits for every instruction set and however the elements are cut into slices.
pub fn pointwise<T: Elem, F, const P: usize, const I: usize, const O: usize>(
    f: F,
    params: [T; P],
    input: [&[T]; I],
    values: [&mut [T]; O],
) -> T
where
    F: Pointwise<P, I, O>,
{
    let all = All::new(f, params, input, values);
    let n = all.values[0].len();
    count((I + O) * n, (I + 2 * O) * n * size_of::<T>());
    best_for::<T, _>(all)
}

/// [`pointwise`] with a given level, or `None` if this machine cannot run it; for tests.
#[doc(hidden)]
pub fn pointwise_at<T: Elem, F, const P: usize, const I: usize, const O: usize>(
    level: Level,
    f: F,
    params: [T; P],
    input: [&[T]; I],
    values: [&mut [T]; O],
) -> Option<T>
where
    F: Pointwise<P, I, O>,
{
    at(level, All::new(f, params, input, values))
}

struct All<'a, 'v, T, F, const P: usize, const I: usize, const O: usize> {
    f: F,
    params: [T; P],
    input: [&'a [T]; I],
    values: [&'v mut [T]; O],
}

impl<'a, 'v, T: Elem, F, const P: usize, const I: usize, const O: usize> All<'a, 'v, T, F, P, I, O> {
    fn new(f: F, params: [T; P], input: [&'a [T]; I], values: [&'v mut [T]; O]) -> Self {
        const { assert!(O > 0) };
        let n = values[0].len();
        let fit = input.iter().all(|x| x.len() == n) && values.iter().all(|x| x.len() == n);
        assert!(fit, "pointwise: slices of different lengths");
        Self { f, params, input, values }
    }
}

/// Registers side by side where there are 32 of them, and where there are fewer.
const MANY: usize = 4;
const FEW: usize = 2;

impl<T: Elem, F, const P: usize, const I: usize, const O: usize> WithSimd for All<'_, '_, T, F, P, I, O>
where
    F: Pointwise<P, I, O>,
{
    type Output = T;

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, s: S) -> T {
        // Double precision is for checks, and where registers hold a single number the compiler fills them: one at a time
        // halves what there is to compile.
        let (at, most) = if const { matches!(T::DTYPE, DType::F64) || S::IS_SCALAR } {
            (0, T::default())
        } else if const { S::REGISTER_COUNT >= 32 } {
            self.whole::<S, MANY>(s)
        } else {
            self.whole::<S, FEW>(s)
        };
        let last = self.single(s, at);
        if last > most { last } else { most }
    }
}

impl<T: Elem, F, const P: usize, const I: usize, const O: usize> All<'_, '_, T, F, P, I, O>
where
    F: Pointwise<P, I, O>,
{
    /// As many packs of N registers as there are; where they end, and the largest change.
    #[inline(always)]
    fn whole<S: Simd, const N: usize>(&mut self, s: S) -> (usize, T) {
        let mut at = 0;
        let width = N * T::count::<S>();
        let params = self.splat::<S, N>();
        let mut most = Pack::<S, T, N>::splat(T::default());
        while at + width <= self.values[0].len() {
            let (mut input, mut old) = ([most; I], [most; O]);
            for i in 0..I {
                input[i].0.copy_from_slice(T::split::<S>(&self.input[i][at..][..width]).0);
            }
            for i in 0..O {
                old[i].0.copy_from_slice(T::split::<S>(&self.values[i][at..][..width]).0);
            }
            let new = self.f.at(params, input, old);
            for i in 0..O {
                T::split_mut::<S>(&mut self.values[i][at..][..width]).0.copy_from_slice(&new[i].0);
            }
            most = most.max((new[O - 1] - old[O - 1]).abs());
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
    fn single<S: Simd>(&mut self, s: S, mut at: usize) -> T {
        let (zero, len) = (Pack::<S, T, 1>::splat(T::default()), self.values[0].len());
        let params = self.splat::<S, 1>();
        let mut most = zero;
        while at < len {
            let n = T::count::<S>().min(len - at);
            let mask = T::first(s, n);
            let (mut input, mut old) = ([zero; I], [zero; O]);
            for i in 0..I {
                // SAFETY: the mask has n lanes, the slice as many elements.
                input[i].0[0] = unsafe { T::load_part(s, mask, &self.input[i][at..][..n]) };
            }
            for i in 0..O {
                // SAFETY: as above.
                old[i].0[0] = unsafe { T::load_part(s, mask, &self.values[i][at..][..n]) };
            }
            let new = self.f.at(params, input, old);
            for i in 0..O {
                // SAFETY: as above.
                unsafe { T::store_part(s, mask, &mut self.values[i][at..][..n], new[i].0[0]) };
            }
            let change = zero.max((new[O - 1] - old[O - 1]).abs());
            most = most.max(Pack([T::choose(s, mask, change.0[0], zero.0[0])]));
            at += n;
        }
        T::largest(s, most.0[0])
    }

    #[inline(always)]
    fn splat<S: Simd, const N: usize>(&self) -> [Pack<S, T, N>; P] {
        let mut params = [Pack::splat(T::default()); P];
        for i in 0..P {
            params[i] = Pack::splat(self.params[i]);
        }
        params
    }
}
