//! Small files that are taken in whole: where a file may be named, a word of several lines is the text of one.

use crate::{Error, Result};
use std::path::{Path, PathBuf};

/// Largest file that a recipe takes in, in bytes.
const MOST: u64 = 1 << 20;

/// Whether `word` is the text of a file, not its name.
pub fn is_text(word: &str) -> bool {
    word.contains('\n')
}

/// The text of the file `name` in `folder`; it has at least one line.
pub fn read(name: &str, folder: &Path) -> Result<String> {
    let path = folder.join(expand_home(name));
    let fail = |what: &str| Error::config(format!("{}: {what}", path.display()));
    let meta = std::fs::metadata(&path).map_err(|e| {
        let beside = !folder.as_os_str().is_empty() && Path::new(name).is_file();
        let error = fail(&e.to_string());
        if beside { error.with_hint("paths in a recipe are relative to the recipe's folder") } else { error }
    })?;
    if !meta.is_file() || meta.len() > MOST {
        return Err(fail(&format!("not a file of at most {MOST} bytes")));
    }
    let bytes = std::fs::read(&path).map_err(|e| fail(&e.to_string()))?;
    let mut text = String::from_utf8(bytes).map_err(|_| fail("not a text file"))?;
    if !is_text(&text) {
        text.push('\n');
    }
    Ok(text)
}

/// `name` with the user's home in place of a leading `~/`.
pub fn expand_home(name: &str) -> PathBuf {
    let home = std::env::var_os("HOME").or_else(|| std::env::var_os("USERPROFILE"));
    match (name.strip_prefix("~/"), home) {
        (Some(rest), Some(home)) => PathBuf::from(home).join(rest),
        _ => name.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_begins_at_the_folder_or_at_home() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("a.toml"), "one line").unwrap();
        assert_eq!(read("a.toml", folder.path()).unwrap(), "one line\n");
        assert!(read("a.toml", Path::new("")).unwrap_err().to_string().starts_with("a.toml: "));
        if let Some(user) = std::env::var_os("HOME") {
            assert_eq!(expand_home("~/a/b.toml"), PathBuf::from(user).join("a/b.toml"));
        }
        assert_eq!(expand_home("~a/b.toml"), PathBuf::from("~a/b.toml"));
    }

    #[test]
    fn what_is_no_small_text_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let refused = |name: &str| read(name, folder.path()).unwrap_err().to_string();
        std::fs::write(folder.path().join("bytes"), [b'a', 0xff]).unwrap();
        std::fs::File::create(folder.path().join("large")).unwrap().set_len(MOST + 1).unwrap();
        assert!(refused("bytes").ends_with("not a text file"));
        assert!(refused("large").ends_with("at most 1048576 bytes"));
        assert!(refused(".").ends_with("at most 1048576 bytes"));
    }
}
