//! What optimisers and schedules reach: weights, or biases and gains, in which task, from which step on.

use super::{Row, Tensors, after, layered, map2, named, near, tensors, trainer};
use crate::common::{distance_of_a_step, learn};
use bouton::optim::{Cosine, ScheduleSpec};

const GAINS: &str = "[norm.layer]\n";

#[test]
fn optimisers_reach_what_they_should() {
    const UNITS: &[&str] = &[".bias", ".gain"];
    const WEIGHTS: &[&str] = &[".weight"];
    const HIDDEN: &[&str] = &["hidden1.bias", "hidden1.gain", "input-hidden1.weight"];
    const OUTPUT: &[&str] = &["output.bias", "output.gain", "hidden1-output.weight"];
    let rows = [
        ("decay is of weights alone", "sgd", "", "decay = 0.4", UNITS, WEIGHTS),
        ("decay is of weights alone", "adam", "", "decay = 0.4", UNITS, WEIGHTS),
        ("decay is of weights alone", "adamw", "decay = 0.0", "decay = 0.4", UNITS, WEIGHTS),
        ("decoupled decay is, too", "sgd", "", "decay = 0.4\ndecay-style = \"decoupled\"", UNITS, WEIGHTS),
        ("a scale of biases is of units alone", "sgd", "", "bias-scale = 0.5", WEIGHTS, UNITS),
        ("a rate of units is of units alone", "adam", "", "unit-lr = 0.2", WEIGHTS, UNITS),
        ("units have the rate of what enters them", "adam", "lr = 0.05", "lr = [0.05, 0.1]", HIDDEN, OUTPUT),
        ("units have the rate of what enters them", "sgd", "lr = 0.05", "lr = [0.05, 0.1]", HIDDEN, OUTPUT),
    ];
    for (what, optim, one, other, equal, differ) in rows {
        let lr = if one.starts_with("lr") { "" } else { "lr = 0.05\n" };
        let text = &layered(&format!("{GAINS}[optim.{optim}]\n{lr}@\n"));
        Row { what, text, one, other, updates: 1, equal, differ }.check();
    }
}

/// What is remembered of a second update, and what no rate reaches.
#[test]
fn later_updates_remember_what_they_should() {
    let text = layered("[optim.sgd]\nlr = 0.05\nmomentum = 0.9\ndecay = 0.4\n@\n");
    let (one, other) = ("", "decay-style = \"decoupled\"");
    let what = "a coupled decay stands within the momentum";
    let first = |part: &str| after(&text.replace('@', part), &[], 1)["input-hidden1.weight"].clone();
    assert!(near(&first(one), &first(other)), "the first update knows no momentum");
    Row { what, text: &text, one, other, updates: 2, equal: &[], differ: &[".weight"] }.check();
    let text = layered("[synapse.bimu]\n[optim.sgd]\n@\n");
    let (one, other) = ("lr = 0.05", "lr = 0.5");
    let what = "a synapse with a step size of its own asks no optimiser";
    Row { what, text: &text, one, other, updates: 1, equal: &[".bimu."], differ: &[".bias"] }.check();
    let plain = crate::common::recipe(&[20, 7, 5], "[neuron.relu]\n[credit.backprop]\n");
    assert!(distance_of_a_step(&plain) < 1e-12, "plain descent takes the rate times the gradient");
}

/// A decay takes its share of a weight, times the rate: λ of the gradient with plain descent, ηλ beside Adam.
#[test]
fn decay_has_the_size_it_says() {
    for (optim, style) in [("sgd", "coupled"), ("sgd", "decoupled"), ("adamw", "")] {
        let text = layered(&format!("[optim.{optim}]\nlr = 0.05\n"));
        let style = format!("optim.sgd.decay-style={style}");
        let style: &[&str] = if optim == "sgd" { &[&style] } else { &[] };
        let with =
            |decay: &str| after(&text, &[style, &[&format!("optim.{optim}.decay={decay}")]].concat(), 1);
        let (start, none, some) = (after(&text, &[], 0), with("0.0"), with("0.4"));
        for (name, w) in named(&start, ".weight") {
            let gone = map2(&none[name], &some[name], |a, b| a - b);
            assert!(near(&gone, &map2(w, w, |w, _| 0.05 * 0.4 * w)), "{optim}: {name}");
        }
    }
}

/// A rate of units' own does not follow the schedule; every other one does. The cosine is at zero after its one epoch.
#[test]
fn schedules_reach_weights_and_every_rate_but_that_of_units() {
    let schedule = "[schedule.cosine]\nepochs = 1\n";
    assert_eq!(ScheduleSpec::Cosine(Cosine { epochs: 2, min: 0.25 }).factor(3), 0.25, "flat afterwards");
    for (optim, moves) in [
        ("adam]\nlr = 0.05\nunit-lr = 0.01", true),
        ("adam]\nlr = 0.05", false),
        ("adamw]\nlr = 0.05\ndecay = 0.0", false),
        ("sgd]\nlr = 0.05", false),
    ] {
        let mut t = trainer(&layered(&format!("{GAINS}{schedule}[optim.{optim}\n")), &[]);
        learn(&mut t, 4);
        let before = tensors(&mut t);
        learn(&mut t, 6);
        let now = tensors(&mut t);
        assert_eq!(named(&before, ".weight"), named(&now, ".weight"), "{optim}");
        assert_eq!(named(&before, ".bias") != named(&now, ".bias"), moves, "{optim}");
        assert_eq!(named(&before, ".gain") != named(&now, ".gain"), moves, "{optim}");
    }
}

