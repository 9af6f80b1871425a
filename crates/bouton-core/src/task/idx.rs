//! IDX, the file format of MNIST and its relatives: a big-endian header `00 00 type rank`, one 32-bit size per
//! dimension, then the values row by row. Read strictly: a byte too few or too many is an error.
//!
//! Types read: 0x08 (unsigned byte) and 0x0D (32-bit float). Plain and gzip files are told apart by their content.
//! Y. LeCun, C. Cortes, C. J. C. Burges: The MNIST database of handwritten digits (1998).

use std::fs::File;
use std::io::{BufReader, Cursor, Read};
use std::path::Path;

use flate2::read::MultiGzDecoder;

use crate::{Error, Result};

const BYTES: u8 = 0x08;
const FLOATS: u8 = 0x0D;
/// No supported file is larger: a header that asks for more is damaged.
const MOST_BYTES: u64 = 1 << 32;
const DAMAGED: &str = "the file is damaged: fetch or import it again";

/// An array read from an IDX file.
#[derive(Debug, Clone, PartialEq)]
pub struct Idx {
    /// Where it came from, for messages.
    pub file: String,
    /// Size of each dimension, slowest first: n or n, height, width.
    pub dims: Vec<usize>,
    /// The values, row-major; as many as the product of `dims`.
    pub values: Values,
}

/// The values of an IDX file.
#[derive(Debug, Clone, PartialEq)]
pub enum Values {
    /// Type 0x08.
    Bytes(Vec<u8>),
    /// Type 0x0D; always finite.
    Floats(Vec<f32>),
}

/// Reads an IDX file, plain or gzip.
///
/// # Errors
/// [`Error::Io`] if it cannot be opened; [`Error::Data`] as for [`decode`].
pub fn read(path: &Path) -> Result<Idx> {
    let file = File::open(path).map_err(|e| Error::io(path, e))?;
    decode(file, &path.display().to_string())
}

/// Reads IDX from a stream, plain or gzip; `file` is its name in messages.
///
/// # Errors
/// [`Error::Data`] with the file and the expected and found numbers: wrong magic number, missing or trailing bytes,
/// damaged gzip, a float that is not finite.
pub fn decode(mut reader: impl Read, file: &str) -> Result<Idx> {
    let fail = |message: String| Error::data(format!("{file}: {message}")).with_hint(DAMAGED);
    let start = some_of(&mut reader, 2).map_err(|e| fail(e.to_string()))?;
    let packed = start == [0x1f, 0x8b];
    let whole = Cursor::new(start).chain(reader);
    let parsed = if packed { parse(MultiGzDecoder::new(BufReader::new(whole))) } else { parse(whole) };
    let (dims, values) = parsed.map_err(|e| match e {
        Trouble::Read(at, e) if packed => fail(format!("damaged gzip data after {at} unpacked bytes ({e})")),
        Trouble::Read(at, e) => fail(format!("reading stopped after {at} bytes ({e})")),
        Trouble::Content(message) => fail(message),
    })?;
    Ok(Idx { file: file.into(), dims, values })
}

/// The bytes of an IDX file that holds `values` in the shape `dims`.
pub fn encode(dims: &[usize], values: &Values) -> Vec<u8> {
    let code = if matches!(values, Values::Bytes(_)) { BYTES } else { FLOATS };
    let mut out = vec![0, 0, code, dims.len() as u8];
    dims.iter().for_each(|&d| out.extend((d as u32).to_be_bytes()));
    match values {
        Values::Bytes(v) => out.extend(v),
        Values::Floats(v) => v.iter().for_each(|x| out.extend(x.to_be_bytes())),
    }
    out
}

impl Idx {
    /// The error for a file that is not of the kind its role asks for.
    pub(super) fn wrong_kind(&self, kind: &str, expected: u32) -> Error {
        let code = if matches!(self.values, Values::Bytes(_)) { BYTES } else { FLOATS };
        let found = u32::from(code) << 8 | self.dims.len() as u32;
        let message =
            format!("{}: magic number 0x{found:08x}, expected 0x{expected:08x} ({kind})", self.file);
        Error::data(message).with_hint("were the images and the labels file exchanged?")
    }
}

enum Trouble {
    /// The stream failed after so many bytes.
    Read(u64, std::io::Error),
    /// The stream is readable and wrong.
    Content(String),
}

fn parse(mut reader: impl Read) -> std::result::Result<(Vec<usize>, Values), Trouble> {
    let magic = exactly(&mut reader, 4, 0, "magic number")?;
    let [0, 0, code @ (BYTES | FLOATS), rank @ 1..=4] = magic[..] else {
        let found = magic.iter().fold(0, |m, &b| m << 8 | u32::from(b));
        return Err(Trouble::Content(format!(
            "magic number 0x{found:08x} is not IDX (expected 0x00000801 for labels, 0x00000803 for images)"
        )));
    };
    let header = 4 + 4 * u64::from(rank);
    let sizes = exactly(&mut reader, header - 4, 4, "dimensions")?;
    let dims: Vec<usize> =
        sizes.chunks_exact(4).map(|b| u32::from_be_bytes([b[0], b[1], b[2], b[3]]) as usize).collect();
    let width = if code == BYTES { 1 } else { 4 };
    let body = dims.iter().try_fold(width, |n: u64, &d| n.checked_mul(d as u64)).filter(|&n| n <= MOST_BYTES);
    let Some(body) = body else {
        return Err(Trouble::Content(format!("dimensions {dims:?} are more than this format's 4 GiB")));
    };
    let bytes = exactly(&mut reader, body, header, "values")?;
    // Reading on past the end also makes gzip compare its checksum.
    let extra = some_of(&mut reader, 1).map_err(|e| Trouble::Read(header + body, e))?;
    if !extra.is_empty() {
        let message =
            format!("trailing bytes: dimensions {dims:?} need {} bytes, more follow", header + body);
        return Err(Trouble::Content(message));
    }
    if code == BYTES { Ok((dims, Values::Bytes(bytes))) } else { floats(dims, &bytes) }
}

fn floats(dims: Vec<usize>, bytes: &[u8]) -> std::result::Result<(Vec<usize>, Values), Trouble> {
    let values: Vec<f32> =
        bytes.chunks_exact(4).map(|b| f32::from_be_bytes([b[0], b[1], b[2], b[3]])).collect();
    if let Some(i) = values.iter().position(|v| !v.is_finite()) {
        let features = dims[1..].iter().product::<usize>();
        let message = format!("value {} at place {} of sample {}", values[i], i % features, i / features);
        return Err(Trouble::Content(message));
    }
    Ok((dims, Values::Floats(values)))
}

/// Up to `n` bytes, fewer only at the end of the stream.
fn some_of(reader: &mut impl Read, n: u64) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    reader.take(n).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Exactly `n` bytes, `before` bytes into the file.
fn exactly(reader: &mut impl Read, n: u64, before: u64, what: &str) -> std::result::Result<Vec<u8>, Trouble> {
    let mut bytes = Vec::new();
    let result = reader.take(n).read_to_end(&mut bytes);
    let found = before + bytes.len() as u64;
    result.map_err(|e| Trouble::Read(found, e))?;
    if found < before + n {
        let message = format!("truncated: {what} end at byte {}, the file ends at {found}", before + n);
        return Err(Trouble::Content(message));
    }
    Ok(bytes)
}
