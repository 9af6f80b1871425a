//! CIFAR-10 as JPEG images in a tar archive, turned into one file of the CIFAR-10 layout ([`cifar`](super::cifar)).
//!
//! Members are called `NNNNN_c.jpg`: the number of the image in the official order, from 0, and its label. The decoder
//! uses no instructions of one processor only, so the bytes are the same everywhere.

use std::collections::BTreeMap;
use std::io::Read;

use zune_jpeg::JpegDecoder;
use zune_jpeg::zune_core::bytestream::ZCursor;
use zune_jpeg::zune_core::colorspace::ColorSpace;
use zune_jpeg::zune_core::options::DecoderOptions;

use super::cifar::PIXELS;

const SIDE: usize = 32;
/// Bytes of one JPEG image; those of 32x32 pixels have about 1,000.
const MOST: u64 = 1 << 16;

/// The records of all images of a tar archive, in the order of their numbers.
///
/// # Errors
/// Which member is wrong and why: a name without number and label, a number twice or missing, no JPEG image of 32x32
/// pixels in colour.
pub fn pack(tar: impl Read) -> Result<Vec<u8>, String> {
    let mut images = BTreeMap::new();
    for entry in tar::Archive::new(tar).entries().map_err(|e| e.to_string())? {
        let mut entry = entry.map_err(|e| e.to_string())?;
        if !entry.header().entry_type().is_file() {
            continue;
        }
        let name = String::from_utf8_lossy(&entry.path_bytes()).escape_debug().to_string();
        let (number, label) =
            number_and_label(&name).ok_or_else(|| format!("{name}: expected a name such as 00000_6.jpg"))?;
        let mut jpeg = Vec::new();
        entry.by_ref().take(MOST).read_to_end(&mut jpeg).map_err(|e| format!("{name}: {e}"))?;
        let planes = decode(&jpeg).map_err(|why| format!("{name}: {why}"))?;
        if images.insert(number, (label, planes)).is_some() {
            return Err(format!("{name}: image {number} is there twice"));
        }
    }
    if let Some((expected, _)) = (0..).zip(images.keys()).find(|(i, number)| i != *number) {
        return Err(format!("image {expected} is missing"));
    }
    let mut out = Vec::with_capacity(images.len() * (1 + PIXELS));
    for (label, planes) in images.into_values() {
        out.push(label);
        out.extend(planes);
    }
    Ok(out)
}

fn number_and_label(name: &str) -> Option<(u32, u8)> {
    let name = name.rsplit('/').next()?.strip_suffix(".jpg")?;
    let (number, label) = name.split_once('_')?;
    Some((number.parse().ok()?, label.parse().ok().filter(|l| *l < 10)?))
}

/// The red, green and blue planes of a 32x32 image.
fn decode(jpeg: &[u8]) -> Result<Vec<u8>, String> {
    let options = DecoderOptions::default()
        .set_strict_mode(true)
        .set_max_width(SIDE)
        .set_max_height(SIDE)
        .jpeg_set_out_colorspace(ColorSpace::RGB);
    let mut decoder = JpegDecoder::new_with_options(ZCursor::new(jpeg), options);
    let pixels = decoder.decode().map_err(|e| format!("no readable JPEG image ({e})"))?;
    if decoder.dimensions() != Some((SIDE, SIDE)) || pixels.len() != PIXELS {
        return Err(format!(
            "an image of {:?} pixels, expected 32x32",
            decoder.dimensions().unwrap_or_default()
        ));
    }
    Ok((0..3).flat_map(|c| pixels.iter().skip(c).step_by(3).copied()).collect())
}
