//! MATLAB files of level 5, as far as arrays of small whole numbers need them.
//!
//! A header of 128 bytes ends with the version 0x0100 and `IM` for little-endian. Elements follow: type and size (32 bits
//! each), then so many bytes. Type 15 is zlib data that unpack to one element; type 14 is a matrix, made of elements
//! that are padded to 8 bytes: flags, dimensions, name, values (the first index runs fastest). An element of at most 4
//! bytes may be written small: size and type in 16 bits each, then 4 bytes.
//! MathWorks: MAT-File Format, level 5.

use std::io::{self, BufReader, Read};

use flate2::read::ZlibDecoder;

use super::samples::damaged;
use crate::Result;

const BYTES: u32 = 2;
const DOUBLES: u32 = 9;
const MATRIX: u32 = 14;
const PACKED: u32 = 15;
/// No known file has a matrix of more bytes.
const MOST_VALUES: u64 = 1 << 30;
/// Flags, dimensions and names are this short.
const MOST_HEADER: u64 = 1 << 10;

/// A matrix of whole numbers of 0 to 255.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Array {
    /// Size of each dimension, fastest first.
    pub dims: Vec<usize>,
    /// The values; as many as the product of `dims`.
    pub values: Vec<u8>,
}

/// Reads the matrices of these names; `file` is its name in messages.
///
/// # Errors
/// [`Error::Data`](crate::Error::Data) with file and place: another format, damaged or missing bytes, a matrix that is not there
/// or holds other values than whole numbers of 0 to 255.
pub fn read<const N: usize>(reader: impl Read, file: &str, names: [&str; N]) -> Result<[Array; N]> {
    let fail = |why: String| damaged(file, why);
    let mut reader = BufReader::new(reader);
    header(&mut reader).map_err(fail)?;
    let mut found: [Option<Array>; N] = std::array::from_fn(|_| None);
    while let Some((name, array)) = element(&mut reader, &names).map_err(fail)? {
        if let (Some(i), Some(array)) = (names.iter().position(|n| *n == name), array) {
            found[i] = Some(array);
        }
    }
    if let Some(i) = found.iter().position(Option::is_none) {
        return Err(fail(format!("no matrix is called `{}`", names[i])));
    }
    Ok(found.map(|array| array.expect("all are there")))
}

type Parsed<T> = std::result::Result<T, String>;

fn header(reader: &mut impl Read) -> Parsed<()> {
    let header = some_of(reader, 128)?;
    match header.get(124..128) {
        Some([0, 1, b'I', b'M']) => Ok(()),
        Some([1, 0, b'M', b'I']) => Err("a big-endian MATLAB file, expected little-endian".into()),
        Some([0, 2, b'I', b'M']) => Err("a MATLAB 7.3 file, expected level 5 (save -v7)".into()),
        Some(end) => Err(format!("no MATLAB file of level 5 (its header ends with {end:02x?})")),
        None => Err(format!("truncated: the header has {} of 128 bytes", header.len())),
    }
}

/// Name and content of the next matrix, of an unwanted one only the name; none at the end of the file.
fn element(reader: &mut impl Read, wanted: &[&str]) -> Parsed<Option<(String, Option<Array>)>> {
    let tag = some_of(reader, 8)?;
    if tag.is_empty() {
        return Ok(None);
    }
    let (kind, size) = tag_of(&tag)?;
    let mut body = reader.by_ref().take(size);
    let matrix = match kind {
        PACKED => {
            let mut unpacked = ZlibDecoder::new(BufReader::new(&mut body));
            let (kind, size) = tag_of(&some_of(&mut unpacked, 8)?)?;
            let mut inner = unpacked.by_ref().take(size);
            let found = if kind == MATRIX { matrix(&mut inner, wanted)? } else { (String::new(), None) };
            io::copy(&mut inner, &mut io::sink()).map_err(|e| format!("damaged data ({e})"))?;
            // Reading on to the end compares the checksum; an element is padded to 8 bytes at most.
            if some_of(&mut unpacked, 8)?.len() > 7 {
                return Err(format!("packed data go on behind their element of {size} bytes"));
            }
            found
        }
        MATRIX => matrix(&mut body, wanted)?,
        _ => (String::new(), None),
    };
    io::copy(&mut body, &mut io::sink()).map_err(|e| e.to_string())?;
    if body.limit() > 0 {
        return Err(format!("truncated: the last element lacks {} of {size} bytes", body.limit()));
    }
    if kind != PACKED {
        some_of(reader, size.wrapping_neg() % 8)?;
    }
    Ok(Some(matrix))
}

