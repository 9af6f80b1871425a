//! Images cut into tiles for minimal filtering, and the transform of what lies under a tile.

use pulp::Simd;

use crate::Elem;

use super::ConvShape;
use super::axis::Axis;
use super::form::Way;
use super::frame::Frame;
use super::lanes::{load, store};
use super::tiling::Tiling;

/// Elements between the values of two positions beyond their size: without them they compete for a few lines of cache.
pub(super) const GAP: usize = 16;

/// How the target of a 3x3 correlation a pixel apart is cut into tiles, and where its source lies in a frame.
pub(super) struct Cut {
    pub(super) frame: Frame,
    /// Height and width of a target image.
    pub(super) size: [usize; 2],
    /// First pixel of the first tile in a frame, vertically and horizontally.
    origin: [usize; 2],
}

/// Pixels of a target, at most M x M.
#[derive(Clone, Copy)]
pub(super) struct Tile {
    /// First element of the source in the frames.
    pub(super) from: usize,
    /// First element of the target in the images.
    pub(super) to: usize,
    /// Rows and columns of pixels inside the image.
    pub(super) inside: [usize; 2],
}

impl Cut {
    /// For tiles of `m` pixels, with the kernel rows and columns of a window.
    pub(super) fn new(shape: &ConvShape, way: Way, m: usize) -> (Self, [Vec<usize>; 2]) {
        let (mut y, mut x) = Axis::both(shape, way);
        let size = [y.start.len(), x.start.len()];
        let origin = [y.start[0], x.start[0]];
        for (axis, (origin, size)) in [&mut y, &mut x].into_iter().zip(origin.into_iter().zip(size)) {
            axis.side.full = axis.side.full.max(origin + size.next_multiple_of(m) + 2);
        }
        let frame = Frame { height: y.side, width: x.side, channels: way.channels(shape).0 };
        (Cut { frame, size, origin }, [y.taps.swap_remove(0), x.taps.swap_remove(0)])
    }

    pub(super) fn tiles_per_image(&self, m: usize) -> usize {
        self.size[0].div_ceil(m) * self.size[1].div_ceil(m)
    }

    /// The tiles of some images of `outs` channels.
    pub(super) fn tiles(&self, images: usize, m: usize, outs: usize) -> Vec<Tile> {
        let mut all = Vec::new();
        let [height, width] = self.size;
        for image in 0..images {
            for (i, j) in (0..height).step_by(m).flat_map(|i| (0..width).step_by(m).map(move |j| (i, j))) {
                all.push(Tile {
                    from: image * self.frame.len() + self.frame.at(self.origin[0] + i, self.origin[1] + j),
                    to: ((image * height + i) * width + j) * outs,
                    inside: [m.min(height - i), m.min(width - j)],
                });
            }
        }
        all
    }

    /// Bᵀ d B of all channels under a tile: the positions are `stride` apart.
    #[inline(always)]
    pub(super) fn transform<S: Simd, T: Elem, K: Tiling<M, A>, const M: usize, const A: usize>(
        &self,
        s: S,
        frame: &[T],
        v: &mut [T],
        stride: usize,
    ) {
        let (zero, channels) = (T::splat(s, T::default()), self.frame.channels);
        for c in (0..channels).step_by(T::count::<S>()) {
            let width = T::count::<S>().min(channels - c);
            let (mut d, mut rows) = ([[zero; A]; A], [[zero; A]; A]);
            for i in 0..A {
                for j in 0..A {
                    d[i][j] = load(s, &frame[self.frame.at(i, j) + c..][..width]);
                }
                rows[i] = K::inputs::<S, T>(s, d[i]);
            }
            for j in 0..A {
                let mut column = [zero; A];
                for i in 0..A {
                    column[i] = rows[i][j];
                }
                let column = K::inputs::<S, T>(s, column);
                for i in 0..A {
                    store(s, &mut v[(i * A + j) * stride + c..][..width], column[i]);
                }
            }
        }
    }
}
