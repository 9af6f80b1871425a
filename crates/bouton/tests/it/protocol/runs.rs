//! What a run writes down and keeps: which updates stand behind a line, which checkpoint is the best, and where it goes on.

use super::{layered, near, trainer};
use bouton::recipe::Recipe;
use bouton::train::{Checkpoint, Checkpoints, Outcome, Record, RunOptions, Silent, metrics, run};
use std::cell::Cell;
use std::path::{Path, PathBuf};

/// Runs `text` in `out`, interrupted after `updates` more updates if there are more; the folder of the run once it is done.
fn go(text: &str, out: &Path, updates: usize) -> Option<PathBuf> {
    let asked = Cell::new(0);
    let interrupt = || {
        asked.set(asked.get() + 1);
        asked.get() >= updates
    };
    let options = RunOptions { interrupt: &interrupt, ..RunOptions::new(out) };
    match run(&Recipe::parse(text, "protocol").unwrap(), &options, &mut Silent) {
        Ok(Outcome::Finished { run, .. }) => Some(run),
        Err(bouton::Error::Interrupted) => None,
        other => panic!("{other:?}"),
    }
}

fn whole(text: &str) -> (tempfile::TempDir, PathBuf) {
    let out = tempfile::tempdir().unwrap();
    let run = go(text, out.path(), usize::MAX).unwrap();
    (out, run)
}

/// The lines of one split.
fn lines(run: &Path, split: &str) -> Vec<Record> {
    let all = metrics::read(&run.join("metrics.jsonl")).unwrap().records;
    all.into_iter().filter(|r| r.split == split).collect()
}

fn steps(run: &Path, split: &str) -> Vec<u64> {
    lines(run, split).iter().map(|r| r.step).collect()
}

/// A run of twelve epochs whose accuracy on 12 samples of 36, held back, goes up and down.
fn restless(more: &str) -> String {
    layered(&format!("[optim.sgd]\nlr = 0.6\n[run]\nkeep-checkpoints = 2\n{more}"))
        .replace("epochs = 2", "epochs = 12")
        .replace("train = 24", "train = 36\nvalidation = 0.3333")
}

#[test]
fn the_best_checkpoint_is_the_first_of_the_best_on_samples_held_back() {
    let of = |run: &Path, split: &str| -> Vec<(u64, f64)> {
        lines(run, split).iter().map(|r| (r.step, r.values["accuracy"])).collect()
    };
    // A run that tells the first of the best from the last, from the last of all, and from the best of the test samples.
    let told = |seed: u64| {
        let (out, run) = whole(&format!("seed = {seed}\n{}", restless("")));
        let (scores, tests) = (of(&run, "validation"), of(&run, "test"));
        let most = scores.iter().map(|t| t.1).fold(0.0, f64::max);
        let place = |t: &(u64, f64)| t.1 == most;
        let (first, last) = (scores.iter().position(place)?, scores.iter().rposition(place)?);
        let best_test = tests.iter().enumerate().max_by(|a, b| a.1.1.total_cmp(&b.1.1))?.0;
        let tells = 0 < first && first < last && last < scores.len() - 1 && best_test != first;
        tells.then_some((out, run, scores[first].0, most))
    };
    let (_out, run, first, most) = (1..40).find_map(told).expect("a seed that tells");
    let checkpoints = Checkpoints::new(run.join("checkpoints"), Some(2));
    let step = |path: PathBuf| Checkpoint::load(&path).unwrap().meta::<u64>("step").unwrap();
    assert_eq!(step(checkpoints.best()), first);
    assert_eq!(step(checkpoints.last()), 48);
    assert_eq!(checkpoints.steps().unwrap(), [44, 48]);
    let best = Checkpoint::load(&checkpoints.best()).unwrap();
    assert_eq!(best.meta::<f64>("best").unwrap(), most);
    let (_out, run) = whole(&layered("[optim.sgd]\nlr = 0.6\n"));
    assert!(!run.join("checkpoints/best.safetensors").exists(), "nothing is held back to choose by");
}

