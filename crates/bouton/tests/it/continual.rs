//! Sequences of tasks: exact invariants of anchors, synapses, normalisation and resuming.

use crate::common::{learn, trainer};
use bouton::recipe::Recipe;
use bouton::train::{Outcome, RunOptions, Silent, Trainer, run};

const BASE: &str = "[task.synthetic]\nshape = [1, 4, 4]\nclasses = 4\ntrain = 96\ntest = 40\nbatch = 16\nepochs = 2\n\
    [sequence.permuted]\ntasks = 3\n[network]\nlayers = [16, 24, 4]\n[objective.softmax-cross-entropy]\n\
    [credit.backprop]\n";
const REAL: &str = "[neuron.relu]\n[optim.adam]\nlr = 0.01\n";
const BINARY: &str = "[neuron.sign]\n[norm.batch]\nper-task = true\n[wiring.dense]\ninit = \"uniform\"\ngain = 0.1\n\
    [optim.adam]\nlr = 0.01\ndecay = 1e-5\n";

/// All weights after the whole run.
fn weights(text: &str) -> Vec<f64> {
    let mut t = trainer(text);
    let all = t.updates();
    learn(&mut t, all);
    t.network.parameters().into_iter().flat_map(|(_, _, m)| m.to_f64s()).collect()
}

#[test]
fn anchors_without_strength_change_no_bit() {
    let plain = weights(&[BASE, REAL].concat());
    for anchor in ["ewc]\nlambda = 0.0", "online-ewc]\nlambda = 0.0", "si]\nc = 0.0", "mas]\nlambda = 0.0"] {
        assert!(weights(&format!("{BASE}{REAL}[anchor.{anchor}\n")) == plain, "{anchor}");
    }
    assert!(weights(&format!("{BASE}{REAL}[anchor.ewc]\nlambda = 10.0\n")) != plain);
}

#[test]
fn metaplasticity_without_m_is_the_binary_synapse_and_changes_no_bit() {
    let binary = weights(&format!("{BASE}{BINARY}[synapse.binary]\n"));
    assert!(weights(&format!("{BASE}{BINARY}[synapse.metaplastic]\nm = 0.0\n")) == binary);
    assert!(weights(&format!("{BASE}{BINARY}[synapse.metaplastic]\nm = 2.0\n")) != binary);
    let real = weights(&[BASE, REAL].concat());
    assert!(weights(&format!("{BASE}{REAL}[synapse.metaplastic]\nm = 0.0\nreal = true\n")) == real);
}

/// With its own normalisation put back, an old task has the accuracy that it had when its statistics were kept, as long
/// as no weight moved; a task that was not learned yet is tested with the present statistics.
#[test]
fn a_task_is_tested_with_its_own_normalisation() {
    let mut t = trainer(&format!("{BASE}{BINARY}[synapse.binary]\n"));
    let first = t.updates() / 3;
    learn(&mut t, first);
    let (before, next) = (t.evaluate(0).unwrap(), t.evaluate(1).unwrap());
    let kept = t.network.norms();
    // Statistics of other tasks wander off; the weights stay.
    let mut wandered = kept.clone();
    wandered.iter_mut().for_each(|m| *m = half(m));
    t.network.set_norms(&wandered);
    assert_eq!(t.evaluate(0).unwrap(), before);
    assert_ne!(t.evaluate(1).unwrap().loss, next.loss);
    assert_eq!(t.network.norms(), wandered, "what was there before the test is there after it");
}

fn half(m: &bouton_kernels::Mat) -> bouton_kernels::Mat {
    bouton_kernels::Mat::from_f64s(m.dtype(), m.rows(), m.cols(), &vec![0.5; m.rows() * m.cols()])
}

