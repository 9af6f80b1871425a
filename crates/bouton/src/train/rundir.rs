//! The run directory: everything that one run writes, in one folder that can be moved and needs nothing else.
//!
//! ```text
//! runs/2026-11-21T14-12-05_ep-mnist_s1_3f9c/     time (UTC), recipe name, seed, first 4 digits of the hash
//!   recipe.toml  command.txt  provenance.json    what was run
//!   status.json  metrics.jsonl  events.out.*     how it goes
//!   checkpoints/  figures/  report.html  log.txt
//!   labels.json                                  what people say of it
//! ```
//!
//! Running a recipe, behind the [`RunDir::door`] of its folder: [`RunDir::of_recipe`] lists the runs of its hash; if none
//! fits, [`RunDir::create`] makes one; then [`RunDir::lock`] it before anything is written.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::atomic;
use super::metrics::{self, Record};
use super::status::{State, Status};
use crate::{Error, Result};
use jiff::Timestamp;

/// One run directory. Holds only its path; see [`RunDir::lock`] for the right to write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunDir {
    path: PathBuf,
}

/// The right to write a run; given back when it is dropped or the process dies.
#[derive(Debug)]
pub struct RunLock {
    _file: File,
}

/// What a listing says about a run.
#[derive(Debug)]
pub struct RunSummary {
    /// Where it is.
    pub run: RunDir,
    /// Name, seed, hash, state, start and progress, as [`RunDir::status`] tells them.
    pub status: Status,
    /// Seconds of work.
    pub wall: f64,
    /// The last record of every split.
    pub last: BTreeMap<String, Record>,
}

/// All runs below one folder.
#[derive(Debug, Default)]
pub struct Listing {
    /// Readable runs, oldest first.
    pub runs: Vec<RunSummary>,
    /// Folders that hold part of a run, and what is wrong with them.
    pub damaged: Vec<(PathBuf, String)>,
}

impl RunDir {
    /// Makes `<root>/<time>_<name>_s<seed>_<first 4 of hash>/` with its subfolders and a `status.json` that says
    /// `running`. Characters of `name` that are awkward in file names become `-`.
    ///
    /// # Errors
    /// [`Error::Io`] if `root` cannot be created or written.
    pub fn create(root: &Path, name: &str, seed: u64, hash: &str) -> Result<Self> {
        fs::create_dir_all(root).map_err(|e| Error::io(root, e))?;
        let run = Self { path: new_folder(root, &folder_name(name, seed, hash))? };
        let filled = run.fill(Status::new(name, seed, hash));
        if filled.is_err() {
            let _ = fs::remove_dir_all(&run.path);
        }
        filled.map(|()| run)
    }

    fn fill(&self, mut status: Status) -> Result<()> {
        for folder in [self.checkpoints(), self.figures()] {
            fs::create_dir(&folder).map_err(|e| Error::io(folder, e))?;
        }
        status.write(&self.status_file())
    }

    /// The run in an existing folder.
    ///
    /// # Errors
    /// [`Error::Io`] if it has no `status.json`.
    pub fn open(path: impl Into<PathBuf>) -> Result<Self> {
        let run = Self { path: path.into() };
        fs::metadata(run.status_file()).map_err(|e| Error::io(run.status_file(), e))?;
        Ok(run)
    }

    /// The run in the folder `path`, whatever is there.
    pub(super) fn at(path: PathBuf) -> Self {
        Self { path }
    }

    /// Whether the folder holds anything of a run.
    pub(super) fn has_begun(&self) -> bool {
        [self.status_file(), self.recipe(), self.metrics()].iter().any(|file| file.exists())
    }

    /// The runs below `root` with this full content hash, newest first; damaged folders are passed over.
    ///
    /// # Errors
    /// [`Error::Io`] if `root` exists and cannot be read.
    pub fn of_recipe(root: &Path, hash: &str) -> Result<Vec<Self>> {
        let runs = folders(root)?.into_iter().filter(|path| !is_of_another(path, hash));
        let runs = runs.map(|path| Self { path });
        let dated = runs.filter_map(|run| Some((Status::read(&run.status_file()).ok()?, run)));
        let mut same: Vec<_> = dated.filter(|(status, _)| status.hash == hash).collect();
        same.sort_by_cached_key(|(status, run)| std::cmp::Reverse(run.age(status)));
        Ok(same.into_iter().map(|(_, run)| run).collect())
    }

