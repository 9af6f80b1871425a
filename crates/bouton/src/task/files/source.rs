//! What a file is, by its content.

use super::table::Table;
use super::{Files, arrays, columns, folder};
use crate::task::idx;
use crate::{Error, Result};
use std::fs::File;
use std::io::Read;
use std::path::Path;

/// Bytes that a file begins with, as many as tell what it is.
const START: u64 = 8;

/// Where samples are read from.
#[derive(Clone, Copy)]
pub(super) struct Source<'a> {
    /// How files are to be read.
    pub spec: &'a Files,
}

impl Source<'_> {
    /// The samples of the file or folder `path`, with their answers in `labels` if that is another one.
    ///
    /// # Errors
    /// [`Error::DataMissing`] if one is not there, [`Error::Data`] with file and place if one cannot be understood.
    pub(super) fn read(&self, path: &str, labels: Option<&str>) -> Result<Table> {
        let file = Path::new(path);
        let meta = std::fs::metadata(file).map_err(|e| missing(path, &e))?;
        if meta.is_dir() {
            alone(path, labels, "a folder of images in a folder per class")?;
            return folder::read(file, self.spec)?.checked();
        }
        let mut start = Vec::new();
        let opened = File::open(file).and_then(|f| f.take(START).read_to_end(&mut start));
        opened.map_err(|e| Error::io(file, e))?;
        let table = match start[..] {
            [0x93, b'N', b'U', b'M', b'P', b'Y', ..] => arrays::pair(path, other(path, labels)?),
            [b'P', b'K', 3, 4, ..] => {
                alone(path, labels, "an .npz").and_then(|()| arrays::archive(path, self.spec))
            }
            [0x1f, 0x8b, ..] | [0, 0, 0x08 | 0x0d, 1..=4, ..] => {
                arrays::of_idx(path, idx::read(file)?, idx::read(Path::new(other(path, labels)?))?)
            }
            _ => alone(path, labels, "a table").and_then(|()| columns::read(path, self.spec)),
        };
        table?.checked()
    }
}

fn missing(path: &str, e: &std::io::Error) -> Error {
    let message = format!("{path}: {e}");
    let hint = "paths of [task.files] begin at the folder of the recipe; they name a folder of images, a CSV, .npz, .npy or IDX file";
    if e.kind() == std::io::ErrorKind::NotFound {
        return Error::DataMissing { message, hint: hint.into() };
    }
    Error::data(message).with_hint(hint)
}

fn alone(path: &str, labels: Option<&str>, what: &str) -> Result<()> {
    labels.map_or(Ok(()), |labels| {
        Err(Error::config(format!("{labels}: {path} is {what}, which holds its answers itself"))
            .with_hint("leave `labels` (or `test-labels`) out"))
    })
}

fn other<'a>(path: &str, labels: Option<&'a str>) -> Result<&'a str> {
    labels.ok_or_else(|| {
        Error::config(format!("{path} holds inputs alone"))
            .with_hint("name the file with their classes or values: labels = \"…\" for train, test-labels = \"…\" for test")
    })
}
