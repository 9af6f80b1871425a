//! Sizes of a pooling, and where its windows lie.

/// Geometry of a pooling over square windows that tile the image.
///
/// A row is one image, height × width × channels, channels fastest; each channel is pooled for itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PoolShape {
    /// Rows of pixels of the input; a multiple of `size`.
    pub height: usize,
    /// Pixels in a row of the input; a multiple of `size`.
    pub width: usize,
    /// Channels.
    pub channels: usize,
    /// Height and width of a window, and pixels from one window to the next.
    pub size: usize,
}

impl PoolShape {
    /// Columns of a matrix of input images.
    pub fn inputs(&self) -> usize {
        self.height * self.width * self.channels
    }

    /// Columns of a matrix of output images.
    pub fn outputs(&self) -> usize {
        self.inputs() / (self.size * self.size)
    }

    /// Elements of a channel in a window.
    pub(super) fn window(&self) -> usize {
        self.size * self.size
    }

    /// First element of each window.
    pub(super) fn corners(&self) -> impl Iterator<Item = usize> {
        let PoolShape { height, width, channels, size } = *self;
        (0..height / size)
            .flat_map(move |i| (0..width / size).map(move |j| (i * width + j) * size * channels))
    }

    /// Distances of the pixels of a window from the first one, row by row.
    pub(super) fn places(&self) -> Vec<usize> {
        let PoolShape { width, channels, size, .. } = *self;
        (0..size).flat_map(|i| (0..size).map(move |j| (i * width + j) * channels)).collect()
    }
}
