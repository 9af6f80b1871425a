//! Data sets of one's own by name. `bouton data add` gives a name to files: it writes the `[task.files]` that they are, with a checksum
//! of their content, to `own/<name>.toml` in the data folder. The files stay where they are.
//!
//! A name means the content that it was given to. Where a recipe names the set, what is known of its files stands in the resolved
//! recipe, so that runs need the name no more.

use super::Files;
use crate::io::atomic;
use crate::task::{DATA, Held, TaskMethod, TaskSpec, checksums, store};
use crate::{Error, Result};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// Most bytes of a name.
const LONGEST: usize = 64;
/// What a description begins with.
const HEAD: &str =
    "# A data set of your own, written by `bouton data add`: where its files are, and what was in them.\n";

/// The name of a set of one's own, and what was in its files when they got it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Added {
    /// Its name.
    pub name: String,
    /// Checksum of its files.
    pub content: String,
}

impl Added {
    /// Refuses `files` that are not what they were when they got their name.
    ///
    /// # Errors
    /// [`Error::DataMissing`] if a file is gone, [`Error::Data`] if one has changed.
    pub fn check(&self, files: &Files, folder: Option<&Path>) -> Result<()> {
        let Self { name, content } = self;
        let now = of(files, folder).map_err(|error| match error {
            Error::DataMissing { message, .. } => Error::DataMissing {
                message: format!("data set `{name}`: {message}"),
                hint: format!("put it back, or forget the set with `bouton data rm {name}`"),
            },
            other => other.context(format!("data set `{name}`")),
        })?;
        if now == *content {
            return Ok(());
        }
        Err(Error::data(format!("data set `{name}`: {} is not what it was when it was added", files.train))
            .with_hint(format!(
                "`bouton data rm {name}`, then `bouton data add {name} …` for what it is now"
            )))
    }
}

/// A checksum of what is learned from and tested on.
fn of(files: &Files, folder: Option<&Path>) -> Result<String> {
    let test = files.test.path().map(String::from);
    let all = [Some(&files.train), test.as_ref(), files.labels.as_ref(), files.test_labels.as_ref()];
    checksums::content(all.into_iter().flatten().map(Path::new), folder)
}

fn file(name: &str, folder: Option<&Path>) -> Result<PathBuf> {
    Ok(store::folder(folder)?.join("own").join(format!("{name}.toml")))
}

/// Refuses what is no name of a set of one's own, in words.
fn refused(name: &str) -> Option<&'static str> {
    let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if DATA.iter().any(|set| set.name == name) || TaskSpec::NAMES.contains(&name) {
        return Some("bouton's own set or task has this name");
    }
    let begins = name.starts_with(|c: char| c.is_ascii_lowercase());
    let named = begins && name.len() <= LONGEST && name.chars().all(fits);
    (!named).then_some("a name is made of small letters, digits and `-`, a letter first")
}

/// Gives the name to `files`, whose paths begin at the present folder, and answers with what was found in them.
///
/// # Errors
/// [`Error::Config`] if it is no name, or that of other files; those of the files.
pub fn add(name: &str, mut files: Files, folder: Option<&Path>) -> Result<Files> {
    if let Some(why) = refused(name) {
        let error = Error::config(format!("a data set cannot be called `{}`: {why}", name.escape_debug()));
        return Err(error.with_hint("choose another name"));
    }
    for held in [Some(&files.test), files.validation.as_ref()].into_iter().flatten() {
        if matches!(held, Held::Share(share) if !(*share > 0.0 && *share < 1.0)) {
            return Err(Error::config(format!("{name}: a share to hold back must be above 0 and below 1"))
                .with_hint("0.2 is usual, or the path of a file"));
        }
    }
    files.look(Path::new(""))?;
    files.set = Some(Added { name: name.into(), content: of(&files, folder)? });
    if find(name, folder).is_ok_and(|known| known.is_some_and(|known| known != files)) {
        let message = format!("`{name}` is the name of another data set");
        return Err(Error::config(message)
            .with_hint(format!("choose another one, or forget that set with `bouton data rm {name}`")));
    }
    let path = file(name, folder)?;
    let parent = path.parent().unwrap_or(Path::new(""));
    std::fs::create_dir_all(parent).map_err(|e| Error::io(parent, e))?;
    atomic::write(&path, format!("{HEAD}{}", written(&files)?))?;
    Ok(files)
}

/// As a table first, whose writing is compiled already.
fn written(files: &Files) -> Result<String> {
    let table = toml::Table::try_from(files).and_then(|table| toml::to_string(&table));
    table.map_err(|e| Error::config(format!("{}: {e}", files.train)))
}

/// The files that are called `name`; none if there is no such set.
///
/// # Errors
/// [`Error::Data`] if their description cannot be read.
pub fn find(name: &str, folder: Option<&Path>) -> Result<Option<Files>> {
    // Any other name may lead out of the folder.
    if refused(name).is_some() {
        return Ok(None);
    }
    let Ok(path) = file(name, folder) else { return Ok(None) };
    let Ok(text) = std::fs::read_to_string(&path) else { return Ok(None) };
    let table = text.parse::<toml::Table>().and_then(toml::Table::try_into::<Files>);
    let named = |files: &Files| files.set.as_ref().is_some_and(|set| set.name == name);
    match table {
        Ok(files) if named(&files) && files.found.is_some() => Ok(Some(files)),
        _ => Err(Error::data(format!("{}: not a description of the data set `{name}`", path.display()))
            .with_hint(format!("`bouton data rm {name}`, then add the files again"))),
    }
}

/// The description of the set called `name` without the keys that are a recipe's; none if there is no such set.
///
/// # Errors
/// As [`find`].
pub fn keys(name: &str, folder: Option<&Path>) -> Result<Option<String>> {
    let Some(files) = find(name, folder)? else { return Ok(None) };
    let mut table: toml::Table = written(&files)?.parse().unwrap_or_default();
    table.retain(|key, _| !["batch", "epochs"].contains(&key));
    Ok(Some(table.to_string()))
}

/// Every set that was added, by name.
///
/// # Errors
/// [`Error::Config`] if there is no data folder.
pub fn all(folder: Option<&Path>) -> Result<Vec<(String, Result<Files>)>> {
    let folder_of_all = store::folder(folder)?.join("own");
    let entries = std::fs::read_dir(folder_of_all).into_iter().flatten().flatten();
    let paths =
        entries.map(|entry| entry.path()).filter(|path| path.extension().is_some_and(|e| e == "toml"));
    let mut names: Vec<String> =
        paths.filter_map(|path| Some(path.file_stem()?.to_str()?.to_owned())).collect();
    names.sort();
    let known = |name: String| find(&name, folder).transpose().map(|files| (name, files));
    Ok(names.into_iter().filter_map(known).collect())
}

/// Forgets the set called `name`; its files stay.
///
/// # Errors
/// [`Error::Config`] if nothing was added under that name.
pub fn remove(name: &str, folder: Option<&Path>) -> Result<()> {
    let path = file(name, folder)?;
    if refused(name).is_some() || !path.is_file() {
        return Err(Error::config(format!("no data set `{}` was added", name.escape_debug()))
            .with_hint("`bouton data list` shows them"));
    }
    std::fs::remove_file(&path).map_err(|e| Error::io(path, e))
}
