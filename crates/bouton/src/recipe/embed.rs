//! A resolved recipe holds the small files that it names: its hash covers what is in them, and its run folder needs no
//! other file.
//!
//! Where a recipe may name a file, a word of several lines is the text of one.

use super::{Recipe, variant_name};
use crate::Result;
use crate::device;
use crate::io::small;
use crate::synapse::{Site, SynapseSpec};
use std::path::Path;

impl Recipe {
    /// This recipe with the text of every small file that it names in place of the name, and with what is in the data files that it
    /// names. Paths are relative to `folder`; `~`
    /// is the user's home. Sets of one's own are looked for in the data folder `data` (default: the user's).
    ///
    /// # Errors
    /// [`crate::Error::Config`] with the key if a file cannot be read, is no text or larger than a MiB, or with its name if it
    /// is not what it should be; [`crate::Error::DataMissing`] and [`crate::Error::Data`] for data files.
    pub fn embedded(mut self, folder: &Path, data: Option<&Path>) -> Result<Self> {
        self.task.method_mut().look(folder)?;
        self.placed(folder, data)
    }

    /// The same without a look into the data files of the task, which overrides may still tell how to read.
    pub(super) fn placed(mut self, folder: &Path, data: Option<&Path>) -> Result<Self> {
        self.task.method_mut().place(folder)?;
        let sequence = self.sequence.method_mut();
        sequence.into_iter().flat_map(|s| s.sets_mut()).try_for_each(|next| next.look(folder, data))?;
        self.run.from = self.run.from.map(|start| start.looked_at(folder)).transpose()?;
        self.synapses_mut().try_for_each(|(place, synapse)| embed(&place, synapse, folder))?;
        Ok(self)
    }
}

/// Puts the text of the device's file in place of its name.
fn embed(place: &str, synapse: &mut SynapseSpec, folder: &Path) -> Result<()> {
    let key = format!("{place}.{}.device", variant_name(synapse));
    let Some(Some(device)) = synapse.method_mut().and_then(|synapse| synapse.device()) else { return Ok(()) };
    let name = device.clone();
    *device = device::embedded(&name, folder).map_err(|e| e.context(key))?;
    if *device == name {
        return Ok(());
    }
    let file = folder.join(small::expand_home(&name));
    synapse.method().build(Site::default()).map(drop).map_err(|e| e.context(file.display()))
}