/// A run that stops in the middle of the second task and goes on from its checkpoint ends with the same bits: weights,
/// anchors, kept normalisations, and accuracies.
#[test]
fn going_on_in_the_middle_of_a_task_changes_no_bit() {
    let cases = [
        format!("{BASE}{REAL}[anchor.si]\nc = 1.0\n[continual]\nreset-optimiser = true\n"),
        format!("{BASE}{REAL}[anchor.ewc]\nlambda = 50.0\nfisher = \"sampled\"\n"),
        format!("{BASE}{REAL}[anchor.online-ewc]\nlambda = 50.0\ndecay = 0.7\n"),
        format!("{BASE}{REAL}[anchor.mas]\nlambda = 2.0\nalpha = 0.4\n"),
        format!("{BASE}{BINARY}[synapse.metaplastic]\nm = 1.0\n[continual]\nreset-optimiser = true\n"),
    ];
    for text in cases {
        let mut whole = trainer(&text);
        let all = whole.updates();
        learn(&mut whole, all);
        let mut first = trainer(&text);
        learn(&mut first, all / 2 + 1);
        assert!(first.position().segment == 1 && !first.position().ends_segment);
        let checkpoint = first.checkpoint().unwrap();
        let mut second = trainer(&text);
        second.restore(&checkpoint).unwrap();
        learn(&mut second, all);
        assert!(whole.checkpoint().unwrap().tensors == second.checkpoint().unwrap().tensors, "{text}");
        assert_eq!(whole.evaluate(0).unwrap(), second.evaluate(0).unwrap());
    }
}

/// The fraction of weights whose sign is another one than when flips were last counted, through a checkpoint, too.
#[test]
fn flips_are_weights_that_turned() {
    let text = format!("{BASE}{BINARY}[synapse.metaplastic]\nm = 1.0\n");
    let mut t = trainer(&text);
    let signs = |t: &Trainer| t.network.parameters().swap_remove(0).2.to_f64s();
    let before = signs(&t);
    learn(&mut t, 5);
    let mut other = trainer(&text);
    other.restore(&t.checkpoint().unwrap()).unwrap();
    let flipped = signs(&t).iter().zip(&before).filter(|(a, b)| a != b).count() as f64 / (16 * 24) as f64;
    let name = format!("flips.{}", t.network.connections[0].name);
    let flips = t.flips();
    assert!(flipped > 0.0 && flips.len() == 2 && flips[&name] == flipped, "{flips:?} {flipped}");
    assert_eq!(other.flips(), flips);
    assert!(t.flips().values().all(|f| *f == 0.0));
    assert!(trainer(&[BASE, REAL].concat()).flips().is_empty());
}

#[test]
fn importance_is_measured_where_there_are_hidden_weights() {
    let mut t = trainer(&format!("{BASE}{BINARY}[synapse.metaplastic]\nm = 1.0\n"));
    learn(&mut t, 12);
    let profiles = t.importance(&|| false).unwrap();
    let weights = profiles.iter().map(|p| p.weights.iter().sum::<usize>()).collect::<Vec<_>>();
    assert_eq!(weights, [16 * 24, 24 * 4]);
    for p in profiles {
        assert!(p.largest > 0.0 && p.importance.iter().flatten().all(|f| *f >= 0.0));
        assert!(p.importance.iter().zip(&p.weights).all(|(f, n)| f.is_some() == (*n > 0)));
        assert!(p.importance.iter().flatten().any(|f| *f > 0.0));
        assert!(p.flip_cost.is_empty(), "only if asked for");
    }
    for text in
        [format!("{BASE}{REAL}"), format!("{BASE}{BINARY}[synapse.bop]\n").replace("decay = 1e-5\n", "")]
    {
        assert!(trainer(&text).importance(&|| false).unwrap().is_empty(), "{text}");
    }
}

#[test]
fn turning_weights_is_measured_if_asked_for_and_changes_nothing() {
    let text = format!("{BASE}{BINARY}[synapse.metaplastic]\nm = 1.0\n[run]\nflip-samples = 2\n");
    let mut t = trainer(&text);
    learn(&mut t, 12);
    let weights = |t: &Trainer| t.network.parameters().swap_remove(0).2.to_f64s();
    let before = weights(&t);
    for p in t.importance(&|| false).unwrap() {
        // One weight at a time: 768 of them are fewer than a thousand.
        assert!(p.flip_cost.iter().zip(&p.weights).all(|(cost, n)| cost.is_some() == (*n > 0)), "{p:?}");
        assert!(p.flip_cost.iter().flatten().any(|cost| *cost != 0.0));
    }
    assert_eq!(weights(&t), before);
    assert!(matches!(t.importance(&|| true), Err(bouton::Error::Interrupted)));
    assert_eq!(weights(&t), before);
    let bop =
        text.replace("[synapse.metaplastic]\nm = 1.0\n", "[synapse.bop]\n").replace("decay = 1e-5\n", "");
    let error = Recipe::parse(&bop, "test").unwrap().check().unwrap_err();
    assert!(error.to_string().contains("run.flip-samples"), "{error}");
}

