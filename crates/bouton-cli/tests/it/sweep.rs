//! Sweeps from the command line: the table of ordinary runs, whoever is killed, whoever else is at it, whichever point fails.

use super::guides::{blocks, carry_out};
use super::train::{bouton, succeeds};
use bouton::train::{RunDir, State};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::Output;

const RECIPE: &str = "\
[task.digits]
batch = 10
epochs = 2
train = 60
test = 20
[network]
layers = [64, 16, 10]
[neuron.settle]
[credit.eq-prop]
beta = 0.5
free-steps = 20
nudged-steps = 5
[optim.sgd]
lr = 0.1
";

fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("small.toml"), RECIPE).unwrap();
    folder
}

/// The exit code, and what was said.
#[track_caller]
fn ends(folder: &Path, words: &[&str], code: i32) -> (String, String) {
    let Output { status, stdout, stderr } = bouton(folder, words).output().unwrap();
    let [stdout, stderr] = [stdout, stderr].map(|bytes| String::from_utf8(bytes).unwrap());
    assert_eq!(status.code(), Some(code), "{words:?}: {stdout}\n{stderr}");
    (stdout, stderr)
}

/// What `--json` says of every point but its time, its folder and when it began.
fn points(json: &str) -> Vec<Value> {
    let points: Vec<Value> = serde_json::from_str(json).unwrap();
    let facts = |p: &Value| {
        let run = &p["run"];
        serde_json::json!([p["keys"], p["state"], p["error"], run["hash"], run["metrics"], run["updates"]])
    };
    points.iter().map(facts).collect()
}

fn runs(out: &Path) -> Vec<PathBuf> {
    RunDir::list(out).unwrap().runs.into_iter().map(|run| run.run.path().to_owned()).collect()
}

#[test]
fn a_sweep_is_a_table_of_ordinary_runs() {
    let folder = folder();
    let at = folder.path();
    let words = ["sweep", "small.toml", "optim.sgd.lr=0.05,0.1", "run.updates=3", "seed=1..2"];
    let (lines, said) = succeeds(at, &[&words[..], &["--dry-run"]].concat());
    let expected = "bouton run small.toml optim.sgd.lr=0.05 run.updates=3 seed=2 --out runs --threads 1";
    assert_eq!((lines.lines().count(), lines.lines().nth(1)), (4, Some(expected)));
    assert!(
        said.contains("4 points: 0 done, 4 left, 0 refused") && said.contains("\ntime     about "),
        "{said}"
    );
    assert!(said.contains("(timed updates of the first: 1; tests"), "{said}");
    assert!(!at.join("runs").exists(), "a dry run leaves nothing");
    // A line is a run, and that run is a point.
    let line: Vec<&str> = expected.split(' ').skip(1).collect();
    succeeds(at, &line[..line.len() - 2]);
    let (lines, said) = succeeds(at, &[&words[..], &["--dry-run"]].concat());
    assert!(lines.lines().count() == 3 && !lines.contains("=0.05 run.updates=3 seed=2"), "{lines}");
    assert!(said.contains("(what the finished point took)"), "{said}");
    let (table, said) = succeeds(at, &[&words[..], &["--jobs", "2"]].concat());
    assert!(said.contains("4 points: 1 done, 3 left") && said.contains("\n4/4  optim.sgd.lr="), "{said}");
    let rows: Vec<Vec<&str>> = table.lines().map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(rows[0], ["optim.sgd.lr", "seed", "state", "accuracy", "time"]);
    let begins: Vec<_> = rows[1..].iter().map(|row| row[..3].join(" ")).collect();
    assert_eq!(begins, ["0.05 1 done", "0.05 2 done", "0.1 1 done", "0.1 2 done"]);
    let (out, _) = succeeds(at, &["run", "small.toml", "optim.sgd.lr=1e-1", "seed=2", "run.updates=3"]);
    assert!(out.starts_with("already done"), "{out}");
    // The table says what the folders say, and the same command again trains nothing.
    let (again, said) = succeeds(at, &[&words[..], &["--json"]].concat());
    assert!(said.contains("4 done, 0 left"), "{said}");
    let again: Vec<Value> = serde_json::from_str(&again).unwrap();
    assert_eq!((runs(&at.join("runs")).len(), again.len()), (4, 4));
    for (point, row) in again.iter().zip(&rows[1..]) {
        let recipe = Path::new(point["run"]["folder"].as_str().unwrap()).join("recipe.toml");
        let recipe = std::fs::read_to_string(at.join(recipe)).unwrap();
        assert!(recipe.contains(&format!("lr = {}", point["keys"]["optim.sgd.lr"])), "{recipe}");
        assert!(recipe.contains(&format!("\nseed = {}\n", point["keys"]["seed"])), "{recipe}");
        let accuracy = point["run"]["metrics"]["test"]["accuracy"].as_f64().unwrap();
        assert!((row[3].parse::<f64>().unwrap() - accuracy).abs() < 1e-4, "{row:?} {accuracy}");
    }
}

