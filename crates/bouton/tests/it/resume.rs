//! A run goes on only with what it began with, and a loss beyond all bounds ends it.

use bouton::Error;
use bouton::recipe::Recipe;
use bouton::train::{Outcome, RunOptions, run};
use std::cell::Cell;
use std::path::Path;

const RECIPE: &str = "[task.digits]\nbatch = 10\nepochs = 1\n[run]\nupdates = 6\n[network]\nlayers = [64, 8, 10]\n\
    [neuron.sign]\n[norm.batch]\n[credit.backprop]\n[objective.softmax-cross-entropy]\n[optim.adam]\nlr = 8.0\n";

/// Runs `recipe` in `out` and asks for an interrupt after `updates`.
fn go(recipe: &Recipe, out: &Path, updates: usize) -> bouton::Result<Outcome> {
    let asked = Cell::new(0);
    let interrupt = || {
        asked.set(asked.get() + 1);
        asked.get() >= updates
    };
    let options = RunOptions { interrupt: &interrupt, ..RunOptions::new(out) };
    run(recipe, &options, &mut bouton::train::Silent)
}

fn message(error: &Error) -> String {
    assert_eq!(error.exit_code(), 2, "{error}");
    error.to_string()
}

/// A built-in preset by its name is the default, but for the name.
#[test]
fn a_device_preset_is_called_by_name() {
    let weights = |device: &str| {
        let recipe = Recipe::parse(&format!("{RECIPE}[synapse.rram]\n{device}\n"), "small.toml").unwrap();
        assert!(!recipe.to_toml().contains("citation"), "a name stays a name");
        let network = recipe.build().unwrap();
        network.connections[0].weight.mat().to_f64s()
    };
    assert_eq!(weights("device = \"majumdar2021\""), weights(""));
    let other = Recipe::parse(&format!("{RECIPE}[synapse.rram]\ndevice = \"soft-bounds\"\n"), "small.toml");
    let said = message(&other.unwrap().check().unwrap_err());
    assert!(said.contains("device preset"), "{said}");
    let none = Recipe::parse(&format!("{RECIPE}[synapse.rram]\ndevice = \"majumdar\"\n"), "small.toml");
    let error = none.unwrap_err();
    assert!(error.hint().unwrap().contains("built in: majumdar2021, soft-bounds"), "{error}");
}

#[test]
fn a_loss_beyond_all_bounds_is_divergence_long_before_it_is_infinite() {
    let text = RECIPE
        .replace("[neuron.sign]\n[norm.batch]\n", "[neuron.relu]\n")
        .replace("[objective.softmax-cross-entropy]\n[optim.adam]\nlr = 8.0", "[optim.sgd]\nlr = 1e3");
    let out = tempfile::tempdir().unwrap();
    let error = go(&Recipe::parse(&text, "wild.toml").unwrap(), out.path(), 99).unwrap_err();
    assert_eq!(error.exit_code(), 1);
    let said = error.to_string();
    let loss: f64 =
        said.split("the loss is ").nth(1).unwrap().split_whitespace().next().unwrap().parse().unwrap();
    assert!(loss > 1e8 && loss.is_finite(), "{said}");
}

#[test]
fn a_checkpoint_that_speaks_of_more_tasks_than_there_are_is_refused() {
    let mut trainer = crate::common::trainer(RECIPE);
    let mut checkpoint = trainer.checkpoint().unwrap();
    trainer.restore(&checkpoint).unwrap();
    checkpoint.meta.insert("accuracies".into(), "18446744073709551615\n".into());
    assert!(message(&trainer.restore(&checkpoint).unwrap_err()).contains("garbled"));
}
