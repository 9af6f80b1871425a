//! `bouton check` of recipes to which no theory applies, and of files that are not what they should be.

use super::train::{bouton, folder};
use std::path::Path;
use std::process::Output;

const SIGNS: &str = "\
[task.digits]
batch = 10
epochs = 1
[network]
layers = [64, 8, 10]
[neuron.sign]
[norm.batch]
[credit.backprop]
[objective.softmax-cross-entropy]
[optim.sgd]
lr = 0.1
";

fn check(folder: &Path, more: &[&str]) -> (Option<i32>, String) {
    let words = [&["check", "signs.toml"], more].concat();
    let Output { status, stdout, stderr } = bouton(folder, &words).output().unwrap();
    (status.code(), String::from_utf8([stdout, stderr].concat()).unwrap())
}

#[test]
fn a_check_of_nothing_says_so_and_fails_if_that_counts() {
    let folder = folder();
    std::fs::write(folder.path().join("signs.toml"), SIGNS).unwrap();
    let (code, said) = check(folder.path(), &[]);
    assert_eq!(code, Some(0));
    assert!(said.contains("nothing was checked"), "{said}");
    assert_eq!(check(folder.path(), &["--strict"]).0, Some(1));
    let units = ["neuron=relu", "norm=none"];
    assert_eq!(check(folder.path(), &[&units[..], &["--strict"]].concat()).0, Some(0));
}

/// A run folder stands for its recipe, with the weights that it has; a device is shown as the file to copy.
#[test]
fn runs_and_devices_are_looked_at_by_name() {
    let folder = folder();
    let asked = |words: &[&str]| {
        let Output { status, stdout, stderr } = bouton(folder.path(), words).output().unwrap();
        (status.code(), String::from_utf8([stdout, stderr].concat()).unwrap())
    };
    std::fs::write(folder.path().join("signs.toml"), SIGNS).unwrap();
    let units = ["neuron=relu", "norm=none"];
    assert_eq!(asked(&[&["run", "signs.toml", "run.updates=3"][..], &units].concat()).0, Some(0));
    let run = std::fs::read_dir(folder.path().join("runs")).unwrap().next().unwrap().unwrap().path();
    let run = run.to_str().unwrap();
    assert_eq!(asked(&["check", run, "--strict"]), asked(&["check", run, "--strict", "--weights", run]));
    assert_ne!(asked(&["check", run]), asked(&[&["check", "signs.toml"][..], &units].concat()));
    assert_eq!(asked(&["cite", run]), asked(&[&["cite", "signs.toml"][..], &units].concat()));
    let checked = asked(&["check", run]);
    assert_eq!((asked(&["check", "last"]), asked(&["check", "signs_s1"])), (checked.clone(), checked));
    assert_eq!(asked(&["check", "signs.toml", "--weights", "last"]).0, Some(2), "other units");
    assert_eq!(asked(&["cite", "last"]), asked(&["cite", run]));
    assert_eq!(asked(&["cite", "signs_s2"]).0, Some(2));
    assert_eq!(asked(&["explain", "majumdar2021"]).1, bouton::theory::built_in("majumdar2021").unwrap());
}
