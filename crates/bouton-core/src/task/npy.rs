//! NPY, the file format of NumPy arrays: the magic bytes `\x93NUMPY`, version
//! 1, 2 or 3, the length of the header (16 bits, from version 2 on 32), the header, a Python dictionary such as
//! `{'descr': '|u1', 'fortran_order': False, 'shape': (2, 3), }`, then the values.
//!
//! NumPy enhancement proposal 1: A Simple File Format for NumPy Arrays.

use std::io::Read;

/// Headers of one dictionary are a few dozen bytes.
const MOST_HEADER: u64 = 1 << 12;

/// What a file says about its values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    /// Byte order, kind and size of a value: `|u1`, `<i8`.
    pub kind: String,
    /// Size of each dimension, slowest first.
    pub shape: Vec<usize>,
}

impl std::fmt::Display for Header {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "values of type {} and shape {:?}", self.kind.escape_debug(), self.shape)
    }
}

type Parsed<T> = std::result::Result<T, String>;

/// Reads all that stands before the values.
///
/// # Errors
/// What is wrong, in a few words: no NPY, an unknown version, a damaged header, the first index running fastest.
pub fn header(reader: &mut impl Read) -> Parsed<Header> {
    let start = exactly(reader, 8, "magic bytes")?;
    if &start[..6] != b"\x93NUMPY" {
        return Err(format!("no NPY data (it begins with {:02x?})", &start[..6]));
    }
    let length = match start[6] {
        1 => exactly(reader, 2, "header")?.iter().rev().fold(0, |n, &b| n << 8 | u64::from(b)),
        2 | 3 => exactly(reader, 4, "header")?.iter().rev().fold(0, |n, &b| n << 8 | u64::from(b)),
        version => return Err(format!("NPY version {version}, expected 1 to 3")),
    };
    if length > MOST_HEADER {
        return Err(format!("a header of {length} bytes, expected at most {MOST_HEADER}"));
    }
    let text = exactly(reader, length, "header")?;
    let text = String::from_utf8_lossy(&text).into_owned();
    dictionary(&text)
        .ok_or_else(|| format!("cannot be understood: header {}", text.trim_end().escape_debug()))?
}

/// The outer `Option` tells whether the text is a header, the inner result whether it is a usable one.
fn dictionary(text: &str) -> Option<Parsed<Header>> {
    let value = |key: &str| Some(text.split_once(&format!("'{key}':"))?.1.trim_start());
    let kind = value("descr")?.strip_prefix('\'')?.split_once('\'')?.0.into();
    let shape = value("shape")?.strip_prefix('(')?.split_once(')')?.0;
    let sizes = shape.split(',').map(str::trim).filter(|s| !s.is_empty());
    let shape = sizes.map(|s| s.parse().ok()).collect::<Option<_>>()?;
    if value("fortran_order")?.starts_with("True") {
        return Some(Err("the first index runs fastest, expected the last".into()));
    }
    Some(Ok(Header { kind, shape }))
}

/// Reads `n` whole numbers of the type that `header` names: of 1 to 8 bytes, with or without a sign, little-endian.
///
/// # Errors
/// What is wrong, in a few words: another type, or too few bytes.
pub fn integers(reader: &mut impl Read, header: &Header, n: usize) -> Parsed<Vec<i64>> {
    let (signed, size) = match &*header.kind {
        "|u1" => (false, 1),
        "<u2" => (false, 2),
        "<u4" => (false, 4),
        "<u8" => (false, 8),
        "|i1" => (true, 1),
        "<i2" => (true, 2),
        "<i4" => (true, 4),
        "<i8" => (true, 8),
        _ => return Err(format!("{header}, expected whole numbers")),
    };
    let all = (n as u64).checked_mul(size).ok_or_else(|| format!("{header}, too many"))?;
    let bytes = exactly(reader, all, "values")?;
    let number = |bytes: &[u8]| {
        let negative = signed && bytes[bytes.len() - 1] >> 7 == 1;
        let filled = if negative { u64::MAX } else { 0 };
        bytes.iter().rev().fold(filled, |v, &b| v << 8 | u64::from(b)) as i64
    };
    Ok(bytes.chunks_exact(size as usize).map(number).collect())
}

/// An array of a file.
#[derive(Debug, Clone, PartialEq)]
pub struct Array {
    /// Size of each dimension, slowest first.
    pub shape: Vec<usize>,
    /// As many as the product of the sizes.
    pub values: Values,
}

/// The values of an array.
#[derive(Debug, Clone, PartialEq)]
pub enum Values {
    /// `|u1`, and `|b1` as 0 and 1.
    Bytes(Vec<u8>),
    /// Other whole numbers.
    Integers(Vec<i64>),
    /// `<f4` and `<f8`.
    Floats(Vec<f64>),
    /// `<U…`, without the zeros that fill them up.
    Words(Vec<String>),
}

