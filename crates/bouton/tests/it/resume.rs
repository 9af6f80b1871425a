//! A run goes on only with what it began with, and a loss beyond all bounds ends it.

use bouton::Error;
use bouton::recipe::Recipe;
use bouton::train::{Outcome, RunDir, RunOptions, run};
use std::cell::Cell;
use std::path::Path;

const RECIPE: &str = "[task.digits]\nbatch = 10\nepochs = 1\n[run]\nupdates = 6\n[network]\nlayers = [64, 8, 10]\n\
    [neuron.sign]\n[norm.batch]\n[credit.backprop]\n[objective.softmax-cross-entropy]\n[optim.adam]\nlr = 8.0\n";
const DEVICE: &str = include_str!("../../data/devices/majumdar2021.toml");

/// Runs `recipe` in `out` and asks for an interrupt after `updates`.
fn go(recipe: &Recipe, out: &Path, updates: usize) -> bouton::Result<Outcome> {
    let asked = Cell::new(0);
    let interrupt = || {
        asked.set(asked.get() + 1);
        asked.get() >= updates
    };
    let options =
        RunOptions { out: out.into(), data: None, again: false, interrupt: &interrupt, command: Vec::new() };
    run(recipe, &options, &mut bouton::train::Silent)
}

fn message(error: &Error) -> String {
    assert_eq!(error.exit_code(), 2, "{error}");
    error.to_string()
}

#[test]
fn other_devices_or_data_are_refused_and_nothing_is_lost() {
    let folder = tempfile::tempdir().unwrap();
    let (preset, out) = (folder.path().join("device.toml"), folder.path().join("runs"));
    std::fs::write(&preset, DEVICE).unwrap();
    let recipe = format!("{RECIPE}[synapse.rram]\ndevice = '{}'\n", preset.display());
    let recipe = Recipe::parse(&recipe, "small.toml").unwrap();
    assert!(matches!(go(&recipe, &out, 2), Err(Error::Interrupted)));

    std::fs::write(&preset, DEVICE.replace("scale = 542.53852", "scale = 600.0")).unwrap();
    let said = message(&go(&recipe, &out, 2).unwrap_err());
    assert!(said.contains("the device preset is not the data"), "{said}");
    std::fs::write(&preset, DEVICE).unwrap();

    let dir = RunDir::find(&out, &recipe.hash()).unwrap().unwrap();
    let told = std::fs::read_to_string(dir.provenance()).unwrap();
    let hash = told.split("\"train\": \"").nth(1).unwrap().split('"').next().unwrap();
    std::fs::write(dir.provenance(), told.replace(hash, &"0".repeat(hash.len()))).unwrap();
    let said = message(&go(&recipe, &out, 2).unwrap_err());
    assert!(said.contains("train is not the data"), "{said}");
    std::fs::write(dir.provenance(), told).unwrap();

    let Ok(Outcome::Finished { run, .. }) = go(&recipe, &out, 99) else { panic!("it goes on") };
    assert_eq!(run, dir.path());
    assert!(std::fs::read_to_string(dir.path().join("log.txt")).unwrap().contains("going on after update 2"));
}

/// A built-in preset by its name is the default, but for the name.
#[test]
fn a_device_preset_is_called_by_name() {
    let weights = |device: &str| {
        let recipe = Recipe::parse(&format!("{RECIPE}[synapse.rram]\n{device}\n"), "small.toml").unwrap();
        assert_eq!(recipe.synapse.device(), None);
        let network = bouton::network::Network::build(&recipe).unwrap();
        network.connections[0].weight.mat().to_f64s()
    };
    assert_eq!(weights("device = \"majumdar2021\""), weights(""));
    let other = Recipe::parse(&format!("{RECIPE}[synapse.rram]\ndevice = \"soft-bounds\"\n"), "small.toml");
    let said = message(&other.unwrap().check().unwrap_err());
    assert!(said.contains("device preset"), "{said}");
    let none = Recipe::parse(&format!("{RECIPE}[synapse.rram]\ndevice = \"majumdar\"\n"), "small.toml");
    let error = none.unwrap().check().unwrap_err();
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
