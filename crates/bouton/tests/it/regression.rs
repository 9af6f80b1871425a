//! Values as targets, from recipe to run: what is learned, measured, kept as best, gone on with, and refused.

use bouton::credit::{Acts, CreditSpec};
use bouton::objective::TargetKind;
use bouton::recipe::Recipe;
use bouton::train::{Checkpoint, Checkpoints, Outcome, RunOptions, Silent, Trainer, metrics, run};
use std::cell::Cell;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

const TASK: &str = "[task.teacher]\ninputs = 8\noutputs = 2\nrule = { polynomial = { degree = 1, directions = 2 } }\n\
    train = 200\ntest = 50\nbatch = 10\nepochs = 6\n[network]\nlayers = [8, 16, 2]\n";
const PASS: &str = "[neuron.relu]\n[credit.backprop]\n[optim.sgd]\nlr = 0.05\n";
const SETTLING: &str = "[neuron.settle]\nactivation = \"tanh\"\noutput = \"linear\"\n[optim.sgd]\nlr = 0.1\n";

const IN_TIME: &str = "[neuron.leaky]\ntau = 0.1\n[credit.bptt]\n[optim.sgd]\nlr = 0.05\n";

fn recipe(tables: &str) -> bouton::Result<Recipe> {
    let recipe = Recipe::parse(&format!("{TASK}{tables}"), "test")?;
    recipe.check().map(|()| recipe)
}

fn trained(recipe: &Recipe) -> BTreeMap<&'static str, f64> {
    let mut trainer = Trainer::new(recipe, None).unwrap();
    (0..trainer.updates()).for_each(|_| drop(trainer.learn().unwrap()));
    trainer.evaluate(0).unwrap().metrics().map(|(metric, value)| (metric.name, value)).collect()
}

/// A linear teacher is met by every credit rule that goes with values, in a network that passes, settles or moves in time.
#[test]
fn every_rule_learns_a_linear_teacher() {
    let mut learned = 0;
    // Those that hidden units learn without a teacher by are none of a regression's.
    let values = |credit: &CreditSpec| {
        let needs = credit.method().needs();
        !needs.rewards && needs.acts != Acts::Local
    };
    for credit in CreditSpec::all().into_iter().filter(values) {
        let settling = format!("{SETTLING}[credit.bptt]\nsteps = 30\n");
        let fields = format!("{settling}[wiring.dense]\nfeedback = \"vector-field\"\n");
        let fits = [PASS, &settling, &fields, IN_TIME].into_iter().find_map(|tables| {
            let with = Recipe { credit: credit.clone(), ..recipe(tables).unwrap() };
            with.check().is_ok().then_some(with)
        });
        let Some(mut recipe) = fits else { panic!("{credit:?} goes with no unit") };
        recipe.credit.method_mut().unwrap().steps_mut().into_iter().for_each(|n| *n = (*n).min(40));
        if recipe.credit.method().needs().online && recipe.credit.method().needs().acts.nudges() {
            // Weights that move within a batch have to move less than the nudge moves states.
            let beta = format!("credit.{}.beta=0.3", bouton::recipe::variant_name(&recipe.credit));
            recipe = recipe.with_overrides(&[beta.as_str(), "optim.sgd.lr=0.01"]).unwrap();
        }
        if recipe.credit.method().needs().pushes.is_some_and(|beta| beta < 1e-3) {
            // In single precision a difference of states that a nudge this small leaves is noise.
            recipe.precision = bouton::recipe::Precision::F64;
        }
        let values = trained(&recipe);
        assert!(values["r2"] > 0.7, "{credit:?}: {values:?}");
        assert!(values["mse"] < 0.4 && values["mae"] < 0.6 && values.len() == 3, "{credit:?}: {values:?}");
        learned += 1;
    }
    assert_eq!(learned, CreditSpec::all().iter().filter(|credit| values(credit)).count());
}

fn go(recipe: &Recipe, out: &Path, updates: usize) -> Option<PathBuf> {
    let asked = Cell::new(0);
    let interrupt = || {
        asked.set(asked.get() + 1);
        asked.get() >= updates
    };
    let options = RunOptions { interrupt: &interrupt, ..RunOptions::new(out) };
    match run(recipe, &options, &mut Silent) {
        Ok(Outcome::Finished { run, .. }) => Some(run),
        Err(bouton::Error::Interrupted) => None,
        other => panic!("{other:?}"),
    }
}

