//! Your own data: files of samples with what they should come to (`[task.files]`).
//!
//! What a file is, its content says: a folder with a folder of PNG or JPEG images per class, a table of numbers (CSV), arrays of NumPy
//! (`.npz`, or an `.npy` and another with the answers), a pair of IDX files. Two keys say more: `sequence`, that the rows of a table
//! are steps, and `events`, that a folder holds recordings of event cameras. Classes are kept by name, in the order of their names;
//! answers that are no whole numbers make it a regression.

#![cfg_attr(not(feature = "import"), allow(dead_code, reason = "nothing is read without it"))]

pub mod added;
#[cfg(feature = "import")]
mod arrays;
#[cfg(feature = "import")]
mod beside;
#[cfg(feature = "import")]
mod columns;
#[cfg(feature = "import")]
mod decoded;
mod events;
#[cfg(feature = "import")]
mod folder;
mod found;
#[cfg(feature = "import")]
mod memory;
#[cfg(feature = "import")]
mod recordings;
#[cfg(feature = "import")]
mod records;
#[cfg(feature = "import")]
mod resize;
mod sequence;
#[cfg(feature = "import")]
mod source;
mod table;
mod unseen;

pub use added::Added;
pub use events::Events;
pub use found::Found;
use found::Tables;
pub use sequence::Sequence;
pub(crate) use table::interleaved;
pub(crate) use unseen::Wanted;

use super::catalogue::KnownSet;
use super::images::{Images, Pad, Pixels};
use super::spec::{Loaded, Quick, TaskMethod, TaskSpec};
use super::{BatchSize, Following, Held, synthetic, teacher};
use crate::axis::{Cite, Place};
use crate::error::{Error, Result};
use crate::io::small;
use crate::objective::TargetKind;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// Files of one's own (`[task.files]`). Paths begin at the folder of the recipe.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Files {
    /// Samples to learn from: a folder of images or of events in a folder per class, a CSV, `.npz`, `.npy` or IDX file.
    pub train: String,
    /// Samples to be judged by: another such file, or a share of those of `train`, of each class alike.
    pub test: Held,
    /// Samples to choose by while training, as `test` names those to be judged by: `best` and `run.patience` go by these. Default: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub validation: Option<Held>,
    /// What the samples of `train` should come to, where that is another file (`.npy`, IDX); of a folder of events, a text with a
    /// file and its class on each line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub labels: Option<String>,
    /// The same of `test`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub test_labels: Option<String>,
    /// The same of `validation`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub validation_labels: Option<String>,
    /// Column of a table, or array of an `.npz`, with the class. Default: the one called `label`, `class`, `target` or `y`; the last
    /// one of a table without names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// Columns of a table with numbers to come to: a regression.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub targets: Vec<String>,
    /// Whether the first line of a table holds names. Default: it does if none of them is a number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub header: Option<bool>,
    /// Height and width that images are brought to. Default: as they are, all of one size.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("minimum" = 1, "maximum" = 4096, "x-hint" = "height and width, such as [32, 32]"))]
    pub size: Option<[usize; 2]>,
    /// Take images in shades of grey. Default false.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub grey: bool,
    /// Columns that make sequences of the rows of a table. Default: every row is a sample.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sequence: Option<Box<Sequence>>,
    /// How files of event cameras are read, in a folder per class or beside a list of `labels`. Default: a folder holds images.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub events: Option<Box<Events>>,
    /// Samples per batch, or `"all"`.
    pub batch: BatchSize,
    /// Passes over the training set.
    #[schemars(extend("minimum" = 1, "maximum" = 10_000_000, "x-hint" = "run.updates stops within an epoch"))]
    pub epochs: usize,
    /// Draw a new order every epoch. Default true.
    #[serde(default = "yes")]
    pub shuffle: bool,
    /// What a pixel is to the network.
    #[serde(default)]
    pub pixels: Pixels,
    /// Which samples a share takes; the seed of the run draws weights and orders. Default 0.
    #[serde(default)]
    #[schemars(extend("minimum" = 0, "maximum" = i64::MAX, "x-hint" = "a smaller number does as well"))]
    pub draw: u64,
    /// The name that `bouton data add` gave them, if the recipe names them so; bouton writes it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub set: Option<Added>,
    /// What was found in the files when the recipe was read; bouton writes it, and looks again if it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub found: Option<Box<Found>>,
}

