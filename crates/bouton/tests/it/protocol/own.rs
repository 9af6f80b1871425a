//! Numbers of an objective's own: they move at the rate of a unit's parameters, stay in their range, and go on from a checkpoint.

use super::{Tensors, after, layered, tensors, trainer};
use crate::common::learn;
use bouton::train::Trainer;

const TAU: &str = "objective.temperature";

fn tables(optim: &str) -> String {
    layered(&format!("[optim.{optim}\n")).replace(
        "[objective.softmax-cross-entropy]\n",
        "[objective.softmax-cross-entropy]\nlearn-temperature = true\n",
    )
}

fn tau(all: &Tensors) -> f64 {
    all[TAU][0]
}

#[test]
fn a_temperature_moves_at_the_rate_of_units_and_does_not_decay() {
    let plain = after(&tables("sgd]\nlr = 0.01"), &[], 1);
    let moved = tau(&plain) - 1.0;
    assert!(moved.abs() > 1e-6, "{moved}");
    let half = after(&tables("sgd]\nlr = 0.01\nbias-scale = 0.5"), &[], 1);
    assert!(((tau(&half) - 1.0) / moved - 0.5).abs() < 1e-9);
    let layered = after(&tables("sgd]\nlr = [0.01, 0.02]"), &[], 1);
    assert!(((tau(&layered) - 1.0) / moved - 2.0).abs() < 1e-9, "the rate is that of the output");
    let decays = after(&tables("sgd]\nlr = 0.01\ndecay = 0.4"), &[], 1);
    assert_eq!(tau(&decays), tau(&plain));
    let fixed =
        after(&tables("sgd]\nlr = 0.01"), &["objective.softmax-cross-entropy.learn-temperature=false"], 1);
    assert!(!fixed.contains_key(TAU), "none unless it is learned");
}

#[test]
fn a_temperature_stays_in_its_range() {
    let text = tables("adam]\nlr = 1e-9\nunit-lr = 1e3");
    let ends: Vec<f64> = (1..=4).map(|updates| tau(&after(&text, &[], updates))).collect();
    assert!(ends.iter().all(|tau| [1e-3, 1e3].contains(tau)), "{ends:?}");
}

#[test]
fn a_temperature_goes_on_from_a_checkpoint() {
    let text = tables("adam]\nlr = 0.01");
    let whole = after(&text, &[], 6);
    let mut first = trainer(&text, &[]);
    learn(&mut first, 3);
    let saved = first.checkpoint().unwrap();
    let mut second: Trainer = trainer(&text, &[]);
    second.restore(&saved).unwrap();
    learn(&mut second, 6);
    let resumed = tensors(&mut second);
    assert_eq!((tau(&resumed), &resumed), (tau(&whole), &whole));
    assert!(whole.contains_key("optim.objective.temperature.1"), "{:?}", whole.keys());
}