/// The lines of a run but for their times.
fn lines(run: &Path) -> Vec<(u64, String, BTreeMap<String, f64>)> {
    let all = metrics::read(&run.join("metrics.jsonl")).unwrap().records;
    all.into_iter().map(|r| (r.step, r.split, r.values)).collect()
}

/// Few samples with much noise: what is learned of them by heart makes the error rise again.
#[test]
fn the_best_of_a_regression_has_the_least_error() {
    let restless = Recipe::parse(
        &format!("{TASK}{PASS}")
            .replace("epochs = 6", "epochs = 40\nnoise = 1.0")
            .replace("train = 200", "train = 40\nvalidation = 0.5"),
        "test",
    )
    .unwrap();
    let out = tempfile::tempdir().unwrap();
    let run = go(&restless, out.path(), usize::MAX).unwrap();
    let tests: Vec<(u64, f64)> =
        lines(&run).iter().filter(|l| l.1 == "validation").map(|l| (l.0, l.2["mse"])).collect();
    let least = tests.iter().copied().min_by(|a, b| a.1.total_cmp(&b.1)).unwrap();
    assert!(
        least.0 < tests.last().unwrap().0 && least.1 < tests[0].1,
        "a run that tells them apart: {tests:?}"
    );
    let best = Checkpoint::load(&Checkpoints::new(run.join("checkpoints"), None).best()).unwrap();
    assert_eq!(best.meta::<u64>("step").unwrap(), least.0);
    assert!((best.meta::<f64>("best").unwrap() - least.1).abs() < 1e-12);
    for (_, split, values) in lines(&run) {
        let names: Vec<&str> = values.keys().map(String::as_str).collect();
        assert_eq!(names, ["loss", "mae", "mse", "r2"], "{split}");
        assert!((values["loss"] - values["mse"]).abs() < 1e-6, "two outputs, half the square: {values:?}");
    }
}

#[test]
fn a_regression_goes_on_where_it_stopped() {
    let recipe = recipe(PASS).unwrap();
    let (whole, cut) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let whole = go(&recipe, whole.path(), usize::MAX).map(|run| lines(&run)).unwrap();
    for updates in [7, 20, 33] {
        assert!(go(&recipe, cut.path(), updates).is_none());
    }
    assert_eq!(go(&recipe, cut.path(), usize::MAX).map(|run| lines(&run)).unwrap(), whole);
}

#[test]
fn the_smallest_version_is_a_regression_too() {
    let small = recipe(PASS).unwrap().smoke();
    assert_eq!(small.task.method().targets(), TargetKind::Values);
    assert_eq!((small.task.shape(), small.task.samples()), (([1, 1, 8], 2), 4));
    small.check().unwrap();
    assert!(trained(&small)["mse"].is_finite());
}

#[test]
fn what_has_no_meaning_is_refused_with_a_way_out() {
    let refused = |tables: &str, words: &[&str]| {
        let error = recipe(tables).unwrap_err();
        let told = format!("{error} {}", error.hint().unwrap_or_default());
        assert!(words.iter().all(|word| told.contains(word)), "{told}");
    };
    let with = |more: &str| format!("{PASS}{more}");
    refused(
        &with("[objective.softmax-cross-entropy]\n"),
        &["values", "task.teacher", "objective.squared-error"],
    );
    refused(&with("[objective.squared-hinge]\n"), &["values", "squared-error"]);
    refused(&with("[sequence.permuted]\ntasks = 3\n"), &["sequence.permuted", "values", "[sequence]"]);
    let error = Recipe::parse(&format!("{TASK}{PASS}").replace("16, 2]", "16, 3]"), "test")
        .and_then(|r| r.check())
        .unwrap_err();
    assert!(error.to_string().contains("2 values"), "{error}");
    for (from, to, word) in [
        ("inputs = 8", "inputs = 0", "inputs"),
        ("degree = 1", "degree = 13", "degree"),
        ("polynomial = { degree = 1, directions = 2 }", "sphere = {}", "sphere"),
        ("epochs = 6", "epochs = 6\nnoise = nan", "noise"),
    ] {
        let error = Recipe::parse(&format!("{TASK}{PASS}").replace(from, to), "test")
            .and_then(|r| r.check())
            .unwrap_err();
        assert!(error.to_string().contains(word), "{error}");
    }
}