#[test]
fn again_trains_every_point_once_more() {
    let folder = folder();
    let at = folder.path();
    let words = ["sweep", "small.toml", "run.updates=1", "seed=1..2"];
    let again = [&words[..], &["--again"]].concat();
    succeeds(at, &words);
    let first = runs(&at.join("runs"));
    let (lines, _) = succeeds(at, &[&again[..], &["--dry-run"]].concat());
    assert!(lines.lines().count() == 2 && lines.lines().all(|line| line.ends_with(" --again")), "{lines}");
    let (table, said) = succeeds(at, &[&again[..], &["--json"]].concat());
    assert!(said.contains("2 points: 0 done, 2 left"), "{said}");
    let all = runs(&at.join("runs"));
    assert_eq!((first.len(), all.len()), (2, 4));
    // The table is about the new ones.
    let table: Vec<Value> = serde_json::from_str(&table).unwrap();
    for point in &table {
        let run = at.join(point["run"]["folder"].as_str().unwrap());
        assert!(point["state"] == "done" && !first.contains(&run) && all.contains(&run), "{point}");
    }
    succeeds(at, &words);
    assert_eq!(runs(&at.join("runs")).len(), 4, "without it nothing is left to do");
}

#[test]
fn a_file_and_a_command_line_say_the_same() {
    let folder = folder();
    let at = folder.path();
    std::fs::create_dir(at.join("deep")).unwrap();
    let text = "recipe = \"../small.toml\"\n[keys]\nsolver = [\"synchronous\", \"even-odd\"]\n[zip]\nseed = \"1..2\"\n";
    std::fs::write(at.join("deep/sweep.toml"), text).unwrap();
    let (filed, _) =
        succeeds(at, &["sweep", "deep/sweep.toml", "zip:optim.sgd.lr=0.2,[0.1,0.3]", "--dry-run"]);
    let words = ["solver=synchronous,even-odd", "zip:seed=1..2", "zip:optim.sgd.lr=0.2,[0.1,0.3]"];
    let (said, _) = succeeds(at, &[&["sweep", "small.toml"], &words[..], &["--dry-run"]].concat());
    assert_eq!(filed.replace("deep/../", ""), said);
    assert!(said.contains("solver=even-odd seed=2 'optim.sgd.lr=[0.1,0.3]'"), "{said}");
    let (_, said) = ends(at, &["sweep", "deep/sweep.toml", "seed=3,4"], 2);
    assert!(said.contains("error: `seed` stands twice"), "{said}");
}