/// Patience counts tests without a better score; what it ends is finished, and its last lines are those of its last weights.
#[test]
fn a_run_without_patience_left_ends_early() {
    let (_all, whole_run) = whole(&restless(""));
    let scores: Vec<f64> = lines(&whole_run, "validation").iter().map(|r| r.values["accuracy"]).collect();
    let (mut best, mut stale, mut tests) = (f64::MIN, 0, 0);
    for score in &scores {
        tests += 1;
        (best, stale) = if *score > best { (*score, 0) } else { (best, stale + 1) };
        if stale == 2 {
            break;
        }
    }
    assert!(stale == 2 && (3..12).contains(&tests), "a run that tells it: {scores:?}");
    let text = restless("patience = 2\n");
    let (_out, run) = whole(&text);
    assert_eq!(steps(&run, "validation"), (1..=tests).map(|t| 4 * t).collect::<Vec<_>>());
    assert_eq!(steps(&run, "test"), steps(&run, "validation"));
    assert_eq!(
        bouton::train::RunDir::open(&run).unwrap().status().unwrap().state,
        bouton::train::State::Done
    );
    let last = |run: &Path| Checkpoint::load(&run.join("checkpoints/last.safetensors")).unwrap();
    assert_eq!(last(&run).meta::<u64>("step").unwrap(), 4 * tests);
    // Interrupted right after the last test it is over when it goes on.
    let out = tempfile::tempdir().unwrap();
    assert!(go(&text, out.path(), 4 * tests as usize).is_none());
    let parts = go(&text, out.path(), usize::MAX).unwrap();
    assert!(last(&run) == last(&parts));
}

/// Patience needs samples to choose by, and one task.
#[test]
fn patience_without_samples_to_choose_by_is_refused() {
    let text = "[task.digits]\nbatch = 8\nepochs = 1\nVALIDATION\n[network]\nlayers = [64, 8, 10]\n[neuron.relu]\n\
        [credit.backprop]\n[objective.squared-error]\n[optim.sgd]\nlr = 0.1\n[run]\npatience = 3\n";
    let refused = |text: String| {
        let error = Recipe::parse(&text, "r").and_then(|r| r.check()).unwrap_err();
        format!("{error} / {}", error.hint().unwrap())
    };
    let said = refused(text.replace("VALIDATION", ""));
    assert!(said.contains("[task.digits] holds none back / task.digits.validation = 0.1"), "{said}");
    let held = text.replace("VALIDATION", "validation = 0.1");
    assert!(Recipe::parse(&held, "r").and_then(|r| r.check()).is_ok());
    let said = refused(format!("{held}[sequence.permuted]\ntasks = 2\n"));
    assert!(said.contains("before the last task of [sequence.permuted]"), "{said}");
}

/// Samples held back are of every class alike, the same for every seed, and none of those that are learned from.
#[test]
fn held_samples_are_not_learned_from() {
    let text = restless("").replace("batch = 6", "batch = 1");
    let seen = |seed: &str| {
        let mut t = trainer(&text, &[seed]);
        let dtype = t.network.dtype;
        let rows = |batch: bouton::credit::Batch| -> Vec<Vec<u64>> {
            batch.x.to_f64s().chunks(9).map(|x| x.iter().map(|x| x.to_bits()).collect()).collect()
        };
        let learned: Vec<_> =
            (0..24).flat_map(|update| rows(t.task_stream.train.batch(update, dtype))).collect();
        let part = &t.task_stream.validations[0];
        let held: Vec<_> = t.task_stream.train.in_order(part, None, dtype).collect();
        let bouton::objective::Target::Classes(classes) = &held[0].target else { panic!("classes") };
        let counts: Vec<usize> =
            (0..4).map(|c| classes.iter().filter(|class| **class == c).count()).collect();
        assert_eq!(counts, [3; 4]);
        (learned, held.into_iter().flat_map(rows).collect::<Vec<_>>(), t.task_stream.held.clone().unwrap())
    };
    let (learned, held, sum) = seen("seed=1");
    assert_eq!((learned.len(), held.len()), (24, 12));
    assert!(held.iter().all(|x| !learned.contains(x)));
    let (other, again, same) = seen("seed=2");
    assert!(learned != other && held == again && sum == same, "another order, the same samples");
    let (_out, run) = whole(&text);
    let provenance = bouton::train::Provenance::read(&run.join("provenance.json")).unwrap();
    assert!(provenance.data.values().any(|found| *found == sum), "{:?}", provenance.data);
}

