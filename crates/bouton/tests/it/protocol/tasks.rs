//! Who hears of the end of a task, and what a task keeps for itself.

use super::{Row, after, layered, map2, named, near, tensors, trainer};
use crate::common::learn;

const TASKS: &str = "[sequence.permuted]\ntasks = 2\n";
const PARTS: &str = "[sequence.subsets]\nparts = 2\n";
const DRAWN: &str = "[synapse.bayesbinn]\n[optim.sgd]\nlr = 0.05\n";

/// The posterior becomes the prior where a task ends; a stream that is only cut has no such place.
#[test]
fn synapses_hear_of_tasks_and_not_of_cuts() {
    for (sequence, updates, told) in [(TASKS, 8, true), (PARTS, 4, false)] {
        let mut t = trainer(&layered(&format!("{sequence}{DRAWN}")), &[]);
        for _ in 0..updates {
            t.learn().unwrap();
        }
        assert!(t.position().ends_segment);
        let before = tensors(&mut t);
        t.end_segment().unwrap();
        let now = tensors(&mut t);
        assert_eq!(before != now, told, "{sequence}");
        if told {
            let mut weights = named(&now, "input-hidden1.bayesbinn");
            assert!(weights.len() >= 2);
            let values: Vec<_> = std::mem::take(&mut weights).into_values().collect();
            assert!(values.windows(2).any(|v| v[0] == v[1]), "the prior is the posterior");
        }
    }
}

/// Before the first end everything is as without a sequence of tasks that follow; the end itself moves no weight.
#[test]
fn ends_of_tasks_change_what_they_should() {
    let text = |sequence: &str| layered(&format!("{sequence}[norm.batch]\n[optim.adam]\nlr = 0.01\n@"));
    let (tasks, parts) = (text(TASKS), text(PARTS));
    let reset = "[continual]\nreset-optimiser = true\n";
    let row = |what, text, updates, equal, differ| Row {
        what,
        text,
        one: "",
        other: reset,
        updates,
        equal,
        differ,
    };
    let rows = [
        row("nothing is forgotten within a task", &tasks, 7, &["optim.", ".weight", ".bias"][..], &[][..]),
        row("the state is forgotten at its end", &tasks, 8, &[".weight", ".bias", ".norm."], &["optim."]),
        row("the next update sees it", &tasks, 9, &[".norm."], &[".weight", ".gain"]),
        row("nor within a part", &parts, 3, &["optim.", ".weight", ".bias"], &[]),
        row("parts forget at every cut", &parts, 4, &[".weight", ".bias", ".norm."], &["optim."]),
    ];
    rows.iter().for_each(Row::check);
}

/// Each finished task keeps γ, b and running means as they were at its end, whatever comes later.
#[test]
fn a_task_keeps_the_normalisation_that_it_ended_with() {
    let text = layered(&format!("{TASKS}[norm.batch]\nper-task = true\n[optim.sgd]\nlr = 0.05\n"));
    let mut t = trainer(&text, &[]);
    learn(&mut t, 7);
    assert!(t.history.norms.is_empty(), "no task has ended");
    learn(&mut t, 8);
    let kept = t.network.norms();
    assert_eq!(t.history.norms, std::slice::from_ref(&kept));
    let first = t.evaluate(0).unwrap();
    learn(&mut t, 16);
    assert_eq!((t.history.norms.len(), &t.history.norms[0]), (2, &kept));
    assert_eq!(t.history.norms[1], t.network.norms(), "the next task goes on from it");
    assert_ne!(t.network.norms(), kept);
    let present = t.network.norms();
    let later = t.evaluate(0).unwrap();
    assert_eq!(t.network.norms(), present, "a test leaves the network as it was");
    assert_ne!(first, later, "weights are everybody's");
    let now = t.network.norms();
    t.network.set_norms(&kept);
    assert_eq!(t.network.norms(), kept);
    t.network.set_norms(&now);
    let mut shared = trainer(&text, &["norm.batch.per-task=false"]);
    learn(&mut shared, 16);
    assert!(shared.history.norms.is_empty());
    assert_ne!(shared.evaluate(0).unwrap().loss, later.loss);
    assert_eq!(
        shared.evaluate(1).unwrap().loss,
        t.evaluate(1).unwrap().loss,
        "the last task's is the present one"
    );
}

/// Running means: 1 − m of the old one and m of the batch's, whose variance is unbiased; evaluation moves nothing.
#[test]
fn running_means_move_with_every_batch_and_in_training_only() {
    let text = layered("[norm.batch]\nmomentum = 0.25\n[optim.sgd]\nlr = 0.0\n")
        .replace("batch = 6", "batch = \"all\"");
    let mut t = trainer(&text, &[]);
    let mean = |t: &mut _| tensors(t)["hidden1.norm.mean"].clone();
    let variance = |t: &mut _| tensors(t)["hidden1.norm.variance"].clone();
    assert!(mean(&mut t).iter().all(|m| *m == 0.0) && variance(&mut t).iter().all(|v| *v == 1.0));
    learn(&mut t, 1);
    let (m1, v1) = (mean(&mut t), variance(&mut t));
    let batch = t.task_stream.train.batch(0, t.network.dtype);
    let w = t.network.connections[0].weight.mat().clone();
    for j in 0..5 {
        let drives: Vec<f64> =
            (0..24).map(|r| (0..9).map(|i| w.get(j, i) * batch.x.get(r, i)).sum::<f64>()).collect();
        let mu = drives.iter().sum::<f64>() / 24.0;
        let unbiased = drives.iter().map(|d| (d - mu) * (d - mu)).sum::<f64>() / 23.0;
        assert!(near(&[m1[j], v1[j]], &[0.25 * mu, 0.75 + 0.25 * unbiased]), "{j}");
    }
    t.evaluate(0).unwrap();
    assert_eq!((mean(&mut t), variance(&mut t)), (m1.clone(), v1.clone()));
    learn(&mut t, 2);
    assert!(near(&mean(&mut t), &map2(&m1, &m1, |m, _| 1.75 * m)), "the same batch again");
}

