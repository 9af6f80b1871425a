//! `bouton data add`: files of one's own under a name, from the first word to the last.

use super::train::bouton;
use std::path::Path;

/// Two kinds that a line tells apart.
fn table(at: &Path, name: &str) {
    let row = |i: i32| format!("{},{},{}\n", i % 2, i * 7 % 5, ["no", "yes"][i as usize % 2]);
    std::fs::write(at.join(name), format!("a,b,kind\n{}", (0..20).map(row).collect::<String>())).unwrap();
}

/// Exit code, what was printed and what was said.
fn ends(at: &Path, words: &[&str]) -> (i32, String, String) {
    let output = bouton(at, words).env_remove("BOUTON_DATA").args(["--data", "data"]).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

#[test]
fn a_name_leads_from_files_to_a_run() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    ["plants.csv", "animals.csv"].iter().for_each(|name| table(at, name));
    let recipe = "[task.plants]\nbatch = 4\nepochs = 1\n[network]\nlayers = [2, 3, 2]\n[neuron.relu]\n\
        [credit.backprop]\n[optim.sgd]\nlr = 0.1\n";
    std::fs::write(at.join("r.toml"), recipe).unwrap();
    let (code, _, said) = ends(at, &["run", "r.toml"]);
    assert!(code == 2 && said.contains("unknown name `plants` for `task`"), "{said}");
    let (code, told, said) = ends(at, &["data", "add", "plants", "plants.csv", "--label", "kind"]);
    assert!(code == 0 && told.contains("plants: 16 + 4 samples of 1x1x2 with 2 classes"), "{told}{said}");
    assert_eq!(ends(at, &["data", "add", "animals", "animals.csv", "--label", "kind"]).0, 0);
    let (code, _, said) = ends(at, &["data", "add", "digits", "plants.csv"]);
    assert!(code == 2 && said.contains("cannot be called `digits`"), "{said}");
    let (_, list, _) = ends(at, &["data", "list"]);
    assert!(list.contains("\nplants           yours     16 + 4 samples"), "{list}");
    let (_, list, _) = ends(at, &["data", "list", "--json"]);
    let list: Vec<serde_json::Value> = serde_json::from_str(&list).unwrap();
    assert!(list.iter().any(|set| set["name"] == "plants" && set["train"] == 16), "{list:?}");
    // As the task, and as one that follows.
    let (code, _, said) = ends(at, &["run", "r.toml", "task.plants.epochs=2"]);
    assert_eq!(code, 0, "{said}");
    let (code, told, said) = ends(at, &["run", "r.toml", "sequence.sets.then=[\"animals\"]", "seed=2"]);
    assert!(code == 0 && told.contains("task 2"), "{told}{said}");
    // A sweep starts children, which are told of the folder.
    let (code, table_of_points, said) = ends(at, &["sweep", "r.toml", "task.plants.epochs=1,3"]);
    assert!(code == 0 && table_of_points.matches(" done ").count() == 2, "{table_of_points}{said}");
    // What is called so has changed, is gone, is forgotten.
    assert!(ends(at, &["data", "verify", "plants"]).1.contains("plants: as it was when it was added"));
    std::fs::write(at.join("plants.csv"), "a,b,kind\n1,2,no\n").unwrap();
    let changed = ends(at, &["run", "r.toml", "seed=3"]);
    assert!(
        changed.0 == 2 && changed.2.contains("data set `plants`: ") && changed.2.contains("not what it was"),
        "{changed:?}"
    );
    assert_eq!(ends(at, &["data", "verify", "plants"]).0, 2);
    std::fs::remove_file(at.join("plants.csv")).unwrap();
    let gone = ends(at, &["run", "r.toml", "seed=3"]);
    assert!(gone.0 == 3 && gone.2.contains("data set `plants`: "), "{gone:?}");
    assert!(ends(at, &["data", "list"]).1.contains("\nplants           not here  16 + 4 samples"));
    assert_eq!(ends(at, &["data", "rm", "plants"]).0, 0);
    assert!(!ends(at, &["data", "list"]).1.contains("\nplants "));
    assert_eq!((ends(at, &["data", "rm", "plants"]).0, ends(at, &["data", "rm", "digits"]).0), (2, 2));
}
