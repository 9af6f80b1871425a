//! Numbers of an objective's and of a unit's own: they move at the rate of biases, stay in their range, and go on from a
//! checkpoint.

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

/// Units of 9-5-4 with numbers of their own.
fn adaptive(credit: &str, optim: &str) -> String {
    let text = layered(&format!("[optim.{optim}\n"));
    let (head, _) = text.split_once("[neuron.relu]").unwrap();
    format!(
        "{head}[neuron.adaptive]\nstrength = {{ uniform = [0.25, 0.75] }}\n\
         time-constant = {{ uniform = [1.5, 3.0], learned = true }}\n{credit}\n[optim.{optim}\n"
    )
}

const BPTT: &str = "[credit.bptt]\nsteps = 8";
const EP: &str = "[credit.eq-prop]\nbeta = 0.5\nfree-steps = 8\nnudged-steps = 4";

#[test]
fn every_unit_has_numbers_of_its_own() {
    let all = after(&adaptive(BPTT, "sgd]\nlr = 0.01"), &[], 0);
    let [tau, g] = ["time-constant", "strength"].map(|name| {
        let [hidden, output] = ["hidden1", "output"].map(|pop| all[&format!("{pop}.{name}")].clone());
        assert_eq!((hidden.len(), output.len()), (5, 4));
        [hidden, output].concat()
    });
    assert!(tau.iter().all(|x| (1.5..3.0).contains(x)) && g.iter().all(|x| (0.25..0.75).contains(x)));
    for numbers in [&tau, &g] {
        let mut sorted = numbers.clone();
        sorted.sort_by(f64::total_cmp);
        assert!(sorted.windows(2).all(|w| w[0] < w[1]), "{numbers:?}");
    }
    let share = |x: f64, low: f64, width: f64| (x - low) / width;
    let alike =
        tau.iter().zip(&g).filter(|(t, g)| (share(**t, 1.5, 1.5) - share(**g, 0.25, 0.5)).abs() < 1e-9);
    assert_eq!(alike.count(), 0, "each is drawn by numbers of its own");
    let other = after(&adaptive(BPTT, "sgd]\nlr = 0.01"), &["seed=9"], 0);
    assert_ne!(other["hidden1.strength"], all["hidden1.strength"]);
}

#[test]
fn time_constants_are_learned_through_sweeps_and_left_alone_by_rules_that_compare_states() {
    for (credit, moves) in [(BPTT, true), (EP, false)] {
        let text = adaptive(credit, "adam]\nlr = 0.01");
        let (start, end) = (after(&text, &[], 0), after(&text, &[], 4));
        for name in ["hidden1.time-constant", "output.time-constant"] {
            assert_eq!(start[name] != end[name], moves, "{credit}: {name}");
        }
        assert_eq!(start["hidden1.strength"], end["hidden1.strength"], "not learned");
        assert_ne!(start["hidden1.bias"], end["hidden1.bias"]);
    }
}

#[test]
fn numbers_of_units_stay_in_their_range_and_go_on_from_a_checkpoint() {
    let far = after(&adaptive(BPTT, "adam]\nlr = 1e-9\nunit-lr = 1e6"), &[], 1);
    let ends = &far["hidden1.time-constant"];
    let border = |tau: &f64| [1.0, 1e4].contains(tau);
    // Units that are off have no gradient.
    assert!(
        ends.iter().all(|tau| border(tau) || (1.5..3.0).contains(tau)) && ends.iter().any(border),
        "{ends:?}"
    );
    let text = adaptive(BPTT, "adam]\nlr = 0.01");
    let mut first = trainer(&text, &[]);
    learn(&mut first, 3);
    // What is drawn and not learned is taken from the checkpoint, not drawn again.
    let other = Tensors::from([("hidden1.strength".into(), vec![0.5; 5])]);
    let put = &mut |name: &str, mat: &mut bouton_kernels::Mat| {
        other.get(name).into_iter().for_each(|v| mat.slice_mut::<f64>().copy_from_slice(v));
        Ok(())
    };
    first.network.visit(put).unwrap();
    let saved = first.checkpoint().unwrap();
    learn(&mut first, 6);
    let mut second = trainer(&text, &[]);
    second.restore(&saved).unwrap();
    learn(&mut second, 6);
    let (whole, resumed) = (tensors(&mut first), tensors(&mut second));
    assert_eq!(resumed, whole);
    assert_eq!(resumed["hidden1.strength"], [0.5; 5]);
}

#[test]
fn values_out_of_range_and_of_other_shapes_are_refused() {
    let mut t = trainer(&adaptive(BPTT, "sgd]\nlr = 0.01"), &[]);
    for (name, value, words) in [
        ("output.time-constant", 0.5, "output.time-constant is 0.5"),
        ("hidden1.strength", f64::NAN, "hidden1.strength is NaN"),
    ] {
        let put = &mut |n: &str, mat: &mut bouton_kernels::Mat| {
            if n == name {
                mat.fill(value);
            }
            Ok(())
        };
        let error = t.network.visit(put).unwrap_err();
        assert!(error.to_string().contains(words) && error.hint().unwrap().contains("between"), "{error}");
    }
}

/// What remembers earlier tasks is the network, not the scale of its loss.
#[test]
fn anchors_hold_no_temperature() {
    let text = tables("sgd]\nlr = 0.01\n[sequence.permuted]\ntasks = 2\n[anchor.si]");
    let all = after(&text, &[], 2);
    let held: Vec<&String> = all.keys().filter(|name| name.starts_with("anchor.")).collect();
    assert!(held.iter().any(|name| name.contains(".weight")) && all.contains_key(TAU), "{held:?}");
    assert!(held.iter().all(|name| !name.contains(TAU)), "{held:?}");
}
