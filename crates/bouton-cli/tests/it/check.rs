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
