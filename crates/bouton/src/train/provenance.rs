//! `provenance.json`: what a result came from. It names the program, the kind of machine and the data, but neither
//! a user nor a host.

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::{atomic, status};
use crate::{Error, Result};

/// The content of `provenance.json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Provenance {
    /// Version of the program.
    pub bouton: String,
    /// Source revision that the program was built from, and a mark of what was changed since; none if it was not known.
    pub commit: Option<String>,
    /// [`crate::ARITHMETIC`] of the program; none in runs of programs that had no such number.
    #[serde(default)]
    pub arithmetic: Option<u32>,
    /// Operating system and processor family, for example `linux x86_64`.
    pub os: String,
    /// Model of the processor, where the system tells it.
    pub cpu: Option<String>,
    /// Processors that this process may use.
    pub cores: usize,
    /// Threads that the run uses.
    pub threads: usize,
    /// Vector instructions that the kernels chose.
    pub simd: String,
    /// When the run was started (RFC 3339, UTC).
    pub started: String,
    /// The command line; the user's home folder is shortened to `~`.
    pub command: Vec<String>,
    /// Checksum of every data file by name ([`crate::task::Checksums`]).
    pub data: BTreeMap<String, String>,
    /// The data files that are not the published ones of their name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unpublished: Vec<String>,
}

impl Provenance {
    /// Describes the present process. `command` is its command line, `data` the checksums by name.
    pub fn gather(
        threads: usize,
        simd: impl Into<String>,
        command: &[String],
        data: BTreeMap<String, String>,
    ) -> Self {
        let home = std::env::var("HOME").or_else(|_| std::env::var("USERPROFILE")).unwrap_or_default();
        Self {
            bouton: env!("CARGO_PKG_VERSION").into(),
            commit: None,
            arithmetic: Some(crate::ARITHMETIC),
            os: format!("{} {}", std::env::consts::OS, std::env::consts::ARCH),
            cpu: std::fs::read_to_string("/proc/cpuinfo").ok().and_then(|text| cpu_model(&text)),
            cores: std::thread::available_parallelism().map_or(1, Into::into),
            threads,
            simd: simd.into(),
            started: status::now(),
            command: command.iter().map(|word| without_home(word, &home)).collect(),
            data,
            unpublished: Vec::new(),
        }
    }

    /// The program in words: `bouton 0.1.0 (34d4860)`.
    pub fn program(&self) -> String {
        let commit = self.commit.as_ref().map_or(String::new(), |commit| format!(" ({commit})"));
        format!("bouton {}{commit}", self.bouton)
    }

    /// Reads `provenance.json`.
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

    /// Writes `provenance.json`.
    ///
    /// # Errors
    /// [`Error::Io`] if the folder cannot be written.
    pub fn write(&self, path: &Path) -> Result<()> {
        let mut text = serde_json::to_string_pretty(self).expect("a provenance is plain data");
        text.push('\n');
        atomic::write(path, text)
    }
}

/// The first `model name` of a Linux `/proc/cpuinfo`.
fn cpu_model(cpuinfo: &str) -> Option<String> {
    let line = cpuinfo.lines().find(|line| line.starts_with("model name"))?;
    Some(line.split_once(':')?.1.trim().to_string())
}

/// `word` with the home folder, whose name is often the user's, shortened to `~`.
fn without_home(word: &str, home: &str) -> String {
    if home.len() > 1 { word.replace(home, "~") } else { word.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_provenance_comes_back_as_written() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("provenance.json");
        let data = BTreeMap::from([("train-images".to_string(), "sha256:ab".to_string())]);
        let written = Provenance::gather(2, "avx2", &["bouton".into(), "run".into()], data);
        written.write(&path).unwrap();
        assert_eq!(Provenance::read(&path).unwrap(), written);
        assert_eq!(written.bouton, env!("CARGO_PKG_VERSION"));
        assert!(written.cores > 0);
        std::fs::write(&path, "{").unwrap();
        assert!(Provenance::read(&path).unwrap_err().to_string().contains("provenance.json"));
    }

    #[test]
    fn the_processor_is_found_and_the_home_folder_hidden() {
        let cpuinfo =
            "processor\t: 0\nmodel name\t: Some CPU @ 2.0GHz\nprocessor\t: 1\nmodel name\t: Other\n";
        assert_eq!(cpu_model(cpuinfo).as_deref(), Some("Some CPU @ 2.0GHz"));
        assert_eq!(cpu_model("Features : fp"), None);
        assert_eq!(without_home("--out=/home/ada/runs", "/home/ada"), "--out=~/runs");
        assert_eq!(without_home("/data", "/"), "/data");
        assert_eq!(without_home("/data", ""), "/data");
    }
}
