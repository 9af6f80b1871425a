//! Beginning: recipes to change, keys by the end of their names, papers and metrics explained.

use super::train::{bouton, succeeds};

#[test]
fn every_template_runs() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    for kind in ["ep", "bnn", "continual", "device", "data", "regression"] {
        let (told, _) = succeeds(at, &["new", kind]);
        assert!(told.contains(&format!("bouton run {kind}.toml")), "{told}");
        succeeds(at, &["run", &format!("{kind}.toml"), "--smoke"]);
    }
    let (told, _) = succeeds(at, &["run", "data.toml"]);
    assert!(told.contains("test accuracy"), "{told}");
    let again = bouton(at, &["new", "ep"]).output().unwrap();
    let said = String::from_utf8(again.stderr).unwrap();
    assert!(again.status.code() == Some(2) && said.contains("ep.toml is there already"), "{said}");
    std::fs::remove_file(at.join("data.toml")).unwrap();
    std::fs::write(at.join("train.csv"), "mine").unwrap();
    succeeds(at, &["new", "data"]);
    assert_eq!(std::fs::read_to_string(at.join("train.csv")).unwrap(), "mine");
    succeeds(at, &["new", "bnn", "-o", "deeper.toml"]);
}

#[test]
fn a_key_is_found_by_its_end() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    succeeds(at, &["new", "ep"]);
    let hint = |one: &str| {
        let output = bouton(at, &["run", "ep.toml", one]).output().unwrap();
        assert_eq!(output.status.code(), Some(2));
        String::from_utf8(output.stderr).unwrap()
    };
    assert!(hint("epochs=2").contains("did you mean `task.digits.epochs=2`? It is 12 here"));
    assert!(hint("task.epochs=2").contains("did you mean `task.digits.epochs=2`?"));
    assert!(hint("lr=0.1").contains("did you mean `optim.sgd.lr=0.1`? It is [0.1, 0.05] here"));
    assert!(hint("momentum=0.9").contains("optim.sgd.momentum"), "{}", hint("momentum=0.9"));
    assert!(hint("dropout=0.5").contains("network.dropout"), "{}", hint("dropout=0.5"));
    assert!(hint("nothing-of-it=1").contains("known are"));
    let (told, _) = succeeds(at, &["explain", "flip-samples"]);
    assert!(told.starts_with("run.flip-samples\n"), "{told}");
    let (told, _) = succeeds(at, &["explain", "epochs"]);
    assert!(told.contains("task.….epochs") && told.contains("schedule.cosine.epochs"), "{told}");
    let (told, _) = succeeds(at, &["explain", "r2"]);
    assert!(told.contains("coefficient of determination"), "{told}");
    let (told, _) = succeeds(at, &["explain", "brevitas"]);
    assert!(told.contains("bouton run @brevitas/CLAIM"), "{told}");
    let (told, _) = succeeds(at, &["run", "@scellier2017/one-hidden", "--print-config"]);
    assert!(told.contains("[task.mnist]"), "{told}");
    let output = bouton(at, &["run", "@scellier2017/none", "--print-config"]).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
}

/// Without the data a dry run is timed on made-up images, and tells what is stored.
#[test]
fn a_reproduction_is_estimated_without_its_data() {
    let folder = tempfile::tempdir().unwrap();
    let words = ["reproduce", "brevitas", "--dry-run", "--data", "nowhere"];
    let (told, _) = succeeds(folder.path(), &words);
    let rows: Vec<&str> = told.lines().filter(|line| line.contains("match")).collect();
    assert!(
        rows.len() == 2
            && rows.iter().all(|row| row.contains(" min") || row.contains(" h") || row.contains(" s")),
        "{told}"
    );
    let output = bouton(folder.path(), &["reproduce", "brevitas", "--max-time", "soon"]).output().unwrap();
    assert!(String::from_utf8(output.stderr).unwrap().contains("a time is 2h, 45m or 90s"));
    // Nothing fits into a second: all is left out, nothing is trained.
    let words = ["reproduce", "brevitas", "--max-time", "1s", "--data", "nowhere"];
    let (_, said) = succeeds(folder.path(), &words);
    assert_eq!(said.matches("left out").count(), 2, "{said}");
}
