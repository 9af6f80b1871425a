//! The command under fire: killed at any moment, it resumes to the same bits.
#![cfg(unix)]

use bouton::train::{Checkpoints, RunDir, State, metrics};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

const RECIPE: &str = r#"
[task.digits]
batch = 10
epochs = 6
train = 600
test = 100
[network]
layers = [64, 128, 10]
[neuron.settle]
[credit.eq-prop]
beta = 0.5
free-steps = 60
nudged-steps = 20
[optim.adam]
lr = 0.001
[run]
checkpoint-every = 7
log-every = 10
"#;

struct Bench(tempfile::TempDir);

impl Bench {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("small.toml"), RECIPE).unwrap();
        Self(folder)
    }

    fn out(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn start(&self, out: &Path) -> Child {
        Command::new(env!("CARGO_BIN_EXE_bouton"))
            .args(["--threads", "1", "run"])
            .arg(self.0.path().join("small.toml"))
            .arg("--out")
            .arg(out)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap()
    }

    fn finish(&self, out: &Path) -> (Vec<u8>, Vec<metrics::Record>) {
        assert!(self.start(out).wait().unwrap().success());
        let runs = RunDir::list(out).unwrap();
        assert_eq!((runs.runs.len(), runs.damaged.len()), (1, 0));
        let dir = &runs.runs[0].run;
        assert_eq!(dir.status().unwrap().state, State::Done);
        let last = std::fs::read(Checkpoints::new(dir.checkpoints(), None).last()).unwrap();
        let mut records = metrics::read(&dir.metrics()).unwrap().records;
        records.iter_mut().for_each(|r| r.wall = 0.0);
        (last, records)
    }
}

#[test]
fn a_run_killed_again_and_again_ends_with_the_same_bits() {
    let bench = Bench::new();
    let expected = bench.finish(&bench.out("whole"));
    let out = bench.out("killed");
    for delay in [5, 40, 90, 160, 230, 310] {
        let mut child = bench.start(&out);
        std::thread::sleep(Duration::from_millis(delay));
        let _ = child.kill();
        child.wait().unwrap();
    }
    assert!(bench.finish(&out) == expected, "the resumed run differs");
}
