//! Sizes of a convolution.

/// Geometry of a 2-D convolution: every output pixel is a weighted sum over a window of the input.
///
/// A row of activations is one image, height × width × channels, channels fastest. A row of the weight is one filter,
/// channels × kernel height × kernel width. Output pixel (i, j) sees the window whose first pixel is
/// (i · stride - padding, j · stride - padding); pixels outside the image are zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConvShape {
    /// Rows of pixels of the input.
    pub height: usize,
    /// Pixels in a row of the input.
    pub width: usize,
    /// Channels of the input.
    pub channels: usize,
    /// Channels of the output.
    pub filters: usize,
    /// Height and width of the window.
    pub kernel: [usize; 2],
    /// Pixels from one window to the next, in both directions; at least 1.
    pub stride: usize,
    /// Zeros around the image on each side.
    pub padding: usize,
}

impl ConvShape {
    /// Rows of pixels of the output; 0 if the window does not fit.
    pub fn out_height(&self) -> usize {
        self.windows(self.height, self.kernel[0])
    }

    /// Pixels in a row of the output; 0 if the window does not fit.
    pub fn out_width(&self) -> usize {
        self.windows(self.width, self.kernel[1])
    }

    /// Columns of a matrix of input images.
    pub fn inputs(&self) -> usize {
        self.height * self.width * self.channels
    }

    /// Columns of a matrix of output images.
    pub fn outputs(&self) -> usize {
        self.pixels() * self.filters
    }

    /// Columns of the weight: elements of a window.
    pub fn patch(&self) -> usize {
        self.channels * self.kernel[0] * self.kernel[1]
    }

    /// Pixels of the output.
    pub(crate) fn pixels(&self) -> usize {
        self.out_height() * self.out_width()
    }

    fn windows(&self, length: usize, kernel: usize) -> usize {
        let room = length + 2 * self.padding;
        if room < kernel { 0 } else { (room - kernel) / self.stride + 1 }
    }
}
