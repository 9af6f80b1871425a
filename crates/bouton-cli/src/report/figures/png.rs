//! The one raster format that browsers and printers read, and SVG tools inside an SVG: 8-bit RGB PNG.

use std::io::Write;

use flate2::write::ZlibEncoder;
use flate2::{Compression, Crc};

/// An image, row by row.
pub(super) struct Image {
    pub width: usize,
    pub height: usize,
    pub pixels: Vec<[u8; 3]>,
}

impl Image {
    pub(super) fn filled(width: usize, height: usize, colour: [u8; 3]) -> Self {
        Self { width, height, pixels: vec![colour; width * height] }
    }

    /// The image as a `data:` address.
    pub(super) fn data_url(&self) -> String {
        format!("data:image/png;base64,{}", base64(&self.png(None)))
    }

    /// The bytes of a file, which says how large it is meant to be if so many dots are a metre.
    pub(super) fn png(&self, metre: Option<u32>) -> Vec<u8> {
        let size = [self.width, self.height].map(|n| (n as u32).to_be_bytes()).concat();
        let mut rows = ZlibEncoder::new(Vec::new(), Compression::best());
        for row in self.pixels.chunks(self.width) {
            // Every row begins with its filter, 0 for none.
            rows.write_all(&[0]).and_then(|()| rows.write_all(row.as_flattened())).expect("writes to memory");
        }
        let rows = rows.finish().expect("writes to memory");
        [
            b"\x89PNG\r\n\x1a\n".to_vec(),
            // 8 bits, colour type 2 (RGB), the only compression, filter and no interlace.
            chunk(b"IHDR", &[&size[..], &[8, 2, 0, 0, 0]].concat()),
            metre.map_or(Vec::new(), resolution),
            chunk(b"IDAT", &rows),
            chunk(b"IEND", &[]),
        ]
        .concat()
    }
}

/// Dots in a metre of x and of y; unit 1 is the metre.
fn resolution(metre: u32) -> Vec<u8> {
    let dots = metre.to_be_bytes();
    chunk(b"pHYs", &[&dots[..], &dots, &[1]].concat())
}

fn chunk(kind: &[u8; 4], content: &[u8]) -> Vec<u8> {
    let mut crc = Crc::new();
    crc.update(kind);
    crc.update(content);
    [&(content.len() as u32).to_be_bytes()[..], kind, content, &crc.sum().to_be_bytes()].concat()
}

fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for group in bytes.chunks(3) {
        let bits = group.iter().enumerate().fold(0, |bits, (i, &b)| bits | u32::from(b) << (16 - 8 * i));
        for i in 0..4 {
            let digit = DIGITS[(bits >> (18 - 6 * i) & 63) as usize];
            text.push(if i <= group.len() { digit as char } else { '=' });
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_pads_to_four() {
        assert_eq!(
            ["", "f", "fo", "foo", "foob"].map(|s| base64(s.as_bytes())),
            ["", "Zg==", "Zm8=", "Zm9v", "Zm9vYg=="]
        );
    }

    #[test]
    fn an_image_decodes_to_its_pixels() {
        let mut image = Image::filled(3, 2, [255, 255, 255]);
        image.pixels[4] = [1, 2, 3];
        let png = image.png(None);
        assert_eq!(&png[..8], b"\x89PNG\r\n\x1a\n");
        assert_eq!(&png[12..26], b"IHDR\0\0\0\x03\0\0\0\x02\x08\x02");
        // The checksum of an empty IEND chunk is a well-known constant.
        assert_eq!(&png[png.len() - 4..], [0xae, 0x42, 0x60, 0x82]);
        let length = u32::from_be_bytes(png[33..37].try_into().unwrap()) as usize;
        let mut rows = Vec::new();
        let mut decoder = flate2::write::ZlibDecoder::new(&mut rows);
        decoder.write_all(&png[41..41 + length]).unwrap();
        decoder.finish().unwrap();
        assert_eq!(rows.len(), 2 * 10);
        assert_eq!(&rows[10..17], [0, 255, 255, 255, 1, 2, 3]);
    }
}