/// −Σ g·Δθ over all weights is what the loss lost, up to the step: plain gradient descent on the same batch.
#[test]
fn the_path_integral_is_the_loss_decrease() {
    let text = BASE.replace("batch = 16", "batch = \"all\"").replace("epochs = 2", "epochs = 41");
    let text =
        format!("precision = \"f64\"\n{text}[neuron.relu]\n[anchor.si]\nc = 0.0\n[optim.sgd]\nlr = 0.01\n");
    let mut t = trainer(&text);
    let (mut first, mut last) = (0.0, 0.0);
    for k in 0..40 {
        let step = t.learn().unwrap();
        (first, last) = (if k == 0 { step.mean_loss() } else { first }, step.mean_loss());
    }
    // The last step's share is in the integral, its loss is not yet measured: take it off by one more step's loss.
    let path: f64 = {
        let tensors = t.checkpoint().unwrap().tensors;
        let paths = tensors.iter().filter(|x| x.name.starts_with("anchor.") && x.name.ends_with(".path"));
        paths
            .map(|x| match &x.data {
                bouton::train::TensorData::F64(v) => v.iter().sum::<f64>(),
                _ => f64::NAN,
            })
            .sum()
    };
    let after = t.learn().unwrap().mean_loss();
    assert!(last < first);
    let lost = first - after;
    assert!((path - lost).abs() < 0.02 * lost, "{path} against {lost}");
}

/// Mixed from the start, every class of every task counts from the first update on.
#[test]
fn interleaved_tasks_use_all_outputs() {
    let base = BASE.replace("[sequence.permuted]\ntasks = 3", "[sequence.split]\nclasses = 2");
    let mut t = trainer(&format!("{base}{REAL}[continual]\njoint = true\nscenario = \"class\"\n"));
    let all = t.updates();
    learn(&mut t, all);
    assert!((0..2).all(|task| t.evaluate(task).unwrap().value("accuracy") > Some(0.3)));
}

/// With outputs near zero a sample costs ln 2 if the two outputs of its task count, ln 4 if all do.
#[test]
fn interleaved_tasks_may_have_outputs_of_their_own() {
    let base = BASE.replace("[sequence.permuted]\ntasks = 3", "[sequence.split]\nclasses = 2");
    let first = |scenario: &str| {
        let told = format!("[continual]\njoint = true\nscenario = \"{scenario}\"\n");
        let mut t = trainer(&format!("{base}{REAL}{told}[wiring.dense]\ngain = 1e-6\n"));
        [t.learn().unwrap().mean_loss().exp(), t.evaluate(1).unwrap().mean_loss().exp()]
    };
    let near = |found: [f64; 2], outputs: f64| {
        assert!(found.iter().all(|x| (x - outputs).abs() < 0.05), "{found:?}")
    };
    near(first("task"), 2.0);
    near(first("class"), 4.0);
}

/// What `continual.json` holds after a run of `text`.
fn stated(text: &str) -> serde_json::Value {
    let out = tempfile::tempdir().unwrap();
    let options = RunOptions::new(out.path());
    let recipe = Recipe::parse(text, "stated.toml").unwrap();
    let Outcome::Finished { run, .. } = run(&recipe, &options, &mut Silent).unwrap() else {
        panic!("the folder was empty")
    };
    serde_json::from_slice(&std::fs::read(run.join("continual.json")).unwrap()).unwrap()
}

