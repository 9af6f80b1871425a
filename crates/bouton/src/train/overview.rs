//! Everything that tables and figures ask of all runs below a folder, remembered there in `.index.json` for as long as the
//! files of a run keep their size and time of change.
//!
//! The index only saves time: one that is missing, torn or of another program is made anew, and where it cannot be written,
//! the next overview takes as long as the first.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::atomic;
use super::labels::Labels;
use super::metrics::Record;
use super::rundir::{RunDir, folders};
use super::status::{State, Status};
use crate::Result;
use crate::recipe::{Recipe, flat};

/// The index of a folder of runs.
const INDEX: &str = ".index.json";
/// A file that changed less than so many nanoseconds ago may change again and keep its time: its run is not remembered yet.
const SETTLED: u64 = 2_000_000_000;
/// Keys of a recipe that have no part in its hash.
const NEUTRAL: [&str; 3] = ["name", "about", "cite"];

/// All runs below one folder.
#[derive(Debug, Default)]
pub struct Overview {
    /// Readable runs, oldest first.
    pub runs: Vec<Entry>,
    /// Folders that hold part of a run, and what is wrong with them.
    pub damaged: Vec<(PathBuf, String)>,
}

/// What an overview says about a run.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Entry {
    /// Its folder.
    #[serde(skip)]
    pub path: PathBuf,
    /// Name, seed, hash, state, start and progress.
    pub status: Status,
    /// Seconds of work.
    pub wall: f64,
    /// The last record of every split.
    pub last: BTreeMap<String, Record>,
    /// Every key of its recipe, as [`Recipe::flat`]; of a recipe that this program cannot read, the keys as they stand there.
    pub recipe: BTreeMap<String, Value>,
    /// Tags and note; none if their file cannot be read.
    pub labels: Labels,
    /// What it was read from.
    files: [Option<Stamp>; 4],
}

/// When a file changed, in nanoseconds since 1970, and its size in bytes.
type Stamp = (u64, u64);

impl Overview {
    /// The runs below `root`; no `root` means no runs. `program` names the one that asks: what another one remembered is not
    /// believed.
    ///
    /// # Errors
    /// [`crate::Error::Io`] if `root` exists and cannot be read.
    pub fn of(root: &Path, program: &str) -> Result<Self> {
        let mut known = remembered(root, program);
        let runs: Vec<_> = folders(root)?.into_iter().map(RunDir::at).filter(RunDir::has_begun).collect();
        let kept =
            |run: &RunDir| known.get(&name(run.path())).is_some_and(|entry| entry.files == stamps(run));
        let new: Vec<_> = runs.par_iter().map(|run| (!kept(run)).then(|| Entry::of(run))).collect();
        let mut overview = Self::default();
        let mut changed = false;
        for (run, new) in runs.into_iter().zip(new) {
            let old = known.remove(&name(run.path()));
            changed |=
                new.as_ref().is_some_and(|new| old.is_some() || new.as_ref().is_ok_and(Entry::settled));
            // Two names that are no text may be remembered as one.
            let entry = new.or(old.map(Ok)).unwrap_or_else(|| Entry::of(&run));
            match entry {
                Ok(entry) => overview.runs.push(entry.at(run)),
                Err(error) => overview.damaged.push((run.path().into(), error.to_string())),
            }
        }
        if changed || !known.is_empty() {
            remember(root, program, &overview.runs);
        }
        overview.runs.sort_by_cached_key(|entry| entry.run().age(&entry.status));
        Ok(overview)
    }
}

/// Every key that the recipe of one of `runs` has.
pub fn keys(runs: &[Entry]) -> BTreeSet<&str> {
    runs.iter().flat_map(|run| run.recipe.keys().map(String::as_str)).collect()
}

