//! A run directory outlives its writer: killed at any moment, or out of disk space.
//!
//! The writers are child processes: this test program again, with one test and a folder in the environment.
#![cfg(unix)]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::common::{known_file, known_set};
use bouton::Error;
use bouton::task::Split;
use bouton::task::catalogue::{KnownSet, Part};
use bouton::task::import::import_sets;
use bouton::train::{
    Checkpoint, Checkpoints, MetricsWriter, Record, RunDir, State, Tensor, TensorData, metrics,
};

const FOLDER: &str = "BOUTON_TEST_RUN";
const DEADLINE: Duration = Duration::from_secs(60);

fn folder_from_parent() -> Option<PathBuf> {
    std::env::var_os(FOLDER).map(PathBuf::from)
}

/// This program running only the test `name` on `folder`, after the shell did `setup`.
fn child(name: &str, folder: &Path, setup: &str) -> Command {
    let mut command = Command::new("sh");
    command.args(["-c", &format!("{setup} exec \"$0\" --exact crash::{name} --nocapture")]);
    command.arg(std::env::current_exe().unwrap()).env(FOLDER, folder).stdout(Stdio::null());
    command
}

fn checkpoint(step: u64, size: usize) -> Checkpoint {
    let tensor = Tensor { name: "w".into(), shape: vec![size], data: TensorData::U64(vec![step; size]) };
    Checkpoint { tensors: vec![tensor], meta: BTreeMap::from([("step".into(), step.to_string())]) }
}

fn record(step: u64) -> Record {
    Record { step, epoch: 0, wall: 0.0, split: "train".into(), values: BTreeMap::from([("x".into(), 0.5)]) }
}

fn checkpoints(run: &RunDir) -> Checkpoints {
    Checkpoints::new(run.checkpoints(), Some(3))
}

fn newest_step(run: &RunDir) -> Option<u64> {
    let found = checkpoints(run).newest().unwrap()?;
    assert_eq!(found.damaged, Vec::<String>::new());
    assert_eq!(found.checkpoint, checkpoint(found.step, 20_000));
    Some(found.step)
}

#[test]
fn child_trains_for_ever() {
    let Some(folder) = folder_from_parent() else { return };
    let run = RunDir::open(folder).unwrap();
    let _lock = run.lock().unwrap();
    let mut status = run.status().unwrap();
    let start = newest_step(&run).unwrap_or(0);
    let mut metrics = MetricsWriter::open(&run.metrics(), Some(start)).unwrap();
    for step in start + 1.. {
        metrics.write(&record(step)).unwrap();
        status.step = step;
        status.write(&run.status_file()).unwrap();
        checkpoints(&run).save(&checkpoint(step, 20_000)).unwrap();
    }
}

#[test]
fn a_killed_run_is_readable_and_goes_on() {
    let root = tempfile::tempdir().unwrap();
    let run = RunDir::create(root.path(), "killed", 1, "abcd").unwrap();
    let mut reached = 0;
    for round in 0..8 {
        let mut writer = child("child_trains_for_ever", run.path(), "").spawn().unwrap();
        let begun = Instant::now();
        while newest_while_running(&run) <= reached && begun.elapsed() < DEADLINE {
            std::thread::sleep(Duration::from_millis(2));
        }
        assert_eq!(run.status().unwrap().state, State::Running);
        // A different phase of the writer's loop every time.
        std::thread::sleep(Duration::from_micros(700 * round));
        writer.kill().unwrap();
        writer.wait().unwrap();

        let step = newest_step(&run).unwrap();
        assert!(step > reached, "round {round} made no progress: {step}");
        reached = step;
        assert_eq!(run.status().unwrap().state, State::Interrupted);
        let steps: Vec<_> = metrics::read(&run.metrics()).unwrap().records.iter().map(|r| r.step).collect();
        assert!(steps.len() as u64 >= step && steps.iter().copied().eq(1..=steps.len() as u64), "{steps:?}");
    }
    let _lock = run.lock().unwrap();
    let names = |folder: PathBuf| std::fs::read_dir(folder).unwrap().flatten().map(|e| e.file_name());
    let rubbish: Vec<_> = names(run.checkpoints())
        .chain(names(run.path().into()))
        .filter(|name| name.to_string_lossy().starts_with(".tmp"))
        .collect();
    assert!(rubbish.is_empty(), "{rubbish:?}");
}

