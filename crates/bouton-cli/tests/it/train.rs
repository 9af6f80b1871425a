//! A run from the command line: finished, found again, interrupted, resumed, listed, compared, reported.

use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Command, Output, Stdio};

use bouton::train::{MetricsWriter, Provenance, Record, RunDir, State};

const RECIPE: &str = "\
[task.synthetic]
shape = [1, 4, 4]
classes = 3
train = 30
test = 9
batch = 10
epochs = 2
[network]
layers = [16, 8, 3]
[neuron.settle]
[credit.eq-prop]
beta = 0.5
free-steps = 10
nudged-steps = 3
[optim.sgd]
lr = 0.1
";

pub(crate) fn bouton(folder: &Path, words: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_bouton"));
    command.current_dir(folder).args(words).args(["--threads", "1"]).env("NO_COLOR", "1");
    command
}

#[track_caller]
pub(crate) fn succeeds(folder: &Path, words: &[&str]) -> (String, String) {
    let Output { status, stdout, stderr } = bouton(folder, words).output().unwrap();
    let [stdout, stderr] = [stdout, stderr].map(|bytes| String::from_utf8(bytes).unwrap());
    assert!(status.success(), "{words:?}: {stdout}\n{stderr}");
    (stdout, stderr)
}

pub(crate) fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("small.toml"), RECIPE).unwrap();
    folder
}

#[test]
fn the_log_shows_what_happens_inside_if_asked() {
    let folder = folder();
    let log = |level: &str| {
        let run =
            bouton(folder.path(), &["run", "small.toml", "--out", level]).env("RUST_LOG", level).output();
        String::from_utf8(run.unwrap().stderr).unwrap()
    };
    assert!(!log("warn").contains("written"));
    let all = log("bouton=debug");
    assert!(all.contains("DEBUG bouton_core::io::atomic]"), "{all}");
}

#[cfg(unix)]
#[test]
fn a_path_that_is_no_text_is_a_path() {
    use std::os::unix::ffi::OsStrExt;
    let (folder, name) = (folder(), std::ffi::OsStr::from_bytes(b"o\xff"));
    let run = bouton(folder.path(), &["run", "small.toml"]).arg("--out").arg(name).output().unwrap();
    assert!(run.status.success() && folder.path().join(name).is_dir(), "{run:?}");
}

#[test]
fn a_finished_run_is_found_listed_compared_and_reported() {
    let folder = folder();
    let at = folder.path();
    let (out, err) = succeeds(at, &["run", "small.toml"]);
    assert!(
        out.contains("test accuracy") && out.contains("run folder") && out.contains("report.html"),
        "{out}"
    );
    assert!(err.contains("30 samples, 6 updates, 163 parameters") && err.contains("epoch 2/2"), "{err}");
    let (out, _) = succeeds(at, &["run", "small.toml"]);
    assert!(out.starts_with("already done: runs/"), "{out}");
    succeeds(at, &["run", "small.toml", "seed=2"]);
    let (out, _) = succeeds(at, &["runs", "ls", "--json"]);
    let runs: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!(runs.as_array().unwrap().len(), 2, "the second command did not train again");
    assert!(runs[0]["state"] == "done" && runs[0]["updates"] == 6 && runs[0]["name"] == "small");
    let (out, _) = succeeds(at, &["runs", "diff", "small_s1", "small_s2"]);
    assert!(out.lines().any(|l| l.split_whitespace().eq(["seed", "1", "2"])), "{out}");
    // Results as numbers with all their digits.
    let (out, _) = succeeds(at, &["runs", "diff", "small_s1", "small_s2", "--json"]);
    let told: serde_json::Value = serde_json::from_str(&out).unwrap();
    let loss = told.as_array().unwrap().iter().find(|pair| pair["key"] == "result.train.loss").unwrap();
    assert!(loss["first"].as_f64().unwrap() != loss["second"].as_f64().unwrap(), "{loss}");
    assert_eq!(loss["first"], runs[0]["metrics"]["train"]["loss"], "{loss}");
    let (text, _) = succeeds(at, &["runs", "diff", "small_s1", "small_s2"]);
    assert!(text.contains(&loss["first"].to_string()), "{text}");
    let (out, _) = succeeds(at, &["runs", "show", "last"]);
    assert!(out.contains("small (seed 2)"), "{out}");
    let (out, _) = succeeds(at, &["report", "small_s1", "-o", "here.html"]);
    assert!(
        out.starts_with("one training sample, counted on a batch of 10") && out.contains("\nbackprop "),
        "{out}"
    );
    assert_eq!(out.lines().last(), Some("here.html"));
    let html = std::fs::read_to_string(at.join("here.html")).unwrap();
    assert!(html.contains("Receptive fields") && html.contains("</svg>"));
    assert!(html.contains("What one training sample costs") && html.contains("Cosine to the true gradient"));
    let (out, _) = succeeds(at, &["report", "small_s1", "--quick", "-o", "there.html"]);
    assert_eq!(out.trim(), "there.html");
    // The data is gone: nothing is measured, the report is still written.
    let run = at.join(runs[0]["folder"].as_str().unwrap());
    let recipe = std::fs::read_to_string(run.join("recipe.toml")).unwrap();
    let task = "[task.mnist]\nbatch = 10\nepochs = 2\n[network]";
    let (before, after) = (recipe.find("[task.").unwrap(), recipe.find("[network]").unwrap());
    let gone = recipe[..before].to_owned() + task + &recipe[after + "[network]".len()..];
    std::fs::write(run.join("recipe.toml"), gone).unwrap();
    let name = run.to_str().unwrap();
    let (out, err) = succeeds(at, &["report", name, "--data", "nowhere", "-o", "gone.html"]);
    assert!(
        out.trim() == "gone.html" && err.contains("nothing measured: data set `mnist` is not in"),
        "{out}{err}"
    );
}

