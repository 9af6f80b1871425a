//! Augmentation: the same image moved a little, mirrored or not, as a function of (seed, epoch, sample) alone.
//!
//! A random shift by up to ±n pixels and a random crop after padding by n are one and the same draw: a window of the
//! image's size whose corner lies in [−n, n]². What the window sees outside the image is zero or the nearest edge.
//! Usual values: `shift = 2` on 28x28 digits (no flip), `shift = 4` with `flip` on 32x32 photographs
//! (K. He et al.: Deep Residual Learning for Image Recognition, arXiv:1512.03385).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::order::{Draws, Purpose};

/// What lies outside an image.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Padding {
    /// Zeros.
    #[default]
    Zero,
    /// The nearest pixel of the image.
    Edge,
}

/// How training images are varied; the default leaves them as they are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub struct Augment {
    /// Largest shift in pixels, up, down, left and right; also known as random crop with this padding. Default 0.
    #[serde(alias = "crop")]
    pub shift: usize,
    /// Mirror left-right every other time. Default false.
    pub flip: bool,
    /// What moves in at the border: `zero` or `edge`. Default `zero`.
    pub padding: Padding,
}

impl Augment {
    /// Writes the variant of `image` that sample number `sample` gets in epoch `epoch`; `shape` is channels, height,
    /// width, and both slices hold one image.
    ///
    /// # Panics
    /// If a slice is not of that shape.
    pub fn apply<T: Copy + Default>(
        &self,
        image: &[T],
        shape: [usize; 3],
        (seed, epoch, sample): (u64, u64, u64),
        out: &mut [T],
    ) {
        let mut draws = Draws::new(Purpose::Augment, seed, epoch, sample);
        let corner = [(); 2].map(|()| draws.below(2 * self.shift as u64 + 1) as isize - self.shift as isize);
        crop(image, shape, corner, [shape[1], shape[2]], self.padding, out);
        if draws.below(2) == 1 && self.flip {
            flip(out, shape[2]);
        }
    }
}

/// Copies the window of `size` (height, width) whose upper left pixel is the image's pixel `corner` (row, column; may
/// be negative) to `out`; `shape` is the image's channels, height, width.
///
/// # Panics
/// If a slice is not of its shape, or the image has no pixels.
pub fn crop<T: Copy + Default>(
    image: &[T],
    shape: [usize; 3],
    corner: [isize; 2],
    size: [usize; 2],
    padding: Padding,
    out: &mut [T],
) {
    let [c, h, w] = shape;
    assert_eq!(image.len(), c * h * w, "image of another shape");
    assert_eq!(out.len(), c * size[0] * size[1], "window of another shape");
    let inside = |at: isize, most: usize| match padding {
        Padding::Zero => usize::try_from(at).ok().filter(|&i| i < most),
        Padding::Edge => Some(at.clamp(0, most as isize - 1) as usize),
    };
    for (plane, out) in image.chunks_exact(h * w).zip(out.chunks_exact_mut(size[0] * size[1])) {
        for (y, row) in out.chunks_exact_mut(size[1]).enumerate() {
            let from = inside(y as isize + corner[0], h);
            for (x, value) in row.iter_mut().enumerate() {
                let at = from.zip(inside(x as isize + corner[1], w));
                *value = at.map_or_else(T::default, |(y, x)| plane[y * w + x]);
            }
        }
    }
}

/// Moves the content `down` and `right` (either may be negative), keeping the shape.
///
/// # Panics
/// As [`crop`].
pub fn shift<T: Copy + Default>(
    image: &[T],
    shape: [usize; 3],
    [down, right]: [isize; 2],
    padding: Padding,
    out: &mut [T],
) {
    crop(image, shape, [-down, -right], [shape[1], shape[2]], padding, out);
}

/// Mirrors rows of `width` left-right, in place.
pub fn flip<T>(image: &mut [T], width: usize) {
    image.chunks_exact_mut(width).for_each(<[T]>::reverse);
}
