//! Convolution and its adjoint in the input as chains of multiply-adds over the elements of a window.
//!
//! y[pixel, n] += Σ_q frame[start(pixel) + tap(q)] · b[q, n], the weights b rearranged once into panels that a tile
//! reads from the first to the last.

use pulp::Simd;

use crate::chain::{ADD, DEPTH, block};
use crate::lines::Lines;
use crate::scratch::Scratch;
use crate::tiles::pieces;
use crate::{Elem, View};

use super::ConvShape;
use super::axis::Axis;
use super::form::{Form, Way};
use super::frame::Frame;
use super::grid::Grid;

/// Output pixels that are worked on together, about.
const PIXELS: usize = 256;

/// Columns of a panel: as wide as the widest tile.
pub(super) const fn panel<T>() -> usize {
    256 / size_of::<T>()
}

/// A weight made ready for one product of one geometry.
pub(super) struct Direct<T> {
    made_for: (ConvShape, Way),
    frame: Frame,
    /// Channels of a target pixel.
    outs: usize,
    /// Phase and start of every target pixel.
    pixels: Vec<(usize, usize)>,
    phases: Vec<Phase<T>>,
}

/// Target pixels that see the same elements of the kernel.
struct Phase<T> {
    /// Positions in a frame after the start of a pixel.
    taps: Vec<usize>,
    /// Per piece of the taps, per panel of columns: one row per tap.
    weights: Lines<T>,
}

impl<T: Elem> Form<T> for Direct<T> {
    fn new(shape: ConvShape, way: Way, w: View<'_>) -> Self {
        let (y, x) = Axis::both(&shape, way);
        let (channels, outs) = way.channels(&shape);
        let (per_channel, per_out) = way.steps(&shape);
        let frame = Frame { height: y.side, width: x.side, channels };
        let mut phases = Vec::new();
        for ky in &y.taps {
            for kx in &x.taps {
                let mut links = Vec::new();
                for (i, ky) in ky.iter().enumerate() {
                    for (j, kx) in kx.iter().enumerate() {
                        let (from, tap) = (frame.at(i, j), ky * shape.kernel[1] + kx);
                        links.extend((0..channels).map(|c| (from + c, c * per_channel + tap)));
                    }
                }
                phases.push(Phase::new(&links, w.slice(), outs, per_out));
            }
        }
        let mut pixels = Vec::new();
        for (py, sy) in y.phase.iter().zip(&y.start) {
            for (px, sx) in x.phase.iter().zip(&x.start) {
                pixels.push((py * x.taps.len() + px, frame.at(*sy, *sx)));
            }
        }
        Direct { made_for: (shape, way), frame, outs, pixels, phases }
    }

    fn made_for(&self) -> (ConvShape, Way) {
        self.made_for
    }

    fn images(&self) -> usize {
        PIXELS.div_ceil(self.pixels.len())
    }

    #[inline(always)]
    fn product<S: Simd>(&self, s: S, x: &[T], y: &mut [T]) {
        let mut frames = Scratch::take(x.len() / self.frame.image() * self.frame.len());
        self.frame.fill(x, &mut frames);
        let mut jobs: Vec<Job<'_, T>> = self.phases.iter().map(|_| Job::new(self.outs)).collect();
        let images = y.chunks_exact_mut(self.pixels.len() * self.outs);
        for (i, image) in images.enumerate() {
            for (row, (phase, start)) in image.chunks_exact_mut(self.outs).zip(&self.pixels) {
                jobs[*phase].push(i * self.frame.len() + start, row);
            }
        }
        for (phase, job) in self.phases.iter().zip(&mut jobs) {
            phase.run(s, &frames, self.outs, job);
        }
    }
}

impl<T: Elem> Phase<T> {
    /// `links`: positions of an element in the frame and in `w`; there, the outputs are `step` apart.
    fn new(links: &[(usize, usize)], w: &[T], outs: usize, step: usize) -> Self {
        let mut weights = Lines::zeros(links.len() * outs);
        let mut at = 0;
        for (p, depth) in pieces(links.len(), DEPTH) {
            for from in (0..outs).step_by(panel::<T>()) {
                for (_, link) in &links[p..p + depth] {
                    for n in from..outs.min(from + panel::<T>()) {
                        weights[at] = w[link + n * step];
                        at += 1;
                    }
                }
            }
        }
        Phase { taps: links.iter().map(|link| link.0).collect(), weights }
    }

    #[inline(always)]
    fn run<S: Simd>(&self, s: S, frames: &[T], outs: usize, job: &mut Job<'_, T>) {
        if job.starts.is_empty() {
            return;
        }
        for (p, depth) in pieces(self.taps.len(), DEPTH) {
            let mut b = &self.weights[p * outs..(p + depth) * outs];
            for rows in &mut job.panels {
                let width = rows[0].len();
                let (head, rest) = b.split_at(depth * width);
                let grid = Grid::new(frames, &self.taps[p..p + depth], &job.starts);
                block::<S, T, ADD>(s, grid, head, width, rows);
                b = rest;
            }
        }
    }
}

/// The target pixels of a phase, cut into panels of columns.
struct Job<'y, T> {
    starts: Vec<usize>,
    panels: Vec<Vec<&'y mut [T]>>,
}

impl<'y, T> Job<'y, T> {
    fn new(outs: usize) -> Self {
        Job { starts: Vec::new(), panels: (0..outs.div_ceil(panel::<T>())).map(|_| Vec::new()).collect() }
    }

    fn push(&mut self, start: usize, row: &'y mut [T]) {
        self.starts.push(start);
        row.chunks_mut(panel::<T>()).zip(&mut self.panels).for_each(|(part, panel)| panel.push(part));
    }
}