/// Two tasks of two classes, each with outputs of its own.
const SIGNS: &str = "\
[task.synthetic]
shape = [1, 4, 4]
classes = 4
train = 80
test = 60
batch = 10
epochs = 2
[sequence.split]
classes = 2
[continual]
scenario = \"task\"
[network]
layers = [16, 20, 4]
[neuron.sign]
[norm.batch]
[synapse.binary]
[credit.backprop]
[objective.softmax-cross-entropy]
[optim.adam]
lr = 0.01
";

#[test]
fn a_packed_network_is_as_accurate_on_every_task_as_the_run() {
    let folder = folder();
    let at = folder.path();
    std::fs::write(at.join("signs.toml"), SIGNS).unwrap();
    succeeds(at, &["run", "signs.toml"]);
    let (out, _) = succeeds(at, &["convert", "last", "--packed", "--json"]);
    let told: serde_json::Value = serde_json::from_str(&out).unwrap();
    let run = Path::new(told["file"].as_str().unwrap()).parent().unwrap();
    let kept = std::fs::read(at.join(run).join("continual.json")).unwrap();
    let kept: serde_json::Value = serde_json::from_slice(&kept).unwrap();
    assert_eq!(told["scores"], kept["accuracy"][1], "{told}");
    assert_eq!((&told["score"], &told["samples"]), (&kept["metrics"]["acc"], &60.into()), "{told}");
    assert_eq!(told["different-outputs"], 0);
    let (out, _) = succeeds(at, &["convert", "last", "--packed"]);
    assert!(out.contains("of each task"), "{out}");
}

/// Three updates an epoch: no row of a report mixes two of them.
#[test]
fn every_line_of_metrics_belongs_to_the_epoch_of_its_update() {
    let folder = folder();
    succeeds(folder.path(), &["run", "small.toml", "run.log-every=1"]);
    let runs = RunDir::list(&folder.path().join("runs")).unwrap().runs;
    let records = bouton::train::metrics::read(&runs[0].run.metrics()).unwrap().records;
    let found: Vec<_> = records.iter().map(|r| (r.split.as_str(), r.step, r.epoch)).collect();
    let epoch = |first, e| {
        let batches = (first..first + 3).map(move |step| ("batch", step, e));
        batches.chain([("train", first + 2, e), ("test", first + 2, e)])
    };
    assert_eq!(found, epoch(1, 1).chain(epoch(4, 2)).collect::<Vec<_>>());
}