/// The highest number in the folder; its files may vanish while they are looked at.
fn newest_while_running(run: &RunDir) -> u64 {
    checkpoints(run).steps().unwrap().last().copied().unwrap_or(0)
}

#[test]
fn child_runs_out_of_space() {
    let Some(folder) = folder_from_parent() else { return };
    let run = RunDir::open(folder).unwrap();
    let checkpoints = checkpoints(&run);
    checkpoints.save(&checkpoint(1, 10)).unwrap();
    let error = checkpoints.save(&checkpoint(2, 20_000)).unwrap_err();
    assert!(matches!(&error, Error::Io { path, .. } if path.ends_with("000002.safetensors")), "{error}");
    assert_eq!(checkpoints.newest().unwrap().unwrap().checkpoint, checkpoint(1, 10));
    let left = std::fs::read_dir(run.checkpoints()).unwrap().count();
    assert_eq!(left, 2, "000001 and last");

    let mut metrics = MetricsWriter::open(&run.metrics(), None).unwrap();
    let error = (0..10_000).find_map(|step| metrics.write(&record(step)).err()).unwrap();
    assert!(matches!(&error, Error::Io { path, .. } if path.ends_with("metrics.jsonl")), "{error}");
    assert!(metrics::read(&run.metrics()).unwrap().records.len() > 100);
}

#[test]
fn a_full_disk_loses_nothing_that_was_written() {
    let root = tempfile::tempdir().unwrap();
    let run = RunDir::create(root.path(), "full", 1, "abcd").unwrap();
    // A limit on the size of files, with the signal ignored, makes writes fail half-way as a full disk does.
    let status =
        child("child_runs_out_of_space", run.path(), "trap '' XFSZ; ulimit -f 64;").status().unwrap();
    assert!(status.success());
    assert!(run.metrics().exists(), "the child ran no test");
}

/// A set whose labels are small and whose images are larger than the limit below.
fn two_files() -> (KnownSet, [Vec<u8>; 2]) {
    let contents = [vec![1; 100], (0..200_000u32).map(|i| i as u8).collect::<Vec<u8>>()];
    let files = vec![
        known_file("a-labels", Part::Labels(Split::Train), &contents[0]),
        known_file("b-images", Part::Images(Split::Train), &contents[1]),
    ];
    let set = known_set("two", [1, 1, 1], 2, [1, 1], files);
    (set, contents)
}

#[test]
fn child_imports_out_of_space() {
    let Some(folder) = folder_from_parent() else { return };
    let (set, data) = (two_files().0, folder.join("data"));
    let error = import_sets(&[set], &folder.join("copy"), &data).unwrap_err();
    assert!(matches!(&error, Error::Io { path, .. } if path.ends_with("two/b-images")), "{error}");
    let left: Vec<_> = std::fs::read_dir(data.join("two")).unwrap().map(|e| e.unwrap().file_name()).collect();
    assert_eq!(left, ["a-labels"], "what fitted, and nothing half-written");
}

#[test]
fn an_import_on_a_full_disk_keeps_what_fitted_and_can_be_repeated() {
    let root = tempfile::tempdir().unwrap();
    let (copy, data, (set, contents)) = (root.path().join("copy"), root.path().join("data"), two_files());
    std::fs::create_dir(&copy).unwrap();
    for (file, content) in set.files.iter().zip(&contents) {
        std::fs::write(copy.join(file.name), content).unwrap();
    }
    let setup = "trap '' XFSZ; ulimit -f 64;";
    assert!(child("child_imports_out_of_space", root.path(), setup).status().unwrap().success());
    assert!(data.join("two/a-labels").exists(), "the child ran no test");
    assert_eq!(import_sets(&[set], &copy, &data).unwrap().files.len(), 2);
    assert_eq!(std::fs::read(data.join("two/b-images")).unwrap(), contents[1]);
}