#[test]
fn a_point_that_fails_stops_no_other() {
    let folder = folder();
    let at = folder.path();
    let words = ["sweep", "small.toml", "network.layers=[64,8,10],[60,8,10]", "seed=1,2", "run.updates=2"];
    let (table, said) = ends(at, &words, 1);
    let state = |i: usize| table.lines().nth(i).unwrap().split_whitespace().nth(2).unwrap();
    assert_eq!([1, 2, 3, 4].map(state), ["done", "done", "refused", "refused"], "{table}");
    assert!(said.contains("2 of 4 points failed:") && said.contains("images have 64 pixels"), "{said}");
    // One that fails at work: its run cannot be written.
    let out = at.join("runs");
    std::fs::remove_dir_all(&out).unwrap();
    succeeds(at, &["run", "small.toml", "seed=2", "run.updates=1"]);
    let run = RunDir::open(&runs(&out)[0]).unwrap();
    let mut status = run.status().unwrap();
    status.state = State::Interrupted;
    status.write(&run.status_file()).unwrap();
    let last = run.checkpoints().join("last.safetensors");
    std::fs::write(run.metrics(), "nonsense\n").unwrap();
    assert!(last.exists());
    let words = ["sweep", "small.toml", "run.updates=1", "seed=1..3", "--json"];
    let (json, said) = ends(at, &words, 1);
    let states: Vec<Value> = points(&json).into_iter().map(|mut point| point[1].take()).collect();
    assert_eq!((&states[0], &states[2]), (&"done".into(), &"done".into()), "{json}");
    assert!(said.contains("1 of 3 points failed:\n  seed=2: ") && said.contains("metrics.jsonl"), "{said}");
    // Nothing begins where nothing can.
    let (_, said) = ends(at, &["sweep", "small.toml", "optim.sgd.lrr=1,2", "--out", "none"], 2);
    assert!(
        said.contains("unknown key `optim.sgd.lrr`") && said.contains("hint: did you mean `lr`?"),
        "{said}"
    );
    assert!(!at.join("none").exists());
}

#[test]
fn two_sweeps_at_once_do_every_point_once() {
    let folder = folder();
    let at = folder.path();
    let words = ["sweep", "small.toml", "seed=1..5", "task.digits.epochs=6", "--json"];
    let start = || {
        bouton(at, &words).stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped()).spawn()
    };
    let both = [start().unwrap(), start().unwrap()];
    let [a, b] = both.map(|sweep| {
        let output = sweep.wait_with_output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        points(&String::from_utf8(output.stdout).unwrap())
    });
    assert_eq!(a, b);
    assert!(a.len() == 5 && a.iter().all(|point| point[1] == "done"), "{a:?}");
    assert_eq!(runs(&at.join("runs")).len(), 5, "each point has one run");
}

#[cfg(unix)]
const PAGE: &str = include_str!("../../../../docs/src/guides/sweep.md");

/// The guide's own commands on its own files, with few and short epochs.
#[cfg(unix)]
#[test]
fn the_guide_does_what_it_says() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let short = blocks(PAGE, "toml")[0].replace("epochs = 20", "epochs = 1\ntrain = 32\ntest = 10");
    assert!(short.contains("train = 32"));
    std::fs::write(at.join("mine.toml"), short).unwrap();
    std::fs::write(at.join("sweep.toml"), blocks(PAGE, "toml,fragment")[0]).unwrap();
    let told = carry_out(PAGE, at, str::to_owned);
    let tables: Vec<usize> = told.iter().map(|(_, out)| out.lines().count()).collect();
    assert_eq!(
        tables,
        [10, 7, 17, 1, 5, 0],
        "heads and rows; one of four points is left after the first sweep"
    );
}

/// What a signal does to the sweep and to its children.
#[cfg(unix)]
mod signals {
    use super::*;
    use crate::train::wait_for;
    use bouton::train::Checkpoints;
    use std::os::unix::process::CommandExt;
    use std::process::{Child, Command, Stdio};
    use std::thread::sleep;
    use std::time::{Duration, Instant};

    /// Sends a signal to a process, or, with a dash before it, to all of its group.
    fn signal(name: &str, process: &str) {
        let _ =
            Command::new("kill").args([&format!("-{name}"), "--", process]).stderr(Stdio::null()).status();
    }

    fn start(at: &Path, words: &[&str]) -> Child {
        bouton(at, words).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
    }

    /// The processes that are writing a run.
    fn writers(out: &Path) -> Vec<u32> {
        let states = runs(out).into_iter().filter_map(|run| RunDir::open(run).ok()?.status().ok());
        states.filter(|status| status.state == State::Running).map(|status| status.pid).collect()
    }

