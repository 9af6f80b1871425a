//! Import: takes a file, a folder or a package and keeps what it recognises by content.
//!
//! Names inside archives are shown in messages and never used as paths; what is stored is decided by the catalogue's
//! checksums, so where a copy came from does not matter. Only a file without a published checksum is known by its name,
//! and kept if all of it follows its layout. Archives may be hostile: memory is bounded by the largest file of the
//! catalogue, nesting and unpacked size by constants.

use std::cell::Cell;
use std::fs::File;
use std::io::{self, BufReader, Cursor, Read, Seek};
use std::path::{Path, PathBuf};
use std::rc::Rc;

use flate2::read::MultiGzDecoder;
use lzma_rust2::XzReader;

use super::catalogue::{DATA, KnownArchive, KnownFile, KnownSet, Pin};
use super::{jpegs, store};
use crate::{Error, Result};

/// Containers within containers: gzip in tar in xz in deb makes four.
const DEEPEST: usize = 6;
/// Folders within folders.
const DEEPEST_FOLDER: usize = 32;
/// Bytes that one file on disk may unpack to.
const MOST_UNPACKED: u64 = 4 << 30;
/// KiB of dictionary that an xz stream may ask for.
const MOST_XZ_MEMORY: u32 = 256 << 10;
/// Bytes of a file without a published size.
const MOST_UNSIZED: u64 = 1 << 29;
/// How many names of unknown files an error shows.
const MOST_SHOWN: usize = 6;

/// What an import found.
#[derive(Debug, Default)]
pub struct Import {
    /// The recognised files, now in the data folder.
    pub files: Vec<Imported>,
    /// What was met in a folder and could not be read, with the reason.
    pub damaged: Vec<String>,
}

/// A file that was recognised and stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Imported {
    /// The set it belongs to.
    pub set: &'static str,
    /// Its name in the catalogue.
    pub file: &'static str,
    /// Where it was found.
    pub from: String,
    /// Where it is now.
    pub to: PathBuf,
}

/// Stores every file of a known set found in `path`: a data file (plain or gzip), an archive (tar, plain or gzip or
/// xz; zip; deb), or a folder of such, searched recursively. `dir` as for [`folder`](super::store::folder).
///
/// # Errors
/// [`Error::Data`] if nothing is recognised, with what was seen, or if `path` is a damaged archive (what was
/// recognised before the damage stays stored); [`Error::Io`] if it cannot be read or the folder not be written.
pub fn import(path: &Path, dir: Option<&Path>) -> Result<Import> {
    import_sets(DATA, path, &store::folder(dir)?)
}

/// As [`import`], for a catalogue of one's own and the data folder `root`.
///
/// # Errors
/// As [`import`].
pub fn import_sets(sets: &[KnownSet], path: &Path, root: &Path) -> Result<Import> {
    let mut keep = |set: &KnownSet, file: &KnownFile, bytes: &[u8]| {
        let to = set.path(file, root);
        store::write(&to, bytes).map(|()| to)
    };
    let mut search = Search::new(sets, &mut keep);
    if path.is_dir() {
        search.folder(path, 0)?
    } else {
        search.file(path)?
    };
    search.end(path)
}

/// What an import does with the bytes of a recognised file; answers where they are now.
pub type Keep<'a> = dyn FnMut(&KnownSet, &KnownFile, &[u8]) -> Result<PathBuf> + 'a;

/// As [`import_sets`], for `content` of a file that messages call `path`; `keep` takes what is recognised.
///
/// # Errors
/// As [`import`], and those of `keep`.
pub fn recognise(
    sets: &[KnownSet],
    content: impl Read + Seek,
    path: &Path,
    keep: &mut Keep<'_>,
) -> Result<Import> {
    let mut search = Search::new(sets, keep);
    search.content(content, path)?;
    search.end(path)
}

/// Why a search stopped: the input is at fault, or this machine.
enum Trouble {
    Input(String),
    Local(Error),
}

impl<E: std::error::Error> From<E> for Trouble {
    fn from(e: E) -> Self {
        Self::Input(e.to_string())
    }
}

type Found = std::result::Result<(), Trouble>;

struct Search<'a> {
    sets: &'a [KnownSet],
    keep: &'a mut Keep<'a>,
    found: Import,
    /// The first unknown files, and how many there are.
    shown: Vec<String>,
    unknown: usize,
    /// Bytes that the file at hand may still unpack to.
    left: Rc<Cell<u64>>,
}

impl<'a> Search<'a> {
    fn new(sets: &'a [KnownSet], keep: &'a mut Keep<'a>) -> Self {
        Self { sets, keep, found: Import::default(), shown: Vec::new(), unknown: 0, left: Rc::default() }
    }

