//! Images of a folder, decoded once: the next run reads their pixels from one file.
//!
//! It lies in the data folder, `decoded/<mark>.npz`, under a mark of the folder and of how images are brought to one size, and holds
//! a fingerprint of the names, sizes and times of change of all files. What is missing, torn or older is decoded again.

use super::Files;
use crate::task::npy::{self, Array, Values};
use crate::task::{npz, store};
use sha2::{Digest, Sha256};
use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

/// Fewer images are decoded sooner than looked up.
const LEAST: usize = 256;
/// A file that was changed so shortly before may change again within the same tick of its file system.
const YOUNG: Duration = Duration::from_secs(2);
/// Names of the arrays.
const PIXELS: &str = "X";
const FINGERPRINT: &str = "fingerprint";

/// Where the pixels of a folder are kept, and what they have to be made of.
#[derive(Debug)]
pub(super) struct Decoded {
    path: PathBuf,
    fingerprint: Vec<u8>,
}

impl Decoded {
    /// The place for the images `files` of `folder`; none if it is not worth it, or if a file was changed just now.
    pub fn of(folder: &Path, files: &[PathBuf], spec: &Files) -> Option<Self> {
        if files.len() < LEAST {
            return None;
        }
        let fingerprint = fingerprint(files)?;
        let folder = std::path::absolute(folder).ok()?;
        let mark = Sha256::digest(format!("{}\0{:?}\0{}", folder.display(), spec.size, spec.grey));
        let path = store::folder(None).ok()?.join("decoded").join(store::hex(&mark[..8]) + ".npz");
        Some(Self { path, fingerprint })
    }

    /// The shape [channels, height, width] and the pixels of all images.
    pub fn read(&self) -> Option<([usize; 3], Vec<u8>)> {
        let mut archive = zip::ZipArchive::new(BufReader::new(File::open(&self.path).ok()?)).ok()?;
        let mut bytes = |name: &str| {
            let mut member = archive.by_name(&format!("{name}.npy")).ok()?;
            let Array { shape, values } = npy::array(&mut member).ok()?;
            if let Values::Bytes(bytes) = values { Some((shape, bytes)) } else { None }
        };
        if bytes(FINGERPRINT)?.1 != self.fingerprint {
            return None;
        }
        let (shape, pixels) = bytes(PIXELS)?;
        let [_, channels, height, width] = shape[..] else { return None };
        Some(([channels, height, width], pixels))
    }

    /// Keeps the pixels of all images; that they cannot be kept is no error.
    pub fn write(&self, samples: usize, [channels, height, width]: [usize; 3], pixels: &[u8]) {
        let array = |shape: &[usize], bytes: &[u8]| Array {
            shape: shape.to_vec(),
            values: Values::Bytes(bytes.to_vec()),
        };
        let arrays = [
            (FINGERPRINT, array(&[self.fingerprint.len()], &self.fingerprint)),
            (PIXELS, array(&[samples, channels, height, width], pixels)),
        ];
        let folder = self.path.parent().map_or(Ok(()), std::fs::create_dir_all);
        if let Err(error) =
            folder.map_err(|e| crate::Error::io(&self.path, e)).and_then(|()| npz::write(&self.path, &arrays))
        {
            log::debug!("decoded images are not kept: {error}");
        }
    }
}

/// What a change of any of the files would change; none if one of them was changed just now.
fn fingerprint(files: &[PathBuf]) -> Option<Vec<u8>> {
    let mut seen = Sha256::new();
    for file in files {
        let meta = std::fs::metadata(file).ok()?;
        let changed = meta.modified().ok()?;
        if SystemTime::now().duration_since(changed).unwrap_or_default() < YOUNG {
            return None;
        }
        let time = changed.duration_since(SystemTime::UNIX_EPOCH).ok()?.as_nanos();
        seen.update(format!("{}\0{}\0{time}\n", file.display(), meta.len()));
    }
    Some(seen.finalize().to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pixels_are_read_again_unless_something_changed() {
        let folder = tempfile::tempdir().unwrap();
        let at =
            |mark: &[u8]| Decoded { path: folder.path().join("decoded/x.npz"), fingerprint: mark.to_vec() };
        let (shape, pixels) = ([2, 1, 3], (0..12).collect::<Vec<u8>>());
        assert_eq!(at(b"a").read(), None);
        at(b"a").write(2, shape, &pixels);
        assert_eq!(at(b"a").read(), Some((shape, pixels.clone())));
        assert_eq!(at(b"b").read(), None, "of other files");
        let file = folder.path().join("decoded/x.npz");
        let whole = std::fs::read(&file).unwrap();
        std::fs::write(&file, &whole[..whole.len() - 30]).unwrap();
        assert_eq!(at(b"a").read(), None, "torn");
        let mut flipped = whole;
        let last = flipped.windows(12).rposition(|w| *w == pixels[..]).unwrap();
        flipped[last] ^= 1;
        std::fs::write(&file, &flipped).unwrap();
        assert_eq!(at(b"a").read(), None, "a flipped bit");
        let nowhere = Decoded { path: file.join("under/a/file.npz"), fingerprint: Vec::new() };
        nowhere.write(2, shape, &pixels);
        assert_eq!(nowhere.read(), None);
    }

    #[test]
    fn a_fingerprint_tells_names_sizes_and_times() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str, age: u64| {
            let path = folder.path().join(name);
            std::fs::write(&path, text).unwrap();
            let file = File::options().write(true).open(&path).unwrap();
            file.set_modified(SystemTime::now() - Duration::from_secs(age)).unwrap();
            path
        };
        let (a, b) = (write("a", "1", 100), write("b", "1", 200));
        let first = fingerprint(&[a.clone(), b.clone()]).unwrap();
        assert_eq!(fingerprint(&[a.clone(), b.clone()]).unwrap(), first);
        assert_ne!(fingerprint(std::slice::from_ref(&a)).unwrap(), first);
        write("b", "1", 300);
        let older = fingerprint(&[a.clone(), b.clone()]).unwrap();
        assert_ne!(older, first);
        write("b", "22", 300);
        assert_ne!(fingerprint(&[a.clone(), b.clone()]).unwrap(), older);
        write("b", "22", 0);
        assert_eq!(fingerprint(&[a, b]), None, "it may still change");
    }
}