#[test]
fn a_smoke_run_leaves_nothing_behind() {
    let folder = folder();
    let (out, _) = succeeds(folder.path(), &["run", "small.toml", "--smoke"]);
    assert!(out.contains("test accuracy"), "{out}");
    assert!(!folder.path().join("runs").exists());
}

#[test]
fn readers_that_leave_early_are_no_error() {
    let folder = folder();
    let mut child = bouton(folder.path(), &["list", "combos"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!((output.status.code(), output.stderr.len()), (Some(0), 0));
}

#[test]
fn a_folder_that_cannot_be_written_is_named() {
    let folder = folder();
    std::fs::write(folder.path().join("file"), "").unwrap();
    let output = bouton(folder.path(), &["run", "small.toml", "--out", "file/runs"]).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8(output.stderr).unwrap().contains("error: file/runs: "));
}

/// Ctrl-C once: the update is finished, a checkpoint is written, the code is 130, and the same command goes on.
#[cfg(unix)]
#[test]
fn an_interrupted_run_goes_on() {
    let folder = folder();
    let words =
        ["run", "small.toml", "task.synthetic.epochs=100000", "run.updates=200000", "run.log-every=1"];
    let mut child = bouton(folder.path(), &words).stderr(Stdio::piped()).spawn().unwrap();
    wait_for(&folder.path().join("runs"), "metrics.jsonl");
    let killed = Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(killed.success());
    let mut err = String::new();
    child.stderr.take().unwrap().read_to_string(&mut err).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(130), "{err}");
    assert!(err.contains("stopping after this update") && err.contains("interrupted"), "{err}");
    let (out, _) = succeeds(folder.path(), &["runs", "ls"]);
    assert!(out.contains("interrupted"), "{out}");
    let status = only_run(folder.path()).join("status.json");
    let text = std::fs::read_to_string(&status).unwrap();
    let found: serde_json::Value = serde_json::from_str(&text).unwrap();
    let long_ago = "2026-01-01T00:00:00Z";
    std::fs::write(&status, text.replace(found["started"].as_str().unwrap(), long_ago)).unwrap();
    let again = bouton(folder.path(), &words).stderr(Stdio::piped()).spawn().unwrap();
    std::thread::sleep(std::time::Duration::from_millis(1500));
    Command::new("kill").args(["-INT", &again.id().to_string()]).status().unwrap();
    let output = again.wait_with_output().unwrap();
    let err = String::from_utf8(output.stderr).unwrap();
    assert!(err.contains("going on after update"), "{err}");
    let run = only_run(folder.path());
    let log = std::fs::read_to_string(run.join("log.txt")).unwrap();
    let said: Vec<_> = log.lines().map(|line| line.split(' ').nth(1).unwrap()).collect();
    assert_eq!(said, ["started", "interrupted", "going", "interrupted"], "{log}");
    let status: serde_json::Value =
        serde_json::from_slice(&std::fs::read(run.join("status.json")).unwrap()).unwrap();
    assert_eq!(status["started"], long_ago, "the first start is kept");
}

/// Ctrl-C twice: the update is not finished, the code is 130 all the same, and the command goes on from the checkpoint
/// before. The run is one long update: nothing but the second Ctrl-C stops it with this code.
#[cfg(unix)]
#[test]
fn a_run_interrupted_twice_stops_at_once_and_goes_on() {
    let folder = folder();
    let long = ["task.synthetic.batch=30", "task.synthetic.epochs=1", "credit.eq-prop.free-steps=500000"];
    let kept = ["run.checkpoint-every=1", "run.log-every=1"];
    let words = [&["run", "small.toml"], &long[..], &kept].concat();
    let mut child = bouton(folder.path(), &words).stderr(Stdio::piped()).spawn().unwrap();
    wait_for(&folder.path().join("runs"), "checkpoints/last.safetensors");
    let id = child.id().to_string();
    let press = || Command::new("kill").args(["-INT", &id]).status().unwrap().success();
    assert!(press());
    let mut said = BufReader::new(child.stderr.take().unwrap()).lines().map(Result::unwrap);
    assert!(said.by_ref().any(|line| line.contains("press Ctrl-C again to stop at once")));
    assert!(press());
    let rest: Vec<String> = said.collect();
    assert_eq!((child.wait().unwrap().code(), rest.len()), (Some(130), 0), "{rest:?}");
    let metrics = std::fs::read(only_run(folder.path()).join("metrics.jsonl")).unwrap_or_default();
    assert!(metrics.is_empty(), "no update was finished");
    let (out, err) = succeeds(folder.path(), &words);
    assert!(err.contains("going on after update 0") && out.contains("test accuracy"), "{out}{err}");
    let (out, _) = succeeds(folder.path(), &["runs", "ls", "--json"]);
    let runs: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert!(runs.as_array().unwrap().len() == 1 && runs[0]["state"] == "done", "{out}");
}