/// Epochs of a schedule are those of a task, from 0 on; an update of plain descent is as long as its factor.
#[test]
fn schedules_begin_again_with_every_task() {
    let text = layered("[sequence.permuted]\ntasks = 2\n[optim.sgd]\nlr = 1e-9\n");
    let plain = |updates| after(&text, &[], updates);
    let schedules = [
        ("exponential]\nfactor = 0.5\n", [1.0, 0.5, 1.0, 0.5]),
        ("step]\nevery = 1\nfactor = 0.25\n", [1.0, 0.25, 1.0, 0.25]),
        ("step]\nevery = 2\nfactor = 0.25\n", [1.0; 4]),
        ("cosine]\nepochs = 2\nmin = 0.5\n", [1.0, 0.75, 1.0, 0.75]),
    ];
    for (schedule, factors) in schedules {
        for (epoch, factor) in factors.into_iter().enumerate() {
            let mut t = trainer(&format!("{text}[schedule.{schedule}"), &[]);
            learn(&mut t, 4 * epoch as u64);
            let from = tensors(&mut t);
            learn(&mut t, 4 * epoch as u64 + 1);
            let moved = |a: &Tensors, b: &Tensors| map2(&a["output.bias"], &b["output.bias"], |a, b| b - a);
            let (with, without) = (
                moved(&from, &tensors(&mut t)),
                moved(&plain(4 * epoch as u64), &plain(4 * epoch as u64 + 1)),
            );
            let ok =
                with.iter().zip(&without).all(|(a, b)| (a - factor * b).abs() < 1e-4 * b.abs().max(1e-12));
            assert!(ok, "{schedule} in epoch {epoch}: {with:?} against {without:?}");
        }
    }
}

/// Adam's first step is as long as its rate, whatever the gradient: after a reset, too, and not without one.
#[test]
fn a_reset_optimiser_begins_at_its_first_step() {
    let text = layered("[sequence.permuted]\ntasks = 2\n[optim.adam]\nlr = 0.01\neps = 1e-12\n");
    for (reset, first) in [("true", true), ("false", false)] {
        let mut t = trainer(&text, &[&format!("continual.reset-optimiser={reset}")]);
        learn(&mut t, 8);
        let before = tensors(&mut t);
        assert_eq!(named(&before, "optim.").values().all(|m| m.iter().all(|x| *x == 0.0)), first);
        learn(&mut t, 9);
        let steps = map2(&before["output.bias"], &tensors(&mut t)["output.bias"], |a, b| (b - a).abs());
        assert_eq!(near(&steps, &[0.01; 4]), first, "{steps:?}");
        let checkpoint = t.checkpoint().unwrap();
        assert_eq!(checkpoint.meta["optimiser-step"], "9");
        assert_eq!(checkpoint.meta["optimiser-origin"], if first { "8" } else { "0" });
    }
}

/// Momentum adds up: with equal gradients g, g·(1 + μ) in the second step, or more with Nesterov's look ahead.
#[test]
fn momentum_remembers_the_last_step() {
    let text = layered("[optim.sgd]\nlr = 1e-9\n")
        .replace("batch = 6", "batch = \"all\"")
        .replace("epochs = 2", "epochs = 3");
    let step = |overrides: &[&str], k| {
        map2(
            &after(&text, overrides, k)["output.bias"],
            &after(&text, overrides, k - 1)["output.bias"],
            |a, b| a - b,
        )
    };
    let g = step(&[], 1);
    let (heavy, ahead) =
        (&["optim.sgd.momentum=0.5"][..], &["optim.sgd.momentum=0.5", "optim.sgd.nesterov=true"][..]);
    for (overrides, k, factor) in
        [(heavy, 1, 1.0), (heavy, 2, 1.5), (heavy, 3, 1.75), (ahead, 1, 1.5), (ahead, 2, 1.75)]
    {
        let found = step(overrides, k);
        let ok = found.iter().zip(&g).all(|(a, g)| (a - factor * g).abs() < 1e-4 * g.abs());
        assert!(ok, "{overrides:?} step {k}: {found:?} against {g:?}");
    }
}

/// Adam's first step is −η g/(|g| + ε), or −η g/(|g| + ε/√(1 − β₂)) where ε joins before the correction.
#[test]
fn epsilon_joins_where_it_should() {
    let step = |optim: &str| {
        let text = layered(&format!("[optim.{optim}\n"));
        map2(&after(&text, &[], 1)["output.bias"], &after(&text, &[], 0)["output.bias"], |a, b| a - b)
    };
    let g = map2(&step("sgd]\nlr = 1.0"), &[0.0; 4], |d, _| -d);
    for (early, eps) in [("false", 0.02), ("true", 0.02 / 0.001_f64.sqrt())] {
        let found = step(&format!("adam]\nlr = 0.05\neps = 0.02\nearly-eps = {early}"));
        assert!(near(&found, &map2(&g, &g, |g, _| -0.05 * g / (g.abs() + eps))), "{early}: {found:?}");
    }
}
