//! Replay: what batches hold, resuming in the middle of a task, and how close it comes to learning all tasks together.

use crate::common::{learn, trainer};
use bouton::recipe::Recipe;
use bouton::train::Trainer;
use bouton_kernels::DType;

const BASE: &str = "[task.synthetic]\nshape = [1, 4, 4]\nclasses = 4\ntrain = 96\ntest = 80\nbatch = 16\nepochs = 2\n\
    [neuron.relu]\n[objective.softmax-cross-entropy]\n[credit.backprop]\n[optim.adam]\nlr = 0.01\n";
const PERMUTED: &str = "[sequence.permuted]\ntasks = 3\n";
const SPLIT: &str = "[sequence.split]\nclasses = 2\n";
const BALANCED: &str = "[continual.replay]\nper-class = 5\nbatch = 12\n";
const RESERVOIR: &str = "[continual.replay]\nsize = 20\npolicy = \"reservoir\"\n";

fn text(sequence: &str, outputs: usize, continual: &str) -> String {
    format!("{BASE}{sequence}[network]\nlayers = [16, 24, {outputs}]\n{continual}")
}

fn learned(text: &str) -> Trainer {
    let mut t = trainer(text);
    let all = t.updates();
    learn(&mut t, all);
    t
}

#[test]
fn going_on_in_the_middle_of_a_task_changes_no_bit() {
    for (scenario, outputs) in [("domain", 4), ("task", 12), ("class", 12)] {
        for replay in [BALANCED, RESERVOIR] {
            let text = text(PERMUTED, outputs, &format!("[continual]\nscenario = \"{scenario}\"\n{replay}"));
            let mut whole = learned(&text);
            let all = whole.updates();
            let mut first = trainer(&text);
            learn(&mut first, all / 2 + 1);
            let mut second = trainer(&text);
            second.restore(&first.checkpoint().unwrap()).unwrap();
            learn(&mut second, all);
            assert!(whole.checkpoint().unwrap().tensors == second.checkpoint().unwrap().tensors, "{text}");
            let none = learned(&text.replace(replay, "")).checkpoint().unwrap();
            assert!(whole.checkpoint().unwrap().tensors != none.tensors, "{text}");
        }
    }
}

/// The first task has nothing to repeat; later ones repeat the same few samples, whatever was asked before.
#[test]
fn batches_hold_new_samples_and_kept_ones() {
    let mut stream = trainer(&text(PERMUTED, 12, &format!("[continual]\nscenario = \"class\"\n{BALANCED}")))
        .task_stream
        .train;
    assert_eq!(stream.batch(0, DType::F32).ids.len(), 16);
    let mut kept = std::collections::BTreeSet::new();
    for update in 24..36 {
        let batch = stream.batch(update, DType::F32);
        let (new, old) = batch.ids.split_at(16);
        assert!(new.iter().all(|id| (192..288).contains(id)) && old.len() == 12);
        let labels = batch.target.classes().unwrap();
        assert!(labels[..16].iter().all(|l| (8..12).contains(l)));
        assert!(labels[16..].iter().zip(old).all(|(l, id)| usize::from(*l) / 4 == id / 96 && *id < 192));
        kept.extend(old.iter().copied().zip(labels[16..].iter().copied()));
    }
    let of = |label| kept.iter().filter(|k| k.1 == label).count();
    assert!((0..8).all(|label| (1..=5).contains(&of(label))) && kept.len() > 30, "{kept:?}");
    let (late, early) = (stream.batch(30, DType::F32), stream.batch(13, DType::F32));
    assert!(early.ids[16..].iter().all(|id| *id < 96), "an earlier update knows less");
    assert_eq!(late.ids, stream.batch(30, DType::F32).ids);
}

/// A reservoir takes samples in from the second update on, and needs no boundary.
#[test]
fn a_reservoir_holds_what_was_seen() {
    let mut stream = trainer(&text("[sequence.subsets]\nparts = 3\n", 4, RESERVOIR)).task_stream.train;
    let mut seen = std::collections::BTreeSet::new();
    for update in 0..12 {
        let ids = stream.batch(update, DType::F32).ids;
        let (new, old) = ids.split_at(16);
        assert_eq!(old.len(), if update == 0 { 0 } else { 16 });
        assert!(old.iter().all(|id| seen.contains(id)), "{update}");
        seen.extend(new.iter().copied());
    }
}

/// Two tasks, everything kept, as many old as new samples in each batch: in the second task, this is learning both.
#[test]
fn with_everything_kept_it_comes_close_to_learning_all_tasks_together() {
    let accuracies = |continual: &str| {
        let text = text(SPLIT, 4, &format!("[continual]\nscenario = \"class\"\n{continual}"));
        let mut t = learned(&text.replace("epochs = 2", "epochs = 20"));
        [0, 1].map(|task| t.evaluate(task).unwrap().value("accuracy").unwrap())
    };
    let (none, joint) = (accuracies(""), accuracies("joint = true\n"));
    let kept = accuracies("[continual.replay]\nsize = 96\n");
    assert!(none[0] < 0.2, "{none:?}");
    assert!(kept.iter().zip(joint).all(|(k, j)| (k - j).abs() < 0.1), "{kept:?} {joint:?}");
}

/// With a head for each task, replayed samples teach the head of their own task.
#[test]
fn replayed_samples_teach_their_own_head() {
    let base = "[continual]\nscenario = \"task\"\n";
    let bias = |t: &Trainer| t.network.parameters().pop().unwrap().2.to_f64s();
    for (replay, moves) in [("", false), (BALANCED, true)] {
        let mut t = trainer(&text(SPLIT, 4, &format!("{base}{replay}")).replace("adam", "sgd"));
        let half = t.updates() / 2;
        learn(&mut t, half);
        let before = bias(&t);
        learn(&mut t, half + 3);
        let after = bias(&t);
        assert_eq!(before.len(), 4);
        assert_eq!(before[..2] != after[..2], moves, "{before:?} {after:?}");
        assert_ne!(before[2..], after[2..]);
    }
}

#[test]
fn recipes_without_replay_do_not_mention_it() {
    let plain = Recipe::parse(&text(PERMUTED, 4, ""), "test").unwrap();
    assert!(!plain.to_toml().contains("replay"));
    let replay = Recipe::parse(&text(PERMUTED, 4, BALANCED), "test").unwrap();
    assert_eq!(Recipe::parse(&replay.to_toml(), "resolved").unwrap(), replay);
    assert_ne!(plain.hash(), replay.hash());
}

#[test]
fn replay_that_makes_no_sense_is_refused_with_a_hint() {
    let refused = [
        ("", BALANCED.into(), "one task only"),
        (PERMUTED, format!("[continual]\njoint = true\n{BALANCED}"), "mixed from the start"),
        ("[sequence.subsets]\nparts = 3\n", BALANCED.into(), "has no boundaries"),
        (PERMUTED, "[continual.replay]\n".into(), "either `size` or `per-class`"),
        (PERMUTED, "[continual.replay]\nsize = 9\nper-class = 3\n".into(), "either `size` or `per-class`"),
        (PERMUTED, "[continual.replay]\nsize = 0\n".into(), "`continual.replay.size` is 0"),
        (PERMUTED, RESERVOIR.replace("size", "per-class"), "which a reservoir does not"),
    ];
    for (sequence, continual, message) in refused {
        let recipe = Recipe::parse(&text(sequence, 4, &continual), "test");
        let error = recipe.and_then(|r| r.check()).unwrap_err();
        assert!(error.to_string().contains(message), "{error}");
        assert!(error.hint().is_some());
    }
}