    fn end(self, path: &Path) -> Result<Import> {
        if self.found.files.is_empty() { Err(self.nothing(path)) } else { Ok(self.found) }
    }

    fn folder(&mut self, path: &Path, depth: usize) -> Result<()> {
        let entries = std::fs::read_dir(path).and_then(Iterator::collect::<io::Result<Vec<_>>>);
        let mut entries: Vec<_> =
            entries.map_err(|e| Error::io(path, e))?.into_iter().map(|e| e.path()).collect();
        entries.sort();
        for entry in entries {
            let result = if entry.is_file() {
                self.file(&entry)
            } else if entry.is_dir() && !entry.is_symlink() && depth < DEEPEST_FOLDER {
                self.folder(&entry, depth + 1)
            } else {
                Ok(())
            };
            match result {
                Err(Error::Data { message, .. }) => self.found.damaged.push(message),
                Err(Error::Io { path, source }) if path == entry => {
                    self.found.damaged.push(format!("{}: {source}", path.display()));
                }
                other => other?,
            }
        }
        Ok(())
    }

    fn file(&mut self, path: &Path) -> Result<()> {
        self.content(File::open(path).map_err(|e| Error::io(path, e))?, path)
    }

    fn content(&mut self, mut file: impl Read + Seek, path: &Path) -> Result<()> {
        self.left.set(MOST_UNPACKED);
        let place = path.display().to_string();
        let start = peek(&mut file).and_then(|start| file.rewind().map(|()| start));
        if let Some((set, kept)) = self.images(&mut file).map_err(|e| Error::io(path, e))? {
            return self.convert(set, kept, file, &place);
        }
        let result = match start.map(|start| Kind::of(&start)) {
            Ok(Kind::Zip) if self.by_name(&place).is_none() => self.zip(BufReader::new(file), &place),
            Ok(_) => self.stream(&mut BufReader::new(file), &place, 0),
            Err(e) => Err(e.into()),
        };
        result.map_err(|trouble| match trouble {
            Trouble::Local(e) => e,
            Trouble::Input(why) => Error::data(format!("{place}: cannot be unpacked ({why})"))
                .with_hint("fetch it again, or unpack it"),
        })
    }

    /// Looks at a stream, and into it if it is a container.
    fn stream(&mut self, reader: &mut dyn Read, place: &str, depth: usize) -> Found {
        if depth > DEEPEST {
            return Err(Trouble::Input(format!("containers nested deeper than {DEEPEST}")));
        }
        let start = peek(reader)?;
        let kind = Kind::of(&start);
        let mut reader = Cursor::new(start).chain(reader);
        match kind {
            Kind::Gzip => self.gzip(&mut reader, place, depth),
            Kind::Xz => {
                let xz = XzReader::new_mem_limit(BufReader::new(reader), true, MOST_XZ_MEMORY);
                let mut xz = self.metered(xz);
                self.stream(&mut xz, place, depth + 1)
            }
            Kind::Tar => self.tar(&mut reader, place, depth),
            Kind::Ar => self.ar(&mut reader, place, depth),
            Kind::Zstd => Err(Trouble::Input("zstd data; unpack it and import the files".into())),
            Kind::Zip | Kind::Other => {
                let unsized_file = self.by_name(place).is_some_and(|(_, f)| f.bytes == 0);
                let most = if unsized_file { MOST_UNSIZED } else { self.largest("") };
                if !self.recognise(&read_up_to(&mut reader, most)?, place)? {
                    self.unknown += 1;
                    self.shown.extend((self.unknown <= MOST_SHOWN).then(|| place.to_string()));
                }
                Ok(())
            }
        }
    }

    /// The catalogue may know the packed or the unpacked bytes.
    fn gzip(&mut self, reader: &mut dyn Read, place: &str, depth: usize) -> Found {
        let mut copy = Copying { inner: reader, kept: Vec::new(), most: self.largest(".gz") };
        let mut unpacked = self.metered(MultiGzDecoder::new(BufReader::new(&mut copy)));
        self.stream(&mut unpacked, place, depth + 1)?;
        // Whatever follows the content matters for the copy alone: if it is damaged, the copy is not recognised.
        io::copy(&mut unpacked, &mut io::sink()).ok();
        drop(unpacked);
        self.recognise(&copy.kept, place).map(drop)
    }

    fn tar(&mut self, reader: &mut dyn Read, place: &str, depth: usize) -> Found {
        // Raw: long-name extensions are skipped, which would be read into memory whole.
        for entry in tar::Archive::new(reader).entries()?.raw(true) {
            let mut entry = entry?;
            if entry.header().entry_type().is_file() {
                let place = within(place, &entry.path_bytes());
                self.stream(&mut entry, &place, depth + 1)?;
            }
        }
        Ok(())
    }