    /// What orders runs by age: the start, then, for those of older versions, which noted seconds, the number that a
    /// second run of the same name got.
    pub(super) fn age(&self, status: &Status) -> (Timestamp, usize, PathBuf) {
        (status.since(), self.path.as_os_str().len(), self.path.clone())
    }

    /// Waits for the right to look for a run below `root` and to make one if there is none, so that two processes never
    /// make it twice. Makes `root` if need be. Give it back soon.
    ///
    /// # Errors
    /// [`Error::Io`] if `root` cannot be created or written.
    pub fn door(root: &Path) -> Result<RunLock> {
        fs::create_dir_all(root).map_err(|e| Error::io(root, e))?;
        let lock = |file: File| file.lock().map(|()| RunLock { _file: file });
        // The folder itself is locked where the system can do that, so that nothing is left in it.
        if let Ok(door) = File::open(root).and_then(lock) {
            return Ok(door);
        }
        let path = root.join(".lock");
        let file = OpenOptions::new().create(true).truncate(false).write(true).open(&path);
        file.and_then(lock).map_err(|e| Error::io(path, e))
    }

    /// All runs below `root` and what is damaged there. No `root` means no runs.
    ///
    /// # Errors
    /// [`Error::Io`] if `root` exists and cannot be read.
    pub fn list(root: &Path) -> Result<Listing> {
        let mut listing = Listing::default();
        for run in folders(root)?.into_iter().map(Self::at).filter(Self::has_begun) {
            match run.summary() {
                Ok(summary) => listing.runs.push(summary),
                Err(error) => listing.damaged.push((run.path, error.to_string())),
            }
        }
        listing.runs.sort_by_cached_key(|r| r.run.age(&r.status));
        Ok(listing)
    }

    /// What a listing says about this run.
    ///
    /// # Errors
    /// [`Error::Io`] or [`Error::Data`] if its status or metrics cannot be read.
    pub fn summary(&self) -> Result<RunSummary> {
        let mut status = self.status()?;
        let records =
            if self.metrics().exists() { metrics::read(&self.metrics())?.records } else { Vec::new() };
        // A killed run wrote its last lines after its last status.
        if let Some(record) = records.last().filter(|record| record.step > status.step) {
            (status.step, status.epoch) = (record.step, record.epoch);
        }
        let wall = records.last().map_or(0.0, |record| record.wall);
        let last = records.into_iter().map(|record| (record.split.clone(), record)).collect();
        Ok(RunSummary { run: self.clone(), status, wall, last })
    }

    /// Reads `status.json`. A run that says `running` while no process holds its lock was killed, and is reported
    /// as interrupted.
    ///
    /// # Errors
    /// [`Error::Io`] or [`Error::Data`] if it is missing or damaged.
    pub fn status(&self) -> Result<Status> {
        let mut status = Status::read(&self.status_file())?;
        if status.state == State::Running && !self.is_locked() {
            status.state = State::Interrupted;
        }
        Ok(status)
    }

    /// Takes the right to write this run and removes temporary files that a killed process left in it.
    ///
    /// # Errors
    /// [`Error::Config`] if another process has it, [`Error::Io`] if the folder cannot be written.
    pub fn lock(&self) -> Result<RunLock> {
        let path = self.lock_file();
        let file = OpenOptions::new().create(true).truncate(false).write(true).open(&path);
        let file = file.map_err(|e| Error::io(&path, e))?;
        // A listing looks at the lock for an instant: try again before believing that it is held.
        for attempt in 0.. {
            match file.try_lock() {
                Ok(()) => break,
                Err(TryLockError::WouldBlock) if attempt < 5 => std::thread::sleep(Duration::from_millis(20)),
                Err(TryLockError::WouldBlock) => return Err(self.busy()),
                Err(TryLockError::Error(e)) => return Err(Error::io(path, e)),
            }
        }
        for folder in [&self.path, &self.checkpoints(), &self.figures()] {
            atomic::clean(folder);
        }
        Ok(RunLock { _file: file })
    }

    /// Refuses a run that another process is writing.
    ///
    /// # Errors
    /// [`Error::Config`] with the process.
    pub fn idle(&self) -> Result<()> {
        if self.is_locked() { Err(self.busy()) } else { Ok(()) }
    }