impl Values {
    /// All numbers; words are none.
    pub fn floats(self) -> Vec<f64> {
        match self {
            Self::Bytes(bytes) => bytes.into_iter().map(f64::from).collect(),
            Self::Integers(numbers) => numbers.into_iter().map(|n| n as f64).collect(),
            Self::Floats(numbers) => numbers,
            Self::Words(_) => Vec::new(),
        }
    }
}

impl Array {
    /// The bytes of a file of it: bytes as `|u1`, whole numbers as `<i8`, others as `<f8`, words as `<U…`.
    pub fn to_bytes(&self) -> Vec<u8> {
        let (kind, values): (String, Vec<u8>) = match &self.values {
            Values::Bytes(bytes) => ("|u1".into(), bytes.clone()),
            Values::Integers(numbers) => {
                ("<i8".into(), numbers.iter().flat_map(|n| n.to_le_bytes()).collect())
            }
            Values::Floats(numbers) => ("<f8".into(), numbers.iter().flat_map(|x| x.to_le_bytes()).collect()),
            Values::Words(words) => {
                let longest = words.iter().map(|word| word.chars().count()).max().unwrap_or(0).max(1);
                let filled = |word: &String| {
                    let zeros = std::iter::repeat('\0');
                    word.chars()
                        .chain(zeros)
                        .take(longest)
                        .flat_map(|c| u32::from(c).to_le_bytes())
                        .collect::<Vec<_>>()
                };
                (format!("<U{longest}"), words.iter().flat_map(filled).collect())
            }
        };
        let sides: String = self.shape.iter().map(|side| format!("{side}, ")).collect();
        let text =
            format!("{{'descr': '{kind}', 'fortran_order': False, 'shape': ({}), }}", sides.trim_end());
        // What stands before the values is a multiple of 64 bytes, the last of them a line feed.
        let text = format!("{text:<width$}\n", width = (text.len() + 11).next_multiple_of(64) - 11);
        let length = (text.len() as u16).to_le_bytes();
        [b"\x93NUMPY\x01\x00", &length[..], text.as_bytes(), &values].concat()
    }
}

/// Characters of a word in an array.
const MOST_CHARACTERS: usize = 1 << 12;

/// Reads a whole file.
///
/// # Errors
/// What is wrong, in a few words: no NPY, a type that is not one of numbers or words, too few or too many bytes.
pub fn array(reader: &mut impl Read) -> Parsed<Array> {
    let header = header(reader)?;
    let n = header.shape.iter().try_fold(1_usize, |n, &side| n.checked_mul(side));
    let n = n.ok_or_else(|| format!("{header}, too many"))?;
    let values = match &*header.kind {
        "|u1" | "|b1" => Values::Bytes(exactly(reader, n as u64, "values")?),
        "<f4" => Values::Floats(each(reader, &header, n, |b: [u8; 4]| f64::from(f32::from_le_bytes(b)))?),
        "<f8" => Values::Floats(each(reader, &header, n, f64::from_le_bytes)?),
        kind => match kind.strip_prefix("<U").and_then(|length| length.parse::<usize>().ok()) {
            Some(length) if (1..=MOST_CHARACTERS).contains(&length) => {
                Values::Words(words(reader, &header, n, length)?)
            }
            Some(_) => return Err(format!("{header}, words of that length")),
            None => Values::Integers(
                integers(reader, &header, n).map_err(|_| format!("{header}, expected numbers or words"))?,
            ),
        },
    };
    let mut more = [0];
    match reader.read(&mut more) {
        Ok(0) => Ok(Array { shape: header.shape, values }),
        Ok(_) => Err(format!("{header}, and bytes behind them")),
        Err(e) => Err(format!("damaged data ({e})")),
    }
}

fn each<const N: usize>(
    reader: &mut impl Read,
    header: &Header,
    n: usize,
    number: impl Fn([u8; N]) -> f64,
) -> Parsed<Vec<f64>> {
    let all = (n as u64).checked_mul(N as u64).ok_or_else(|| format!("{header}, too many"))?;
    let bytes = exactly(reader, all, "values")?;
    Ok(bytes.as_chunks::<N>().0.iter().map(|bytes| number(*bytes)).collect())
}

/// Words of `length` characters of 32 bits.
fn words(reader: &mut impl Read, header: &Header, n: usize, length: usize) -> Parsed<Vec<String>> {
    let all = (n as u64).checked_mul(4 * length as u64).ok_or_else(|| format!("{header}, too many"))?;
    let bytes = exactly(reader, all, "values")?;
    let word = |word: &[u8]| -> Parsed<String> {
        let characters =
            word.as_chunks::<4>().0.iter().map(|c| u32::from_le_bytes(*c)).take_while(|c| *c != 0);
        let characters =
            characters.map(|c| char::from_u32(c).ok_or_else(|| format!("{header}, {c:#x} is no character")));
        characters.collect()
    };
    bytes.chunks_exact(4 * length).map(word).collect()
}

