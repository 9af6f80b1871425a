//! The adjoint of a 3x3 convolution a pixel apart in its weight, by minimal filtering: per tile, filter and channel
//! Gᵀ [(A y Aᵀ) ⊙ (Bᵀ d B)] G with y the slopes of the tile and d the pixels under it.
//!
//! The sums over all tiles are taken before Gᵀ … G: for each of the A² positions one matrix product over tiles, in place
//! of 9 M² multiplications per tile, filter and channel only A².

use std::marker::PhantomData;
use std::ops::Range;

use pulp::{Simd, WithSimd};

use crate::Elem;
use crate::chain::{Chain, Left};
use crate::scratch::Scratch;

use super::ConvShape;
use super::cut::{Cut, GAP, Tile};
use super::form::Way;
use super::lanes::{load, store};
use super::tiling::Tiling;

/// w[band] += the adjoint; `w` holds the filters of `band` only.
pub(super) struct TiledSlope<'a, T, K, const M: usize, const A: usize> {
    pub(super) shape: &'a ConvShape,
    pub(super) x: &'a [T],
    pub(super) g: &'a [T],
    pub(super) band: Range<usize>,
    pub(super) w: &'a mut [T],
    pub(super) tiling: PhantomData<K>,
}

impl<T: Elem, K: Tiling<M, A>, const M: usize, const A: usize> WithSimd for TiledSlope<'_, T, K, M, A> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, s: S) {
        let (shape, channels, filters) = (self.shape, self.shape.channels, self.band.len());
        let cut = Cut::new(shape, Way::Forward, M).0;
        let mut sums: Scratch<T> = Scratch::take(A * A * filters * channels);
        sums.fill(T::default());
        // The sums pass by once per group of tiles, the transformed tiles of a group from one level of memory to another:
        // the sum of both is least near this number.
        let together = (3 * channels * filters / (4 * (channels + filters))).clamp(24, 128);
        let images = together.div_ceil(cut.tiles_per_image(M));
        let chunks = self.x.chunks(images * shape.inputs()).zip(self.g.chunks(images * shape.outputs()));
        for (x, g) in chunks {
            let images = x.len() / shape.inputs();
            let mut frames = Scratch::take(images * cut.frame.len());
            cut.frame.fill(x, &mut frames);
            let tiles = cut.tiles(images, M, shape.filters);
            let (wide, tall) = (tiles.len() * channels + GAP, tiles.len() * filters + GAP);
            let (mut inputs, mut slopes) = (Scratch::take(A * A * wide), Scratch::take(A * A * tall));
            for (t, tile) in tiles.iter().enumerate() {
                cut.transform::<S, T, K, M, A>(s, &frames[tile.from..], &mut inputs[t * channels..], wide);
                self.transform_slope(s, &g[tile.to..], cut.size[1], *tile, &mut slopes[t * filters..], tall);
            }
            for (p, sums) in sums.chunks_mut(filters * channels).enumerate() {
                Chain {
                    x: Left::Cols(&slopes[p * tall..][..tall - GAP], filters),
                    b: &inputs[p * wide..][..wide - GAP],
                    c: &mut sums.chunks_mut(channels).collect::<Vec<_>>(),
                }
                .with_simd(s);
            }
        }
        self.add_tap_slopes(&sums);
    }
}

impl<T: Elem, K: Tiling<M, A>, const M: usize, const A: usize> TiledSlope<'_, T, K, M, A> {
    /// A y Aᵀ of the band's filters: the positions are `stride` apart.
    #[inline(always)]
    fn transform_slope<S: Simd>(&self, s: S, g: &[T], width: usize, tile: Tile, v: &mut [T], stride: usize) {
        let zero = T::splat(s, T::default());
        for n in (0..self.band.len()).step_by(T::count::<S>()) {
            let lanes = T::count::<S>().min(self.band.len() - n);
            let mut rows = [[zero; A]; M];
            for i in 0..tile.inside[0] {
                let mut y = [zero; M];
                for j in 0..tile.inside[1] {
                    let at = (i * width + j) * self.shape.filters + self.band.start + n;
                    y[j] = load(s, &g[at..][..lanes]);
                }
                rows[i] = K::slopes::<S, T>(s, y);
            }
            for j in 0..A {
                let mut column = [zero; M];
                for i in 0..M {
                    column[i] = rows[i][j];
                }
                let column = K::slopes::<S, T>(s, column);
                for i in 0..A {
                    store(s, &mut v[(i * A + j) * stride + n..][..lanes], column[i]);
                }
            }
        }
    }

    /// Adds Gᵀ sums G to the weights (filter, channel, ky, kx).
    fn add_tap_slopes(&mut self, sums: &[T]) {
        let size = self.band.len() * self.shape.channels;
        for (n, w) in self.w.chunks_exact_mut(9).enumerate() {
            let mut rows = [[0.0; 3]; A];
            for i in 0..A {
                let mut row = [0.0; A];
                for j in 0..A {
                    row[j] = sums[(i * A + j) * size + n].to_f64();
                }
                rows[i] = K::tap_slopes(row);
            }
            for kx in 0..3 {
                let mut column = [0.0; A];
                for i in 0..A {
                    column[i] = rows[i][kx];
                }
                for (ky, slope) in K::tap_slopes(column).into_iter().enumerate() {
                    w[ky * 3 + kx] += T::from_f64(slope);
                }
            }
        }
    }
}