/// In a sequence the question changes with every task: the best is that of the last one.
#[test]
fn every_task_has_a_best_of_its_own() {
    let text = restless("").replace("[run]", "[sequence.permuted]\ntasks = 2\n[run]");
    let (_out, run) = whole(&text);
    let scores: Vec<(u64, f64)> =
        lines(&run, "validation").iter().map(|r| (r.step, r.values["accuracy"])).collect();
    let of_last = || scores.iter().filter(|(step, _)| *step > 48);
    let most = of_last().map(|s| s.1).fold(0.0, f64::max);
    assert!(scores.iter().any(|s| s.1 > most), "a run that tells them apart: {scores:?}");
    let first = of_last().find(|s| s.1 == most).unwrap().0;
    let best = Checkpoint::load(&run.join("checkpoints/best.safetensors")).unwrap();
    assert_eq!(best.meta::<u64>("step").unwrap(), first);
}

/// `batch` lines are means since the last one, `train` lines means of an epoch, both per sample.
#[test]
fn lines_are_means_of_the_updates_behind_them() {
    let text = layered("[optim.sgd]\nlr = 0.1\n[run]\nlog-every = 3\n").replace("train = 24", "train = 22");
    let (_out, run) = whole(&text);
    let mut t = trainer(&text, &[]);
    let all: Vec<_> = (0..8).map(|_| t.learn().unwrap()).collect();
    let sum = |from: usize, to: usize| {
        all[from..to].iter().fold(bouton::credit::Step::default(), bouton::credit::Step::with)
    };
    for (split, windows) in [("batch", &[(0, 3), (3, 6)][..]), ("train", &[(0, 4), (4, 8)])] {
        let found = lines(&run, split);
        assert_eq!(found.len(), windows.len(), "{split}");
        for (line, &(from, to)) in found.iter().zip(windows) {
            let step = sum(from, to);
            let wanted =
                [Some(step.mean_loss()), step.value("accuracy"), step.value("error")].map(Option::unwrap);
            assert!(near(&["loss", "accuracy", "error"].map(|k| line.values[k]), &wanted), "{split} at {to}");
            assert_eq!((line.step, line.epoch), (to as u64, to.div_ceil(4) as u64), "{split}");
        }
    }
    assert_eq!(sum(0, 4).samples, 22);
}

/// Tests are due after every so many epochs, at the end of a task, and at the end.
#[test]
fn tests_come_when_they_are_due() {
    let with =
        |more: &str| layered(&format!("[optim.sgd]\nlr = 0.1\n{more}")).replace("epochs = 2", "epochs = 5");
    let at = |more: &str, split: &str| steps(&whole(&with(more)).1, split);
    assert_eq!(at("", "test"), [4, 8, 12, 16, 20]);
    assert_eq!(at("[run]\ntest-every = 2\n", "test"), [8, 16, 20]);
    assert_eq!(at("[run]\ntest-every = 3\nupdates = 18\n", "test"), [12, 18]);
    assert_eq!(at("[run]\nupdates = 18\n", "train"), [4, 8, 12, 16, 18]);
    assert_eq!(at("[run]\nlog-every = 7\n", "batch"), [7, 14]);
    let tasks = "[sequence.permuted]\ntasks = 2\n[continual]\nupdates = 6\n[run]\ntest-every = 5\n";
    assert_eq!(at(tasks, "test"), [6, 12], "six updates are an epoch and a half");
}

/// Checkpoints at the end of every epoch, or also every so many updates and before the first.
#[test]
fn checkpoints_come_when_they_are_due() {
    let kept = |more: &str| {
        let (_out, run) = whole(&layered(&format!("[optim.sgd]\nlr = 0.1\n[run]\n{more}")));
        Checkpoints::new(run.join("checkpoints"), None).steps().unwrap()
    };
    assert_eq!(kept("keep-checkpoints = 99\n"), [4, 8]);
    assert_eq!(kept("keep-checkpoints = 99\ncheckpoint-every = 3\n"), [0, 3, 4, 6, 8]);
    assert_eq!(kept("keep-checkpoints = 1\ncheckpoint-every = 3\n"), [8]);
}

