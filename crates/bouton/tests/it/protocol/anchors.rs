//! What anchors measure, join and hold, from the numbers of a run alone.

use super::{Tensors, layered, map2, named, near, tensors, trainer};
use crate::common::learn;
use bouton::train::Trainer;

pub(super) const RATE: f64 = 0.05;
/// Updates of one task.
pub(super) const TASK: u64 = 8;

pub(super) fn text(anchor: &str) -> String {
    layered(&format!("[sequence.permuted]\ntasks = 2\n[optim.sgd]\nlr = {RATE}\n[anchor.{anchor}]\n"))
}

/// Names of everything that is held.
pub(super) const HELD: [&str; 4] =
    ["input-hidden1.weight", "hidden1-output.weight", "hidden1.bias", "output.bias"];

pub(super) fn hold<'a>(all: &'a Tensors, name: &str, kind: &str) -> &'a [f64] {
    &all[&format!("anchor.{name}.{kind}")]
}

/// 2k (Ω θ − P).
fn penalty(at: &Tensors, name: &str, k: f64) -> Vec<f64> {
    let toward = map2(hold(at, name, "importance"), &at[name], |omega, theta| omega * theta);
    map2(&toward, hold(at, name, "pull"), |a, p| 2.0 * k * (a - p))
}

/// One update: everything before and after it.
fn update(t: &mut Trainer) -> [Tensors; 2] {
    let before = tensors(t);
    t.learn().unwrap();
    [before, tensors(t)]
}

/// −∫ g dθ of the loss alone, or of loss and penalty; in the second task there is one.
#[test]
fn the_path_is_that_of_the_gradient_that_is_named() {
    for (gradient, total) in [("loss", false), ("total", true)] {
        let mut t = trainer(&text("si"), &[&format!("anchor.si.gradient={gradient}"), "anchor.si.c=3.0"]);
        for _ in 0..TASK {
            first_task(&update(&mut t));
        }
        t.end_segment().unwrap();
        let mut held = 0.0_f64;
        for _ in 0..4 {
            let [before, now] = update(&mut t);
            for name in HELD {
                let step = map2(&before[name], &now[name], |a, b| b - a);
                // The step is −η(g + penalty).
                let all = map2(&step, &step, |d, _| -d / RATE);
                let pull = penalty(&before, name, 3.0);
                held = pull.iter().fold(held, |m, p| m.max(p.abs()));
                let g = if total { all } else { map2(&all, &pull, |a, p| a - p) };
                let way = map2(&g, &step, |g, d| -g * d);
                let path = map2(hold(&before, name, "path"), &way, |p, w| p + w);
                assert!(near(&path, hold(&now, name, "path")), "{gradient}: {name}");
            }
        }
        assert!(held > 1e-3, "{gradient}: nothing is held");
    }
}

/// Before anything is held, the way is Σ Δθ²/η.
fn first_task([before, now]: &[Tensors; 2]) {
    for name in HELD {
        let step = map2(&before[name], &now[name], |a, b| b - a);
        let way = map2(hold(before, name, "path"), &step, |p, d| p + d * d / RATE);
        assert!(near(&way, hold(now, name, "path")), "{name}");
        assert_eq!(hold(before, name, "start"), hold(now, name, "start"), "a task has one start");
    }
}

/// Ω += max(ω, 0)/((θ − θ_start)² + ξ), P = Ω θ, and the next way begins here.
#[test]
fn a_task_ends_with_its_share_of_the_way() {
    for clip in [true, false] {
        let keys = [
            &format!("anchor.si.clip={clip}")[..],
            "anchor.si.c=3.0",
            "anchor.si.xi=0.02",
            "optim.sgd.momentum=0.9",
        ];
        let mut t = trainer(&text("si"), &keys);
        let mut negative = false;
        for _ in 0..2 {
            for _ in 0..TASK {
                t.learn().unwrap();
            }
            let before = tensors(&mut t);
            t.end_segment().unwrap();
            let now = tensors(&mut t);
            for name in HELD {
                let way = hold(&before, name, "path");
                negative |= way.iter().any(|w| *w < -1e-6);
                let way = map2(way, way, |w, _| if clip { w.max(0.0) } else { w });
                let moved =
                    map2(&before[name], hold(&before, name, "start"), |a, b| (a - b) * (a - b) + 0.02);
                let share = map2(&way, &moved, |w, m| w / m);
                let omega = map2(hold(&before, name, "importance"), &share, |a, b| a + b);
                assert!(near(&omega, hold(&now, name, "importance")), "{clip}: {name}");
                assert!(
                    near(&map2(&omega, &now[name], |o, w| o * w), hold(&now, name, "pull")),
                    "{clip}: {name}"
                );
                assert!(hold(&now, name, "path").iter().all(|p| *p == 0.0));
                assert_eq!(hold(&now, name, "start"), &now[name][..]);
                assert_eq!(before[name], now[name], "no weight moves when a task ends");
            }
        }
        assert!(negative, "some share is negative");
    }
}

