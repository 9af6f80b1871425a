//! Recordings of event cameras in a folder: in a folder per class, or beside a text with a file and its class on each line, parted by
//! blanks, a comma, a semicolon or a tab. Lines that begin with `#` are remarks; a file may stand without the end of its name (`.bin`).

use super::events::{self, Events};
use super::folder::{by_class, entries};
use super::table::{Named, Table};
use crate::{Error, Result};
use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};

/// The recordings of the folder `path`, or the one that it is, if nobody asks for its class.
///
/// # Errors
/// [`Error::Data`] with file and place for what cannot be understood, [`Error::Config`] for a file where classes are asked for.
pub(super) fn read(path: &Path, labels: Option<&str>, spec: &Events, blind: bool) -> Result<Table> {
    let (files, answers) = match labels {
        _ if !path.is_dir() => {
            if !blind {
                return Err(Error::config(format!("{}: no folder of events", path.display())).with_hint(
                    "recordings to learn from lie in a folder per class, or in one with a list of `labels`",
                ));
            }
            (vec![path.to_owned()], Named::Unknown(1))
        }
        Some(labels) if !blind => {
            let text = std::fs::read_to_string(labels).map_err(|e| Error::io(labels, e))?;
            let (files, classes) = listed(&text, labels, path)?;
            (files, Named::Classes(classes))
        }
        _ => by_class(path, blind, "events")?,
    };
    Ok(Table { answers, ..events::read(path, &files, spec)? })
}

/// The files in `folder` that a list names, and their classes.
fn listed(text: &str, place: &str, folder: &Path) -> Result<(Vec<PathBuf>, Vec<String>)> {
    let mut known: BTreeMap<String, Vec<PathBuf>> = BTreeMap::new();
    for file in entries(folder)?.into_iter().filter(|file| file.is_file()) {
        let [name, stem] =
            [file.file_name(), file.file_stem()].map(|n| n.map(|n| n.to_string_lossy().into_owned()));
        for name in name.iter().chain(stem.iter().filter(|stem| Some(*stem) != name.as_ref())) {
            known.entry(name.clone()).or_default().push(file.clone());
        }
    }
    let (mut files, mut classes, mut seen) = (Vec::new(), Vec::new(), HashMap::new());
    for (line, words) in (1..).zip(text.lines()) {
        let words = words.trim();
        if words.is_empty() || words.starts_with('#') {
            continue;
        }
        let wrong = |why: String, hint: &str| {
            Err(Error::data(format!("{place}: line {line}: {why}")).with_hint(hint))
        };
        let parts: Vec<&str> =
            words.split([',', ';', '\t', ' ']).map(str::trim).filter(|part| !part.is_empty()).collect();
        let [name, class] = parts[..] else {
            return wrong(format!("{} words", parts.len()), "a line is the name of a file and its class");
        };
        let file = match known.get(name).map(Vec::as_slice) {
            Some([file]) => file,
            Some(_) => {
                return wrong(
                    format!("several files are called `{}`", name.escape_debug()),
                    "write the whole name",
                );
            }
            None => {
                let why = format!("no file `{}` in {}", name.escape_debug(), folder.display());
                return wrong(why, "a line is the name of a file and its class");
            }
        };
        if let Some(before) = seen.insert(file, line) {
            return wrong(
                format!("`{}` stands in line {before} already", name.escape_debug()),
                "a file has one class",
            );
        }
        files.push(file.clone());
        classes.push(class.to_owned());
    }
    if files.is_empty() {
        return Err(Error::data(format!("{place}: names no files"))
            .with_hint("a line is the name of a file and its class"));
    }
    Ok((files, classes))
}
