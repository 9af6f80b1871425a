//! The data folder: where files of known data sets are kept and loaded from.
//!
//! Loading checks each file's size and layout; [`verify`] also compares its checksum, where one is published.

use std::ffi::OsString;
use std::io::{Cursor, Read, Seek};
use std::path::{Path, PathBuf};

use md5::Md5;
use sha2::{Digest, Sha256};

use super::catalogue::{self, Format, KnownFile, KnownSet, Part, Pin};
use super::layout::Layout;
use super::samples::Samples;
use super::{Dataset, Split, digits, idx};
#[cfg(feature = "import")]
use crate::io::atomic;
use crate::{Error, Result};

/// Is a file of a set there?
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Part of the program.
    Embedded,
    /// In the data folder, with the right size.
    Present,
    /// Not in the data folder.
    Missing,
    /// In the data folder, with this other size.
    WrongSize(u64),
}

/// One split of the set called `name`; `dir` as for [`folder`].
///
/// # Errors
/// [`Error::Config`] for an unknown name, [`Error::DataMissing`] if a file is not there, [`Error::Data`] if one is
/// damaged, [`Error::Io`] if one cannot be read.
pub fn load(name: &str, split: Split, dir: Option<&Path>) -> Result<Dataset> {
    let set = catalogue::find(name)?;
    set.load(split, &root_of(set, dir)?)
}

/// The files of the set called `name` and whether they are there.
///
/// # Errors
/// [`Error::Config`] for an unknown name or if there is no data folder.
pub fn status(name: &str, dir: Option<&Path>) -> Result<Vec<(&'static KnownFile, State)>> {
    let set = catalogue::find(name)?;
    let root = root_of(set, dir)?;
    Ok(set.files.iter().map(|file| (file, set.state(file, &root))).collect())
}

/// Compares every file of the set called `name` with its published checksum; where none is published
/// ([`Pin::Layout`]), checks its size and every record.
///
/// # Errors
/// As [`load`]; [`Error::Data`] names the first file that differs, with both checksums.
pub fn verify(name: &str, dir: Option<&Path>) -> Result<()> {
    let set = catalogue::find(name)?;
    set.verify(&root_of(set, dir)?)
}

/// The data folder: `dir`, else the environment's `BOUTON_DATA`, else `bouton` in the platform's data folder
/// (`$XDG_DATA_HOME` or `~/.local/share`; `~/Library/Application Support`; `%LOCALAPPDATA%`). Need not exist.
///
/// # Errors
/// [`Error::Config`] if none of these is known.
pub fn folder(dir: Option<&Path>) -> Result<PathBuf> {
    resolve(dir, |name| std::env::var_os(name).filter(|v| !v.is_empty())).ok_or_else(|| {
        Error::config("there is no home folder to keep data in")
            .with_hint("set BOUTON_DATA to a folder for data sets")
    })
}

fn resolve(dir: Option<&Path>, env: impl Fn(&str) -> Option<OsString>) -> Option<PathBuf> {
    if let Some(dir) = dir {
        return Some(dir.into());
    }
    let path = |name| env(name).map(PathBuf::from);
    let home = |sub: &str| path("HOME").map(|h| h.join(sub));
    let platform = if cfg!(windows) {
        path("LOCALAPPDATA")
    } else if cfg!(target_os = "macos") {
        home("Library/Application Support")
    } else {
        path("XDG_DATA_HOME").or_else(|| home(".local/share"))
    };
    path("BOUTON_DATA").or_else(|| platform.map(|p| p.join("bouton")))
}

/// An embedded set must load where no data folder can be named.
fn root_of(set: &KnownSet, dir: Option<&Path>) -> Result<PathBuf> {
    if set.is_embedded() { Ok(PathBuf::new()) } else { folder(dir) }
}

impl KnownSet {
    /// Where `file` is kept below the data folder `root`.
    pub fn path(&self, file: &KnownFile, root: &Path) -> PathBuf {
        root.join(self.name).join(file.name)
    }

    /// Is `file` there? A file that cannot be read counts as missing.
    pub fn state(&self, file: &KnownFile, root: &Path) -> State {
        match std::fs::metadata(self.path(file, root)) {
            _ if file.embedded.is_some() => State::Embedded,
            Ok(meta) if file.fits(meta.len()) => State::Present,
            Ok(meta) => State::WrongSize(meta.len()),
            Err(_) => State::Missing,
        }
    }

