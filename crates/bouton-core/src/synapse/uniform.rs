//! Synapses whose chance is one uniform number: the numbers of a block of weights are drawn first, and the rule then takes as many
//! weights at a time as registers hold.

use super::elementwise::array;
use super::{Draw, ElementwiseSynapse, Info, Synapse, UpdateRule};
use bouton_kernels::{Elem, Elements, Pointwise, Real, View, ViewMut, dispatch, pointwise, vectorize};

/// Weights whose numbers are drawn together.
const BLOCK: usize = 512;

/// One weight as a scalar update rule of `V` values that takes one uniform number.
pub trait UniformRule<const V: usize>: Copy + Send + Sync + std::fmt::Debug {
    /// Names of the states, for checkpoints.
    const STATES: &'static [&'static str];
    /// What the updater has to know.
    const INFO: Info;
    /// The first values, from a weight drawn by the wiring.
    fn init<T: Real>(&self, drawn: T, draw: Draw) -> [T; V];
    /// The values after the proposal `delta`, by a number `u` in (0, 1).
    fn update<T: Real>(&self, delta: T, values: [T; V], u: T) -> [T; V];
}

/// The same as a rule that draws for itself, one weight at a time.
#[derive(Clone, Copy, Debug)]
struct Drawing<R>(R);

impl<R: UniformRule<V>, const V: usize> UpdateRule<V> for Drawing<R> {
    const STATES: &'static [&'static str] = R::STATES;
    const INFO: Info = R::INFO;

    #[inline(always)]
    fn init<T: Real>(&self, drawn: T, draw: Draw) -> [T; V] {
        self.0.init(drawn, draw)
    }

    #[inline(always)]
    fn update<T: Real>(&self, delta: T, values: [T; V], draw: Draw) -> [T; V] {
        self.0.update(delta, values, draw.uniform(0))
    }
}

/// The [`Synapse`] of a [`UniformRule`].
#[derive(Clone, Copy, Debug)]
pub struct UniformSynapse<R, const V: usize>(pub R);

impl<R: UniformRule<V> + 'static, const V: usize> Synapse for UniformSynapse<R, V> {
    fn states(&self) -> Vec<String> {
        ElementwiseSynapse::<_, V>(Drawing(self.0)).states()
    }

    fn info(&self) -> Info {
        R::INFO
    }

    fn init(&self, key: u64, weight: ViewMut<'_>, state: &mut [ViewMut<'_>]) {
        ElementwiseSynapse::<_, V>(Drawing(self.0)).init(key, weight, state);
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
            let (delta, mut values) = (delta.slice::<T>(), array::<T, V>(&mut weight, state));
            let mut numbers = [T::default(); BLOCK];
            for (block, delta) in delta.chunks(BLOCK).enumerate() {
                let place = block * BLOCK;
                let numbers = &mut numbers[..delta.len()];
                draw(key, at + place, numbers);
                let out = values.each_mut().map(|v| &mut v[place..place + delta.len()]);
                let elements = Elements { own: [], input: [delta, numbers], state: [], out };
                pointwise(ByNumber::<R, V>(self.0), [], elements);
            }
        });
    }
}

/// The uniform numbers of the weights from number `first` on.
fn draw<T: Elem>(key: u64, first: usize, numbers: &mut [T]) {
    vectorize(
        #[inline(always)]
        || {
            for (i, u) in numbers.iter_mut().enumerate() {
                *u = Draw { key, index: (first + i) as u64 }.uniform(0);
            }
        },
    );
}

#[derive(Clone, Copy)]
struct ByNumber<R, const V: usize>(R);

impl<R: UniformRule<V>, const V: usize> Pointwise<0, 0, 2, 0, V> for ByNumber<R, V> {
    #[inline(always)]
    fn at<T: Real>(
        self,
        _: [T; 0],
        _: [T; 0],
        [delta, u]: [T; 2],
        _: [T; 0],
        old: [T; V],
    ) -> ([T; 0], [T; V]) {
        ([], self.0.update(delta, old, u))
    }
}

#[cfg(test)]
mod tests {
    use super::super::Cascade;
    use super::*;
    use bouton_kernels::{DType, Mat};

    /// A block at a time, or one weight at a time: the same bits.
    #[test]
    fn blocks_draw_what_single_weights_draw() {
        let rule = Cascade { levels: 7, step: 1.0, ..Cascade::default() };
        for dtype in [DType::F32, DType::F64] {
            let n = 1300;
            let mat = |f: &dyn Fn(usize) -> f64| Mat::from_fn(dtype, 1, n, |_, i| f(i));
            let delta = mat(&|i| ((i * 37) % 200) as f64 / 100.0 - 1.0);
            let start = [mat(&|i| if i % 3 == 0 { 1.0 } else { -1.0 }), mat(&|i| (1 + i % 7) as f64)];
            let after = |synapse: &dyn Synapse| {
                let [mut weight, mut level] = start.clone();
                for key in 0..5 {
                    synapse.update(key, 11, delta.view(), weight.view_mut(), &mut [level.view_mut()]);
                }
                [weight.to_f64s(), level.to_f64s()]
            };
            let blocks = after(&UniformSynapse::<_, 2>(rule));
            assert_eq!(blocks, after(&ElementwiseSynapse::<_, 2>(Drawing(rule))));
            assert_ne!(blocks[0], start[0].to_f64s());
        }
    }
}