fn exactly(reader: &mut impl Read, n: u64, what: &str) -> Parsed<Vec<u8>> {
    let mut bytes = Vec::new();
    reader.take(n).read_to_end(&mut bytes).map_err(|e| format!("damaged data ({e})"))?;
    match bytes.len() as u64 {
        found if found == n => Ok(bytes),
        found => Err(format!("truncated: {what} have {found} of {n} bytes")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn npy(version: u8, text: &str) -> Vec<u8> {
        let length = (text.len() as u32).to_le_bytes();
        let length = &length[..if version == 1 { 2 } else { 4 }];
        [b"\x93NUMPY", &[version, 0][..], length, text.as_bytes()].concat()
    }

    #[test]
    fn headers_of_every_version_are_read() {
        let text = "{'descr': '<i8', 'fortran_order': False, 'shape': (12, 3), }   \n";
        let expected = Header { kind: "<i8".into(), shape: vec![12, 3] };
        for version in 1..=3 {
            assert_eq!(header(&mut &npy(version, text)[..]), Ok(expected.clone()));
        }
        let one = header(&mut &npy(1, &text.replace("12, 3", "7,"))[..]).unwrap();
        assert_eq!(one.shape, [7]);
        let refused = |bytes: &[u8]| header(&mut &bytes[..]).unwrap_err();
        assert!(refused(&npy(1, &text.replace("False", "True"))).contains("runs fastest"));
        assert!(refused(&npy(4, text)).contains("version 4"));
        assert!(refused(&npy(1, text)[..30]).contains("truncated"));
        assert!(refused(&npy(1, "{'descr': [('a', '<i8')]}")).contains("understood"));
        assert!(refused(b"PK\x03\x04 and more").contains("no NPY"));
    }

    #[test]
    fn whole_arrays_are_read() {
        let file = |kind: &str, shape: &str, values: &[u8]| {
            let text = format!("{{'descr': '{kind}', 'fortran_order': False, 'shape': ({shape}), }}");
            array(&mut &[npy(1, &text), values.to_vec()].concat()[..])
        };
        let floats: Vec<u8> = [1.5_f32, -2.0].iter().flat_map(|x| x.to_le_bytes()).collect();
        let found = file("<f4", "2, 1", &floats).unwrap();
        assert_eq!((found.shape, found.values), (vec![2, 1], Values::Floats(vec![1.5, -2.0])));
        let doubles: Vec<u8> = 0.1_f64.to_le_bytes().to_vec();
        assert_eq!(file("<f8", "1,", &doubles).unwrap().values, Values::Floats(vec![0.1]));
        assert_eq!(file("|b1", "2,", &[1, 0]).unwrap().values, Values::Bytes(vec![1, 0]));
        assert_eq!(file("<i2", "1,", &[0xfe, 0xff]).unwrap().values, Values::Integers(vec![-2]));
        let words: Vec<u8> = "ab\0é\0\0".chars().flat_map(|c| u32::from(c).to_le_bytes()).collect();
        assert_eq!(file("<U3", "2,", &words).unwrap().values, Values::Words(vec!["ab".into(), "é".into()]));
        for (kind, shape, values, says) in [
            ("<f4", "2,", &floats[..7], "7 of 8"),
            ("<f4", "1,", &floats[..], "bytes behind"),
            ("<c8", "1,", &floats[..], "expected numbers or words"),
            ("<f8", "2305843009213693952, 8", &floats[..], "too many"),
            ("<U1", "1,", &[0, 0xd8, 0, 0], "no character"),
            ("<U99999", "1,", &floats[..], "of that length"),
        ] {
            let error = file(kind, shape, values).unwrap_err();
            assert!(error.contains(says), "{error}");
        }
    }

    #[test]
    fn numbers_of_every_width_are_read() {
        let read = |kind: &str, bytes: &[u8], n| {
            integers(&mut &bytes[..], &Header { kind: kind.into(), shape: vec![n] }, n)
        };
        assert_eq!(read("|u1", &[255, 1], 2), Ok(vec![255, 1]));
        assert_eq!(read("|i1", &[255, 1], 2), Ok(vec![-1, 1]));
        assert_eq!(read("<i2", &[0xfe, 0xff, 1, 2], 2), Ok(vec![-2, 513]));
        assert_eq!(read("<i4", &1000_i32.to_le_bytes(), 1), Ok(vec![1000]));
        assert_eq!(read("<i8", &(-5_i64).to_le_bytes(), 1), Ok(vec![-5]));
        assert!(read("<i8", &[0; 15], 2).unwrap_err().contains("15 of 16"));
        // Eight times so many is 8 in 64 bits.
        assert!(read("<i8", &[0; 8], (1 << 61) + 1).unwrap_err().contains("too many"));
        assert!(read("<f8", &[0; 16], 2).unwrap_err().contains("<f8"));
    }
}
