//! Checksums of the files that a task reads: what says that two runs saw the same data, and whether a set is the
//! published one of its name.
//!
//! A file is read once; its checksum stays in `checksums.json` in the data folder for as long as size and time of
//! change stay.

use super::catalogue::{self, KnownFile, KnownSet, Pin};
use super::sequence::Following;
use super::spec::Curriculum;
use super::store;
use crate::io::atomic;
use crate::{Error, Result};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::fs::{File, Metadata};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// A file that was changed so shortly before may change again within the same tick of its file system.
const YOUNG: SignedDuration = SignedDuration::from_secs(2);

/// What the files of a task hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Checksums {
    /// Checksum of every file, `sha256:…` or `md5:…`, by `<set>/<file>`. Empty for made-up images, which the recipe
    /// determines.
    pub files: BTreeMap<String, String>,
    /// The files that are not the published ones of their name.
    pub unpublished: Vec<String>,
}

/// The data sets that `recipe` names.
fn sets(recipe: Curriculum<'_>) -> Result<Vec<&'static KnownSet>> {
    let first = recipe.task.method().set();
    let then = recipe.sequence.method().sets().iter().filter(|next| next.own().is_none());
    let then = then.map(|next| catalogue::find(next.name())).collect::<Result<Vec<_>>>()?;
    Ok(first.into_iter().chain(then).collect())
}

/// Checksums of the files that `recipe` reads from the data folder (default: the user's).
///
/// # Errors
/// [`Error::DataMissing`] if one is not there, [`Error::Io`] if one cannot be read, [`Error::Config`] for an unknown set.
pub fn checksums<'a>(recipe: impl Into<Curriculum<'a>>, folder: Option<&Path>) -> Result<Checksums> {
    let mut all = Checksums::default();
    let recipe = recipe.into();
    let mut take = |before: &str, paths: Vec<PathBuf>| {
        paths.into_iter().enumerate().try_for_each(|(i, path)| {
            // Two folders may hold files of one name.
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            all.files.insert(format!("{before}{}/{name}", i + 1), own(&path, folder)?);
            Ok(())
        })
    };
    take("", recipe.task.method().files())?;
    for (i, files) in recipe.sequence.method().sets().iter().filter_map(Following::own).enumerate() {
        take(&format!("then-{}/", i + 1), files.paths())?;
    }
    for set in sets(recipe)? {
        let mut cache =
            if set.is_embedded() { Cache::default() } else { Cache::read(&store::folder(folder)?) };
        for file in set.files {
            let (name, found) = (format!("{}/{}", set.name, file.name), checksum(set, file, &mut cache)?);
            if file.pin.published().is_some_and(|published| published != found) {
                all.unpublished.push(name.clone());
            }
            all.files.insert(name, found);
        }
        cache.write();
    }
    Ok(all)
}

/// One checksum of what is in the files and folders `paths`, in this order.
///
/// # Errors
/// As [`checksums`].
pub(super) fn content<'a>(paths: impl Iterator<Item = &'a Path>, folder: Option<&Path>) -> Result<String> {
    let mut all = Sha256::new();
    for path in paths {
        all.update(own(path, folder)?);
    }
    Ok(format!("sha256:{}", store::hex(&all.finalize())))
}

/// The checksum of a file of one's own; of a folder, that of the names and checksums of all that is below it.
fn own(path: &Path, folder: Option<&Path>) -> Result<String> {
    let missing = |e: std::io::Error| match e.kind() {
        ErrorKind::NotFound => Error::DataMissing {
            message: format!("{}: {e}", path.display()),
            hint: "put it back, or change task.files in the recipe".into(),
        },
        _ => Error::io(path, e),
    };
    if !path.is_dir() {
        let mut cache = store::folder(folder).map(|root| Cache::read(&root)).unwrap_or_default();
        let found = cache.checksum(&path.display().to_string(), path, Pin::Layout).map_err(missing)?;
        cache.write();
        return Ok(found);
    }
    let mut all = Sha256::new();
    let mut entries: Vec<PathBuf> = std::fs::read_dir(path)
        .and_then(Iterator::collect::<std::io::Result<Vec<_>>>)
        .map_err(missing)?
        .into_iter()
        .map(|entry| entry.path())
        .collect();
    entries.sort();
    for entry in entries {
        let content = if entry.is_dir() {
            own(&entry, folder)?
        } else {
            Pin::Layout
                .checksum(File::open(&entry).map_err(|e| Error::io(&entry, e))?)
                .map_err(|e| Error::io(&entry, e))?
        };
        all.update(format!("{}\0{content}\n", entry.file_name().unwrap_or_default().to_string_lossy()));
    }
    Ok(format!("sha256:{}", store::hex(&all.finalize())))
}

