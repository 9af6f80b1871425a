//! Places and channels of a layer.

/// Height, width and channels of a layer; units without places are channels of a single pixel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    /// Rows of pixels.
    pub height: usize,
    /// Columns of pixels.
    pub width: usize,
    /// Numbers per pixel, the fastest index of an activity's row.
    pub channels: usize,
}

/// Units of a layer, of its padded input and of its drives before pooling, beyond which no sample fits into memory.
pub const MOST_UNITS: usize = 1 << 26;

impl Shape {
    /// Whether it has at most so many units as a layer may have.
    pub(crate) fn fits(self) -> bool {
        let Self { height, width, channels } = self;
        let units = height.checked_mul(width).and_then(|n| n.checked_mul(channels));
        units.is_some_and(|n| n <= MOST_UNITS)
    }

    /// Units in all.
    pub fn units(self) -> usize {
        self.height * self.width * self.channels
    }
}
