//! A resolved recipe holds the small files that it names: its hash covers what is in them, and its run folder needs no
//! other file.
//!
//! Where a recipe may name a file, a word of several lines is the text of one.

use super::{Recipe, tag};
use crate::Result;
use crate::device;
use crate::io::small;
use crate::synapse::Site;
use std::path::Path;

impl Recipe {
    /// This recipe with the text of every file that it names in place of the name. Paths are relative to `folder`; `~`
    /// is the user's home.
    ///
    /// # Errors
    /// [`crate::Error::Config`] with the key if a file cannot be read, is no text or larger than a MiB, or with its name if it
    /// is not what it should be.
    pub fn embedded(mut self, folder: &Path) -> Result<Self> {
        let key = format!("synapse.{}.device", tag(&self.synapse));
        if let Some(Some(device)) = self.synapse.method_mut().and_then(|synapse| synapse.device()) {
            let name = device.clone();
            *device = device::embedded(&name, folder).map_err(|e| e.context(key))?;
            if *device != name {
                let file = folder.join(small::home(&name));
                self.synapse
                    .method()
                    .build(Site::default())
                    .map(drop)
                    .map_err(|e| e.context(file.display()))?;
            }
        }
        Ok(self)
    }
}