/// The one run below `runs`.
#[cfg(unix)]
pub(crate) fn only_run(folder: &Path) -> std::path::PathBuf {
    let runs = std::fs::read_dir(folder.join("runs")).unwrap().map(|run| run.unwrap().path());
    let [run] = &runs.filter(|run| run.is_dir()).collect::<Vec<_>>()[..] else { panic!("not one run") };
    run.clone()
}

/// Waits until a run below `runs` has a file called `name` with something in it.
#[cfg(unix)]
pub(crate) fn wait_for(runs: &Path, name: &str) {
    for _ in 0..600 {
        let folders = std::fs::read_dir(runs).into_iter().flatten().flatten();
        let mut sizes = folders.filter_map(|f| std::fs::metadata(f.path().join(name)).ok());
        if sizes.any(|meta| meta.len() > 0) {
            return;
        }
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
    panic!("no {name} in {}", runs.display());
}

#[test]
fn samples_that_do_not_settle_are_told_of() {
    let folder = folder();
    let words = ["run", "small.toml", "credit.eq-prop.free-steps=1", "solver.even-odd.tolerance=1e-9"];
    let (stdout, stderr) = succeeds(folder.path(), &words);
    assert!(stderr.contains("did not reach the solver's tolerance"), "{stderr}");
    assert!(stdout.contains("test unsettled.free"), "{stdout}");
    let (_, stderr) = succeeds(folder.path(), &["run", "small.toml", "credit.eq-prop.free-steps=1"]);
    assert!(!stderr.contains("tolerance"), "{stderr}");
}

/// A finished run of a claim, made up, whose test accuracy is that of guessing.
fn guessed(out: &Path, paper: &str, claim: &str) {
    let recipe = bouton::claims::paper(paper).unwrap().claim(claim).unwrap().recipe().unwrap();
    let run = RunDir::create(out, &recipe.name, recipe.seed, &recipe.hash()).unwrap();
    std::fs::write(run.recipe(), recipe.to_toml()).unwrap();
    let mut status = run.status().unwrap();
    status.state = State::Done;
    status.write(&run.status_file()).unwrap();
    Provenance::gather(1, "", &[], Default::default()).write(&run.provenance()).unwrap();
    let values = [("accuracy", 0.1), ("error", 0.9)].map(|(name, value)| (name.to_string(), value));
    let record = Record { step: 1, epoch: 1, wall: 1.0, split: "test".into(), values: values.into() };
    MetricsWriter::open(&run.metrics(), None).unwrap().write(&record).unwrap();
}

#[test]
fn a_result_worse_than_published_fails_the_reproduction() {
    let out = tempfile::tempdir().unwrap();
    guessed(out.path(), "vandeven2019", "split-task-ewc");
    let words = "reproduce vandeven2019 --claim split-task-ewc --seeds 1 --out . --data nowhere";
    let words: Vec<&str> = words.split(' ').collect();
    let Output { status, stdout, stderr } = bouton(out.path(), &words).output().unwrap();
    let [stdout, stderr] = [stdout, stderr].map(|bytes| String::from_utf8(bytes).unwrap());
    assert_eq!(status.code(), Some(1), "{stdout}\n{stderr}");
    assert!(stdout.contains("worse"), "{stdout}");
}