fn checksum(set: &KnownSet, file: &KnownFile, cache: &mut Cache) -> Result<String> {
    if let (Some(_), Some(published)) = (file.embedded, file.pin.published()) {
        return Ok(published);
    }
    let path = set.path(file, &cache.root);
    let found = cache.checksum(&format!("{}/{}", set.name, file.name), &path, file.pin);
    found.map_err(|e| match e.kind() {
        ErrorKind::NotFound => set.missing(&cache.root, &[file.name]),
        _ => Error::io(path, e),
    })
}

/// What is remembered of the files of one data folder.
#[derive(Debug, Default)]
struct Cache {
    root: PathBuf,
    known: BTreeMap<String, Entry>,
    changed: bool,
}

/// One file, as it was when it was read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Entry {
    bytes: u64,
    modified: Timestamp,
    checksum: String,
}

impl Cache {
    /// What is remembered in the data folder `root`; nothing if that cannot be read.
    fn read(root: &Path) -> Self {
        let text = std::fs::read(Self::file(root)).unwrap_or_default();
        let known = serde_json::from_slice(&text).unwrap_or_default();
        Self { root: root.into(), known, changed: false }
    }

    fn file(root: &Path) -> PathBuf {
        root.join("checksums.json")
    }

    /// The checksum of the file at `path`, which is called `name` here.
    fn checksum(&mut self, name: &str, path: &Path, pin: Pin) -> std::io::Result<String> {
        let file = File::open(path)?;
        let (bytes, modified) = state(&file.metadata()?);
        let same = |e: &&Entry| e.bytes == bytes && Some(e.modified) == modified;
        if let Some(entry) = self.known.get(name).filter(same) {
            return Ok(entry.checksum.clone());
        }
        let checksum = pin.checksum(file)?;
        if let Some(modified) = modified.filter(|m| Timestamp::now().duration_since(*m) > YOUNG) {
            self.known.insert(name.into(), Entry { bytes, modified, checksum: checksum.clone() });
            self.changed = true;
        }
        Ok(checksum)
    }

    /// Keeps it. A data folder that cannot be written only costs time.
    fn write(&self) {
        if self.changed {
            let mut text = serde_json::to_string_pretty(&self.known).expect("checksums are plain data");
            text.push('\n');
            if let Err(error) = atomic::write(Self::file(&self.root), text) {
                log::debug!("checksums are not kept: {error}");
            }
        }
    }
}

/// Size and time of change.
fn state(meta: &Metadata) -> (u64, Option<Timestamp>) {
    (meta.len(), meta.modified().ok().and_then(|time| Timestamp::try_from(time).ok()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::{Duration, SystemTime};

    /// A checksum is remembered for as long as size and time stay, whatever the content, and not before the file is old.
    #[test]
    fn a_file_is_read_again_only_when_it_looks_changed() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("a");
        let at = |age: u64, text: &str| {
            std::fs::write(&path, text).unwrap();
            let time = SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000 + age);
            File::options().write(true).open(&path).unwrap().set_modified(time).unwrap();
        };
        let sum = || {
            let mut cache = Cache::read(root.path());
            let sum = cache.checksum("set/a", &path, Pin::Layout).unwrap();
            cache.write();
            sum
        };
        at(0, "one");
        let first = sum();
        assert_eq!(first, "sha256:7692c3ad3540bb803c020b3aee66cd8887123234ea0c6e7143c0add73ff431ed");
        at(0, "two");
        assert_eq!(sum(), first, "nothing tells that it changed");
        at(1, "two");
        assert_ne!(sum(), first);
        at(1, "three");
        let third = sum();
        assert_ne!(third, first);
        std::fs::write(&path, "six").unwrap();
        let young = sum();
        std::fs::write(Cache::file(root.path()), "{").unwrap();
        assert_eq!(sum(), young, "a damaged memory is no memory");
        assert!(!std::fs::read_to_string(Cache::file(root.path())).unwrap().contains("set/a"));
    }

    #[test]
    fn md5_stands_where_only_that_is_published() {
        let sum = Pin::Md5("").checksum(&b"one"[..]).unwrap();
        assert_eq!(sum, "md5:f97c5d29941bfb1b2fdab0874906ab82");
    }
}
