//! Convolution with 3x3 windows a pixel apart, and its adjoint in the input, by two-dimensional minimal filtering
//! F(M x M, 3 x 3) (A. Lavin, S. Gray, Fast algorithms for convolutional neural networks, CVPR 2016).
//!
//! The output is cut into tiles of M x M pixels. With U = G g Gᵀ of every filter and channel, made once per change of the
//! weight, and V = Bᵀ d B of the A x A pixels d under a tile, A = M + 2, the tile is Aᵀ [Σ_channel U ⊙ V] A: for each of
//! the A² positions one matrix product over channels, in place of 9 M² multiplications per channel only A².

use std::marker::PhantomData;

use pulp::Simd;

use crate::chain::{ADD, SET, block};
use crate::factors::ByRow;
use crate::lines::Lines;
use crate::scratch::Scratch;
use crate::tiles::pieces;
use crate::{Elem, View};

use super::ConvShape;
use super::cut::{Cut, GAP};
use super::direct::panel;
use super::form::{Form, Way};
use super::lanes::{load, store};
use super::tiling::Tiling;

/// Channels that are summed in registers.
const DEPTH: usize = 128;

/// A weight made ready for one product of one geometry.
pub(super) struct Winograd<T, K, const M: usize, const A: usize> {
    made_for: (ConvShape, Way),
    cut: Cut,
    channels: usize,
    outs: usize,
    /// Per position, per panel of columns: one row per channel.
    weights: Lines<T>,
    tiling: PhantomData<K>,
}

impl<T: Elem, K: Tiling<M, A>, const M: usize, const A: usize> Form<T> for Winograd<T, K, M, A> {
    fn new(shape: ConvShape, way: Way, w: View<'_>) -> Self {
        let (channels, outs) = way.channels(&shape);
        let (cut, taps) = Cut::new(&shape, way, M);
        let weights = Self::weights(&shape, way, [&taps[0], &taps[1]], w.slice());
        Winograd { made_for: (shape, way), cut, channels, outs, weights, tiling: PhantomData }
    }

    fn made_for(&self) -> (ConvShape, Way) {
        self.made_for
    }

    fn images(&self) -> usize {
        self.together().div_ceil(self.cut.tiles_per_image(M))
    }

    #[inline(always)]
    fn product<S: Simd>(&self, s: S, x: &[T], y: &mut [T]) {
        let frame = &self.cut.frame;
        let images = x.len() / frame.image();
        let mut frames = Scratch::take(images * frame.len());
        frame.fill(x, &mut frames);
        let tiles = self.cut.tiles(images, M, self.outs);
        for tiles in tiles.chunks(self.together()) {
            let (wide, tall) = (tiles.len() * self.channels + GAP, tiles.len() * self.outs + GAP);
            let mut inputs = Scratch::take(A * A * wide);
            for (t, tile) in tiles.iter().enumerate() {
                let v = &mut inputs[t * self.channels..];
                self.cut.transform::<S, T, K, M, A>(s, &frames[tile.from..], v, wide);
            }
            let mut outputs = Scratch::take(A * A * tall);
            for p in 0..A * A {
                self.multiply(
                    s,
                    p,
                    &inputs[p * wide..][..wide - GAP],
                    &mut outputs[p * tall..][..tall - GAP],
                );
            }
            for (t, tile) in tiles.iter().enumerate() {
                self.gather(s, &outputs[t * self.outs..], tall, tile.inside, &mut y[tile.to..]);
            }
        }
    }
}

impl<T: Elem, K: Tiling<M, A>, const M: usize, const A: usize> Winograd<T, K, M, A> {
    /// U of every filter and channel, in the order of its use. `taps`: the kernel rows and columns of a window.
    fn weights(shape: &ConvShape, way: Way, taps: [&[usize]; 2], w: &[T]) -> Lines<T> {
        let ((channels, outs), (per_channel, per_out)) = (way.channels(shape), way.steps(shape));
        let mut weights = Lines::zeros(A * A * channels * outs);
        for (c, n) in (0..channels).flat_map(|c| (0..outs).map(move |n| (c, n))) {
            let at = c * per_channel + n * per_out;
            let mut rows = [[0.0; A]; 3];
            for i in 0..3 {
                rows[i] = K::taps([0, 1, 2].map(|j| w[at + taps[0][i] * 3 + taps[1][j]].to_f64()));
            }
            let from = n / panel::<T>() * panel::<T>();
            let width = panel::<T>().min(outs - from);
            for j in 0..A {
                for (i, u) in K::taps([0, 1, 2].map(|i| rows[i][j])).into_iter().enumerate() {
                    let position = (i * A + j) * channels * outs;
                    weights[position + from * channels + c * width + n - from] = T::from_f64(u);
                }
            }
        }
        weights
    }

    /// Tiles that are worked on together. The weights pass by once per group, the transformed tiles go from one level of
    /// memory to another about twice: the sum of both is least near this number.
    fn together(&self) -> usize {
        (self.channels * self.outs / (2 * (self.channels + self.outs))).clamp(16, 128)
    }

    /// Sums over channels for all tiles at position p.
    #[inline(always)]
    fn multiply<S: Simd>(&self, s: S, p: usize, x: &[T], y: &mut [T]) {
        let size = self.channels * self.outs;
        let mut weights = &self.weights[p * size..(p + 1) * size];
        let rows: Vec<&[T]> = x.chunks_exact(self.channels).collect();
        for from in (0..self.outs).step_by(panel::<T>()) {
            let width = panel::<T>().min(self.outs - from);
            let (b, rest) = weights.split_at(self.channels * width);
            let mut sums: Vec<&mut [T]> =
                y.chunks_exact_mut(self.outs).map(|y| &mut y[from..from + width]).collect();
            for (p, depth) in pieces(self.channels, DEPTH) {
                let (x, b) = (ByRow { a: &rows, p, depth }, &b[p * width..(p + depth) * width]);
                if p == 0 {
                    block::<S, T, SET>(s, x, b, width, &mut sums);
                } else {
                    block::<S, T, ADD>(s, x, b, width, &mut sums);
                }
            }
            weights = rest;
        }
    }

    /// Adds a tile to the image: the positions of its sums are `stride` apart.
    #[inline(always)]
    fn gather<S: Simd>(&self, s: S, sums: &[T], stride: usize, inside: [usize; 2], y: &mut [T]) {
        let zero = T::splat(s, T::default());
        for n in (0..self.outs).step_by(T::count::<S>()) {
            let width = T::count::<S>().min(self.outs - n);
            let mut rows = [[zero; M]; A];
            for i in 0..A {
                let mut row = [zero; A];
                for j in 0..A {
                    row[j] = load(s, &sums[(i * A + j) * stride + n..][..width]);
                }
                rows[i] = K::outputs::<S, T>(s, row);
            }
            for j in 0..inside[1] {
                let mut column = [zero; A];
                for i in 0..A {
                    column[i] = rows[i][j];
                }
                let column = K::outputs::<S, T>(s, column);
                for i in 0..inside[0] {
                    let y = &mut y[(i * self.cut.size[1] + j) * self.outs + n..][..width];
                    let sum = T::add_v(s, load(s, y), column[i]);
                    store(s, y, sum);
                }
            }
        }
    }
}
