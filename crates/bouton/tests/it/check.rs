//! What `bouton check` says of feed-forward networks, and of weights that are no numbers.

use bouton::analysis::{self, CheckContext, Findings, Property, Verdict};
use bouton::recipe::Recipe;
use bouton::train::{Checkpoint, TensorData, Trainer};

const BASE: &str = "\
[task.digits]
batch = 10
epochs = 1
[network]
layers = [64, 12, 10]
[optim.sgd]
lr = 0.1
";
const RELU: &str = "[neuron.relu]\n[credit.backprop]\n[objective.softmax-cross-entropy]\n";
const SIGNS: &str = "[neuron.sign]\n[norm.batch]\n[credit.backprop]\n[objective.softmax-cross-entropy]\n";
const SETTLING: &str = "[neuron.settle]\n[credit.eq-prop]\nbeta = 0.5\nfree-steps = 40\nnudged-steps = 10\n";

/// What is found with the initial weights, changed by `change`, which sees every tensor by its name.
fn check(tables: &str, change: impl Fn(&str, &mut [f32])) -> Findings {
    let recipe = Recipe::parse(&format!("{BASE}{tables}"), "check.toml").unwrap();
    let mut checkpoint: Checkpoint = Trainer::new(&recipe, None).unwrap().checkpoint().unwrap();
    for tensor in &mut checkpoint.tensors {
        if let TensorData::F32(values) = &mut tensor.data {
            change(&tensor.name, values);
        }
    }
    analysis::check(&mut CheckContext::new(&recipe, None, Some(&checkpoint)).unwrap()).unwrap()
}

#[track_caller]
fn property<'a>(findings: &'a Findings, id: &str) -> &'a Property {
    findings.properties.iter().find(|p| p.id == id).unwrap()
}

#[test]
fn a_feed_forward_network_is_checked() {
    let found = check(RELU, |_, _| ());
    for id in ["finite", "gradient-differences", "dead-units"] {
        assert_eq!(property(&found, id).verdict, Verdict::Pass, "{:?}", found.properties);
    }
    assert!(found.passed() && found.tested());
}

#[test]
fn units_that_are_never_on_are_counted() {
    let found = check(RELU, |name, values| {
        if name == "hidden1.bias" {
            values[..9].fill(-1e3);
        }
    });
    let dead = property(&found, "dead-units");
    assert_eq!((dead.measured, &dead.verdict), (Some(0.75), &Verdict::Fail));
    assert!(found.notes.iter().any(|n| n == "9 of 12 units of hidden1 are silent"), "{:?}", found.notes);
}

#[test]
fn what_is_not_finite_is_named_and_nothing_else_is_blamed() {
    for tables in [RELU, SETTLING] {
        let found = check(tables, |name, values| {
            if name == "hidden1-output.weight" {
                (values[13], values[100]) = (f32::NAN, f32::INFINITY);
            }
        });
        let [finite] = &found.properties[..] else { panic!("{:?}", found.properties) };
        assert_eq!(
            (finite.id.as_str(), finite.measured, &finite.verdict),
            ("finite", Some(1.0), &Verdict::Fail)
        );
        let line = "`hidden1-output.weight` holds NaN at row 1, column 1, counted from 0; 2 of 120 numbers are not finite";
        assert!(found.notes.iter().any(|n| n == line), "{:?}", found.notes);
    }
}

#[test]
fn a_check_of_nothing_says_so() {
    let found = check(SIGNS, |_, _| ());
    assert!(found.passed() && !found.tested(), "{:?}", found.properties);
    assert!(found.notes.iter().any(|note| note.starts_with("nothing was checked")), "{:?}", found.notes);
}
