//! Images with zeros around them, so that a window may reach beyond the edge.

use crate::Elem;

/// One direction of a frame: `margin` zeros, `length` pixels, and zeros up to `full`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Side {
    pub(super) length: usize,
    pub(super) margin: usize,
    pub(super) full: usize,
}

/// How an image lies in its frame.
#[derive(Clone, Copy, Debug)]
pub(super) struct Frame {
    pub(super) height: Side,
    pub(super) width: Side,
    pub(super) channels: usize,
}

impl Frame {
    /// Elements of the frame.
    pub(super) fn len(&self) -> usize {
        self.height.full * self.width.full * self.channels
    }

    /// Elements of the image.
    pub(super) fn image(&self) -> usize {
        self.height.length * self.width.length * self.channels
    }

    /// Position of the first channel of a pixel of the frame.
    pub(super) fn at(&self, y: usize, x: usize) -> usize {
        (y * self.width.full + x) * self.channels
    }

    /// Puts images into frames.
    pub(super) fn fill<T: Elem>(&self, images: &[T], frames: &mut [T]) {
        let row = self.width.length * self.channels;
        for (image, frame) in images.chunks_exact(self.image()).zip(frames.chunks_exact_mut(self.len())) {
            frame.fill(T::default());
            for (y, pixels) in image.chunks_exact(row).enumerate() {
                let at = self.at(y + self.height.margin, self.width.margin);
                frame[at..][..row].copy_from_slice(pixels);
            }
        }
    }

    /// Adds what lies in a frame, without its margins, to an image.
    pub(super) fn add_to<T: Elem>(&self, frame: &[T], image: &mut [T]) {
        let row = self.width.length * self.channels;
        for (y, pixels) in image.chunks_exact_mut(row).enumerate() {
            let at = self.at(y + self.height.margin, self.width.margin);
            pixels.iter_mut().zip(&frame[at..][..row]).for_each(|(x, sum)| *x += *sum);
        }
    }
}
