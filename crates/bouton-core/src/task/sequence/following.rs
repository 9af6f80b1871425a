//! A data set that follows another one, by name or as files of one's own.

use crate::error::{Error, Result};
use crate::objective::TargetKind;
use crate::task::files::{Files, added};
use crate::task::spec::{Loaded, TaskMethod};
use crate::task::{DATA, Dataset, Images, Split, store};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::path::Path;

/// A data set that follows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Following {
    /// Its name: one of the catalogue, or one that `bouton data add` gave.
    Named(String),
    /// Files of one's own; bouton writes them in place of a name that was given to them. How many samples are shown, and how often,
    /// `[task]` says.
    Own(Box<Files>),
}

impl From<&str> for Following {
    fn from(name: &str) -> Self {
        Self::Named(name.into())
    }
}

impl Following {
    /// What it is called.
    pub fn name(&self) -> &str {
        match self {
            Self::Named(name) => name,
            Self::Own(files) => files.set.as_ref().map_or(&files.train, |set| &set.name),
        }
    }

    /// The files behind it, if it is no set of the catalogue.
    pub fn own(&self) -> Option<&Files> {
        if let Self::Own(files) = self { Some(files) } else { None }
    }

    /// Puts files in place of their name, and looks into files, whose paths begin at `folder`; names are looked for in the data folder
    /// `data`.
    ///
    /// # Errors
    /// Those of the files.
    pub fn look(&mut self, folder: &Path, data: Option<&Path>) -> Result<()> {
        if let Self::Named(name) = self
            && !DATA.iter().any(|set| set.name == *name)
            && let Some(files) = added::find(name, data)?
        {
            *self = Self::Own(files.into());
        }
        if let Self::Own(files) = self { files.look(folder) } else { Ok(()) }
    }

    /// Takes the places of files out.
    pub fn unplace(&mut self) {
        if let Self::Own(files) = self {
            **files = files.anywhere();
        }
    }

    /// Shape of an image, as `images` are shown, and number of classes.
    ///
    /// # Errors
    /// [`Error::Config`] if no set has the name, or if it has no classes.
    pub(super) fn shape(&self, images: &Images) -> Result<([usize; 3], usize)> {
        let name = match self {
            Self::Named(name) => name,
            Self::Own(files) if files.targets() == TargetKind::Classes => {
                let (shape, classes) = files.shape();
                return Ok((padded(shape, images), classes));
            }
            Self::Own(_) => {
                return Err(Error::config(format!("{} has values, no classes", self.name()))
                    .with_hint("a sequence of data sets needs classes"));
            }
        };
        let Some(set) = DATA.iter().find(|set| set.name == *name) else {
            let names: Vec<_> = DATA.iter().map(|set| set.name).collect();
            return Err(Error::config(format!("sequence.sets.then names `{name}`, which is no data set"))
                .with_hint(format!("one of {}, or what `bouton data add` named", names.join(", "))));
        };
        Ok((padded(set.shape, images), set.classes))
    }

    /// Its samples to learn from and to be judged by; data sets are looked for in `folder`.
    ///
    /// # Errors
    /// As [`TaskMethod::load`].
    pub(in crate::task) fn load(&self, folder: Option<&Path>) -> Result<[Dataset; 2]> {
        match self {
            Self::Named(name) => {
                Ok([store::load(name, Split::Train, folder)?, store::load(name, Split::Test, folder)?])
            }
            Self::Own(files) => files.load(folder).map(|Loaded { train, test, .. }| [train, test]),
        }
    }
}

/// The shape of an image, with a border if `images` have one.
fn padded(shape: [usize; 3], images: &Images) -> [usize; 3] {
    let [_, height, width] = shape;
    // An image is never cut: a larger one keeps its shape, which does not fit then.
    let fits = images.size.is_some_and(|size| size >= height.max(width));
    if fits { images.shape(shape) } else { shape }
}
