//! `status.json`: what a run is doing now, so that another process (or the next start) can tell.

use std::path::Path;

use jiff::{Timestamp, Unit};
use serde::{Deserialize, Serialize};

use super::atomic;
use crate::{Error, Result};

/// How far a run has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// A process is working on it.
    Running,
    /// Finished; nothing is left to do.
    Done,
    /// Stopped by an error.
    Failed,
    /// Stopped by the user or killed; it can be resumed.
    Interrupted,
}

impl std::fmt::Display for State {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(match self {
            Self::Running => "running",
            Self::Done => "done",
            Self::Failed => "failed",
            Self::Interrupted => "interrupted",
        })
    }
}

/// The content of `status.json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Status {
    /// What the run is doing.
    pub state: State,
    /// Name of the recipe.
    pub name: String,
    /// Seed of the run.
    pub seed: u64,
    /// Full content hash of the resolved recipe.
    pub hash: String,
    /// Process that wrote this last.
    pub pid: u32,
    /// When the run was first started (RFC 3339, UTC), to the microsecond: runs are ordered by it.
    pub started: String,
    /// When this was written (RFC 3339, UTC).
    pub heartbeat: String,
    /// Updates done.
    pub step: u64,
    /// Epochs begun.
    pub epoch: u64,
    /// The message of the error that stopped the run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

impl Status {
    /// The status of a run that starts now.
    pub fn new(name: impl Into<String>, seed: u64, hash: impl Into<String>) -> Self {
        Self {
            state: State::Running,
            name: name.into(),
            seed,
            hash: hash.into(),
            pid: std::process::id(),
            started: moment(Unit::Microsecond),
            heartbeat: now(),
            step: 0,
            epoch: 0,
            error: None,
        }
    }

    /// When the run was first started; before everything if that cannot be read.
    pub fn since(&self) -> Timestamp {
        self.started.parse().unwrap_or(Timestamp::MIN)
    }

    /// Reads `status.json`.
    ///
    /// # Errors
    /// [`Error::Io`] if it cannot be read, [`Error::Data`] if it is damaged.
    pub fn read(path: &Path) -> Result<Self> {
        let text = std::fs::read(path).map_err(|e| Error::io(path, e))?;
        Self::parse(&text, &path.display().to_string())
    }

    /// As [`read`](Self::read), from the bytes of the file; `origin` is what errors call it.
    ///
    /// # Errors
    /// [`Error::Data`] if it is damaged.
    pub fn parse(text: &[u8], origin: &str) -> Result<Self> {
        serde_json::from_slice(text).map_err(|e| Error::data(format!("{origin}: {e}")))
    }

    /// Writes `status.json` by rename, with this process and the present time as heartbeat.
    ///
    /// # Errors
    /// [`Error::Io`] if the folder cannot be written.
    pub fn write(&mut self, path: &Path) -> Result<()> {
        self.pid = std::process::id();
        self.heartbeat = now();
        let mut text = serde_json::to_string_pretty(self).expect("a status is plain data");
        text.push('\n');
        atomic::write(path, text)
    }
}

/// The present time in RFC 3339, UTC, to the second.
pub(super) fn now() -> String {
    moment(Unit::Second)
}

/// The present time in RFC 3339, UTC, in whole units.
fn moment(unit: Unit) -> String {
    let now = Timestamp::now();
    now.round(unit).unwrap_or(now).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_comes_back_as_written() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("status.json");
        let mut status = Status::new("ep", 3, "ab12");
        status.state = State::Failed;
        status.step = 7;
        status.error = Some("population 2, phase nudged".into());
        status.write(&path).unwrap();
        assert_eq!(Status::read(&path).unwrap(), status);
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(text.contains("\"state\": \"failed\""), "{text}");
        let heartbeat: Timestamp = status.heartbeat.parse().unwrap();
        assert!((Timestamp::now() - heartbeat).total(Unit::Second).unwrap().abs() < 60.0);
        assert_eq!(status.heartbeat.len(), "2026-11-21T14:12:05Z".len());
    }

    #[test]
    fn a_damaged_status_names_its_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("status.json");
        std::fs::write(&path, "{\"state\": \"run").unwrap();
        let error = Status::read(&path).unwrap_err();
        assert!(matches!(error, Error::Data { .. }) && error.to_string().contains("status.json"), "{error}");
        assert!(matches!(Status::read(&folder.path().join("none")), Err(Error::Io { .. })));
    }
}
