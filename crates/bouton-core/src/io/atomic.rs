//! Whole-file writes that a crash or a full disk cannot tear: a temporary file in the same folder, then a rename. Devices
//! and pipes, which have nothing to tear, are written as they are.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::path::Path;

use tempfile::NamedTempFile;

use crate::{Error, Result};

/// How the name of every temporary file begins; what a killed process left behind is found by it.
const PREFIX: &str = ".tmp-";

/// Replaces the file at `path` by `bytes`. On an error the old file is untouched and nothing is left behind.
///
/// # Errors
/// [`Error::Io`] naming `path`.
pub fn write(path: impl AsRef<Path>, bytes: impl AsRef<[u8]>) -> Result<()> {
    write_with(path, |file| file.write_all(bytes.as_ref()))
}

/// Replaces the file at `path` by what `fill` writes. If `fill` fails, the old file is untouched.
///
/// # Errors
/// [`Error::Io`] naming `path`.
pub fn write_with(
    path: impl AsRef<Path>,
    fill: impl FnOnce(&mut BufWriter<&File>) -> io::Result<()>,
) -> Result<()> {
    let path = path.as_ref();
    let attempt = || {
        if fs::metadata(path).is_ok_and(|meta| !meta.is_file() && !meta.is_dir()) {
            let device = OpenOptions::new().write(true).open(path)?;
            let mut buffer = BufWriter::new(&device);
            fill(&mut buffer)?;
            return buffer.flush();
        }
        let temp = temporary(path)?;
        let mut buffer = BufWriter::new(temp.as_file());
        fill(&mut buffer)?;
        buffer.flush()?;
        drop(buffer);
        temp.persist(path).map(drop).map_err(|e| e.error)
    };
    attempt().map_err(|e| Error::io(path, e))?;
    log::debug!("{} written", path.display());
    Ok(())
}

/// Makes `to` a second name of the file `from` (a hard link, or a copy where links are refused), replacing what
/// `to` named before.
///
/// # Errors
/// [`Error::Io`] naming `to`.
pub fn alias(from: &Path, to: &Path) -> Result<()> {
    let attempt = || {
        let temp = temporary(to)?.into_temp_path();
        fs::remove_file(&temp)?;
        if fs::hard_link(from, &temp).is_err() {
            fs::copy(from, &temp)?;
        }
        // Renaming a link over another link to the same file is a no-op that keeps both names: `temp` is removed
        // when it goes out of scope, whether or not the rename took it away.
        fs::rename(&temp, to)
    };
    attempt().map_err(|e| Error::io(to, e))
}

/// Removes temporary files that a killed process left in `folder`. Only for the one process that writes there.
pub fn clean(folder: &Path) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        if entry.file_name().to_string_lossy().starts_with(PREFIX) {
            // What cannot be removed does no harm but to the disk space.
            let _ = fs::remove_file(entry.path());
        }
    }
}

/// An empty temporary file beside `path`, with the permissions of an ordinary new file.
fn temporary(path: &Path) -> io::Result<NamedTempFile> {
    let folder = match path.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    };
    let mut builder = tempfile::Builder::new();
    builder.prefix(PREFIX);
    #[cfg(unix)]
    let permissions = std::os::unix::fs::PermissionsExt::from_mode(0o666);
    #[cfg(unix)]
    builder.permissions(permissions);
    builder.tempfile_in(folder)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let mut names: Vec<_> =
            fs::read_dir(folder).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn a_write_replaces_the_whole_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.txt");
        write(&path, "a long first version").unwrap();
        write(&path, "short").unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "short");
        assert_eq!(names(folder.path()), ["a.txt"]);
    }

    #[test]
    fn a_failed_write_keeps_the_old_file_and_leaves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.txt");
        write(&path, "old").unwrap();
        let failed = write_with(&path, |file| {
            file.write_all(&[0; 100_000])?;
            Err(io::Error::from(io::ErrorKind::StorageFull))
        });
        let message = failed.unwrap_err().to_string();
        assert!(message.contains("a.txt") && message.contains("no storage space"), "{message}");
        assert_eq!(fs::read_to_string(&path).unwrap(), "old");
        assert_eq!(names(folder.path()), ["a.txt"]);
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn a_device_stays_a_device() {
        let folder = tempfile::tempdir().unwrap();
        let [null, full] = ["null", "full"].map(|name| {
            let link = folder.path().join(name);
            std::os::unix::fs::symlink(Path::new("/dev").join(name), &link).unwrap();
            link
        });
        write(&null, "x").unwrap();
        assert!(
            matches!(write(&full, "x"), Err(Error::Io { source, .. }) if source.kind() == io::ErrorKind::StorageFull)
        );
        assert!([null, full].iter().all(|link| link.is_symlink()));
    }

    #[test]
    fn a_folder_that_is_a_file_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        write(&file, "x").unwrap();
        let error = write(file.join("inside"), "y").unwrap_err();
        assert!(matches!(&error, Error::Io { path, .. } if path.ends_with("file/inside")), "{error}");
    }

    #[test]
    fn an_alias_follows_and_survives_its_source() {
        let folder = tempfile::tempdir().unwrap();
        let [one, two, last] = ["1", "2", "last"].map(|name| folder.path().join(name));
        write(&one, "one").unwrap();
        write(&two, "two").unwrap();
        for _ in 0..2 {
            alias(&one, &last).unwrap();
        }
        assert_eq!(names(folder.path()), ["1", "2", "last"]);
        alias(&two, &last).unwrap();
        fs::remove_file(&two).unwrap();
        assert_eq!(fs::read_to_string(&last).unwrap(), "two");
        assert_eq!(fs::read_to_string(&one).unwrap(), "one");
    }

    #[test]
    #[cfg(unix)]
    fn files_get_the_permissions_of_ordinary_files() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let [plain, renamed] = ["plain", "renamed"].map(|name| folder.path().join(name));
        fs::write(&plain, "x").unwrap();
        write(&renamed, "x").unwrap();
        let mode = |path| fs::metadata(path).unwrap().permissions().mode();
        assert_eq!(mode(&plain), mode(&renamed));
    }

    #[test]
    fn cleaning_takes_only_temporary_files() {
        let folder = tempfile::tempdir().unwrap();
        for name in [".tmp-abc", "kept", ".hidden"] {
            fs::write(folder.path().join(name), "x").unwrap();
        }
        clean(folder.path());
        assert_eq!(names(folder.path()), [".hidden", "kept"]);
    }
}
