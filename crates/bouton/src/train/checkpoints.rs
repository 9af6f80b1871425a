//! The checkpoints of a run: `000120.safetensors` by step, and the names `last` and `best`.
//!
//! A new checkpoint is complete before any older one is removed, so a process killed at any moment leaves a
//! readable one.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use super::atomic;
use super::checkpoint::Checkpoint;
use crate::{Error, Result};

/// The folder `checkpoints/` of a run.
#[derive(Debug, Clone)]
pub struct Checkpoints {
    folder: PathBuf,
    keep: Option<usize>,
}

/// A checkpoint that was found readable.
#[derive(Debug)]
pub struct Found {
    /// Updates done.
    pub step: u64,
    /// Its file.
    pub path: PathBuf,
    /// Its content.
    pub checkpoint: Checkpoint,
    /// What is wrong with every newer checkpoint, newest first.
    pub damaged: Vec<String>,
}

impl Checkpoints {
    /// The checkpoints in `folder`, which is created by the first one. The newest `keep` numbered ones stay
    /// (at least one), or all of them for `None`; `last` and `best` always stay.
    pub fn new(folder: impl Into<PathBuf>, keep: Option<usize>) -> Self {
        Self { folder: folder.into(), keep }
    }

    /// The file of the checkpoint of `step`, whether or not it exists.
    pub fn path(&self, step: u64) -> PathBuf {
        self.folder.join(format!("{step:06}.safetensors"))
    }

    /// The file `last.safetensors`.
    pub fn last(&self) -> PathBuf {
        self.folder.join("last.safetensors")
    }

    /// The file `best.safetensors`.
    pub fn best(&self) -> PathBuf {
        self.folder.join("best.safetensors")
    }

    /// Writes `checkpoint` under the `step` of its metadata, lets `last` name it and removes what is too old.
    ///
    /// # Errors
    /// [`Error::Checkpoint`] if the metadata has no `step`, [`Error::Io`] if the disk refuses; older checkpoints
    /// are then untouched.
    pub fn save(&self, checkpoint: &Checkpoint) -> Result<()> {
        let path = self.path(checkpoint.meta("step")?);
        // Not with the folders above it: a run whose folder was taken away must end, not go on in a torso of it.
        match fs::create_dir(&self.folder) {
            Err(e) if e.kind() != ErrorKind::AlreadyExists => return Err(Error::io(&self.folder, e)),
            _ => {}
        }
        checkpoint.save(&path)?;
        atomic::alias(&path, &self.last())?;
        if let Some(keep) = self.keep {
            for step in self.steps()?.into_iter().rev().skip(keep.max(1)) {
                let path = self.path(step);
                fs::remove_file(&path).map_err(|e| Error::io(&path, e))?;
            }
        }
        Ok(())
    }

    /// Lets `best` name the checkpoint of `step`, which must exist.
    ///
    /// # Errors
    /// [`Error::Io`] if it does not, or if the disk refuses.
    pub fn mark_best(&self, step: u64) -> Result<()> {
        atomic::alias(&self.path(step), &self.best())
    }

    /// The steps of the numbered checkpoints, ascending; none if there is no folder.
    ///
    /// # Errors
    /// [`Error::Io`] if the folder cannot be read.
    pub fn steps(&self) -> Result<Vec<u64>> {
        if !self.folder.exists() {
            return Ok(Vec::new());
        }
        let entries = fs::read_dir(&self.folder).map_err(|e| Error::io(&self.folder, e))?;
        let mut steps: Vec<_> = entries.flatten().filter_map(|entry| step_of(&entry.path())).collect();
        steps.sort_unstable();
        Ok(steps)
    }

    /// Whether none was written yet.
    ///
    /// # Errors
    /// [`Error::Io`] if the folder cannot be read.
    pub fn is_empty(&self) -> Result<bool> {
        Ok(self.steps()?.is_empty() && !self.last().exists())
    }

    /// The newest readable checkpoint: the highest number first, `last` in the end. `None` if none was written.
    ///
    /// # Errors
    /// [`Error::Checkpoint`] if there are some and all are damaged, [`Error::Io`] if the folder cannot be read.
    pub fn newest(&self) -> Result<Option<Found>> {
        let mut paths: Vec<_> = self.steps()?.into_iter().rev().map(|step| self.path(step)).collect();
        paths.extend(Some(self.last()).filter(|last| last.exists()));
        let mut damaged = Vec::new();
        for path in paths {
            match Checkpoint::load(&path).and_then(|checkpoint| Ok((checkpoint.meta("step")?, checkpoint))) {
                Ok((step, checkpoint)) => return Ok(Some(Found { step, path, checkpoint, damaged })),
                Err(error) => damaged.push(error.to_string()),
            }
        }
        match damaged.first() {
            Some(first) => Err(Error::checkpoint(format!("no checkpoint is readable: {first}"))
                .with_hint("remove the folder of the run to start again")),
            None => Ok(None),
        }
    }
}

