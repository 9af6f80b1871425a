//! UCI handwritten digits, 8x8 pixels of 0 to 16: gzip CSV with 64 pixels and the label in every line.
//!
//! Split as is customary for this set: the first 1,500 lines train, the remaining 297 test. The file is not shuffled
//! and the last lines come from other writers, so this split is harder than a random one.
//! E. Alpaydin, C. Kaynak: Optical Recognition of Handwritten Digits, UCI Machine Learning Repository (1998).

use std::io::Read;

use flate2::read::MultiGzDecoder;

use super::{Dataset, Split};
use crate::{Error, Result};

/// Lines of the training split.
pub const TRAIN: usize = 1500;
const PIXELS: usize = 64;
const CLASSES: usize = 10;
/// No copy of the file unpacks to more bytes.
const MOST: u64 = 1 << 20;
/// The pixel value that stands for 1.0.
pub(super) const SCALE: f32 = 16.0;

/// Reads one split of the digits from their gzip CSV; `file` is its name in messages.
///
/// # Errors
/// [`Error::Data`] with file and line: damaged gzip, a line without 64 pixels of 0..=16 and a label below 10.
pub fn decode(reader: impl Read, file: &str, split: Split) -> Result<Dataset> {
    let (mut pixels, mut labels) = (Vec::new(), Vec::new());
    for (i, line) in unpacked(reader, file)?.lines().enumerate() {
        if (i < TRAIN) == (split == Split::Train) {
            let label = parse(line, &mut pixels).map_err(|why| damaged(file, i, &why))?;
            labels.push(u16::from(label));
        }
    }
    Dataset::new("digits", [1, 8, 8], CLASSES, pixels, SCALE, labels).map_err(|e| e.context(file))
}

fn unpacked(reader: impl Read, file: &str) -> Result<String> {
    let mut bytes = Vec::new();
    let read = MultiGzDecoder::new(reader).take(MOST + 1).read_to_end(&mut bytes);
    let lines = bytes.iter().filter(|b| **b == b'\n').count();
    read.map_err(|e| damaged(file, lines, &format!("damaged gzip data ({e})")))?;
    if bytes.len() as u64 > MOST {
        return Err(damaged(file, lines, &format!("unpacks to more than {MOST} bytes")));
    }
    String::from_utf8(bytes).map_err(|e| damaged(file, lines, &format!("not text ({e})")))
}

/// Appends the pixels of one line and returns its label.
fn parse(line: &str, pixels: &mut Vec<u8>) -> std::result::Result<u8, String> {
    let values = line.split(',').map(str::parse).collect::<std::result::Result<Vec<u8>, _>>();
    let values = values.map_err(|e| format!("not a list of small integers ({e})"))?;
    let [image @ .., label] = &values[..] else { return Err("empty line".into()) };
    if image.len() != PIXELS {
        return Err(format!("{} values, expected {PIXELS} pixels and a label", values.len()));
    }
    if let Some(p) = image.iter().find(|&&p| f32::from(p) > SCALE) {
        return Err(format!("pixel {p}, expected at most {SCALE}"));
    }
    if usize::from(*label) >= CLASSES {
        return Err(format!("label {label}, expected below {CLASSES}"));
    }
    pixels.extend(image);
    Ok(*label)
}

fn damaged(file: &str, line: usize, why: &str) -> Error {
    Error::data(format!("{file}, line {}: {why}", line + 1))
        .with_hint("the file is damaged: install it again")
}
