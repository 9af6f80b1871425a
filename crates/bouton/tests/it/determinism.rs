//! The same bits for any number of threads, for any company in a batch, and after any interruption.

use crate::common;
use bouton::credit::GradCollector;
use bouton::recipe::Recipe;
use bouton::rng::Key;
use bouton::train::{Checkpoints, Outcome, RunDir, RunOptions, Silent, State, Trainer, metrics, run};
use bouton::{Error, Result};
use std::cell::Cell;
use std::path::Path;

const RECIPE: &str = r#"
name = "small"
[task.digits]
batch = 40
epochs = 2
train = 400
test = 100
[network]
layers = [64, 48, 10]
[neuron.settle]
activation = "hard-sigmoid"
output = "linear"
[credit.eq-prop]
beta = 0.2
nudge = "random-sign"
free-steps = 12
nudged-steps = 6
start = "persistent"
[solver.even-odd]
relaxation = 1.2
tolerance = 1e-4
[optim.adam]
lr = 0.002
[run]
log-every = 3
"#;

fn recipe(overrides: &[&str]) -> Recipe {
    Recipe::parse(RECIPE, "small.toml").unwrap().with_overrides(overrides).unwrap()
}

fn train(out: &Path, recipe: &Recipe, stop_after: Option<u64>) -> Result<Outcome> {
    let asked = Cell::new(0);
    let interrupt = || {
        asked.set(asked.get() + 1);
        stop_after == Some(asked.get())
    };
    let options = RunOptions { interrupt: &interrupt, ..RunOptions::new(out) };
    run(recipe, &options, &mut Silent)
}

/// The last checkpoint's bytes and the metrics without wall times.
fn result(outcome: Outcome) -> (Vec<u8>, Vec<metrics::Record>) {
    let (Outcome::Finished { run, .. } | Outcome::AlreadyDone { run }) = outcome;
    let dir = RunDir::open(run).unwrap();
    let last = std::fs::read(Checkpoints::new(dir.checkpoints(), None).last()).unwrap();
    let mut records = metrics::read(&dir.metrics()).unwrap().records;
    records.iter_mut().for_each(|r| r.wall = 0.0);
    (last, records)
}

fn with_threads<R: Send>(threads: usize, work: impl FnOnce() -> R + Send) -> R {
    rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap().install(work)
}

#[test]
fn one_and_two_threads_make_the_same_bits() {
    let run = |threads| {
        let folder = tempfile::tempdir().unwrap();
        with_threads(threads, || result(train(folder.path(), &recipe(&[]), None).unwrap()))
    };
    assert_eq!(run(1), run(2));
}

#[test]
fn an_interrupted_run_goes_on_bit_exactly() {
    let whole = tempfile::tempdir().unwrap();
    let expected = result(train(whole.path(), &recipe(&[]), None).unwrap());
    for stop in [1, 4, 10, 13] {
        let folder = tempfile::tempdir().unwrap();
        let first = train(folder.path(), &recipe(&[]), Some(stop));
        assert!(matches!(first, Err(Error::Interrupted)), "{first:?}");
        let dir = RunDir::list(folder.path()).unwrap().runs.remove(0).run;
        assert_eq!(dir.status().unwrap().state, State::Interrupted);
        assert_eq!(
            result(train(folder.path(), &recipe(&[]), None).unwrap()),
            expected,
            "stopped after {stop}"
        );
        assert!(matches!(train(folder.path(), &recipe(&[]), None).unwrap(), Outcome::AlreadyDone { .. }));
    }
}

#[test]
fn another_seed_makes_other_bits() {
    let folder = tempfile::tempdir().unwrap();
    let a = result(train(folder.path(), &recipe(&[]), None).unwrap());
    let b = result(train(folder.path(), &recipe(&["seed=2"]), None).unwrap());
    assert_ne!(a.0, b.0);
}

#[test]
fn a_checkpoint_of_another_network_is_refused_by_name_and_shape() {
    let mut small = Trainer::new(&recipe(&[]), None).unwrap();
    let mut large = Trainer::new(&recipe(&["network.layers=[64, 50, 10]"]), None).unwrap();
    let error = large.restore(&small.checkpoint().unwrap()).unwrap_err();
    assert!(error.to_string().contains("hidden1"), "{error}");
    assert!(error.hint().is_some());
}

#[test]
fn checkpoints_at_update_zero_and_every_k_updates() {
    let folder = tempfile::tempdir().unwrap();
    let recipe = recipe(&["run.checkpoint-every=5", "run.updates=12", "run.keep-checkpoints=all"]);
    train(folder.path(), &recipe, None).unwrap();
    let dir = RunDir::list(folder.path()).unwrap().runs.remove(0).run;
    let steps = Checkpoints::new(dir.checkpoints(), None).steps().unwrap();
    assert_eq!(steps, [0, 5, 10, 12]);
}

#[test]
fn a_sample_does_not_feel_its_company() {
    let spec = common::recipe(
        &[20, 12, 9, 5],
        "[neuron.settle]\nactivation = \"tanh\"\n[credit.eq-prop]\nbeta = 0.1\nfree-steps = 60\nnudged-steps = 9\n\
         [solver.even-odd]\ntolerance = 1e-6",
    );
    let mut network = spec.build().unwrap();
    let batch = common::batch(&network, 5);
    let mut flat = |rows: std::ops::Range<usize>| {
        let part = bouton::credit::Batch {
            x: batch.x.rows_view(rows.clone()).to_mat(),
            target: batch.target.part(rows.clone()),
            ids: batch.ids[rows].to_vec(),
            spans: None,
        };
        let mut rule = spec.credit.build(&spec.solver, &network, 8).unwrap();
        let mut sink = GradCollector::default();
        rule.learn(&mut network, &part, &*spec.objective.build(), &mut sink, &Key::new(1)).unwrap();
        sink.flat(&network)
    };
    let all = flat(0..8);
    let mut mean = vec![0.0; all.len()];
    for r in 0..8 {
        mean.iter_mut().zip(flat(r..r + 1)).for_each(|(m, g)| *m += g / 8.0);
    }
    assert!(common::relative_error(&mean, &all) < 1e-13);
}

#[test]
fn divergence_names_population_phase_and_update() {
    let folder = tempfile::tempdir().unwrap();
    let tables = ["optim.adam.lr=1e6", "neuron.settle.activation=\"hard-sigmoid\""];
    let error = train(folder.path(), &recipe(&tables), None).unwrap_err();
    assert_eq!(error.exit_code(), 1);
    assert!(error.to_string().contains("update"), "{error}");
    let dir = RunDir::list(folder.path()).unwrap().runs.remove(0).run;
    assert_eq!(dir.status().unwrap().state, State::Failed);
}
