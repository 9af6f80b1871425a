//! Convolutions of images of ±1 by counting: the window of every output pixel becomes a row of bits for [`bit_dots`].
//!
//! Zeros around an image have no bit. They are read as -1, and the sum of the filter over them is added again.

use std::ops::Range;

use rayon::prelude::*;

use crate::{BitMat, ConvShape, bit_dots};

/// Filters of ±1, and how large the windows are of which the largest count is taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BitConv {
    shape: ConvShape,
    pool: usize,
    /// A row per filter: window row by window row, pixel by pixel, channel by channel.
    filters: BitMat,
    /// Σ_c w(f, tap, c), [taps, filters].
    sums: Vec<i32>,
}

impl BitConv {
    /// Takes rows as [`ConvShape`] describes them, and the side of the pooling windows, 1 for none. Panics if `weight` has
    /// another shape, or if the windows do not tile the output.
    pub fn new(shape: ConvShape, pool: usize, weight: &BitMat) -> Self {
        let (taps, channels) = (shape.kernel[0] * shape.kernel[1], shape.channels);
        let tiles =
            pool > 0 && shape.out_height().is_multiple_of(pool) && shape.out_width().is_multiple_of(pool);
        let fits = (weight.rows(), weight.cols()) == (shape.filters, shape.patch());
        assert!(shape.stride > 0 && fits && tiles, "BitConv: {shape:?}, windows of {pool}, {weight:?}");
        let on = |f: usize, tap: usize, c: usize| weight.get(f, c * taps + tap);
        let filters =
            BitMat::from_fn(shape.filters, shape.patch(), |f, at| on(f, at / channels, at % channels));
        let sum = |tap: usize, f: usize| (0..channels).map(|c| if on(f, tap, c) { 1 } else { -1 }).sum();
        let sums = (0..taps).flat_map(|tap| (0..shape.filters).map(move |f| (tap, f)));
        Self { shape, pool, filters, sums: sums.map(|(tap, f)| sum(tap, f)).collect() }
    }

    /// Columns of a matrix of output images, behind the pooling.
    pub fn outputs(&self) -> usize {
        self.shape.outputs() / (self.pool * self.pool)
    }

    /// The window of output pixel `pixel`: rows and columns of the kernel that lie on the image.
    fn on_image(&self, pixel: usize) -> [Range<usize>; 2] {
        let s = &self.shape;
        let at = [pixel / s.out_width(), pixel % s.out_width()];
        [(at[0], s.kernel[0], s.height), (at[1], s.kernel[1], s.width)].map(|(at, kernel, side)| {
            let first = s.padding.saturating_sub(at * s.stride).min(kernel);
            let end = (side + s.padding).saturating_sub(at * s.stride).min(kernel);
            first..end.max(first)
        })
    }

    /// Lays the window of each pixel of `image` into a row.
    fn unfold(&self, image: &[u64], windows: &mut BitMat) {
        let (s, width) = (&self.shape, windows.width());
        let words = windows.words_mut();
        words.fill(0);
        for (pixel, row) in words.chunks_exact_mut(width).enumerate() {
            let [ys, xs] = self.on_image(pixel);
            let corner = [pixel / s.out_width(), pixel % s.out_width()].map(|at| at * s.stride);
            // Windows may lie beside the image as a whole.
            for ky in ys.filter(|_| !xs.is_empty()) {
                let (y, x) = (corner[0] + ky - s.padding, corner[1] + xs.start - s.padding);
                let (from, to) = ((y * s.width + x) * s.channels, (ky * s.kernel[1] + xs.start) * s.channels);
                copy_bits(image, from, xs.len() * s.channels, row, to);
            }
        }
    }

    /// Adds what zeros around the image would have added as -1.
    fn forgive_border(&self, counts: &mut [i32]) {
        let [kh, kw] = self.shape.kernel;
        for (pixel, counts) in counts.chunks_exact_mut(self.shape.filters).enumerate() {
            let [ys, xs] = self.on_image(pixel);
            if ys.len() * xs.len() == kh * kw {
                continue;
            }
            for tap in (0..kh * kw).filter(|tap| !(ys.contains(&(tap / kw)) && xs.contains(&(tap % kw)))) {
                let sums = &self.sums[tap * self.shape.filters..];
                counts.iter_mut().zip(sums).for_each(|(count, sum)| *count += sum);
            }
        }
    }

    /// The largest count of filter f in a window, `corner` being its first element.
    fn largest(&self, counts: &[i32], corner: usize) -> i32 {
        let (filters, width) = (self.shape.filters, self.shape.out_width());
        let places = (0..self.pool).flat_map(|i| (0..self.pool).map(move |j| (i * width + j) * filters));
        places.map(|place| counts[corner + place]).max().expect("a window has places")
    }
}

