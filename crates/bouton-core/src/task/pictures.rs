//! Pictures in files: PNG and JPEG, told apart by their content.

use png::{ColorType, Transformations};
use std::io::Cursor;
use std::path::Path;
use zune_jpeg::JpegDecoder;
use zune_jpeg::zune_core::bytestream::ZCursor;
use zune_jpeg::zune_core::colorspace::ColorSpace;
use zune_jpeg::zune_core::options::DecoderOptions;

/// Pixels on a side.
const MOST_SIDE: usize = 1 << 13;
/// Bytes that a picture may be decoded to.
const MOST_BYTES: usize = 1 << 28;

/// Bytes that a byte of a PNG unpacks to at most: two bits of deflate, a length and a distance, stand for 258 bytes.
const MOST_UNPACKED: usize = 4 * 258;
/// Pixels of a byte of a JPEG: every block of 8×8 has at least one bit, that of its mean.
const MOST_OF_A_BYTE: usize = 8 * 64;

/// A picture in shades of grey, or in red, green and blue; transparency is left out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Picture {
    /// Height and width.
    pub size: [usize; 2],
    /// 1 or 3.
    pub channels: usize,
    /// Plane after plane, row after row.
    pub planes: Vec<u8>,
}

type Read<T> = Result<T, String>;

/// The picture in the file `path`.
///
/// # Errors
/// Why not, in a few words.
pub fn open(path: &Path) -> Read<Picture> {
    decode(&std::fs::read(path).map_err(|e| e.to_string())?)
}

/// The picture in the content of a file.
///
/// # Errors
/// Why not, in a few words.
pub fn decode(bytes: &[u8]) -> Read<Picture> {
    match bytes {
        [0x89, b'P', b'N', b'G', ..] => of_png(bytes),
        [0xff, 0xd8, ..] => of_jpeg(bytes),
        [] => Err("the file is empty".into()),
        _ => Err("neither PNG nor JPEG".into()),
    }
}

fn of_png(bytes: &[u8]) -> Read<Picture> {
    let limits = png::Limits { bytes: MOST_BYTES };
    let mut decoder = png::Decoder::new_with_limits(Cursor::new(bytes), limits);
    decoder.set_transformations(Transformations::EXPAND | Transformations::STRIP_16);
    let mut reader = decoder.read_info().map_err(|e| e.to_string())?;
    let size = reader.output_buffer_size().filter(|n| *n <= MOST_BYTES).ok_or("larger than 256 MiB")?;
    if reader.info().raw_bytes() > bytes.len().saturating_mul(MOST_UNPACKED) {
        let (width, height) = reader.info().size();
        return Err(format!("{width} × {height} pixels, which {} bytes cannot hold", bytes.len()));
    }
    let mut pixels = vec![0; size];
    let frame = reader.next_frame(&mut pixels).map_err(|e| e.to_string())?;
    pixels.truncate(frame.buffer_size());
    let samples = match frame.color_type {
        ColorType::Grayscale => 1,
        ColorType::GrayscaleAlpha => 2,
        ColorType::Rgb => 3,
        ColorType::Rgba => 4,
        ColorType::Indexed => return Err("a palette without colours".into()),
    };
    Ok(planes(&pixels, [frame.height as usize, frame.width as usize], samples))
}

fn of_jpeg(bytes: &[u8]) -> Read<Picture> {
    let options = DecoderOptions::default().set_max_width(MOST_SIDE).set_max_height(MOST_SIDE);
    let mut decoder = JpegDecoder::new_with_options(ZCursor::new(bytes), options);
    decoder.decode_headers().map_err(|e| e.to_string())?;
    let pixels = decoder.dimensions().map_or(0, |(width, height)| width * height);
    if pixels > bytes.len().saturating_mul(MOST_OF_A_BYTE) {
        return Err(format!("{pixels} pixels, which {} bytes cannot hold", bytes.len()));
    }
    let grey = decoder.input_colorspace() == Some(ColorSpace::Luma);
    let wanted = if grey { ColorSpace::Luma } else { ColorSpace::RGB };
    decoder.set_options(options.jpeg_set_out_colorspace(wanted));
    let pixels = decoder.decode().map_err(|e| e.to_string())?;
    let (width, height) = decoder.dimensions().ok_or("no size")?;
    Ok(planes(&pixels, [height, width], if grey { 1 } else { 3 }))
}

/// Pixels of `samples` numbers each as planes; the last of two or four is transparency.
fn planes(pixels: &[u8], size: [usize; 2], samples: usize) -> Picture {
    let channels = if samples < 3 { 1 } else { 3 };
    let planes = (0..channels).flat_map(|c| pixels.iter().skip(c).step_by(samples).copied()).collect();
    Picture { size, channels, planes }
}

impl Picture {
    /// The same in shades of grey: 0.299 R + 0.587 G + 0.114 B (ITU-R BT.601).
    #[must_use]
    pub fn grey(self) -> Self {
        if self.channels == 1 {
            return self;
        }
        let n = self.size[0] * self.size[1];
        let luma = |i: usize| {
            let [r, g, b] = [0, 1, 2].map(|c| f64::from(self.planes[c * n + i]));
            (0.299 * r + 0.587 * g + 0.114 * b).round() as u8
        };
        Self { size: self.size, channels: 1, planes: (0..n).map(luma).collect() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 16,384 × 16,383 pixels in a hundred bytes: nothing is unpacked, and no memory is taken.
    #[test]
    fn pictures_that_their_bytes_cannot_hold_are_refused() {
        let mut file = Vec::new();
        let mut encoder = png::Encoder::new(&mut file, 16_384, 16_383);
        encoder.set_color(ColorType::Grayscale);
        let mut writer = encoder.write_header().unwrap();
        writer.write_chunk(png::chunk::IDAT, &[0x78, 0x9c, 0x03, 0, 0, 0, 0, 1]).unwrap();
        drop(writer);
        let why = decode(&file).unwrap_err();
        assert!(why.starts_with("16384 × 16383 pixels, which"), "{why}");
    }
}