    #[test]
    fn a_sweep_that_is_interrupted_keeps_checkpoints_and_goes_on() {
        let folder = folder();
        let at = folder.path();
        // Updates long enough to be asked twice within one.
        let slow = ["task.digits.epochs=100000", "run.log-every=1", "credit.eq-prop.free-steps=20000"];
        let words = [&["sweep", "small.toml", "seed=1..3"], &slow[..], &["--jobs", "2"]].concat();
        let mut command = bouton(at, &words);
        let sweep = command.process_group(0).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let out = at.join("runs");
        wait_for(&out, "metrics.jsonl");
        while writers(&out).len() < 2 {
            sleep(Duration::from_millis(10));
        }
        // As Ctrl-C in a terminal; a child that heard it, too, would stop at once when the sweep asks it to.
        signal("INT", &format!("-{}", sweep.id()));
        let output = sweep.wait_with_output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(130), "{said}");
        assert!(said.contains("the same command goes on") && !said.contains("failed"), "{said}");
        assert!(output.stdout.is_empty());
        let runs = runs(&out);
        assert_eq!(runs.len(), 2, "nothing more begins");
        for run in runs {
            let run = RunDir::open(run).unwrap();
            assert_eq!(run.status().unwrap().state, State::Interrupted);
            let log = std::fs::read_to_string(run.log()).unwrap();
            let kept = Checkpoints::new(run.checkpoints(), None).newest().unwrap().unwrap().step;
            assert!(log.trim_end().ends_with(&format!("interrupted after update {kept}")), "{log}");
        }
        let (_, said) = succeeds(at, &[&words[..], &["--dry-run"]].concat());
        assert!(said.contains("3 points: 0 done, 3 left"), "{said}");
    }

    /// Kills sweeps of so many points and their children so many times; the same command then ends with the table of a
    /// sweep that nobody disturbed. Returns how many kills struck a process at work.
    fn survives(n: usize, epochs: usize, kills: u64) -> usize {
        let folder = folder();
        let at = folder.path();
        let seeds = format!("seed=1..{n}");
        let epochs = format!("task.digits.epochs={epochs}");
        let words = ["sweep", "small.toml", &seeds, &epochs, "run.checkpoint-every=20", "--json"];
        let words = |out| [&words[..], &["--jobs", "2", "--out", out]].concat();
        let (whole, _) = succeeds(at, &words("whole"));
        let out = at.join("killed");
        let mut random = 88_172_645_463_325_252_u64 + u64::from(std::process::id());
        let mut struck = 0;
        let mut sweep = start(at, &words("killed"));
        for kill in 0..kills {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            // The first kill strikes the first run at once, on machines of any speed; later ones come at any time.
            while kill == 0 && writers(&out).is_empty() {
                sleep(Duration::from_millis(1));
            }
            sleep(Duration::from_millis(random % 420 * kill / kills));
            let writers = writers(&out);
            struck += usize::from(!writers.is_empty());
            match writers.first() {
                Some(child) if kill % 2 == 1 => signal("KILL", &child.to_string()),
                _ => signal("KILL", &sweep.id().to_string()),
            }
            if kill % 2 == 0 || sweep.try_wait().unwrap().is_some() {
                sweep.wait().unwrap();
                sweep = start(at, &words("killed"));
            }
        }
        sweep.wait().unwrap();
        let (table, said) = succeeds(at, &words("killed"));
        assert_eq!(points(&table), points(&whole), "{said}");
        assert_eq!(runs(&out).len(), n, "no point has two runs");
        assert_eq!(RunDir::list(&out).unwrap().damaged.len(), 0);
        struck
    }

    #[test]
    fn a_sweep_that_is_killed_ends_with_the_same_table() {
        assert!(survives(3, 60, 2) > 0);
    }

    /// `cargo test --release -p bouton-cli --test it -- --ignored killed_twenty`
    #[test]
    #[ignore = "takes a minute"]
    #[allow(clippy::disallowed_macros)] // Its result is to be seen, too.
    fn a_sweep_that_is_killed_twenty_times_ends_with_the_same_table() {
        let began = Instant::now();
        let struck = survives(12, 400, 20);
        eprintln!("{struck} of 20 kills struck, {:.0} s", began.elapsed().as_secs_f64());
        assert!(struck > 10);
    }
}

/// Every rule of the credit atlas, at every number of samples and with every seed.
#[test]
fn the_atlas_is_a_sweep_of_recipes_that_stand() {
    let folder = folder();
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../../recipes/credit-atlas/sweep.toml");
    let words = ["sweep", file, "run.updates=2", "task.random-hierarchy.test=8", "--dry-run"];
    let (lines, said) = succeeds(folder.path(), &words);
    assert_eq!(lines.lines().filter(|line| line.starts_with("bouton run")).count(), 11 * 6 * 3, "{said}");
}