    fn busy(&self) -> Error {
        let by = Status::read(&self.status_file()).map_or(String::new(), |s| format!(" (process {})", s.pid));
        Error::config(format!("{}: another process{by} is writing this run", self.path.display()))
            .with_hint("wait for it or stop it; then the same command goes on where it stopped")
    }

    fn is_locked(&self) -> bool {
        File::open(self.lock_file()).is_ok_and(|file| file.try_lock_shared().is_err())
    }

    /// Appends a dated line to `log.txt`: starts, stops and whatever else is worth reading once.
    ///
    /// # Errors
    /// [`Error::Io`] if the disk refuses.
    pub fn note(&self, text: &str) -> Result<()> {
        let path = self.log();
        let line = format!("{} {text}\n", super::status::now());
        let file = OpenOptions::new().create(true).append(true).open(&path);
        file.and_then(|mut f| f.write_all(line.as_bytes())).map_err(|e| Error::io(path, e))
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        &self.path
    }
    /// `recipe.toml`: the recipe, fully resolved.
    pub fn recipe(&self) -> PathBuf {
        self.path.join("recipe.toml")
    }
    /// `command.txt`: the command line.
    pub fn command(&self) -> PathBuf {
        self.path.join("command.txt")
    }
    /// `provenance.json`, see [`super::provenance`].
    pub fn provenance(&self) -> PathBuf {
        self.path.join("provenance.json")
    }
    /// `metrics.jsonl`, see [`super::metrics`].
    pub fn metrics(&self) -> PathBuf {
        self.path.join("metrics.jsonl")
    }
    /// `continual.json`, for runs over several tasks.
    pub fn continual(&self) -> PathBuf {
        self.path.join("continual.json")
    }
    /// `labels.json`, see [`super::Labels`].
    pub fn labels(&self) -> PathBuf {
        self.path.join("labels.json")
    }
    /// `importance.json`, see [`super::importance`].
    pub fn importance(&self) -> PathBuf {
        self.path.join("importance.json")
    }
    /// `costs.json`: what a training sample costs, see [`crate::analysis::costs`].
    pub fn costs(&self) -> PathBuf {
        self.path.join("costs.json")
    }
    /// `operations.json`: what synapses do for a sample, see [`crate::analysis::operations`].
    pub fn operations(&self) -> PathBuf {
        self.path.join("operations.json")
    }
    /// `alignment.json`: cosines to the true gradient, see [`crate::analysis::alignment`].
    pub fn alignment(&self) -> PathBuf {
        self.path.join("alignment.json")
    }
    /// `activity.json`: what units did over time, see [`crate::analysis::activity`].
    pub fn activity(&self) -> PathBuf {
        self.path.join("activity.json")
    }
    /// `status.json`, see [`super::status`].
    pub fn status_file(&self) -> PathBuf {
        self.path.join("status.json")
    }
    /// The folder `checkpoints/`, see [`super::checkpoints`].
    pub fn checkpoints(&self) -> PathBuf {
        self.path.join("checkpoints")
    }
    /// The folder `figures/`.
    pub fn figures(&self) -> PathBuf {
        self.path.join("figures")
    }
    /// `report.html`.
    pub fn report(&self) -> PathBuf {
        self.path.join("report.html")
    }
    /// `log.txt`: starts, stops and notes, one dated line each.
    pub fn log(&self) -> PathBuf {
        self.path.join("log.txt")
    }
    fn lock_file(&self) -> PathBuf {
        self.path.join(".lock")
    }
}

/// How the name of a folder begins.
const TIME: &str = "%Y-%m-%dT%H-%M-%S";

fn folder_name(name: &str, seed: u64, hash: &str) -> String {
    let time = Timestamp::now().strftime(TIME).to_string();
    let plain = |c: char| if c.is_ascii_alphanumeric() || "-_.".contains(c) { c } else { '-' };
    let name: String = name.chars().map(plain).collect();
    let short: String = hash.chars().take(4).map(plain).collect();
    format!("{time}_{name}_s{seed}_{short}")
}

