//! STL-10, binary version: `*_X.bin` holds images of 27,648 bytes, red, green and blue planes of 96x96 pixels, each
//! plane column by column (it is transposed here); `*_y.bin` holds one byte per image, classes 1 to 10.
//!
//! A. Coates, A. Y. Ng, H. Lee: An Analysis of Single-Layer Networks in Unsupervised Feature Learning, AISTATS 2011.

use std::io::Read;

use super::samples::{Samples, push_transposed, records};
use crate::Result;

/// Rows and columns of an image.
const SIDE: usize = 96;
const CLASSES: u8 = 10;

/// Appends the images of a file; `file` is its name in messages.
///
/// # Errors
/// [`Error::Data`](crate::Error::Data) with file and record: none at all, or a short one.
pub fn images(reader: impl Read, file: &str, into: &mut Samples) -> Result<()> {
    records(reader, file, 3 * SIDE * SIDE, |_, image| {
        push_transposed(image, SIDE, &mut into.pixels);
        Ok(())
    })
}

/// Appends the labels of a file, counted from 0; `file` is its name in messages.
///
/// # Errors
/// [`Error::Data`](crate::Error::Data) with file and record: none at all, or one out of range.
pub fn labels(reader: impl Read, file: &str, into: &mut Samples) -> Result<()> {
    records(reader, file, 1, |_, label| match label[0] {
        l @ 1..=CLASSES => {
            into.labels.push(u16::from(l - 1));
            Ok(())
        }
        l => Err(format!("label {l}, expected 1 to {CLASSES}")),
    })
}