/// What an update of a run is made of is drawn by the run's seed and the update's number.
#[test]
fn seeds_and_updates_draw_their_own_numbers() {
    let text = layered("[optim.sgd]\nlr = 0.05\n").replace("[9, 5, 4]", "[9, 5, 4]\ndropout = 0.5");
    assert_eq!(after(&text, &[], 5), after(&text, &[], 5));
    assert_ne!(after(&text, &[], 5), after(&text, &["seed=2"], 5));
    let still = text.replace("lr = 0.05", "lr = 0.0").replace("train = 24", "train = 1");
    let mut t = trainer(&still.replace("epochs = 2", "epochs = 6"), &[]);
    let losses = [(); 6].map(|()| t.learn().unwrap().mean_loss());
    let apart = losses.iter().any(|l| (l - losses[0]).abs() > 1e-6);
    assert!(apart, "an update silences units of its own: {losses:?}");
    let text = layered(DRAWN);
    assert_ne!(named(&after(&text, &[], 3), ".weight"), named(&after(&text, &["seed=2"], 3), ".weight"));
}

/// Old tasks are tested with all outputs seen so far, future ones with theirs as well; a task's own head with it alone.
#[test]
fn tests_count_the_outputs_of_the_scenario() {
    let text = layered(
        "[sequence.split]\nclasses = 2\n[optim.sgd]\nlr = 0.0\n[wiring.dense]\ngain = 1e-9\n[continual]\nscenario = \"class\"\n",
    );
    let mut t = trainer(&text, &[]);
    let ends = t.updates() / 2;
    let outputs = |t: &mut bouton::train::Trainer, task| t.evaluate(task).unwrap().mean_loss().exp();
    let near = |a: f64, b: f64| assert!((a - b).abs() < 1e-4, "{a} outputs, not {b}");
    learn(&mut t, 1);
    near(outputs(&mut t, 0), 2.0);
    near(outputs(&mut t, 1), 4.0);
    let first = t.updates();
    learn(&mut t, ends);
    let step = t.learn().unwrap();
    near(step.mean_loss().exp(), 4.0);
    near(outputs(&mut t, 0), 4.0);
    assert_eq!(first, t.updates());
    let mut own = trainer(&text, &["continual.scenario=task"]);
    learn(&mut own, ends + 1);
    near(outputs(&mut own, 0), 2.0);
    near(outputs(&mut own, 1), 2.0);
    let mut mixed = trainer(&text, &["continual.scenario=task", "continual.joint=true"]);
    near(mixed.learn().unwrap().mean_loss().exp(), 2.0);
    let mut begun = trainer(&text, &[]);
    near(begun.learn().unwrap().mean_loss().exp(), 2.0);
}

/// Statistics of the test batch are those that training would take of it.
#[test]
fn tests_normalise_with_the_statistics_they_name() {
    let text = layered("[norm.batch]\nstatistics = \"batch\"\n[optim.sgd]\nlr = 0.0\n")
        .replace("batch = 6", "batch = \"all\"");
    for (statistics, own) in [("batch", true), ("running", false)] {
        let mut t = trainer(&text, &[&format!("norm.batch.statistics={statistics}")]);
        let batch = t.task_stream.train.batch(0, t.network.dtype);
        let trained = t.learn().unwrap().loss;
        let credit = t.recipe.credit.build(&t.recipe.solver, &t.network, 24).unwrap();
        let tested = credit.evaluate(&t.network, &batch, &*t.recipe.objective.build()).unwrap().loss;
        assert_eq!((trained - tested).abs() < 1e-9, own, "{statistics}: {trained} {tested}");
    }
}

/// Answers of drawn weights are averaged as probabilities, on the outputs that count: with draws that are all alike that is
/// the answer of the mean weights, in every scenario.
#[test]
fn drawn_answers_are_those_of_the_outputs_that_count() {
    for scenario in ["class", "task"] {
        let text = layered(&format!(
            "[sequence.split]\nclasses = 2\n[continual]\nscenario = \"{scenario}\"\n[synapse.mesu]\nspread = 1e-14\n\
             [optim.sgd]\nlr = 0.1\n"
        ));
        let of = |overrides: &[&str]| {
            let mut t = trainer(&text, overrides);
            learn(&mut t, 3);
            [0, 1].map(|task| t.evaluate(task).unwrap().mean_loss())
        };
        assert!(near(&of(&[]), &of(&["run.test-draws=3"])), "{scenario}");
    }
}