/// R: a row after each task, of every task, or of the newest ones; before training a baseline; means over seen tasks.
#[test]
fn accuracies_by_task_are_what_was_tested() {
    let text = |more: &str| {
        layered(&format!("[sequence.permuted]\ntasks = 3\n[optim.sgd]\nlr = 0.1\n[continual]\n{more}"))
    };
    let told = |run: &Path| -> serde_json::Value {
        serde_json::from_slice(&std::fs::read(run.join("continual.json")).unwrap()).unwrap()
    };
    let (_out, run) = whole(&text(""));
    let all = told(&run);
    for task in 0..3 {
        let column = lines(&run, &format!("test.{}", task + 1));
        let ends: Vec<f64> =
            [8, 16, 24].map(|s| column.iter().find(|r| r.step == s).unwrap().values["accuracy"]).into();
        let found: Vec<f64> = (0..3).map(|t| all["accuracy"][t][task].as_f64().unwrap()).collect();
        assert_eq!(found, ends, "task {task}");
        assert_eq!(all["baseline"][task].as_f64().unwrap(), column[0].values["accuracy"]);
        assert_eq!(column.iter().map(|r| r.step).filter(|s| *s == 0).count(), 1, "one baseline");
    }
    for (test, seen) in lines(&run, "test").iter().zip([1, 1, 2, 2, 3, 3]) {
        let of = |task: usize| {
            let column = lines(&run, &format!("test.{task}"));
            column.iter().find(|r| r.step == test.step).unwrap().values["accuracy"]
        };
        let mean = (1..=seen).map(of).sum::<f64>() / seen as f64;
        assert!(near(&[test.values["accuracy"], test.values["error"]], &[mean, 1.0 - mean]), "{}", test.step);
    }
    assert_eq!(steps(&run, "test.3"), [0, 8, 16, 20, 24], "a future task is tested where a row is due");
    let (_out, run) = whole(&text("recent = 1\n"));
    assert_eq!(told(&run)["accuracy"][2].as_array().unwrap().iter().filter(|a| a.is_null()).count(), 2);
    assert_eq!(steps(&run, "test.1").last(), Some(&8), "an old task is not tested");
    let (newest, all) = (lines(&run, "test.3"), lines(&run, "test"));
    assert_eq!(newest.last().unwrap().values["accuracy"], all.last().unwrap().values["accuracy"]);
    let (_out, run) = whole(&text("joint = true\n"));
    let mixed = told(&run);
    assert_eq!(mixed["accuracy"].as_array().unwrap().len(), 1);
    assert_eq!(mixed["metrics"].as_object().unwrap().keys().collect::<Vec<_>>(), ["acc"]);
}

/// Interrupted wherever it may be, a run ends with the same lines and the same checkpoints.
#[test]
fn a_run_goes_on_as_if_nothing_had_happened() {
    let log = "[run]\nlog-every = 5\nkeep-checkpoints = 99\n";
    let tasks = "[sequence.permuted]\ntasks = 2\n[continual]\nreset-optimiser = true\n";
    let adam = "[optim.adam]\nlr = 0.05\n";
    let bits = layered(&format!("[norm.batch]\n[synapse.metaplastic]\nm = 1.0\n{adam}{log}"));
    let texts = [
        restless("log-every = 5\n"),
        layered(&format!("{tasks}[anchor.si]\nc = 1.0\n{adam}{log}")),
        layered(&format!("{tasks}[norm.batch]\nper-task = true\n{adam}{log}")),
        bits.replace("[neuron.relu]", "[neuron.sign]"),
    ];
    for text in texts {
        let (_out, whole) = whole(&text);
        let out = tempfile::tempdir().unwrap();
        let stops = match text.contains("epochs = 12") {
            true => [3, 16, 17, 8],
            false if text.contains("sequence") => [3, 1, 6, 2],
            false => [3, 1, 2, 1],
        };
        let done = stops.into_iter().find_map(|updates| go(&text, out.path(), updates));
        assert!(done.is_none(), "it was interrupted four times");
        let parts = go(&text, out.path(), usize::MAX).unwrap();
        for split in ["batch", "train", "validation", "test", "test.1"] {
            let of =
                |run| lines(run, split).into_iter().map(|r| (r.step, r.epoch, r.values)).collect::<Vec<_>>();
            assert_eq!(of(&whole), of(&parts), "{split}\n{text}");
        }
        let last = |run: &Path| Checkpoint::load(&run.join("checkpoints/last.safetensors")).unwrap();
        assert!(last(&whole) == last(&parts), "{text}");
        let best = |run: &Path| Checkpoint::load(&run.join("checkpoints/best.safetensors")).ok();
        assert!(best(&whole) == best(&parts), "{text}");
        assert_eq!(best(&whole).is_some(), text.contains("validation"));
        for file in ["continual.json", "importance.json"] {
            let read = |run: &Path| std::fs::read(run.join(file)).ok();
            assert_eq!(read(&whole), read(&parts), "{file}\n{text}");
        }
    }
}

