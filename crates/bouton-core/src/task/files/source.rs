//! What a file is, by its content.

use super::table::Table;
use super::{Files, arrays, columns, folder, recordings};
use crate::task::idx;
use crate::{Error, Result};
use std::fs::File;
use std::io::Read;
use std::path::Path;

/// Bytes that a file begins with, as many as tell what it is.
const START: u64 = 8;

/// What a file is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Array,
    Archive,
    Idx,
    Picture,
    Table,
}

impl Kind {
    /// By the first bytes.
    fn of(start: &[u8]) -> Self {
        match start {
            [0x93, b'N', b'U', b'M', b'P', b'Y', ..] => Self::Array,
            [b'P', b'K', 3, 4, ..] => Self::Archive,
            [0x1f, 0x8b, ..] | [0, 0, 0x08 | 0x0d, 1..=4, ..] => Self::Idx,
            [0x89, b'P', b'N', b'G', ..] | [0xff, 0xd8, 0xff, ..] => Self::Picture,
            _ => Self::Table,
        }
    }
}

/// How samples are read from files.
#[derive(Clone, Copy)]
pub(super) struct Source<'a> {
    /// Which columns, which size.
    pub spec: &'a Files,
    /// Whether the recipe is about this file, and not one that came later.
    pub own: bool,
    /// So many numbers a sample, if nobody asks what they should come to: answers may be missing then, and are not looked at.
    pub blind: Option<usize>,
}

impl Source<'_> {
    /// The samples of the file or folder `path`, with their answers in `labels` if that is another one.
    ///
    /// # Errors
    /// [`Error::DataMissing`] if one is not there, [`Error::Data`] with file and place if one cannot be understood.
    pub(super) fn read(&self, path: &str, labels: Option<&str>) -> Result<Table> {
        let file = Path::new(path);
        let meta = std::fs::metadata(file).map_err(|e| missing(path, &e))?;
        if let Some(events) = &self.spec.events {
            return recordings::read(file, labels, events, self.blind.is_some())?.checked();
        }
        if meta.is_dir() {
            self.heard(path, Kind::Picture)?;
            alone(path, labels, "a folder of images in a folder per class")?;
            return folder::read(file, *self)?.checked();
        }
        let mut start = Vec::new();
        let opened = File::open(file).and_then(|f| f.take(START).read_to_end(&mut start));
        opened.map_err(|e| Error::io(file, e))?;
        let kind = Kind::of(&start);
        self.heard(path, kind)?;
        let table = match kind {
            Kind::Array => arrays::pair(path, self.other(path, labels)?),
            Kind::Archive => alone(path, labels, "an .npz").and_then(|()| arrays::archive(path, *self)),
            Kind::Idx => {
                let labels = self.other(path, labels)?.map(|path| idx::read(Path::new(path))).transpose()?;
                arrays::of_idx(path, idx::read(file)?, labels)
            }
            Kind::Picture if self.blind.is_some() => folder::alone(file, *self),
            _ => alone(path, labels, "a table").and_then(|()| columns::read(path, *self)),
        };
        table?.checked()
    }

    /// Refuses keys that a file of this kind would not hear; files that come later may be of another kind.
    fn heard(&self, path: &str, kind: Kind) -> Result<()> {
        let (spec, known) = (self.spec, self.own);
        let keys = [
            ("sequence", spec.sequence.is_some(), kind == Kind::Table, "goes with a table as text (CSV)"),
            (
                "header",
                known && spec.header.is_some(),
                kind == Kind::Table,
                "goes with a table as text (CSV)",
            ),
            (
                "targets",
                known && !spec.targets.is_empty(),
                kind == Kind::Table,
                "names columns of a table as text (CSV)",
            ),
            ("size", known && spec.size.is_some(), kind == Kind::Picture, "goes with a folder of images"),
            ("grey", known && spec.grey, kind == Kind::Picture, "goes with a folder of images"),
        ];
        let idle = keys.into_iter().find(|(_, given, heard, _)| *given && !heard);
        idle.map_or(Ok(()), |(key, _, _, what)| {
            let hint = match key {
                "sequence" => "leave it out: arrays hold sequences as [samples, steps, numbers]",
                _ => "leave it out",
            };
            Err(Error::config(format!("{path}: task.files.{key} {what}")).with_hint(hint))
        })
    }

    /// The file with the answers, where they are asked for.
    fn other<'b>(&self, path: &str, labels: Option<&'b str>) -> Result<Option<&'b str>> {
        if self.blind.is_some() {
            return Ok(None);
        }
        let missing = || {
            Error::config(format!("{path} holds inputs alone"))
                .with_hint("name the file with their classes or values: `labels` in a recipe (`test-labels` for test), --labels on the command line")
        };
        labels.map(Some).ok_or_else(missing)
    }
}

fn missing(path: &str, e: &std::io::Error) -> Error {
    let message = format!("{path}: {e}");
    let hint = "paths of [task.files] begin at the folder of the recipe; they name a folder of images or events, a CSV, .npz, .npy or IDX file";
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