    /// The container of `.deb`: 60-byte headers with name (16 bytes) and decimal size (at 48), members padded to even.
    fn ar(&mut self, mut reader: &mut dyn Read, place: &str, depth: usize) -> Found {
        io::copy(&mut reader.take(AR.len() as u64), &mut io::sink())?;
        loop {
            let header = read_up_to(reader, 60)?;
            if header.is_empty() {
                return Ok(());
            }
            let size = header.get(48..58).and_then(|s| std::str::from_utf8(s).ok()?.trim().parse().ok());
            let Some(size) = size.filter(|_| header.ends_with(b"`\n")) else {
                return Err(Trouble::Input("damaged ar header".into()));
            };
            let mut member = (&mut reader).take(size);
            self.stream(&mut member, &within(place, &header[..16]), depth + 1)?;
            io::copy(&mut member, &mut io::sink())?;
            if member.limit() > 0 {
                return Err(Trouble::Input("ends within an ar member".into()));
            }
            read_up_to(reader, size % 2)?;
        }
    }

    fn zip(&mut self, file: impl Read + Seek, place: &str) -> Found {
        let mut archive = zip::ZipArchive::new(file)?;
        for i in 0..archive.len() {
            let entry = archive.by_index(i)?;
            if entry.is_file() {
                let place = within(place, entry.name_raw());
                let mut entry = self.metered(entry);
                self.stream(&mut entry, &place, 1)?;
            }
        }
        Ok(())
    }

    /// Stores `bytes` if the catalogue knows them.
    fn recognise(&mut self, bytes: &[u8], place: &str) -> std::result::Result<bool, Trouble> {
        let alike = |f: &KnownFile| f.embedded.is_none() && f.bytes == bytes.len() as u64;
        for (set, file) in self.files().filter(|(_, f)| alike(f) && f.pin != Pin::Layout) {
            if file.pin.differs(bytes)?.is_none() {
                self.keep(set, file, bytes, place).map_err(Trouble::Local)?;
                return Ok(true);
            }
        }
        let Some((set, file)) = self.by_name(place) else { return Ok(false) };
        if !file.fits(bytes.len() as u64) {
            let message = format!("{place}: {} bytes, expected {}", bytes.len(), file.bytes);
            let hint = format!("a file of {} of this name has no other size: fetch it again", set.name);
            return Err(Trouble::Local(Error::data(message).with_hint(hint)));
        }
        set.follows_layout(file, Cursor::new(bytes), place).map_err(Trouble::Local)?;
        self.keep(set, file, bytes, place).map_err(Trouble::Local)?;
        Ok(true)
    }

    fn keep(&mut self, set: &KnownSet, file: &KnownFile, bytes: &[u8], place: &str) -> Result<()> {
        let to = (self.keep)(set, file, bytes)?;
        if !self.found.files.iter().any(|f| f.to == to) {
            self.found.files.push(Imported { set: set.name, file: file.name, from: place.into(), to });
        }
        Ok(())
    }

    /// The set and the file that `file` becomes if it is a known archive of images; left at its beginning.
    fn images(&self, file: &mut (impl Read + Seek)) -> io::Result<Option<(&'a KnownSet, &'a KnownFile)>> {
        let size = file.seek(io::SeekFrom::End(0))?;
        file.rewind()?;
        let archives = self.sets.iter().flat_map(|set| set.archives.iter().map(move |a| (set, a)));
        for (set, archive) in archives.filter(|(_, a)| a.jpegs.is_some() && a.bytes == size) {
            let found = store::sha256(&mut *file)?;
            file.rewind()?;
            if found == archive.sha256 {
                return Ok(becomes(set, archive).map(|kept| (set, kept)));
            }
        }
        Ok(None)
    }

    /// Stores the images of an archive as the one file `kept` of `set`.
    fn convert(&mut self, set: &KnownSet, kept: &KnownFile, file: impl Read, place: &str) -> Result<()> {
        let fail = |why: String| {
            Error::data(format!("{place}: cannot be converted ({why})"))
                .with_hint("this is a fault of the program: the archive is as published")
        };
        let reader = XzReader::new_mem_limit(BufReader::new(file), true, MOST_XZ_MEMORY);
        let bytes = jpegs::pack(self.metered(reader)).map_err(fail)?;
        if !kept.fits(bytes.len() as u64) {
            return Err(fail(format!("{} bytes, expected {}", bytes.len(), kept.bytes)));
        }
        if let Some(why) = kept.pin.differs(&bytes[..]).map_err(|e| fail(e.to_string()))? {
            return Err(fail(why));
        }
        self.keep(set, kept, &bytes, place)
    }

