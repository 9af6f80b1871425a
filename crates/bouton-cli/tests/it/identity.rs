//! What a run is known by, from the command line: its recipe with the files in it, its build, its name.

use crate::train::{bouton, succeeds};
use std::path::{Path, PathBuf};

/// A binary network of resistive pairs whose devices are in a file beside the recipe.
const RECIPE: &str = "\
[task.digits]
batch = 20
epochs = 1
train = 60
test = 20
[network]
layers = [64, 16, 10]
[neuron.sign]
[norm.batch]
[synapse.rram]
device = \"dev.toml\"
[objective.softmax-cross-entropy]
[credit.backprop]
[optim.adam]
lr = 4.0
";
const DEVICE: &str = include_str!("../../../bouton-core/data/devices/majumdar2021.toml");

fn only(folder: &Path) -> PathBuf {
    let runs = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let runs: Vec<_> = runs.filter(|path| path.is_dir()).collect();
    assert_eq!(runs.len(), 1, "{runs:?}");
    runs[0].clone()
}

#[test]
fn a_run_folder_that_was_moved_needs_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    std::fs::create_dir(at.join("mine")).unwrap();
    std::fs::write(at.join("mine/rram.toml"), RECIPE).unwrap();
    std::fs::write(at.join("mine/dev.toml"), DEVICE).unwrap();
    succeeds(at, &["run", "mine/rram.toml"]);
    std::fs::rename(only(&at.join("runs")), at.join("moved")).unwrap();
    for folder in ["mine", "runs"] {
        std::fs::remove_dir_all(at.join(folder)).unwrap();
    }
    let (out, _) = succeeds(at, &["report", "moved"]);
    assert!(out.contains("counted on a batch of 20"), "{out}");
    succeeds(at, &["check", "moved/recipe.toml"]);
    let (out, _) = succeeds(at, &["convert", "moved", "--packed"]);
    assert!(out.contains("different outputs  0"), "{out}");
    succeeds(at, &["run", "moved/recipe.toml"]);
    let weights = |run: &Path| std::fs::read(run.join("checkpoints/last.safetensors")).unwrap();
    assert_eq!(weights(&only(&at.join("runs"))), weights(&at.join("moved")));
}

#[test]
fn a_path_that_was_meant_from_elsewhere_is_told_where_it_begins() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    std::fs::create_dir(at.join("mine")).unwrap();
    std::fs::write(at.join("mine/rram.toml"), RECIPE).unwrap();
    std::fs::write(at.join("dev.toml"), DEVICE).unwrap();
    let refused = bouton(at, &["run", "mine/rram.toml"]).output().unwrap();
    let said = String::from_utf8(refused.stderr).unwrap();
    assert_eq!(refused.status.code(), Some(2), "{said}");
    assert!(said.contains("synapse.rram.device: mine/dev.toml: "), "{said}");
    assert!(said.contains("hint: paths in a recipe are relative to the recipe's folder; "), "{said}");
    // An override is written in a shell, whose paths begin where it is.
    std::fs::copy(at.join("dev.toml"), at.join("mine/dev.toml")).unwrap();
    std::fs::rename(at.join("dev.toml"), at.join("other.toml")).unwrap();
    succeeds(at, &["run", "mine/rram.toml", "synapse.rram.device=other.toml", "--smoke"]);
}

#[test]
fn a_name_that_a_file_gives_is_made_fit() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let recipe = RECIPE.replace("device = \"dev.toml\"\n", "");
    std::fs::write(at.join("my recipe été.toml"), &recipe).unwrap();
    succeeds(at, &["run", "my recipe été.toml"]);
    let (out, _) = succeeds(at, &["runs", "ls", "--json"]);
    assert!(out.contains("\"name\": \"my-recipe-été\""), "{out}");
    std::fs::write(at.join("written.toml"), format!("name = \"a b/c\"\n{recipe}")).unwrap();
    let refused = bouton(at, &["run", "written.toml"]).output().unwrap();
    let said = String::from_utf8(refused.stderr).unwrap();
    assert_eq!(refused.status.code(), Some(2), "{said}");
    assert!(said.contains("`name` is \"a b/c\"") && said.contains("name = \"a-b-c\" would do"), "{said}");
}

#[test]
fn the_version_is_the_program_that_a_run_names() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    std::fs::write(at.join("a.toml"), RECIPE.replace("device = \"dev.toml\"\n", "")).unwrap();
    succeeds(at, &["run", "a.toml"]);
    let version = bouton(at, &["--version"]).output().unwrap();
    let version = String::from_utf8(version.stdout).unwrap();
    let provenance = only(&at.join("runs")).join("provenance.json");
    assert_eq!(bouton::train::Provenance::read(&provenance).unwrap().program(), version.trim());
    assert_eq!(version.trim().contains(" ("), bouton_cli::BUILD.is_some());
}