/// The force is λ(Ω θ − P) for EWC, 2c(Ω θ − P) for SI, 2λ(Ω θ − P) for MAS: what an update has more than one without it.
#[test]
fn anchors_pull_as_hard_as_they_say() {
    let forces =
        [("ewc", "lambda", 1.0), ("online-ewc", "lambda", 1.0), ("si", "c", 2.0), ("mas", "lambda", 2.0)];
    for (anchor, key, times) in forces {
        let run = |strength: f64| {
            let mut t = trainer(&text(anchor), &[&format!("anchor.{anchor}.{key}={strength:?}")]);
            // Where a task ends its own anchor does not pull yet, so both still are at one place an update later.
            learn(&mut t, TASK + 1);
            update(&mut t)
        };
        let ([_, free], [before, held]) = (run(0.0), run(0.7));
        for name in HELD {
            let found = map2(&held[name], &free[name], |a, b| -(a - b) / RATE);
            let force = penalty(&before, name, 0.7 * times / 2.0);
            let close = found.iter().zip(&force).all(|(a, b)| (a - b).abs() < 1e-12 + 1e-6 * b.abs());
            assert!(close && force.iter().any(|f| f.abs() > 1e-9), "{anchor}: {name} {found:?} {force:?}");
        }
    }
}

/// Importance and pull after each of two tasks that nothing holds.
pub(super) fn two_tasks(anchor: &str, overrides: &[&str]) -> [Tensors; 2] {
    let mut t = trainer(&text(anchor), overrides);
    [TASK, 2 * TASK].map(|to| {
        learn(&mut t, to);
        tensors(&mut t)
    })
}

/// Σ_t Ω_t and Σ_t Ω_t θ_t; γΩ + Ω_t or αΩ + (1 − α)Ω_t at the last θ.
#[test]
fn importances_join_as_the_methods_say() {
    let ewc = two_tasks("ewc", &["anchor.ewc.lambda=0.0"]);
    let online = |gamma: &str| {
        two_tasks(
            "online-ewc",
            &["anchor.online-ewc.lambda=0.0", &format!("anchor.online-ewc.decay={gamma}")],
        )
    };
    let mas = |more: &[&str]| two_tasks("mas", &[&["anchor.mas.lambda=0.0"], more].concat());
    let (last, faded) = (online("0.0"), online("0.3"));
    let (sum, new, mixed) = (mas(&[]), mas(&["anchor.mas.alpha=0.0"]), mas(&["anchor.mas.alpha=0.4"]));
    for name in HELD {
        let omega = |run: &'_ [Tensors; 2], k: usize| hold(&run[k], name, "importance").to_vec();
        let pull = |run: &'_ [Tensors; 2], k: usize| hold(&run[k], name, "pull").to_vec();
        let (f1, f2) = (omega(&ewc, 0), omega(&last, 1));
        assert!(f1.iter().any(|f| *f > 1e-6) && !near(&f1, &f2));
        assert!(near(&omega(&ewc, 1), &map2(&f1, &f2, |a, b| a + b)), "{name}: penalties of all tasks");
        assert!(
            near(&omega(&faded, 1), &map2(&f1, &f2, |a, b| 0.3 * a + b)),
            "{name}: γ of the earlier tasks"
        );
        let at = |k: usize| &ewc[k][name];
        let both = map2(&map2(&f1, at(0), |f, w| f * w), &map2(&f2, at(1), |f, w| f * w), |a, b| a + b);
        assert!(near(&pull(&ewc, 1), &both), "{name}: every task has a place of its own");
        let moved = map2(&omega(&faded, 1), at(1), |f, w| f * w);
        assert!(near(&pull(&faded, 1), &moved), "{name}: one anchor, at the last task");
        let (m1, m2) = (omega(&new, 0), omega(&new, 1));
        assert!(near(&omega(&sum, 1), &map2(&m1, &m2, |a, b| a + b)), "{name}: MAS adds up");
        assert!(
            near(&omega(&mixed, 1), &map2(&m1, &m2, |a, b| 0.4 * 0.6 * a + 0.6 * b)),
            "{name}: or is a mean"
        );
    }
}

/// Gains and biases that every task has of its own are not held; otherwise everything is.
#[test]
fn what_every_task_has_of_its_own_is_not_held() {
    for (own, units) in [("true", false), ("false", true)] {
        let mut t = trainer(
            &text("si").replace("[optim", "[norm.batch]\n[optim"),
            &[&format!("norm.batch.per-task={own}")],
        );
        let held = tensors(&mut t);
        assert!(!named(&held, "anchor.input-hidden1.weight").is_empty());
        for name in ["hidden1.bias", "hidden1.gain", "output.bias", "output.gain"] {
            assert_eq!(held.contains_key(&format!("anchor.{name}.importance")), units, "{name}");
        }
    }
}

/// The hidden weight of a binary synapse is held, or the bit that the loss sees.
#[test]
fn hidden_weights_are_held_if_that_is_asked_for() {
    let text = layered(
        "[sequence.permuted]\ntasks = 2\n[synapse.binary]\n[norm.batch]\n[optim.adam]\nlr = 0.01\n[anchor.si]\n",
    )
    .replace("[neuron.relu]", "[neuron.sign]");
    for (hidden, bits) in [("true", false), ("false", true)] {
        let mut t = trainer(&text, &[&format!("anchor.si.hidden={hidden}")]);
        let start = hold(&tensors(&mut t), "input-hidden1.weight", "start").to_vec();
        assert_eq!(start.iter().all(|w| w.abs() == 1.0), bits, "{hidden}");
    }
}
