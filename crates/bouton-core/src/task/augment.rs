//! Augmentation: the same image moved a little, mirrored or not, as a function of (seed, epoch, sample) alone.
//!
//! A random shift by up to ±n pixels and a random crop after padding by n are one and the same draw: a window of the
//! image's size whose corner lies in [−n, n]². What the window sees outside the image is zero or the nearest edge.
//! Usual values: `shift = 2` on 28x28 digits (no flip), `shift = 4` with `flip` on 32x32 photographs
//! (K. He et al.: Deep Residual Learning for Image Recognition, arXiv:1512.03385).

use crate::rng::Key;

pub use super::images::Pad as Padding;

/// How training images are varied; the default leaves them as they are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Augment {
    /// Largest shift in pixels, up, down, left and right; also known as random crop with this padding. Default 0.
    pub shift: usize,
    /// Mirror left-right every other time. Default false.
    pub flip: bool,
    /// What moves in at the border. Default zeros.
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
        let mut draws = Key::new(seed).of("augment", epoch).of("sample", sample).stream();
        let corner = [(); 2].map(|()| draws.below(2 * self.shift as u64 + 1) as isize - self.shift as isize);
        crop(image, shape, corner, [shape[1], shape[2]], self.padding, out);
        if draws.below(2) == 1 && self.flip {
            flip(out, shape[2]);
        }
    }
}

