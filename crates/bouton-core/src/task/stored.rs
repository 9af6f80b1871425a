//! Rows of an array in a file, read when they are asked for: a training set may be larger than memory.
//!
//! The system keeps what was read lately. A file that changes under a run is an error of the run, not of a row: rows are zeros from
//! then on, and [`Stored::failure`] says why.

#![cfg_attr(not(feature = "import"), allow(dead_code, reason = "no file is opened without it"))]

use super::files::interleaved;
use super::npy::{self, Header};
use crate::error::{Error, Result};
use std::fs::File;
use std::io::{Seek, SeekFrom};
use std::path::Path;
use std::sync::{Arc, OnceLock};

/// How a number lies in the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Byte,
    Single,
    Double,
}

impl Kind {
    fn size(self) -> usize {
        match self {
            Self::Byte => 1,
            Self::Single => 4,
            Self::Double => 8,
        }
    }
}

/// Some rows of an `.npy`.
#[derive(Clone, Debug)]
pub(super) struct Stored {
    source: Arc<Source>,
    /// Which rows, in this order.
    ids: Arc<[u32]>,
}

#[derive(Debug)]
struct Source {
    file: File,
    place: String,
    /// Where the numbers begin.
    offset: u64,
    kind: Kind,
    /// Channels, height and width of a row.
    shape: [usize; 3],
    failure: OnceLock<String>,
}

impl PartialEq for Stored {
    fn eq(&self, other: &Self) -> bool {
        self.source.place == other.source.place && self.ids == other.ids
    }
}

impl Stored {
    /// The rows of the `.npy` at `path`; none if its numbers are of another kind than bytes and floats, or if it is no table.
    ///
    /// # Errors
    /// [`Error::Io`] if it cannot be read, [`Error::Data`] if it is damaged.
    pub fn open(path: &Path) -> Result<Option<Self>> {
        let fail = |e| Error::io(path, e);
        let mut file = File::open(path).map_err(fail)?;
        let place = path.display().to_string();
        let Header { kind, shape } =
            npy::header(&mut file).map_err(|why| Error::data(format!("{place}: {why}")))?;
        let offset = file.stream_position().map_err(fail)?;
        let kind = match &*kind {
            "|u1" => Kind::Byte,
            "<f4" => Kind::Single,
            "<f8" => Kind::Double,
            _ => return Ok(None),
        };
        let (rows, shape) = match shape[..] {
            [rows, features] => (rows, [1, 1, features]),
            [rows, height, width] => (rows, [1, height, width]),
            [rows, channels, height, width] => (rows, [channels, height, width]),
            _ => return Ok(None),
        };
        let sizes = [rows, shape[0], shape[1], shape[2], kind.size()];
        let bytes = sizes.iter().try_fold(1_u64, |n, &size| n.checked_mul(size as u64));
        let held = file.seek(SeekFrom::End(0)).map_err(fail)? - offset;
        if bytes != Some(held) || rows > u32::MAX as usize {
            let message = format!("{place}: {held} bytes of numbers, which are no {rows} rows of {shape:?}");
            return Err(Error::data(message).with_hint("save it again with numpy.save"));
        }
        let source = Source { file, place, offset, kind, shape, failure: OnceLock::new() };
        Ok(Some(Self { source: Arc::new(source), ids: (0..rows as u32).collect() }))
    }

    /// Number of rows.
    pub fn len(&self) -> usize {
        self.ids.len()
    }

    /// Channels, height and width of a row.
    pub fn shape(&self) -> [usize; 3] {
        self.source.shape
    }

    /// Whether numbers are bytes.
    pub fn is_bytes(&self) -> bool {
        self.source.kind == Kind::Byte
    }

    /// The rows at `ids` of these.
    pub fn select(&self, ids: &[usize]) -> Self {
        Self { source: self.source.clone(), ids: ids.iter().map(|&i| self.ids[i]).collect() }
    }

    /// What is wrong with the numbers, of which every one is read once; bytes are always right.
    pub fn check(&self) -> std::result::Result<(), String> {
        if self.is_bytes() {
            return Ok(());
        }
        let strange = (0..self.len()).find(|&i| self.numbers(i).iter().any(|x| !x.is_finite()));
        match (self.failure(), strange) {
            (Some(why), _) => Err(why.to_owned()),
            (None, Some(i)) => Err(format!("an input of sample {} is not finite", self.ids[i])),
            (None, None) => Ok(()),
        }
    }