/// Keys in which the recipes of `runs` differ, the seed last. Keys of a member are compared among the runs that chose it;
/// name, description and citations are not.
pub fn differing<'a>(runs: &[&'a Entry]) -> Vec<&'a str> {
    // Of every key: the value of the first run that has it, how many have it, and whether they differ.
    let mut seen: BTreeMap<&str, (&Value, usize, bool)> = BTreeMap::new();
    for (key, value) in runs.iter().flat_map(|run| &run.recipe) {
        let (first, count, differ) = seen.entry(key).or_insert((value, 0, false));
        (*count, *differ) = (*count + 1, *differ || *first != value);
    }
    let chosen = |key: &str| {
        let tables = key.match_indices('.').filter_map(|(at, _)| key[..at].rsplit_once('.'));
        let choice = tables.rev().find(|(choice, member)| {
            seen.get(choice).is_some_and(|_| runs.iter().any(|run| run.chose(choice, member)))
        });
        choice.map_or(runs.len(), |(choice, member)| runs.iter().filter(|r| r.chose(choice, member)).count())
    };
    let differs = |(key, (_, count, differ)): (&&'a str, &(&Value, usize, bool))| {
        *differ || *count < runs.len() && *count < chosen(key)
    };
    let mut keys: Vec<_> = seen.iter().filter(|pair| differs(*pair)).map(|(key, _)| *key).collect();
    keys.retain(|key| !NEUTRAL.contains(key) && !key.contains(".found."));
    keys.sort_by_key(|key| *key == "seed");
    keys
}

impl Entry {
    /// What there is to say of one run.
    ///
    /// # Errors
    /// [`crate::Error::Io`] or [`crate::Error::Data`] if its status or metrics cannot be read.
    pub fn of(run: &RunDir) -> Result<Self> {
        let files = stamps(run);
        let summary = run.summary()?;
        Ok(Self {
            path: run.path().into(),
            status: summary.status,
            wall: summary.wall,
            last: summary.last,
            recipe: recipe(run),
            labels: Labels::read(&run.labels()).unwrap_or_default(),
            files,
        })
    }

    /// The run itself.
    pub fn run(&self) -> RunDir {
        RunDir::at(self.path.clone())
    }

    /// The name of its folder.
    pub fn folder(&self) -> String {
        name(&self.path)
    }

    /// The same, found in the folder of `run`, which may have been killed since.
    fn at(mut self, run: RunDir) -> Self {
        if self.status.state == State::Running && run.idle().is_ok() {
            self.status.state = State::Interrupted;
        }
        self.path = run.path().into();
        self
    }

    fn chose(&self, choice: &str, member: &str) -> bool {
        self.recipe.get(choice).is_some_and(|value| value == member)
    }

    fn settled(&self) -> bool {
        let now = nanoseconds(SystemTime::now());
        self.files.iter().flatten().all(|(changed, _)| changed.saturating_add(SETTLED) < now)
    }
}

/// The keys of a run's recipe; none if there is nothing to read.
fn recipe(run: &RunDir) -> BTreeMap<String, Value> {
    let path = run.recipe();
    Recipe::load(&path).map(|recipe| recipe.flat()).unwrap_or_else(|_| {
        let text = std::fs::read_to_string(&path).unwrap_or_default();
        flat(&json!(toml::from_str::<toml::Table>(&text).unwrap_or_default()))
    })
}

fn name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

fn stamps(run: &RunDir) -> [Option<Stamp>; 4] {
    [run.status_file(), run.recipe(), run.metrics(), run.labels()].map(|path| {
        let meta = std::fs::metadata(path).ok()?;
        Some((nanoseconds(meta.modified().ok()?), meta.len()))
    })
}

fn nanoseconds(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_nanos() as u64)
}

/// What `program` remembered of `root`, by the names of folders.
fn remembered(root: &Path, program: &str) -> BTreeMap<String, Entry> {
    let index = std::fs::read(root.join(INDEX)).ok();
    let index = index.and_then(|text| serde_json::from_slice::<(String, BTreeMap<_, _>)>(&text).ok());
    index.filter(|(by, _)| by == program).map(|(_, runs)| runs).unwrap_or_default()
}

fn remember(root: &Path, program: &str, runs: &[Entry]) {
    let settled = runs.iter().filter(|entry| entry.settled());
    let runs: BTreeMap<_, _> = settled.map(|entry| (entry.folder(), entry)).collect();
    let written = serde_json::to_vec(&(program, runs)).map(|text| atomic::write(root.join(INDEX), text));
    if let Ok(Err(error)) = written {
        log::debug!("no index: {error}");
    }
}