/// Appends the image turned by `degrees` counter-clockwise about its centre, bilinearly; zeros come in from outside.
///
/// # Panics
/// If the image is not of `shape`.
pub fn rotate(image: &[u8], [c, h, w]: [usize; 3], degrees: f64, out: &mut Vec<u8>) {
    assert_eq!(image.len(), c * h * w, "image of another shape");
    let (sin, cos) = degrees.to_radians().sin_cos();
    let (cy, cx) = ((h as f64 - 1.0) / 2.0, (w as f64 - 1.0) / 2.0);
    for plane in image.chunks_exact(h * w) {
        let at = |y: f64, x: f64| {
            let inside = y >= 0.0 && x >= 0.0 && y < h as f64 && x < w as f64;
            if inside { f64::from(plane[y as usize * w + x as usize]) } else { 0.0 }
        };
        for row in 0..h {
            for column in 0..w {
                let (dy, dx) = (row as f64 - cy, column as f64 - cx);
                // Rows count downwards, so turning the image by +φ looks up the point turned by −φ on the screen.
                let (y, x) = (cy + cos * dy + sin * dx, cx + cos * dx - sin * dy);
                let (y0, x0) = (y.floor(), x.floor());
                let (fy, fx) = (y - y0, x - x0);
                let top = (1.0 - fx) * at(y0, x0) + fx * at(y0, x0 + 1.0);
                let bottom = (1.0 - fx) * at(y0 + 1.0, x0) + fx * at(y0 + 1.0, x0 + 1.0);
                out.push(((1.0 - fy) * top + fy * bottom).round() as u8);
            }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quarter_turn_is_counter_clockwise() {
        let turned = |degrees: f64| {
            let mut out = Vec::new();
            rotate(&[1, 2, 3, 4, 5, 6, 7, 8, 9], [1, 3, 3], degrees, &mut out);
            out
        };
        assert_eq!(turned(0.0), [1, 2, 3, 4, 5, 6, 7, 8, 9]);
        assert_eq!(turned(90.0), [3, 6, 9, 2, 5, 8, 1, 4, 7]);
        assert_eq!(turned(-90.0), [7, 4, 1, 8, 5, 2, 9, 6, 3]);
    }

    const SHAPE: [usize; 3] = [2, 2, 3];
    const IMAGE: [u8; 12] = [1, 2, 3, 4, 5, 6, 11, 12, 13, 14, 15, 16];

    fn shifted(by: [isize; 2], padding: Padding) -> [u8; 12] {
        let mut out = [99; 12];
        shift(&IMAGE, SHAPE, by, padding, &mut out);
        out
    }

    #[test]
    fn a_shift_moves_the_content_down_and_right() {
        assert_eq!(shifted([0, 0], Padding::Zero), IMAGE);
        assert_eq!(shifted([1, 0], Padding::Zero), [0, 0, 0, 1, 2, 3, 0, 0, 0, 11, 12, 13]);
        assert_eq!(shifted([0, 1], Padding::Zero), [0, 1, 2, 0, 4, 5, 0, 11, 12, 0, 14, 15]);
        assert_eq!(shifted([-1, -2], Padding::Zero), [6, 0, 0, 0, 0, 0, 16, 0, 0, 0, 0, 0]);
        assert_eq!(shifted([1, 1], Padding::Edge), [1, 1, 2, 1, 1, 2, 11, 11, 12, 11, 11, 12]);
        assert_eq!(shifted([0, -2], Padding::Edge), [3, 3, 3, 6, 6, 6, 13, 13, 13, 16, 16, 16]);
        assert_eq!(shifted([9, -9], Padding::Zero), [0; 12]);
    }

    #[test]
    fn a_crop_is_a_window_of_any_size() {
        let mut small = [0.0; 4];
        crop(&IMAGE.map(f32::from), SHAPE, [1, 1], [1, 2], Padding::Zero, &mut small);
        assert_eq!(small, [5.0, 6.0, 15.0, 16.0]);
        let mut large = [9; 16];
        crop(&[1_u8, 2, 3, 4], [1, 2, 2], [-1, -1], [4, 4], Padding::Zero, &mut large);
        assert_eq!(large, [0, 0, 0, 0, 0, 1, 2, 0, 0, 3, 4, 0, 0, 0, 0, 0]);
        crop(&[1_u8, 2, 3, 4], [1, 2, 2], [-1, -1], [4, 4], Padding::Edge, &mut large);
        assert_eq!(large, [1, 1, 2, 2, 1, 1, 2, 2, 3, 3, 4, 4, 3, 3, 4, 4]);
    }

    #[test]
    fn flipping_mirrors_rows_and_twice_is_nothing() {
        let mut image = IMAGE;
        flip(&mut image, 3);
        assert_eq!(image, [3, 2, 1, 6, 5, 4, 13, 12, 11, 16, 15, 14]);
        flip(&mut image, 3);
        assert_eq!(image, IMAGE);
    }

    #[test]
    fn the_default_changes_nothing_and_the_key_decides() {
        let apply = |augment: Augment, key| {
            let mut out = [0; 12];
            augment.apply(&IMAGE, SHAPE, key, &mut out);
            out
        };
        assert_eq!(apply(Augment::default(), (1, 2, 3)), IMAGE);
        let augment = Augment { shift: 2, flip: true, padding: Padding::Edge };
        assert_eq!(apply(augment, (1, 2, 3)), apply(augment, (1, 2, 3)));
        for vary in [|i| (i, 0, 0), |i| (0, i, 0), |i| (0, 0, i)] {
            let first = apply(augment, vary(0));
            assert!((1..20).any(|i| apply(augment, vary(i)) != first));
        }
    }

    #[test]
    fn all_channels_of_a_colour_image_move_together() {
        // Three equal planes, the one in the middle brighter by 100.
        let plane: Vec<u8> = (1..=25).collect();
        let image: Vec<u8> = (0..3).flat_map(|c| plane.iter().map(move |p| p + 100 * (c % 2))).collect();
        for padding in [Padding::Zero, Padding::Edge] {
            for sample in 0..50 {
                let (mut out, mut first) = ([0; 75], [0; 25]);
                let augment = Augment { shift: 4, flip: true, padding };
                augment.apply(&image, [3, 5, 5], (1, 0, sample), &mut out);
                augment.apply(&plane, [1, 5, 5], (1, 0, sample), &mut first);
                assert_eq!((&out[..25], &out[50..]), (&first[..], &first[..]));
                let second = first.map(|p| if p == 0 { 0 } else { p + 100 });
                assert_eq!(out[25..50], second);
            }
        }
    }

    #[test]
    fn every_shift_and_side_is_equally_likely() {
        // A single bright pixel in the middle tells shift and side apart.
        let mut image = [0_u8; 25];
        (image[12], image[13]) = (2, 1);
        let mut seen = std::collections::BTreeMap::new();
        for sample in 0..9_000 {
            let mut out = [0; 25];
            let augment = Augment { shift: 1, flip: true, padding: Padding::Zero };
            augment.apply(&image, [1, 5, 5], (3, 0, sample), &mut out);
            let place = |v| out.iter().position(|&p| p == v).unwrap();
            *seen.entry((place(2), place(1) > place(2))).or_insert(0_u32) += 1;
        }
        assert_eq!(seen.len(), 18, "{seen:?}");
        // Standard deviation of a count is 22.
        assert!(seen.values().all(|n| n.abs_diff(500) < 110), "{seen:?}");
    }
}
