//! `labels.json`: what people say of a run, tags and a note. It has no part in what the run is.

use std::collections::BTreeSet;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::atomic;
use crate::{Error, Result};

/// The content of `labels.json`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Labels {
    /// Words that runs are found by.
    pub tags: BTreeSet<String>,
    /// One line of text; empty for none.
    pub note: String,
}

impl Labels {
    /// Reads `labels.json`; a run without one has no labels.
    ///
    /// # Errors
    /// [`Error::Io`] if it cannot be read, [`Error::Data`] if it is damaged.
    pub fn read(path: &Path) -> Result<Self> {
        match std::fs::read(path) {
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(Self::default()),
            Err(e) => Err(Error::io(path, e)),
            Ok(text) => {
                let garbled = |e| Error::data(format!("{}: {e}", path.display()));
                let labels = serde_json::from_slice(&text).map_err(garbled);
                labels.map_err(|e| e.with_hint("delete the file: it holds nothing but tags and a note"))
            }
        }
    }

    /// Writes `labels.json`.
    ///
    /// # Errors
    /// [`Error::Io`] if the folder cannot be written.
    pub fn write(&self, path: &Path) -> Result<()> {
        let mut text = serde_json::to_string_pretty(self).expect("labels are plain data");
        text.push('\n');
        atomic::write(path, text)
    }
}