    /// As [`load`], for this set in the data folder `root`.
    ///
    /// # Errors
    /// As [`load`].
    pub fn load(&self, split: Split, root: &Path) -> Result<Dataset> {
        self.require(|part| part.serves(split), root)?;
        let open = |part| {
            let file = self.files.iter().find(|f| f.part == part);
            let file = file.ok_or_else(|| Error::data(format!("{} has no {part:?} file", self.name)))?;
            Ok((self.open(file, root)?, self.place(file, root)))
        };
        match self.format {
            Format::Samples(layout) => self.samples(layout, split, root),
            Format::Digits => open(Part::All).and_then(|(bytes, place)| digits::decode(bytes, &place, split)),
            Format::Idx => {
                let (images, place) = open(Part::Images(split))?;
                let images = idx::decode(images, &place)?;
                let (labels, place) = open(Part::Labels(split))?;
                let set = Dataset::from_idx(self.name, self.classes, images, idx::decode(labels, &place)?)?;
                self.shaped(set, root)
            }
        }
    }

    /// Refuses images of another shape than the set's.
    fn shaped(&self, set: Dataset, root: &Path) -> Result<Dataset> {
        if set.shape() == self.shape {
            return Ok(set);
        }
        let [found, expected] = [set.shape(), self.shape].map(|[c, h, w]| format!("{c}x{h}x{w}"));
        let folder = root.join(self.name);
        Err(Error::data(format!("{}: images of {found}, expected {expected}", folder.display()))
            .with_hint(self.ways_to_get()))
    }

    fn samples(&self, layout: Layout, split: Split, root: &Path) -> Result<Dataset> {
        let mut samples = Samples::default();
        for file in self.files.iter().filter(|f| f.part.serves(split)) {
            let (labels, place) = (file.part.is_labels(), self.place(file, root));
            layout.decode(labels, self.open(file, root)?, &place, &mut samples)?;
        }
        let set = Dataset::from_samples(self.name, self.shape, self.classes, samples)
            .map_err(|e| e.with_hint(self.ways_to_get()))?;
        let expected = if split == Split::Train { self.train } else { self.test };
        if set.len() != expected {
            let (folder, found) = (root.join(self.name), set.len());
            let message = format!("{}: {found} {split} samples, expected {expected}", folder.display());
            return Err(Error::data(message).with_hint(self.ways_to_get()));
        }
        Ok(set)
    }

    /// As [`verify`], for this set in the data folder `root`.
    ///
    /// # Errors
    /// As [`verify`].
    pub fn verify(&self, root: &Path) -> Result<()> {
        self.require(|_| true, root)?;
        for file in self.files {
            let (content, place) = (self.open(file, root)?, self.place(file, root));
            if file.pin == Pin::Layout {
                self.follows_layout(file, content, &place)?;
                continue;
            }
            let differs = file.pin.differs(content).map_err(|e| Error::io(self.path(file, root), e))?;
            if let Some(why) = differs {
                return Err(Error::data(format!("{place}: {why}")).with_hint(self.ways_to_get()));
            }
        }
        Ok(())
    }

    /// Refuses what does not follow the layout of `file`; `place` is its name in messages.
    pub(super) fn follows_layout(
        &self,
        file: &KnownFile,
        content: impl Read + Seek,
        place: &str,
    ) -> Result<()> {
        match self.format {
            Format::Samples(layout) => {
                layout.decode(file.part.is_labels(), content, place, &mut Samples::default())
            }
            Format::Idx => idx::decode(content, place).map(drop),
            Format::Digits => digits::decode(content, place, Split::Train).map(drop),
        }
    }

    /// Refuses files that are missing or have the wrong size.
    fn require(&self, wanted: impl Fn(Part) -> bool, root: &Path) -> Result<()> {
        let mut missing = Vec::new();
        for file in self.files.iter().filter(|f| wanted(f.part)) {
            match self.state(file, root) {
                State::Missing => missing.push(file.name),
                State::WrongSize(found) => {
                    let place = self.place(file, root);
                    return Err(Error::data(format!("{place}: {found} bytes, expected {}", file.bytes))
                        .with_hint(self.ways_to_get()));
                }
                State::Present | State::Embedded => {}
            }
        }
        if missing.is_empty() {
            return Ok(());
        }
        Err(self.missing(root, &missing))
    }

