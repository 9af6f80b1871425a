//! CRC-32C (Castagnoli, 1993; RFC 3720 §12.1): the reflected polynomial 0x82F63B78, all ones at the beginning and
//! inverted at the end, eight bytes at a time.

/// `TABLE[k][b]`: what byte b does to the checksum k bytes later.
static TABLE: [[u32; 256]; 8] = table();

const fn table() -> [[u32; 256]; 8] {
    let mut table = [[0; 256]; 8];
    let mut b = 0;
    while b < 256 {
        let (mut crc, mut bit) = (b as u32, 0);
        while bit < 8 {
            crc = (crc >> 1) ^ if crc & 1 == 1 { 0x82F6_3B78 } else { 0 };
            bit += 1;
        }
        table[0][b] = crc;
        b += 1;
    }
    let mut k = 1;
    while k < 8 {
        let mut b = 0;
        while b < 256 {
            let before: u32 = table[k - 1][b];
            table[k][b] = (before >> 8) ^ table[0][(before & 255) as usize];
            b += 1;
        }
        k += 1;
    }
    table
}

/// The checksum of `bytes`.
pub fn crc32c(bytes: &[u8]) -> u32 {
    append(0, bytes)
}

/// The checksum of what `crc` is the checksum of, followed by `bytes`.
pub fn append(crc: u32, bytes: &[u8]) -> u32 {
    let (eights, rest) = bytes.as_chunks::<8>();
    let crc = eights.iter().fold(!crc, |crc, eight| {
        let x = u64::from_le_bytes(*eight) ^ u64::from(crc);
        (0..8).fold(0, |sum, k| sum ^ TABLE[7 - k][(x >> (8 * k) & 255) as usize])
    });
    !rest.iter().fold(crc, |crc, b| (crc >> 8) ^ TABLE[0][((crc ^ u32::from(*b)) & 255) as usize])
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The check value of the catalogues and the examples of RFC 3720, appendix B.4.
    #[test]
    fn it_gives_the_published_values_in_one_piece_or_several() {
        assert_eq!(crc32c(b"123456789"), 0xE306_9283);
        assert_eq!(crc32c(&[0; 32]), 0x8A91_36AA);
        assert_eq!(crc32c(&[255; 32]), 0x62A8_AB43);
        assert_eq!(crc32c(&(0..32).collect::<Vec<u8>>()), 0x46DD_794E);
        for cut in 0..9 {
            assert_eq!(append(crc32c(&b"123456789"[..cut]), &b"123456789"[cut..]), 0xE306_9283);
        }
    }
}