/// Whether the name that [`folder_name`] gave to a folder tells that its recipe has another hash: thousands of runs are passed
/// over without a look into them. Folders that people named may be of any.
fn is_of_another(path: &Path, hash: &str) -> bool {
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let parts: Vec<&str> = name.rsplitn(3, '_').collect();
    let [short, seed, rest] = parts[..] else { return false };
    let short = short.split('-').next().unwrap_or(short);
    let is_seed = seed.strip_prefix('s').is_some_and(|n| n.parse::<u64>().is_ok());
    let dated = rest.get(..19).is_some_and(|time| jiff::civil::DateTime::strptime(TIME, time).is_ok());
    let is_hash = short.len() == 4 && short.bytes().all(|b| b.is_ascii_hexdigit());
    dated && is_seed && is_hash && !hash.starts_with(short)
}

/// Makes `<root>/<name>`, or `<name>-2`, `<name>-3`, … if that is taken.
fn new_folder(root: &Path, name: &str) -> Result<PathBuf> {
    let mut path = root.join(name);
    for number in 2.. {
        match fs::create_dir(&path) {
            Ok(()) => break,
            Err(e) if e.kind() == ErrorKind::AlreadyExists => path = root.join(format!("{name}-{number}")),
            Err(e) => return Err(Error::io(path, e)),
        }
    }
    Ok(path)
}

