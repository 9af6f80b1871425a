//! Colour images with their labels, on the way to a [`Dataset`](super::Dataset), and what their files have in common.

use std::io::{self, Read};

use crate::{Error, Result};

/// Hint for a file whose content cannot be what it should be.
const DAMAGED: &str = "the file is damaged: fetch or import it again";

/// No file of a known set holds more images: one that says so is damaged, or made to fill the memory.
#[cfg(feature = "import")]
pub(super) const MOST_IMAGES: usize = 1 << 19;

/// Images and labels, in file order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Samples {
    /// Image after image, each as channels, rows, columns.
    pub pixels: Vec<u8>,
    /// The class of each image, from 0.
    pub labels: Vec<u16>,
}

/// The error for a file that does not follow its layout.
pub(super) fn damaged(file: &str, why: impl std::fmt::Display) -> Error {
    Error::data(format!("{file}: {why}")).with_hint(DAMAGED)
}

/// Hands over one record of `size` bytes after the other.
///
/// # Errors
/// [`Error::Data`] if there is none, if the last one is short, or what `take` says about record number `i`.
pub(super) fn records(
    reader: impl Read,
    file: &str,
    size: usize,
    mut take: impl FnMut(usize, &[u8]) -> std::result::Result<(), String>,
) -> Result<()> {
    let mut reader = io::BufReader::new(reader);
    let mut record = Vec::with_capacity(size);
    for i in 0.. {
        record.clear();
        let read = reader.by_ref().take(size as u64).read_to_end(&mut record);
        read.map_err(|e| damaged(file, format!("record {i} cannot be read ({e})")))?;
        match record.len() {
            0 if i == 0 => return Err(damaged(file, "holds no records")),
            0 => break,
            n if n < size => {
                return Err(damaged(file, format!("truncated: record {i} has {n} of {size} bytes")));
            }
            _ => take(i, &record).map_err(|why| damaged(file, format!("record {i}: {why}")))?,
        }
    }
    Ok(())
}

/// Appends an image whose planes of `side`x`side` lie column by column.
pub(super) fn push_transposed(image: &[u8], side: usize, into: &mut Vec<u8>) {
    for plane in image.chunks_exact(side * side) {
        (0..side).for_each(|row| into.extend(plane[row..].iter().step_by(side)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_become_rows_in_every_plane() {
        let mut out = Vec::new();
        push_transposed(&[1, 2, 3, 4, 5, 6, 7, 8], 2, &mut out);
        assert_eq!(out, [1, 3, 2, 4, 5, 7, 6, 8]);
    }
}