fn yes() -> bool {
    true
}

impl Files {
    /// What is in the files.
    fn found(&self) -> &Found {
        self.found.as_deref().unwrap_or(&found::NOTHING)
    }

    /// The same without the places of its files and what was found in them.
    pub(super) fn anywhere(&self) -> Self {
        let mut files = Self { set: None, found: None, ..self.clone() };
        for path in files.paths_mut() {
            *path = Path::new(path).file_name().unwrap_or_default().to_string_lossy().into_owned();
        }
        files
    }

    /// Every file that it names.
    pub(super) fn paths(&self) -> Vec<PathBuf> {
        self.clone().paths_mut().map(|path| PathBuf::from(&*path)).collect()
    }

    /// Every key that names a file.
    fn paths_mut(&mut self) -> impl Iterator<Item = &mut String> {
        let (test, validation) = (self.test.path_mut(), self.validation.as_mut().and_then(Held::path_mut));
        let labels = [&mut self.labels, &mut self.test_labels, &mut self.validation_labels];
        [Some(&mut self.train), test, validation].into_iter().chain(labels.map(Option::as_mut)).flatten()
    }

    /// What the files hold.
    fn read(&self) -> Result<Tables> {
        let train = self.named(&self.train, self.labels.as_deref())?;
        let [train, test] = match &self.test {
            Held::Share(share) => train.apart(*share, self.draw)?,
            Held::Path(path) => [train, self.named(path, self.test_labels.as_deref())?],
        };
        let validation = self.validation.as_ref().and_then(Held::path);
        let validation = validation.map(|path| self.named(path, self.validation_labels.as_deref()));
        let tables = Tables { train, validation: validation.transpose()?, test };
        let own = self.sequence.is_some() || self.events.is_some();
        Ok(if own { tables.level() } else { tables })
    }

    /// Refuses keys of `sequence` and `events` that cannot be meant, and such as would do nothing beside them.
    fn forms(&self, at: &Place) -> Result<()> {
        self.sequence.as_ref().map_or(Ok(()), |sequence| sequence.clock().map(|_| ()))?;
        let Some(events) = &self.events else { return Ok(()) };
        events.check(at)?;
        let others = [
            ("sequence", self.sequence.is_some()),
            ("label", self.label.is_some()),
            ("targets", !self.targets.is_empty()),
            ("header", self.header.is_some()),
            ("size", self.size.is_some()),
            ("grey", self.grey),
        ];
        match others.into_iter().find(|(_, given)| *given) {
            None => Ok(()),
            Some((key, _)) => {
                Err(Error::config(format!("{0}.{key} does nothing beside {0}.events", at.table))
                    .with_hint("leave it out; events.size is the height and width of the camera"))
            }
        }
    }
}

impl TaskMethod for Files {
    fn check(&self, at: &Place) -> Result<()> {
        self.forms(at)?;
        if self.found.is_none() {
            return Err(Error::config(format!("the files of {} were not looked at", at.table))
                .with_hint("read the recipe with Recipe::load or Recipe::parse"));
        }
        let held = [
            ("test", Some(&self.test), &self.test_labels),
            ("validation", self.validation.as_ref(), &self.validation_labels),
        ];
        for (name, held, labels) in held {
            if labels.is_some() && held.and_then(Held::path).is_none() {
                let message = format!("{}.{name}-labels has no meaning without a file {name}", at.table);
                return Err(
                    Error::config(message).with_hint(format!("leave it out, or name a file as {name}"))
                );
            }
        }
        Ok(())
    }

    fn cites(&self) -> Vec<Cite> {
        Vec::new()
    }

    fn shape(&self) -> ([usize; 3], usize) {
        (self.found().shape, self.found().outputs)
    }