    fn files(&self) -> impl Iterator<Item = (&'a KnownSet, &'a KnownFile)> + use<'a> {
        self.sets.iter().flat_map(|set| set.files.iter().map(move |file| (set, file)))
    }

    /// The file without a published checksum that is called like `place`, which may go on with `.gz`.
    fn by_name(&self, place: &str) -> Option<(&'a KnownSet, &'a KnownFile)> {
        let name = place.rsplit(['/', '\\', ' ']).next().unwrap_or(place).trim_end_matches(".gz");
        self.files().find(|(_, f)| f.pin == Pin::Layout && f.name == name)
    }

    /// One more than the size of the largest file whose name ends with `ending`: reading so much settles its size.
    fn largest(&self, ending: &str) -> u64 {
        let files = self.sets.iter().flat_map(|set| set.files).filter(|f| f.name.ends_with(ending));
        1 + files.map(|f| f.bytes).max().unwrap_or(0)
    }

    fn metered<R: Read>(&self, inner: R) -> Metered<R> {
        Metered { inner, left: self.left.clone() }
    }

    fn nothing(&self, path: &Path) -> Error {
        let mut seen = self.shown.join(", ");
        if self.unknown > self.shown.len() {
            seen += &format!(" and {} more", self.unknown - self.shown.len());
        }
        if let Some(first) = self.found.damaged.first() {
            seen += &format!("; {} unreadable: {first}", self.found.damaged.len());
        }
        let names: Vec<_> = self.sets.iter().filter(|s| !s.is_embedded()).map(|s| s.name).collect();
        Error::data(format!("{}: no file of a known data set (seen: {seen})", path.display())).with_hint(
            format!("files of {} are recognised by content, so a changed copy is not", names.join(", ")),
        )
    }
}

/// The file of `set` that the images of `archive` become.
fn becomes<'a>(set: &'a KnownSet, archive: &KnownArchive) -> Option<&'a KnownFile> {
    set.files.iter().find(|f| archive.jpegs == Some(f.name))
}

const AR: &[u8] = b"!<arch>\n";

enum Kind {
    Gzip,
    Xz,
    Zstd,
    Zip,
    Ar,
    Tar,
    Other,
}

impl Kind {
    fn of(start: &[u8]) -> Self {
        match start {
            [0x1f, 0x8b, ..] => Self::Gzip,
            [0xfd, b'7', b'z', b'X', b'Z', 0, ..] => Self::Xz,
            [0x28, 0xb5, 0x2f, 0xfd, ..] => Self::Zstd,
            [b'P', b'K', 3, 4, ..] => Self::Zip,
            _ if start.starts_with(AR) => Self::Ar,
            _ if start.get(257..262) == Some(b"ustar") => Self::Tar,
            _ => Self::Other,
        }
    }
}

/// As much of the beginning as tells what a stream is.
fn peek(reader: &mut dyn Read) -> io::Result<Vec<u8>> {
    read_up_to(reader, 262)
}

fn read_up_to(reader: &mut dyn Read, n: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    reader.take(n).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// How a member of an archive is called in messages.
fn within(place: &str, name: &[u8]) -> String {
    format!("{place}: {}", String::from_utf8_lossy(name).trim_end().escape_debug())
}

/// Stops a stream that unpacks to more than it may.
struct Metered<R> {
    inner: R,
    left: Rc<Cell<u64>>,
}

impl<R: Read> Read for Metered<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let n = self.inner.read(into)?;
        let left = self.left.get().checked_sub(n as u64);
        self.left.set(left.ok_or_else(|| io::Error::other("unpacks to more than 4 GiB"))?);
        Ok(n)
    }
}

/// Keeps the first `most` bytes that pass.
struct Copying<R> {
    inner: R,
    kept: Vec<u8>,
    most: u64,
}

impl<R: Read> Read for Copying<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let n = self.inner.read(into)?;
        let room = self.most as usize - self.kept.len();
        self.kept.extend(&into[..n.min(room)]);
        Ok(n)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_that_unpacks_to_too_much_is_stopped() {
        let left = Rc::new(Cell::new(10));
        let mut reader = Metered { inner: io::repeat(0), left };
        let mut seen = [1; 10];
        reader.read_exact(&mut seen).unwrap();
        assert_eq!(seen, [0; 10]);
        assert_eq!(reader.read_exact(&mut [0]).unwrap_err().to_string(), "unpacks to more than 4 GiB");
    }
}
