//! Trained weights to begin with (`run.from`): what identifies a recipe is what is in the file, not where it lies.

use crate::io::small;
use crate::task::store::hex;
use crate::{Error, Result};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::path::Path;

/// A checkpoint whose weights a run begins with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Start {
    /// Its file; paths begin at the folder of the recipe.
    Named(String),
    /// The same with what was in it when the recipe was read; bouton writes that.
    Known(KnownStart),
}

/// A file of weights with its content's checksum.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct KnownStart {
    /// The file.
    pub path: String,
    /// SHA-256 of its content, in hexadecimal.
    pub sha256: String,
}

impl Start {
    /// The same with the checksum of its file, whose path begins at `folder`.
    ///
    /// # Errors
    /// [`Error::DataMissing`] if there is no such file.
    pub(super) fn looked_at(self, folder: &Path) -> Result<Self> {
        let Self::Named(path) = self else { return Ok(self) };
        let file = folder.join(small::expand_home(&path));
        let file = std::path::absolute(&file).map_err(|e| Error::io(&file, e))?;
        let start = KnownStart { path: file.display().to_string(), sha256: String::new() };
        let sha256 = hex(&Sha256::digest(start.content()?));
        Ok(Self::Known(KnownStart { sha256, ..start }))
    }

    /// The same without its place.
    pub(super) fn unplaced(self) -> Self {
        match self {
            Self::Known(start) => Self::Known(KnownStart { path: String::new(), ..start }),
            named => named,
        }
    }

    /// The content of its file.
    ///
    /// # Errors
    /// [`Error::DataMissing`] if there is none, [`Error::Data`] if it is not what it was when the recipe was read.
    pub fn read(&self) -> Result<Vec<u8>> {
        let Self::Known(start) = self else {
            return Err(Error::config("the file of run.from was not looked at")
                .with_hint("read the recipe with Recipe::load or Recipe::parse"));
        };
        let content = start.content()?;
        if hex(&Sha256::digest(&content)) != start.sha256 {
            return Err(Error::data(format!(
                "{}: not the weights that the recipe was read with",
                start.path
            ))
            .with_hint("run.from = \"FILE\" takes what is in the file now"));
        }
        Ok(content)
    }

    /// Its file.
    pub fn path(&self) -> &str {
        match self {
            Self::Named(path) | Self::Known(KnownStart { path, .. }) => path,
        }
    }
}

impl KnownStart {
    fn content(&self) -> Result<Vec<u8>> {
        std::fs::read(&self.path).map_err(|e| Error::DataMissing {
            message: format!("run.from: {}: {e}", self.path),
            hint: "it names a checkpoint, such as runs/…/checkpoints/last.safetensors; --from RUN finds that of a run".into(),
        })
    }
}
