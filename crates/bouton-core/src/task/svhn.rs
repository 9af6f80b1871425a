//! SVHN, cropped digits: MATLAB files `train_32x32.mat` and `test_32x32.mat` with `X`, bytes of shape 32x32x3xN (row,
//! column, channel, image; the first index runs fastest), and `y`, N labels 1 to 10, where 10 stands for the digit 0.
//!
//! Y. Netzer, T. Wang, A. Coates, A. Bissacco, B. Wu, A. Y. Ng: Reading Digits in Natural Images with Unsupervised
//! Feature Learning, NIPS workshop 2011, ufldl.stanford.edu/housenumbers.

use std::io::Read;

use super::mat::{self, Array};
use super::samples::{Samples, damaged, push_transposed};
use crate::Result;

/// Rows and columns of an image.
const SIDE: usize = 32;

/// Appends what a file holds; `file` is its name in messages.
///
/// # Errors
/// [`Error::Data`](crate::Error::Data) with file and place: as [`mat::read`], or another shape, other counts or a label
/// out of range.
pub fn decode(reader: impl Read, file: &str, into: &mut Samples) -> Result<()> {
    let [x, y] = mat::read(reader, file, ["X", "y"])?;
    let [SIDE, SIDE, 3, n @ (1..)] = x.dims[..] else {
        return Err(damaged(file, format!("X has shape {:?}, expected [32, 32, 3, N]", x.dims)));
    };
    if y.values.len() != n {
        return Err(damaged(file, format!("{n} images but {} labels", y.values.len())));
    }
    into.labels.extend(digits(&y).map_err(|why| damaged(file, why))?);
    x.values.chunks_exact(3 * SIDE * SIDE).for_each(|i| push_transposed(i, SIDE, &mut into.pixels));
    Ok(())
}

fn digits(y: &Array) -> std::result::Result<Vec<u16>, String> {
    let digit = |(i, &label): (usize, &u8)| match label {
        1..=10 => Ok(u16::from(label % 10)),
        _ => Err(format!("label {label} of sample {i}, expected 1 to 10")),
    };
    y.values.iter().enumerate().map(digit).collect()
}
