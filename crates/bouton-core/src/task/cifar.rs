//! CIFAR-10 and CIFAR-100, binary version: records of the labels (one byte each), then 3,072 pixels as red, green and
//! blue planes of 32 rows of 32; nothing stands between or around the records.
//!
//! CIFAR-10: one label below 10, files `data_batch_1.bin` to `data_batch_5.bin` and `test_batch.bin` of 10,000 records.
//! CIFAR-100: a coarse label below 20, then the fine label below 100; `train.bin` with 50,000 and `test.bin` with 10,000.
//! A. Krizhevsky: Learning Multiple Layers of Features from Tiny Images (2009), www.cs.toronto.edu/~kriz/cifar.html.

use std::io::Read;

use super::samples::{Samples, records};
use crate::Result;

/// Pixels of an image: 3 channels of 32x32.
pub const PIXELS: usize = 3 * 32 * 32;
/// The label of a CIFAR-10 record and how many classes it tells apart.
pub const CIFAR_10: &[(&str, u8)] = &[("label", 10)];
/// The labels of a CIFAR-100 record and how many classes they tell apart.
pub const CIFAR_100: &[(&str, u8)] = &[("coarse label", 20), ("fine label", 100)];

/// Appends the records of a file, with the last of their labels; `file` is its name in messages.
///
/// # Errors
/// [`Error::Data`](crate::Error::Data) with file and record: none at all, a short one, a label out of range.
pub fn decode(reader: impl Read, file: &str, labels: &[(&str, u8)], into: &mut Samples) -> Result<()> {
    records(reader, file, labels.len() + PIXELS, |_, record| {
        let (found, image) = record.split_at(labels.len());
        for (&value, (name, classes)) in found.iter().zip(labels) {
            if value >= *classes {
                return Err(format!("{name} {value}, expected below {classes}"));
            }
        }
        into.labels.extend(found.last().map(|&l| u16::from(l)));
        into.pixels.extend(image);
        Ok(())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fine_label_and_the_planes_are_read() {
        let image: Vec<u8> = (0..PIXELS).map(|i| (i % 251) as u8).collect();
        let file = [&[19, 99][..], &image, &[0, 3], &image].concat();
        let mut samples = Samples::default();
        decode(&file[..], "f", CIFAR_100, &mut samples).unwrap();
        assert_eq!(samples.labels, [99, 3]);
        assert_eq!(samples.pixels, [&image[..], &image].concat());
        let wrong = |head: [u8; 2]| {
            let e = decode(&[&head[..], &image].concat()[..], "f", CIFAR_100, &mut Samples::default());
            e.unwrap_err().to_string()
        };
        assert_eq!(wrong([20, 1]), "f: record 0: coarse label 20, expected below 20");
        assert_eq!(wrong([1, 100]), "f: record 0: fine label 100, expected below 100");
    }
}