/// The folders in `root` by name; none if there is no `root`.
pub(super) fn folders(root: &Path) -> Result<Vec<PathBuf>> {
    let entries = match fs::read_dir(root) {
        Err(e) if e.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.map_err(|e| Error::io(root, e))?,
    };
    let mut paths: Vec<_> =
        entries.flatten().map(|entry| entry.path()).filter(|path| path.is_dir()).collect();
    paths.sort();
    Ok(paths)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HASH: &str = "3f9c0123456789abcdef";

    fn root() -> tempfile::TempDir {
        tempfile::tempdir().unwrap()
    }

    fn log_point(run: &RunDir, step: u64, split: &str) {
        let mut writer = metrics::MetricsWriter::open(&run.metrics(), Some(step)).unwrap();
        let values = BTreeMap::from([("accuracy".to_string(), 0.5)]);
        writer.write(&Record { step, epoch: 1, wall: step as f64, split: split.into(), values }).unwrap();
    }

    #[test]
    fn the_folder_is_named_by_time_recipe_seed_and_hash() {
        let root = root();
        let run = RunDir::create(&root.path().join("deep/runs"), "ep/cifar 10", 7, HASH).unwrap();
        let name = run.path().file_name().unwrap().to_str().unwrap();
        let (time, rest) = name.split_at("2026-11-21T14-12-05".len());
        assert_eq!(rest, "_ep-cifar-10_s7_3f9c");
        jiff::civil::DateTime::strptime("%Y-%m-%dT%H-%M-%S", time).unwrap();
        assert!(run.checkpoints().is_dir() && run.figures().is_dir());
        assert_eq!(RunDir::open(run.path()).unwrap(), run);
        assert!(matches!(RunDir::open(root.path()), Err(Error::Io { .. })));
    }

    #[test]
    fn two_runs_of_one_second_get_two_folders() {
        let root = root();
        let runs: Vec<_> = (0..3).map(|_| RunDir::create(root.path(), "a", 1, HASH).unwrap()).collect();
        assert!(runs[0] != runs[1] && runs[1] != runs[2]);
        let listed = |runs: Vec<RunSummary>| runs.into_iter().map(|r| r.run).collect::<Vec<_>>();
        assert_eq!(listed(RunDir::list(root.path()).unwrap().runs), runs, "in the order of their starts");
    }

    #[test]
    fn runs_of_the_whole_hash_are_found_newest_first() {
        let root = root();
        let found = |root: &Path, hash| RunDir::of_recipe(root, hash).unwrap();
        assert_eq!(found(&root.path().join("none"), HASH), []);
        let made = |name, hash, started: &str| {
            let run = RunDir::create(root.path(), name, 1, hash).unwrap();
            let mut status = run.status().unwrap();
            status.started = started.into();
            status.write(&run.status_file()).unwrap();
            run
        };
        let second = made("c", HASH, "2026-11-21T14:12:06Z");
        let third = made("b", HASH, "2026-11-21T14:12:06.000001Z");
        let first = made("a", HASH, "2026-11-21T14:12:05Z");
        made("c", "3f9c0000", "2026-11-21T14:12:07Z");
        let damaged = made("d", HASH, "2026-11-21T14:12:08Z");
        fs::write(damaged.status_file(), "{").unwrap();
        assert_eq!(found(root.path(), HASH), [third, second, first]);
        assert_eq!(found(root.path(), "3f9c"), []);
    }

    #[test]
    fn the_name_of_a_folder_tells_another_hash() {
        let root = root();
        let runs: Vec<_> = (0..2).map(|_| RunDir::create(root.path(), "a_s2_b", 1, HASH).unwrap()).collect();
        assert!(runs.iter().all(|run| is_of_another(&run.path, "3f9d") && !is_of_another(&run.path, HASH)));
        // People may call a folder anything.
        for name in ["mine", "a_s1_3f9d", "2026-11-21T14-12-05_3f9d", "2026-11-21T14-12-05_a_1_3f9d"] {
            assert!(!is_of_another(Path::new(name), HASH), "{name}");
        }
        fs::rename(&runs[0].path, root.path().join("2026_a_s1_3f9d")).unwrap();
        assert_eq!(RunDir::of_recipe(root.path(), HASH).unwrap().len(), 2);
    }

    #[test]
    fn a_run_that_no_process_holds_is_interrupted() {
        let root = root();
        let run = RunDir::create(root.path(), "a", 1, HASH).unwrap();
        assert_eq!(run.status().unwrap().state, State::Interrupted);
        let lock = run.lock().unwrap();
        assert_eq!(run.status().unwrap().state, State::Running);
        drop(lock);
        assert_eq!(run.status().unwrap().state, State::Interrupted);
        let mut status = run.status().unwrap();
        status.state = State::Done;
        status.write(&run.status_file()).unwrap();
        assert_eq!(run.status().unwrap().state, State::Done);
    }

    #[test]
    fn only_one_may_write_and_its_predecessors_rubbish_goes() {
        let root = root();
        let run = RunDir::create(root.path(), "a", 1, HASH).unwrap();
        let rubbish = run.checkpoints().join(".tmp-1");
        fs::write(&rubbish, "x").unwrap();
        let lock = run.lock().unwrap();
        assert!(!rubbish.exists());
        let error = run.lock().unwrap_err();
        assert!(error.to_string().contains(&std::process::id().to_string()), "{error}");
        assert_eq!(error.exit_code(), 2);
        drop(lock);
        run.lock().unwrap();
    }

    #[test]
    fn a_listing_survives_damaged_folders() {
        let root = root();
        let good = RunDir::create(root.path(), "good", 4, HASH).unwrap();
        for (step, split) in [(1, "train"), (1, "test"), (2, "test")] {
            log_point(&good, step, split);
        }
        let garbled = RunDir::create(root.path(), "garbled", 1, HASH).unwrap();
        fs::write(garbled.metrics(), "nonsense\n").unwrap();
        let stateless = RunDir::create(root.path(), "stateless", 1, HASH).unwrap();
        fs::remove_file(stateless.status_file()).unwrap();
        fs::write(stateless.recipe(), "").unwrap();
        fs::create_dir(root.path().join("something else")).unwrap();
        fs::write(root.path().join("a file"), "").unwrap();

        let listing = RunDir::list(root.path()).unwrap();
        let [summary] = &listing.runs[..] else { panic!("{listing:?}") };
        assert_eq!((summary.status.name.as_str(), summary.status.seed, summary.wall), ("good", 4, 2.0));
        assert_eq!((summary.last["test"].step, summary.last["train"].step), (2, 1));
        assert_eq!(
            (summary.status.step, summary.status.epoch),
            (2, 1),
            "the last line is younger than the status"
        );
        assert_eq!(listing.damaged.len(), 2);
        assert!(listing.damaged.iter().any(|(_, what)| what.contains("metrics.jsonl:1")));
        assert!(listing.damaged.iter().any(|(_, what)| what.contains("status.json")));
        assert!(RunDir::list(&root.path().join("none")).unwrap().runs.is_empty());
        assert!(matches!(RunDir::list(&root.path().join("a file")), Err(Error::Io { .. })));
    }

    #[test]
    fn a_root_that_cannot_be_written_is_named() {
        let root = root();
        let file = root.path().join("file");
        fs::write(&file, "").unwrap();
        let error = RunDir::create(&file.join("runs"), "a", 1, HASH).unwrap_err();
        assert!(matches!(&error, Error::Io { path, .. } if path.ends_with("file/runs")), "{error}");
    }
}
