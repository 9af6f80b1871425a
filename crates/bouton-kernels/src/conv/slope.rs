//! The adjoint of a convolution in its weight: products of windows with output gradients, summed over all pixels.
//!
//! w[f, e] += Σ_pixel x[window(pixel), e] · g[pixel, f]: one chain per element, in ascending order of images and pixels.
//! Filters lie along the registers and the elements e of a window are the rows of a tile, so that few channels cost no
//! lanes; the sums are turned around once at the end.

use std::ops::Range;

use pulp::{Simd, WithSimd};

use crate::Elem;
use crate::chain::{ADD, DEPTH, block};
use crate::lines::fetch;
use crate::scratch::Scratch;
use crate::tiles::pieces;

use super::ConvShape;
use super::axis::Axis;
use super::direct::panel;
use super::form::Way;
use super::frame::Frame;
use super::grid::Grid;

/// Pixels that are worked on together, about.
const PIXELS: usize = 2048;
/// Elements of a window whose sums stay in the second-level cache while all pixels pass by.
const ELEMENTS: usize = 1152;
/// Panels of a gradient row up to which rows are read where they are; farther ones would share lines of the cache.
const NEAR: usize = 2;

/// w[band] += the adjoint; `w` holds the filters of `band` only.
pub(super) struct Slope<'a, T> {
    pub(super) shape: &'a ConvShape,
    pub(super) x: &'a [T],
    pub(super) g: &'a [T],
    pub(super) band: Range<usize>,
    pub(super) w: &'a mut [T],
}

impl<T: Elem> WithSimd for Slope<'_, T> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, s: S) {
        let Slope { shape, x, g, band, w } = self;
        let windows = Windows::new(shape);
        let mut sums = Scratch::take(shape.patch() * band.len());
        sums.fill(T::default());
        let mut panels: Vec<(usize, Vec<&mut [T]>)> = Vec::new();
        for (i, sums) in sums.chunks_mut(shape.patch() * panel::<T>()).enumerate() {
            let width = sums.len() / shape.patch();
            panels.push((band.start + i * panel::<T>(), sums.chunks_exact_mut(width).collect()));
        }
        let images = PIXELS.div_ceil(shape.pixels());
        for (x, g) in x.chunks(images * shape.inputs()).zip(g.chunks(images * shape.outputs())) {
            windows.group(s, x, g, shape.filters, &mut panels);
        }
        for (from, sums) in &panels {
            add_transposed(shape, sums, &mut w[(from - band.start) * shape.patch()..]);
        }
    }
}

/// Adds sums of a panel, rows (ky, kx, channel) of filters, to filters of (channel, ky, kx).
#[inline(always)]
fn add_transposed<T: Elem>(shape: &ConvShape, sums: &[&mut [T]], w: &mut [T]) {
    let window = shape.kernel[0] * shape.kernel[1];
    for c in 0..shape.channels {
        for k in 0..window {
            for (f, sum) in sums[k * shape.channels + c].iter().enumerate() {
                w[f * shape.patch() + c * window + k] += *sum;
            }
        }
    }
}

/// Where the windows and their elements lie in a frame.
struct Windows {
    frame: Frame,
    starts: Vec<usize>,
    elements: Vec<usize>,
}

impl Windows {
    fn new(shape: &ConvShape) -> Self {
        let [kh, kw] = shape.kernel;
        let (y, x) = Axis::both(shape, Way::Forward);
        let frame = Frame { height: y.side, width: x.side, channels: shape.channels };
        let starts = y.start.iter().flat_map(|y| x.start.iter().map(move |x| frame.at(*y, *x))).collect();
        let mut elements = Vec::new();
        for ky in 0..kh {
            for kx in 0..kw {
                elements.extend((0..shape.channels).map(|c| frame.at(ky, kx) + c));
            }
        }
        Windows { frame, starts, elements }
    }

    /// Adds the products of some images to the sums of all panels.
    #[inline(always)]
    fn group<S: Simd, T: Elem>(
        &self,
        s: S,
        x: &[T],
        g: &[T],
        filters: usize,
        panels: &mut [(usize, Vec<&mut [T]>)],
    ) {
        let images = x.len() / self.frame.image();
        let mut frames = Scratch::take(images * self.frame.len());
        self.frame.fill(x, &mut frames);
        let starts: Vec<usize> =
            (0..images).flat_map(|i| self.starts.iter().map(move |s| i * self.frame.len() + s)).collect();
        let mut packed = Scratch::take(DEPTH * panel::<T>());
        for (e, some) in pieces(self.elements.len(), ELEMENTS) {
            for (from, sums) in &mut *panels {
                let width = sums[0].len();
                for (p, depth) in pieces(starts.len(), DEPTH) {
                    for row in g[(p + depth) * filters..].chunks(filters).take(DEPTH) {
                        fetch(&row[*from..*from + width]);
                    }
                    let (mut g, mut stride) = (&g[p * filters + *from..], filters);
                    if filters > NEAR * panel::<T>() {
                        for q in 0..depth {
                            packed[q * width..][..width].copy_from_slice(&g[q * filters..][..width]);
                        }
                        (g, stride) = (&packed, width);
                    }
                    let grid = Grid::new(&frames, &starts[p..p + depth], &self.elements[e..e + some]);
                    let g = &g[..(depth - 1) * stride + width];
                    block::<S, T, ADD>(s, grid, g, stride, &mut sums[e..e + some]);
                }
            }
        }
    }
}