/// Output (image, pixel, filter) is +1 if the filter's count there, or the largest one of the pooling window, is at least
/// `thresholds[filter]`, else -1; the other way round where `negated[0, filter]` is +1. Split by images over the threads of
/// the current rayon pool.
///
/// Panics if the sizes do not fit.
pub fn par_bit_conv(conv: &BitConv, images: &BitMat, thresholds: &[i32], negated: &BitMat) -> BitMat {
    let (shape, filters) = (&conv.shape, conv.shape.filters);
    assert_eq!(images.cols(), shape.inputs(), "par_bit_conv: columns of the images, {shape:?}");
    assert_eq!([thresholds.len(), negated.cols()], [filters; 2], "par_bit_conv: thresholds and negations");
    let mut out = BitMat::negative(images.rows(), conv.outputs());
    let (row, from, width) = (out.width(), images.width(), shape.out_width() / conv.pool);
    let negated: Vec<bool> = (0..filters).map(|f| negated.get(0, f)).collect();
    let scratch = || (BitMat::negative(shape.pixels(), shape.patch()), vec![0; shape.outputs()]);
    let rows = out.words_mut().par_chunks_exact_mut(row).zip(images.words().par_chunks_exact(from));
    rows.for_each_init(scratch, |(windows, counts), (out, image)| {
        conv.unfold(image, windows);
        bit_dots(windows, &conv.filters, counts);
        conv.forgive_border(counts);
        for at in 0..conv.outputs() {
            let (pixel, f) = (at / filters, at % filters);
            let corner = (pixel / width * shape.out_width() + pixel % width) * conv.pool;
            let on = conv.largest(counts, corner * filters + f) >= thresholds[f];
            out[at / 64] |= u64::from(on != negated[f]) << (at % 64);
        }
    });
    out
}

/// Copies n bits to places that are zero.
fn copy_bits(from: &[u64], at: usize, n: usize, to: &mut [u64], start: usize) {
    let mut done = 0;
    while done < n {
        let (source, target) = (at + done, start + done);
        let take = (64 - target % 64).min(n - done);
        let mut word = from[source / 64] >> (source % 64);
        if source % 64 + take > 64 {
            word |= from[source / 64 + 1] << (64 - source % 64);
        }
        to[target / 64] |= (word & u64::MAX >> (64 - take)) << (target % 64);
        done += take;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{DType, Mat, PoolShape, WeightMat, conv_forward, max_pool};

    fn signs(rows: usize, cols: usize, salt: usize) -> BitMat {
        let mut x = salt as u64 + 1;
        BitMat::from_fn(rows, cols, |_, _| {
            x = x.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            x >> 63 == 1
        })
    }

    fn numbers(bits: &BitMat) -> Mat {
        Mat::from_fn(DType::F64, bits.rows(), bits.cols(), |r, c| if bits.get(r, c) { 1.0 } else { -1.0 })
    }

    /// Against the convolution and the pooling of the same numbers, which are exact integers in double precision.
    fn compare(shape: ConvShape, pool: usize) {
        let (images, weight) =
            (signs(3, shape.inputs(), 1), signs(shape.filters, shape.patch(), shape.channels));
        let mut y = Mat::zeros(DType::F64, 3, shape.outputs());
        conv_forward(&shape, &WeightMat::new(numbers(&weight)), numbers(&images).view(), y.view_mut());
        let (height, width) = (shape.out_height(), shape.out_width());
        let tiles = PoolShape { height, width, channels: shape.filters, size: pool };
        let mut most = Mat::zeros(DType::F64, 3, tiles.outputs());
        let mut index = most.clone();
        max_pool(&tiles, y.view(), most.view_mut(), index.view_mut());
        let thresholds: Vec<i32> = (0..shape.filters as i32).map(|f| f % 7 - 3).collect();
        let negated = signs(1, shape.filters, 9);
        let found = par_bit_conv(&BitConv::new(shape, pool, &weight), &images, &thresholds, &negated);
        let want = BitMat::from_fn(3, tiles.outputs(), |r, c| {
            let f = c % shape.filters;
            (most.slice::<f64>()[r * tiles.outputs() + c] >= f64::from(thresholds[f])) != negated.get(0, f)
        });
        assert_eq!(found, want, "{shape:?} {pool}");
    }

    #[test]
    fn counted_convolutions_are_those_of_the_numbers() {
        let base = ConvShape {
            height: 6,
            width: 8,
            channels: 5,
            filters: 70,
            kernel: [3; 2],
            stride: 1,
            padding: 1,
        };
        compare(base, 1);
        compare(base, 2);
        compare(ConvShape { channels: 70, filters: 3, padding: 0, ..base }, 2);
        compare(ConvShape { channels: 64, stride: 2, padding: 2, ..base }, 1);
        compare(ConvShape { kernel: [2, 5], padding: 2, channels: 33, ..base }, 1);
        compare(ConvShape { kernel: [1; 2], padding: 0, channels: 130, ..base }, 2);
    }
}
