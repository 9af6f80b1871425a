//! One direction of a correlation: which source positions each target position sums over.
//!
//! A convolution reads x(o·s - p + k) at tap k. Its adjoint in the input reads g((i + p - k) / s) at those taps k for
//! which the division has no remainder: the positions i with the same i mod s (a phase) share them, and with the taps
//! taken from the last to the first they too read a run of neighbours.

use super::ConvShape;
use super::form::Way;
use super::frame::Side;

/// Target position i is in phase `phase[i]` and reads `taps[phase].len()` positions of the frame from `start[i]` on.
pub(super) struct Axis {
    /// How the source lies in its frame.
    pub(super) side: Side,
    pub(super) start: Vec<usize>,
    pub(super) phase: Vec<usize>,
    /// Per phase, the kernel positions of the run of neighbours.
    pub(super) taps: Vec<Vec<usize>>,
}

impl Axis {
    /// The vertical and the horizontal axis of a product.
    pub(super) fn both(shape: &ConvShape, way: Way) -> (Self, Self) {
        let axis = |length, windows, kernel| match way {
            Way::Forward => Axis::forward(length, windows, kernel, shape.stride, shape.padding),
            Way::BackwardInput => Axis::backward(windows, length, kernel, shape.stride, shape.padding),
        };
        let [kh, kw] = shape.kernel;
        (axis(shape.height, shape.out_height(), kh), axis(shape.width, shape.out_width(), kw))
    }

    /// Sums of `targets` windows over a source of `length`.
    fn forward(length: usize, targets: usize, kernel: usize, stride: usize, padding: usize) -> Self {
        let start: Vec<usize> = (0..targets).map(|o| o * stride).collect();
        let taps = vec![(0..kernel).collect()];
        Self::new(length, padding, start, vec![0; targets], taps)
    }

    /// The adjoint of [`Axis::forward`]: here the targets are the `targets` inputs and `length` counts the windows.
    fn backward(length: usize, targets: usize, kernel: usize, stride: usize, padding: usize) -> Self {
        let mut taps = Vec::new();
        let mut shift = Vec::new();
        for r in 0..stride {
            let first = (r + padding) % stride;
            let count = kernel.saturating_sub(first).div_ceil(stride);
            taps.push((0..count).rev().map(|j| first + stride * j).collect());
            // Position r reads the windows from -shift on.
            shift.push(count as isize - 1 - ((r + padding - first) / stride) as isize);
        }
        let margin = shift.iter().copied().max().map_or(0, |m| m.max(0));
        let start = (0..targets).map(|i| ((i / stride) as isize + margin - shift[i % stride]) as usize);
        Self::new(length, margin as usize, start.collect(), (0..targets).map(|i| i % stride).collect(), taps)
    }

    fn new(
        length: usize,
        margin: usize,
        start: Vec<usize>,
        phase: Vec<usize>,
        taps: Vec<Vec<usize>>,
    ) -> Self {
        let ends = start.iter().zip(&phase).map(|(start, &phase)| start + taps[phase].len());
        let full = ends.max().unwrap_or(0).max(margin + length);
        Axis { side: Side { length, margin, full }, start, phase, taps }
    }
}
