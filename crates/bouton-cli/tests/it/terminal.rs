//! Where the command speaks: full disks, closed pipes and dumb terminals cost no run.
#![cfg(target_os = "linux")]

use super::train::{bouton, folder, only_run, succeeds, wait_for};
use bouton::train::{Checkpoints, RunDir, State};
use std::fs::{File, OpenOptions};
use std::path::Path;
use std::process::{Command, Output, Stdio};

fn full() -> File {
    OpenOptions::new().write(true).open("/dev/full").unwrap()
}

/// A pipe that nobody reads.
fn closed() -> Stdio {
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    writer.into()
}

#[track_caller]
fn is_whole(folder: &Path) {
    let run = RunDir::open(only_run(folder)).unwrap();
    assert_eq!(run.status().unwrap().state, State::Done);
    assert!(run.report().exists() && Checkpoints::new(run.checkpoints(), None).last().exists());
}

#[test]
fn a_run_that_lost_its_terminal_ends_as_usual() {
    let words = ["run", "small.toml"];
    type Lose = fn(&mut Command) -> &mut Command;
    let lost: [(&str, Lose); 5] = [
        ("", |c| c.stderr(full())),
        ("", |c| c.stderr(full()).env("RUST_LOG", "debug")),
        ("", |c| c.stderr(closed())),
        ("warning: <stdout>: No space left on device", |c| c.stdout(full())),
        ("", |c| c.stdout(closed())),
    ];
    for (i, (said, lose)) in lost.into_iter().enumerate() {
        let folder = folder();
        let mut command = bouton(folder.path(), &words);
        lose(&mut command);
        let Output { status, stderr, .. } = command.stdin(Stdio::null()).output().unwrap();
        let stderr = String::from_utf8(stderr).unwrap();
        assert_eq!(status.code(), Some(0), "{i}: {stderr}");
        assert!(stderr.contains(said) && !stderr.contains("error:"), "{i}: {stderr}");
        is_whole(folder.path());
    }
}

#[test]
fn what_only_prints_fails_where_nothing_can_be_kept() {
    let folder = folder();
    let output = bouton(folder.path(), &["list", "combos"]).stdout(full()).output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(said.starts_with("error: <stdout>: No space left on device"), "{said}");
}

/// On a terminal that cannot move its cursor, or does not say what it is, there is no bar but all lines.
#[test]
fn a_dumb_terminal_shows_lines() {
    for term in ["TERM=dumb", "-u TERM"] {
        let folder = folder();
        let line = format!("env {term} {} run small.toml --threads 1", env!("CARGO_BIN_EXE_bouton"));
        let mut script = Command::new("script");
        let script = script.current_dir(&folder).args(["-qec", &line, "/dev/null"]).stdin(Stdio::null());
        let Ok(output) = script.output() else { return };
        let said = String::from_utf8(output.stdout).unwrap();
        assert!(
            said.contains("run folder runs/") && said.contains("epoch 2/2  train loss"),
            "{term}: {said}"
        );
    }
}

/// The command under a limit of so many blocks for any file that it writes.
fn limited(folder: &Path, blocks: usize, words: &[&str]) -> Output {
    let line = format!("trap '' XFSZ; ulimit -f {blocks}; exec \"$@\"");
    let mut command = Command::new("sh");
    command.current_dir(folder).args(["-c", &line, "sh", env!("CARGO_BIN_EXE_bouton")]);
    command.args(words).args(["--threads", "1"]).env("NO_COLOR", "1").output().unwrap()
}

/// The disk is full at the first file, in the middle, and late: each time one clear error, and what was done is kept.
#[test]
fn a_run_on_a_full_disk_goes_on_once_there_is_space() {
    let words = ["run", "small.toml", "task.synthetic.epochs=60", "run.log-every=1"];
    let (whole, folder) = (folder(), folder());
    succeeds(whole.path(), &words);
    let mut before = 0;
    for blocks in [0, 2, 8, 16, 32, 40] {
        let output = limited(folder.path(), blocks, &words);
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{blocks}: {said}");
        assert!(
            said.contains("File too large") && said.contains("what was done is kept"),
            "{blocks}: {said}"
        );
        let Ok(mut runs) = std::fs::read_dir(folder.path().join("runs")) else { continue };
        let Some(run) = runs.next() else { continue };
        let checkpoints = Checkpoints::new(run.unwrap().path().join("checkpoints"), None);
        let reached = checkpoints.steps().unwrap().last().copied().unwrap_or(0);
        assert!(reached >= before, "{blocks}: {reached} after {before}");
        before = reached;
    }
    assert!(before > 0, "some limit comes after the first checkpoint");
    let (_, said) = succeeds(folder.path(), &words);
    assert!(said.contains(&format!("going on after update {before}")), "{said}");
    is_whole(folder.path());
    let last = |folder: &Path| std::fs::read(only_run(folder).join("checkpoints/last.safetensors")).unwrap();
    assert!(last(folder.path()) == last(whole.path()), "the resumed run differs");
}

fn hangups_are_ignored() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:")).unwrap();
    u64::from_str_radix(mask.trim(), 16).unwrap() & 1 == 1
}

/// SIGTERM and the hangup of a terminal are asked like Ctrl-C; `nohup` means what it says.
#[test]
fn a_run_that_is_asked_to_end_keeps_a_checkpoint() {
    let words = ["run", "small.toml", "task.synthetic.epochs=100000", "run.log-every=1"];
    for (prepare, signals) in [("", &["TERM"][..]), ("", &["HUP"]), ("trap '' HUP; ", &["HUP", "TERM"])] {
        // Tests that run under `nohup` themselves hand that down.
        if signals == ["HUP"] && hangups_are_ignored() {
            continue;
        }
        let folder = folder();
        let mut command = Command::new("sh");
        let line = format!("{prepare}exec \"$@\"");
        command.args(["-c", &line, "sh", env!("CARGO_BIN_EXE_bouton")]).args(words).args(["--threads", "1"]);
        let mut child =
            command.current_dir(&folder).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        wait_for(&folder.path().join("runs"), "metrics.jsonl");
        for (i, signal) in signals.iter().enumerate() {
            if i > 0 {
                std::thread::sleep(std::time::Duration::from_millis(150));
                assert!(child.try_wait().unwrap().is_none(), "the hangup was not ignored");
            }
            let sent = Command::new("kill").args([&format!("-{signal}"), &child.id().to_string()]).status();
            assert!(sent.unwrap().success());
        }
        let output = child.wait_with_output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(130), "{signals:?}: {said}");
        assert!(said.contains("stopping after this update") && said.contains("interrupted"), "{said}");
        let run = RunDir::open(only_run(folder.path())).unwrap();
        assert_eq!(run.status().unwrap().state, State::Interrupted);
        assert!(Checkpoints::new(run.checkpoints(), None).newest().unwrap().unwrap().step > 0);
    }
}