fn matrix(reader: &mut impl Read, wanted: &[&str]) -> Parsed<(String, Option<Array>)> {
    let _flags = part(reader, MOST_HEADER)?;
    let (_, dims) = part(reader, MOST_HEADER)?;
    let (_, name) = part(reader, MOST_HEADER)?;
    let name = String::from_utf8_lossy(&name).into_owned();
    if !wanted.contains(&&*name) {
        return Ok((name, None));
    }
    let dims: Vec<usize> = dims.chunks_exact(4).map(|b| word(b) as usize).collect();
    let most = dims.iter().try_fold(8_u64, |n, &d| n.checked_mul(d as u64));
    let most = most.ok_or_else(|| format!("{name} has impossible dimensions {dims:?}"))?;
    let (kind, bytes) = part(reader, most.min(MOST_VALUES)).map_err(|why| format!("{name}: {why}"))?;
    let values = match kind {
        BYTES => bytes,
        DOUBLES => whole(&bytes).ok_or_else(|| format!("{name} holds other values than 0 to 255"))?,
        _ => return Err(format!("{name} holds values of type {kind}, expected bytes (2) or doubles (9)")),
    };
    if values.len() as u64 != most / 8 {
        return Err(format!("{name} has dimensions {dims:?} but {} values", values.len()));
    }
    Ok((name, Some(Array { dims, values })))
}

fn whole(bytes: &[u8]) -> Option<Vec<u8>> {
    let values = bytes.chunks_exact(8).map(|b| f64::from_le_bytes(b.try_into().expect("8 bytes")));
    values.map(|v| (v.fract() == 0.0 && (0.0..256.0).contains(&v)).then_some(v as u8)).collect()
}

/// Type and bytes of an element within a matrix, at most `most` of them.
fn part(reader: &mut impl Read, most: u64) -> Parsed<(u32, Vec<u8>)> {
    let tag = some_of(reader, 8)?;
    let (kind, size) = tag_of(&tag)?;
    if let small @ 1..=4 = kind >> 16 {
        return Ok((kind & 0xffff, tag[4..4 + small as usize].into()));
    }
    if size > most {
        return Err(format!("an element of {size} bytes, expected at most {most}"));
    }
    let bytes = some_of(reader, size)?;
    if (bytes.len() as u64) < size {
        return Err(format!("truncated: {} of {size} bytes", bytes.len()));
    }
    some_of(reader, size.wrapping_neg() % 8)?;
    Ok((kind, bytes))
}

fn tag_of(tag: &[u8]) -> Parsed<(u32, u64)> {
    if tag.len() < 8 {
        return Err(format!("truncated: the tag of an element has {} of 8 bytes", tag.len()));
    }
    Ok((word(tag), u64::from(word(&tag[4..]))))
}

fn word(bytes: &[u8]) -> u32 {
    u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]])
}

/// Up to `n` bytes, fewer only at the end.
fn some_of(reader: &mut impl Read, n: u64) -> Parsed<Vec<u8>> {
    let mut bytes = Vec::new();
    reader.take(n).read_to_end(&mut bytes).map_err(|e| format!("damaged data ({e})"))?;
    Ok(bytes)
}