    /// Why a row could not be read, if one could not.
    pub fn failure(&self) -> Option<&str> {
        self.source.failure.get().map(String::as_str)
    }

    /// The bytes of row `i`, as planes.
    pub fn bytes(&self, i: usize) -> Vec<u8> {
        let Source { ref file, ref place, offset, kind, shape, ref failure } = *self.source;
        let mut bytes = vec![0; shape.iter().product::<usize>() * kind.size()];
        let at = offset + u64::from(self.ids[i]) * bytes.len() as u64;
        if let Err(error) = read_at(file, &mut bytes, at) {
            failure.get_or_init(|| format!("{place}: sample {}: {error}", self.ids[i]));
        }
        bytes
    }

    /// The numbers of row `i`, a pixel's channels side by side.
    pub fn numbers(&self, i: usize) -> Vec<f32> {
        let bytes = self.bytes(i);
        let planes = match self.source.kind {
            Kind::Byte => bytes.into_iter().map(f32::from).collect(),
            Kind::Single => bytes.as_chunks().0.iter().map(|&b| f32::from_le_bytes(b)).collect(),
            Kind::Double => bytes.as_chunks().0.iter().map(|&b| f64::from_le_bytes(b) as f32).collect(),
        };
        interleaved(planes, self.source.shape)
    }
}

#[cfg(unix)]
fn read_at(file: &File, bytes: &mut [u8], at: u64) -> std::io::Result<()> {
    std::os::unix::fs::FileExt::read_exact_at(file, bytes, at)
}

#[cfg(windows)]
fn read_at(file: &File, mut bytes: &mut [u8], mut at: u64) -> std::io::Result<()> {
    while !bytes.is_empty() {
        match std::os::windows::fs::FileExt::seek_read(file, bytes, at)? {
            0 => return Err(std::io::ErrorKind::UnexpectedEof.into()),
            n => (bytes, at) = (&mut bytes[n..], at + n as u64),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::task::npy::{Array, Values};

    fn stored(shape: &[usize], values: Values) -> (tempfile::TempDir, Stored) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.npy");
        std::fs::write(&path, Array { shape: shape.to_vec(), values }.to_bytes()).unwrap();
        let stored = Stored::open(&path).unwrap().unwrap();
        (folder, stored)
    }

    #[test]
    fn rows_are_read_where_they_lie() {
        let (_folder, floats) = stored(&[3, 2, 1, 2], Values::Floats((0..12).map(f64::from).collect()));
        assert_eq!((floats.len(), floats.shape(), floats.is_bytes()), (3, [2, 1, 2], false));
        assert_eq!(floats.numbers(1), [4.0, 6.0, 5.0, 7.0], "channels side by side");
        let some = floats.select(&[2, 0]).select(&[1]);
        assert_eq!((some.len(), some.numbers(0)), (1, vec![0.0, 2.0, 1.0, 3.0]));
        let (_folder, bytes) = stored(&[2, 3], Values::Bytes((0..6).collect()));
        assert_eq!((bytes.bytes(1), bytes.is_bytes()), (vec![3, 4, 5], true));
        let (_folder, empty) = stored(&[0, 3], Values::Bytes(Vec::new()));
        assert_eq!(empty.len(), 0);
    }

    #[test]
    fn a_file_that_shrinks_is_told() {
        let (folder, rows) = stored(&[4, 3], Values::Floats(vec![1.0; 12]));
        assert_eq!((rows.numbers(3), rows.failure()), (vec![1.0; 3], None));
        let file = File::options().write(true).open(folder.path().join("x.npy")).unwrap();
        file.set_len(100).unwrap();
        assert_eq!(rows.numbers(3), [0.0; 3]);
        assert!(rows.failure().unwrap().contains("x.npy: sample 3"));
        let error = Stored::open(&folder.path().join("x.npy")).unwrap_err();
        assert!(matches!(error, Error::Data { .. }), "{error}");
    }
}