    /// The error for files that are not in the data folder `root`.
    pub(super) fn missing(&self, root: &Path, files: &[&str]) -> Error {
        let (folder, files) = (root.join(self.name), files.join(", "));
        let message = format!("data set `{}` is not in {} (missing: {files})", self.name, folder.display());
        Error::DataMissing { message, hint: self.ways_to_get() }
    }

    fn open(&self, file: &KnownFile, root: &Path) -> Result<Box<dyn Content>> {
        if let Some(content) = file.embedded {
            return Ok(Box::new(Cursor::new(content)));
        }
        let path = self.path(file, root);
        let file = std::fs::File::open(&path).map_err(|e| Error::io(&path, e))?;
        log::debug!("{} read", path.display());
        Ok(Box::new(file))
    }

    /// The name of `file` in messages.
    fn place(&self, file: &KnownFile, root: &Path) -> String {
        match file.embedded {
            Some(_) => file.name.into(),
            None => self.path(file, root).display().to_string(),
        }
    }

    /// The hint for a set that is not there, or not whole.
    pub(super) fn ways_to_get(&self) -> String {
        if self.is_offered() {
            return format!("bouton data get {}, or bouton data import PATH if you have a copy", self.name);
        }
        let names: Vec<_> = self.archives.iter().map(|a| a.name).collect();
        if names.is_empty() {
            return "bouton data import PATH, where PATH is a copy of it".into();
        }
        format!("bouton data import PATH, where PATH is {} or a folder with it", names.join(" or "))
    }
}

/// An opened file.
trait Content: Read + Seek {}

impl<T: Read + Seek> Content for T {}

impl Pin {
    /// The published checksum as [`Pin::checksum`] gives it.
    pub(super) fn published(self) -> Option<String> {
        match self {
            Self::Sha256(sum) => Some(format!("sha256:{sum}")),
            Self::Md5(sum) => Some(format!("md5:{sum}")),
            Self::Layout => None,
        }
    }

    /// The checksum of the bytes, of the kind that is published: `sha256:…` or `md5:…`.
    pub(super) fn checksum(self, bytes: impl Read) -> std::io::Result<String> {
        match self {
            Self::Md5(_) => Ok(format!("md5:{}", digest::<Md5>(bytes)?)),
            Self::Sha256(_) | Self::Layout => Ok(format!("sha256:{}", sha256(bytes)?)),
        }
    }

    /// How the checksum of the bytes differs from the published one; none if it does not, or if none is published.
    pub(super) fn differs(self, bytes: impl Read) -> std::io::Result<Option<String>> {
        let (name, found, expected) = match self {
            Self::Sha256(expected) => ("SHA-256", sha256(bytes)?, expected),
            Self::Md5(expected) => ("MD5", digest::<Md5>(bytes)?, expected),
            Self::Layout => return Ok(None),
        };
        Ok((found != expected).then(|| format!("{name} is {found}, expected {expected}")))
    }
}

/// Writes a file by rename, making its folder first: a reader sees all of it or nothing.
#[cfg(feature = "import")]
pub(super) fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(|e| Error::io(path, e))?;
    }
    atomic::write(path, bytes)
}

/// SHA-256 of a stream, in hexadecimal.
pub(super) fn sha256(reader: impl Read) -> std::io::Result<String> {
    digest::<Sha256>(reader)
}

fn digest<D: Digest>(mut reader: impl Read) -> std::io::Result<String> {
    let mut digest = D::new();
    let mut chunk = vec![0; 1 << 16];
    loop {
        match reader.read(&mut chunk)? {
            0 => return Ok(hex(&digest.finalize())),
            n => digest.update(&chunk[..n]),
        }
    }
}

/// Bytes as lower-case hexadecimal.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_folder_is_the_argument_then_the_environment_then_the_platform() {
        let all = |name: &str| Some(OsString::from(format!("/{name}")));
        assert_eq!(resolve(Some(Path::new("here")), all), Some("here".into()));
        assert_eq!(resolve(None, all), Some("/BOUTON_DATA".into()));
        assert_eq!(resolve(None, |_| None), None);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn the_platform_folder_on_linux() {
        let home = |name: &str| (name == "HOME").then(|| OsString::from("/home/ada"));
        assert_eq!(resolve(None, home), Some("/home/ada/.local/share/bouton".into()));
        let xdg = |name: &str| (name != "BOUTON_DATA").then(|| OsString::from("/xdg"));
        assert_eq!(resolve(None, xdg), Some("/xdg/bouton".into()));
    }
}