#[test]
fn every_run_over_a_sequence_says_what_it_was_told() {
    let with = |sequence: &str, more: &str| {
        stated(&format!("{}{REAL}{more}", BASE.replace("[sequence.permuted]\ntasks = 3", sequence)))
    };
    let tasks = with("[sequence.permuted]\ntasks = 3", "[continual]\nrecent = 2\n");
    assert_eq!(tasks["told"]["boundaries-in-training"], serde_json::json!([]));
    assert_eq!(tasks["accuracy"].as_array().unwrap().len(), 3);
    assert!(tasks["definitions"]["acc"].as_str().unwrap().contains("2 newest tasks"));
    let parts = with("[sequence.subsets]\nparts = 2", "[continual]\nreset-optimiser = true\n");
    assert!(parts["told"]["boundaries-in-training"][0].as_str().unwrap().contains("every cut"));
    assert_eq!(parts["accuracy"].as_array().unwrap().len(), 2, "one row of one test set after each part");
    assert_eq!(parts["metrics"], serde_json::json!({}));
    // A run that stops before its first task ends says it, too.
    let short =
        with("[sequence.permuted]\ntasks = 3", "[schedule.exponential]\nfactor = 0.9\n[run]\nupdates = 2\n");
    assert_eq!(short["accuracy"], serde_json::json!([]));
    assert!(short["told"]["boundaries-in-training"][0].as_str().unwrap().contains("begins again"));
}

#[test]
fn sequences_that_make_no_sense_are_refused_with_a_hint() {
    let single = BASE.replace("[sequence.permuted]\ntasks = 3\n", "");
    let error = Recipe::parse(&format!("{single}{REAL}[anchor.ewc]\n"), "test").unwrap().check().unwrap_err();
    assert!(error.to_string().contains("consolidates when a task ends"), "{error}");
    assert!(error.hint().is_some());
    let odd = BASE.replace("[sequence.permuted]\ntasks = 3", "[sequence.split]\nclasses = 3");
    let error = Recipe::parse(&(odd + REAL), "test").unwrap().check().unwrap_err();
    assert!(error.to_string().contains("divisor of the 4 classes"), "{error}");
    let twice = BASE
        .replace("[sequence.permuted]\ntasks = 3", "[sequence.sets]\nthen = [\"mnist\"]")
        .replace(
            "[task.synthetic]\nshape = [1, 4, 4]\nclasses = 4\ntrain = 96\ntest = 40\n",
            "[task.mnist]\n",
        )
        .replace("[16, 24, 4]", "[784, 24, 10]");
    let error = Recipe::parse(&(twice + REAL), "test").unwrap().check().unwrap_err();
    assert!(error.to_string().contains("repeats `mnist`"), "{error}");
}

/// One output layer serves every data set of a sequence, so a set with another number of classes has no place in it.
#[test]
fn data_sets_of_different_class_counts_are_no_sequence() {
    let text = "[task.cifar-10]\nbatch = 16\nepochs = 1\n[sequence.sets]\nthen = [\"cifar-100\"]\n\
        [network]\nlayers = [3072, 24, 10]\n[credit.backprop]\n";
    let error = Recipe::parse(&[text, REAL].concat(), "test").unwrap().check().unwrap_err();
    let expected = "cifar-100 has images of [3, 32, 32] and 100 classes, cifar-10 has [3, 32, 32] and 10";
    assert!(error.to_string().contains(expected), "{error}");
    assert!(error.hint().is_some_and(|hint| hint.contains("one number of classes")), "{error}");
    let same = text.replace("cifar-100", "svhn");
    Recipe::parse(&[&same, REAL].concat(), "test").unwrap().check().unwrap();
}

/// The Fisher information is one of a likelihood; a squared error or a margin is none. The others take any loss.
#[test]
fn ewc_without_a_likelihood_is_refused() {
    for objective in ["squared-error", "squared-hinge"] {
        let base = BASE.replace("softmax-cross-entropy", objective);
        let check = |anchor: &str| {
            Recipe::parse(&format!("{base}{REAL}[anchor.{anchor}]\n"), "test").unwrap().check()
        };
        for anchor in ["ewc", "online-ewc"] {
            let error = check(anchor).unwrap_err();
            let expected = format!("{anchor} needs a loss that is a log-likelihood");
            assert!(error.to_string().contains(&expected), "{error}");
            assert!(error.hint().is_some_and(|hint| hint.contains("softmax-cross-entropy")), "{error}");
        }
        for anchor in ["si", "mas"] {
            check(anchor).unwrap();
        }
    }
}