fn step_of(path: &Path) -> Option<u64> {
    let stem = path.file_name()?.to_str()?.strip_suffix(".safetensors")?;
    stem.parse().ok().filter(|_| stem.len() >= 6 && !stem.starts_with('+'))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn at(step: u64) -> Checkpoint {
        let meta = BTreeMap::from([("step".to_string(), step.to_string())]);
        Checkpoint { tensors: Vec::new(), meta }
    }

    fn found(checkpoints: &Checkpoints) -> (u64, usize) {
        let found = checkpoints.newest().unwrap().unwrap();
        (found.step, found.damaged.len())
    }

    fn with_steps(keep: Option<usize>, steps: &[u64]) -> (tempfile::TempDir, Checkpoints) {
        let folder = tempfile::tempdir().unwrap();
        let checkpoints = Checkpoints::new(folder.path().join("checkpoints"), keep);
        for &step in steps {
            checkpoints.save(&at(step)).unwrap();
        }
        (folder, checkpoints)
    }

    #[test]
    fn the_folder_of_a_run_that_was_taken_away_is_not_made_again() {
        let root = tempfile::tempdir().unwrap();
        let run = root.path().join("run");
        let error = Checkpoints::new(run.join("checkpoints"), None).save(&at(1)).unwrap_err();
        assert!(matches!(&error, Error::Io { path, .. } if path.ends_with("run/checkpoints")), "{error}");
        assert!(!run.exists());
    }

    #[test]
    fn the_newest_are_kept_and_the_best_outlives_its_number() {
        let (_folder, checkpoints) = with_steps(Some(3), &[0, 999_999]);
        checkpoints.mark_best(0).unwrap();
        for step in [1_000_000, 1_000_001] {
            checkpoints.save(&at(step)).unwrap();
        }
        assert_eq!(checkpoints.steps().unwrap(), [999_999, 1_000_000, 1_000_001]);
        assert_eq!(Checkpoint::load(&checkpoints.best()).unwrap(), at(0));
        assert_eq!(Checkpoint::load(&checkpoints.last()).unwrap(), at(1_000_001));
        assert!(checkpoints.path(999_999).ends_with("999999.safetensors"));
        assert!(matches!(checkpoints.mark_best(5), Err(Error::Io { .. })));
    }

    #[test]
    fn all_are_kept_if_asked_and_one_at_least() {
        let (_folder, checkpoints) = with_steps(None, &[0, 1, 2, 3, 4]);
        assert_eq!(checkpoints.steps().unwrap(), [0, 1, 2, 3, 4]);
        assert!(checkpoints.path(4).ends_with("000004.safetensors"));
        let (_folder, checkpoints) = with_steps(Some(0), &[0, 1]);
        assert_eq!(checkpoints.steps().unwrap(), [1]);
    }

    #[test]
    fn a_damaged_checkpoint_falls_back_to_the_one_before() {
        let (_folder, checkpoints) = with_steps(Some(3), &[10, 20, 30]);
        assert_eq!(found(&checkpoints), (30, 0));
        fs::write(checkpoints.last(), "garbage").unwrap();
        fs::write(checkpoints.path(30), "garbage").unwrap();
        assert_eq!(found(&checkpoints), (20, 1));
        fs::remove_file(checkpoints.path(20)).unwrap();
        fs::write(checkpoints.path(10), "").unwrap();
        let error = checkpoints.newest().unwrap_err();
        assert!(error.to_string().contains("000030.safetensors") && error.hint().is_some(), "{error}");
    }

    #[test]
    fn last_alone_is_enough_and_nothing_is_none() {
        let (_folder, checkpoints) = with_steps(Some(1), &[7]);
        fs::remove_file(checkpoints.path(7)).unwrap();
        assert_eq!(found(&checkpoints), (7, 0));
        let (_folder, checkpoints) = with_steps(None, &[]);
        assert!(checkpoints.newest().unwrap().is_none());
    }

    #[test]
    fn a_checkpoint_without_step_or_place_is_refused() {
        let (folder, checkpoints) = with_steps(None, &[]);
        assert!(matches!(checkpoints.save(&Checkpoint::default()), Err(Error::Checkpoint { .. })));
        fs::write(folder.path().join("checkpoints"), "a file").unwrap();
        assert!(matches!(checkpoints.save(&at(1)), Err(Error::Io { .. })));
    }
}