    fn steps(&self) -> usize {
        if self.beside().is_empty() && self.events.is_none() { 1 } else { self.found().shape[1] }
    }

    fn beside(&self) -> &[String] {
        &self.found().beside
    }

    fn shows_spikes(&self) -> bool {
        self.events.is_some()
    }

    fn targets(&self) -> TargetKind {
        if self.found().classes.is_empty() { TargetKind::Values } else { TargetKind::Classes }
    }

    fn validation(&self) -> Option<Held> {
        self.validation.clone()
    }

    fn batch(&self) -> BatchSize {
        self.batch
    }

    fn samples(&self) -> usize {
        self.found().train
    }

    fn set(&self) -> Option<&'static KnownSet> {
        None
    }

    fn shown(&self) -> Images {
        Images {
            shuffle: self.shuffle,
            pixels: self.pixels,
            pad: Pad::Zero,
            ..synthetic::shown(self.batch, self.epochs)
        }
    }

    fn names(&self) -> Vec<String> {
        let Found { classes, outputs, .. } = self.found();
        match (&classes[..], &self.targets[..]) {
            ([], []) => (1..=*outputs).map(|output| output.to_string()).collect(),
            ([], targets) => targets.to_vec(),
            (classes, _) => classes.to_vec(),
        }
    }

    fn pixels(&self) -> Option<f32> {
        self.found().bytes.then_some(255.0)
    }

    fn reads(&self) -> Option<Self> {
        Some(self.clone())
    }

    fn quicken(&mut self, Quick { epochs, .. }: Quick) {
        self.epochs = self.epochs.min(epochs);
    }

    fn smoke(&self, samples: usize) -> TaskSpec {
        let (shape, outputs) = self.shape();
        match self.targets() {
            TargetKind::Classes => synthetic::smoke(shape, outputs, samples),
            _ => teacher::smoke(shape.into_iter().product(), outputs, samples),
        }
    }

    fn bytes(&self, _: &[Following]) -> (u128, usize) {
        let ([c, h, w], found) = (self.shape().0, self.found());
        let samples = found.train + found.test;
        let one: u128 = [c, h, w].into_iter().map(|n| n as u128).product();
        let number = match (found.stored, found.bytes) {
            (true, _) => 0,
            (false, true) => 1,
            (false, false) => 4,
        };
        (samples as u128 * one * number, samples)
    }

    fn place(&mut self, folder: &Path) -> Result<()> {
        for path in self.paths_mut() {
            let full = folder.join(small::expand_home(path));
            let full = std::path::absolute(&full).map_err(|e| Error::io(&full, e))?;
            *path = full.display().to_string();
        }
        Ok(())
    }

    fn look(&mut self, folder: &Path) -> Result<()> {
        self.place(folder)?;
        let asked = found::asked(self);
        if self.found.as_ref().is_some_and(|found| found.asked == asked) {
            return Ok(());
        }
        self.forms(&Place { table: "task.files".into(), connections: 0 })?;
        let tables = self.read()?;
        self.found = Some(tables.found(asked)?.into());
        Ok(())
    }

    fn files(&self) -> Vec<PathBuf> {
        self.paths()
    }

    fn unplaced(&self) -> Option<TaskSpec> {
        Some(TaskSpec::Files(self.anywhere()))
    }

    fn load(&self, folder: Option<&Path>) -> Result<Loaded> {
        self.set.iter().try_for_each(|set| set.check(self, folder))?;
        let tables = self.read()?;
        let (now, then) = (tables.found(found::asked(self))?, self.found());
        if now != *then {
            let (was, is) = (then.to_string(), now.to_string());
            return Err(Error::data(format!("{} holds {is}, but the recipe says {was}", self.train))
                .with_hint("leave [task.files.found] out of the recipe to look at the files again"));
        }
        let set = |table: table::Table| table.dataset(&then.classes);
        let Tables { train, validation, test } = tables;
        Ok(Loaded { train: set(train)?, validation: validation.map(set).transpose()?, test: set(test)? })
    }
}
