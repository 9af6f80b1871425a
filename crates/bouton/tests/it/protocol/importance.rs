//! On which samples, pixels and outputs the importance of a task is measured, and what it is a mean of.

use super::anchors::{HELD, RATE, TASK, hold, text, two_tasks};
use super::{Tensors, layered, map2, near, tensors, trainer};
use crate::common::learn;
use bouton::anchor::{Fisher, Importance};
use bouton::credit::measure;
use bouton::rng::Key;

/// All samples are the default; the first ones in file order are others; a shuffle keeps the values of each parameter.
#[test]
fn importance_is_of_the_samples_that_are_named() {
    let run = |more: &[&str]| two_tasks("ewc", &[&["anchor.ewc.lambda=0.0"], more].concat());
    let all = run(&[]);
    assert_eq!(all, run(&["anchor.ewc.samples=24"]));
    assert_eq!(all, run(&["anchor.ewc.samples=99"]));
    let (some, shuffled) = (run(&["anchor.ewc.samples=5"]), run(&["anchor.ewc.shuffle=true"]));
    let other = two_tasks("ewc", &["anchor.ewc.lambda=0.0", "anchor.ewc.shuffle=true"]);
    assert_eq!(shuffled, other, "a shuffle is one of the seed's");
    for name in HELD {
        let of = |run: &[Tensors; 2], k: usize| hold(&run[k], name, "importance").to_vec();
        assert!(!near(&of(&all, 0), &of(&some, 0)), "{name}");
        assert_ne!(of(&all, 0), of(&shuffled, 0), "{name}");
        let sorted = |mut v: Vec<f64>| {
            v.sort_by(f64::total_cmp);
            v
        };
        assert_eq!(sorted(of(&all, 0)), sorted(of(&shuffled, 0)), "{name}");
        let second = |run: &[Tensors; 2]| map2(&of(run, 1), &of(run, 0), |b, a| b - a);
        assert!(near(&sorted(second(&all)), &sorted(second(&shuffled))), "{name}: the second task, too");
    }
}

/// A batch of 6 of 24 samples is a fourth of them: the mean is over samples, that of the batched estimate over batches.
#[test]
fn importance_is_a_mean_over_samples() {
    let run = |fisher: &str, samples: usize| {
        let keys = [
            "anchor.ewc.lambda=0.0",
            &format!("anchor.ewc.fisher={fisher}"),
            &format!("anchor.ewc.samples={samples}"),
        ];
        let mut t = trainer(&text("ewc"), &keys);
        learn(&mut t, TASK);
        hold(&tensors(&mut t), "output.bias", "importance").to_vec()
    };
    // One sample is one batch. Its probabilities p give Σ_c p_c (p − e_c)², or (p − y)² for the true label.
    for (fisher, most) in [("exact", 0.25), ("sampled", 1.0), ("empirical", 1.0)] {
        let (one, all) = (run(fisher, 1), run(fisher, 24));
        assert!(one.iter().chain(&all).all(|f| *f > 0.0 && *f <= most), "{fisher}: {one:?} {all:?}");
    }
    assert!(near(&run("empirical", 1), &run("batched", 1)));
    let (mean, square) = (run("empirical", 24), run("batched", 24));
    assert!(
        mean.iter().zip(&square).all(|(m, s)| s < m),
        "the square of a mean is below the mean of squares"
    );
}

/// Each end of a task measures on the samples, pixels and outputs of that task: exactly what `measure` gives for them.
#[test]
fn importance_is_of_the_task_that_ended() {
    let split = layered(&format!(
        "[sequence.split]\nclasses = 2\n[continual]\nscenario = \"task\"\n[optim.sgd]\nlr = {RATE}\n[anchor.online-ewc]\nlambda = 0.0\n"
    ));
    let permuted = text("online-ewc").replace("online-ewc]", "online-ewc]\nlambda = 0.0");
    for text in [split, permuted] {
        let mut t = trainer(&text, &["anchor.online-ewc.decay=0.0"]);
        let (updates, parts) = (t.updates() / 2, t.task_stream.train.segments());
        assert_eq!(parts, 2);
        for task in 0..2 {
            while t.task_stream.train.position(t.update()).segment == task && t.update() < t.updates() {
                t.learn().unwrap();
            }
            let wanted = {
                let (stream, active) = (&t.task_stream.train, t.active(task, task));
                let batches = stream.in_order(&stream.parts(task)[0], None, t.network.dtype);
                let exact = Importance::Fisher(Fisher::Exact, None);
                let credit = t.recipe.credit.build(&t.recipe.solver, &t.network, 24).unwrap();
                measure(&*credit, &t.network, exact, &*t.objective, active, batches, &Key::new(1)).unwrap()
            };
            t.end_segment().unwrap();
            let now = tensors(&mut t);
            for (id, name, _) in t.network.parameters() {
                assert_eq!(hold(&now, &name, "importance"), wanted[&id].to_f64s(), "task {task}: {name}");
            }
        }
        assert_eq!(t.update(), 2 * updates);
    }
}

/// E|∂‖o‖²/∂b_c| = E|2 o_c| for the bias of output c.
#[test]
fn sensitivity_is_that_of_the_squared_output() {
    let mut t = trainer(&text("mas"), &["anchor.mas.lambda=0.0"]);
    learn(&mut t, TASK);
    let stream = &t.task_stream.train;
    let batch = stream.in_order(&stream.parts(0)[0], None, t.network.dtype).next().unwrap();
    let credit = t.recipe.credit.build(&t.recipe.solver, &t.network, 24).unwrap();
    let out = credit.free(&t.network, &batch, &*t.recipe.objective.build()).unwrap().out.swap_remove(2);
    let mean = |c: usize| (0..24).map(|r| (2.0 * out.get(r, c)).abs()).sum::<f64>() / 24.0;
    assert!(near(hold(&tensors(&mut t), "output.bias", "importance"), &[0, 1, 2, 3].map(mean)));
}