/// A finished run says how far it came; one that was interrupted, too.
#[test]
fn the_status_says_how_far_a_run_came() {
    let text = layered("[optim.sgd]\nlr = 0.1\n");
    let out = tempfile::tempdir().unwrap();
    assert!(go(&text, out.path(), 6).is_none());
    let mut runs = std::fs::read_dir(out.path()).unwrap().map(|entry| entry.unwrap().path());
    let run = runs.find(|path| path.join("status.json").is_file()).unwrap();
    let status = || {
        let status = bouton::train::RunDir::open(&run).unwrap().status().unwrap();
        (status.state, status.step, status.epoch)
    };
    assert_eq!(status(), (bouton::train::State::Interrupted, 6, 1));
    let checkpoints = Checkpoints::new(run.join("checkpoints"), None);
    assert_eq!(checkpoints.newest().unwrap().unwrap().step, 6, "nothing is lost");
    go(&text, out.path(), usize::MAX).unwrap();
    assert_eq!(status(), (bouton::train::State::Done, 8, 2));
}

/// The bits that turned in an epoch, over all of a connection's.
#[test]
fn flips_are_counted_by_epoch() {
    let text = layered("[norm.batch]\n[synapse.binary]\n[optim.adam]\nlr = 0.05\n")
        .replace("[neuron.relu]", "[neuron.sign]");
    let (_out, run) = whole(&text);
    let mut t = trainer(&text, &[]);
    let signs = |t: &bouton::train::Trainer| t.network.connections[0].weight.mat().to_f64s();
    for line in lines(&run, "train") {
        let before = signs(&t);
        for _ in 0..4 {
            t.learn().unwrap();
        }
        let flipped = before.iter().zip(signs(&t)).filter(|(a, b)| **a != *b).count();
        assert!(flipped > 0);
        assert_eq!(line.values["flips.input-hidden1"], flipped as f64 / 45.0);
    }
}

/// Shares of phases that did not settle are per phase, those of lost complex phases per sample.
#[test]
fn settling_is_told_as_shares() {
    let text = "[task.synthetic]\nshape = [1, 3, 3]\nclasses = 4\ntrain = 20\ntest = 8\nbatch = 20\nepochs = 1\n[network]\n\
        layers = [9, 6, 4]\n[neuron.settle]\nactivation = \"shifted-sigmoid\"\n[optim.sgd]\nlr = 0.0\n";
    let ep = format!(
        "{text}[credit.eq-prop]\nbeta = 0.5\nfree-steps = 3\nnudged-steps = 2\n[solver.synchronous]\ntolerance = 1e-9\n"
    );
    let line = lines(&whole(&ep).1, "train").remove(0).values;
    for (phase, sweeps) in [("free", 3.0), ("nudged", 2.0)] {
        assert_eq!(line[&format!("unsettled.{phase}")], 1.0, "{phase}");
        assert_eq!(line[&format!("sweeps.{phase}")], sweeps, "{phase}");
        assert!(line[&format!("residual.{phase}")] > 1e-9, "{phase}");
    }
    let wild = format!(
        "{text}[wiring.dense]\ngain = 3.0\n[credit.holomorphic-eq-prop]\nbeta = 9.0\npoints = 4\nfree-steps = 9\nnudged-steps = 9\n"
    );
    let line = lines(&whole(&wild).1, "train").remove(0).values;
    let share = line["fallback"];
    assert!(share == 1.0 || share == 0.5, "whole shards of ten: {share}");
}
