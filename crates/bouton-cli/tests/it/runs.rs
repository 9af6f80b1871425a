//! Tables of runs: listed, sorted, chosen, grouped, labelled, deleted.

use crate::train::{bouton, succeeds};
use bouton::recipe::Recipe;
use bouton::train::{MetricsWriter, Record, RunDir, State};
use serde_json::Value;
use std::fs::File;
use std::path::Path;
use std::time::{Duration, SystemTime};

const RECIPE: &str = "\
name = \"made\"
[task.digits]
batch = 10
epochs = 1
[network]
layers = [64, 8, 10]
[neuron.settle]
[credit.eq-prop]
beta = 0.5
free-steps = 10
nudged-steps = 3
[optim.sgd]
lr = 0.1
";

/// A run below `out` that ended in a state with this accuracy.
pub(crate) fn made(out: &Path, overrides: &[&str], state: State, accuracy: f64) -> RunDir {
    let recipe = Recipe::parse(RECIPE, "made").unwrap().with_overrides(overrides).unwrap();
    let run = RunDir::create(out, &recipe.name, recipe.seed, &recipe.hash()).unwrap();
    std::fs::write(run.recipe(), recipe.to_toml()).unwrap();
    let mut writer = MetricsWriter::open(&run.metrics(), None).unwrap();
    for step in 1..=4 {
        let accuracy = accuracy * f64::from(step) / 4.0;
        let values = [("accuracy", accuracy), ("loss", 1.0 - accuracy)];
        let values = values.map(|(name, value)| (name.to_string(), value)).into();
        let (step, wall, split) = (u64::from(step as u32), f64::from(step), "test".into());
        writer.write(&Record { step, epoch: step, wall, split, values }).unwrap();
    }
    let mut status = run.status().unwrap();
    (status.state, status.step, status.epoch) = (state, 4, 4);
    status.write(&run.status_file()).unwrap();
    run
}

/// Two betas with seeds 1 to 3 each, an unfinished run, and one of another optimiser.
pub(crate) fn some(out: &Path) {
    for (beta, accuracies) in [("0.5", [0.5, 0.6, 0.7]), ("0.25", [0.4, 0.45, 0.65])] {
        for (seed, accuracy) in (1..).zip(accuracies) {
            let (beta, seed) = (format!("credit.eq-prop.beta={beta}"), format!("seed={seed}"));
            made(out, &[&beta, &seed], State::Done, accuracy);
        }
    }
    made(out, &["seed=4"], State::Failed, 0.1);
    made(out, &["optim.adam.lr=0.01"], State::Done, 0.8);
}

/// Exit code, stdout and stderr of `bouton WORDS`.
pub(crate) fn answer(at: &Path, words: &[&str]) -> (i32, String, String) {
    let output = bouton(at, words).output().unwrap();
    let [out, err] = [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).unwrap());
    (output.status.code().unwrap(), out, err)
}

fn words(line: &str) -> Vec<&str> {
    line.split_whitespace().collect()
}

/// The last words of every line but the first.
fn last(out: &str) -> Vec<&str> {
    out.lines().skip(1).filter_map(|line| words(line).pop()).collect()
}

#[test]
fn a_list_shows_what_differs_and_the_seed_last() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    some(&at.join("runs"));
    let (out, _) = succeeds(at, &["runs", "ls"]);
    let heading =
        ["run", "state", "updates", "accuracy", "time", "beta", "optim", "adam.lr", "sgd.lr", "seed"];
    // Adam's own keys and SGD's are compared within their runs: they do not differ there.
    assert_eq!(words(out.lines().next().unwrap()), [&heading[..7], &["seed"]].concat(), "{out}");
    assert_eq!(last(&out), ["1", "2", "3", "1", "2", "3", "4", "1"]);
    let (out, _) = succeeds(at, &["runs", "ls", "--where", "optim=sgd", "--where", "beta<0.4"]);
    assert_eq!(words(out.lines().next().unwrap())[5..], ["seed"], "{out}");
    let (out, _) = succeeds(at, &["runs", "ls", "--sort", "-accuracy", "--where", "state!=failed"]);
    let scores: Vec<_> = out.lines().skip(1).map(|line| words(line)[3].to_owned()).collect();
    assert_eq!(scores, ["0.8000", "0.7000", "0.6500", "0.6000", "0.5000", "0.4500", "0.4000"]);
    for (condition, runs) in [
        ("test.accuracy>=0.65", 3),
        ("seed=1", 3),
        ("network.layers=[64, 8,10]", 8),
        ("tag=x", 0),
        ("name=made", 8),
    ] {
        let (out, _) = succeeds(at, &["runs", "ls", "--json", "--where", condition]);
        let told: Value = serde_json::from_str(&out).unwrap();
        assert_eq!(told.as_array().unwrap().len(), runs, "{condition}");
    }
    let (out, _) = succeeds(at, &["runs", "ls", "--csv"]);
    let columns: Vec<_> = out.lines().next().unwrap().split(',').collect();
    for column in
        ["folder", "seed", "tags", "credit.eq-prop.free-steps", "optim", "test.accuracy", "network.layers"]
    {
        assert_eq!(columns.iter().filter(|c| **c == column).count(), 1, "{column}: {columns:?}");
    }
    assert!(out.contains("\"[64,8,10]\""), "{out}");
    // What one run says and others leave out differs, too.
    let other = ["seed=7", "run.updates=3", "about=x", "wiring.dense.gain=0.4"];
    made(&at.join("runs"), &other, State::Done, 0.5);
    let (out, _) = succeeds(at, &["runs", "ls", "--where", "optim=sgd", "--where", "beta=0.5"]);
    assert_eq!(words(out.lines().next().unwrap())[5..], ["run.updates", "gain", "seed"], "{out}");
    assert_eq!(words(out.lines().nth(1).unwrap())[6..], ["–", "1.0", "1"], "{out}");
}

/// All files of a run changed long ago.
fn age(run: &RunDir) {
    let long_ago = SystemTime::now() - Duration::from_secs(1000);
    for path in [run.status_file(), run.recipe(), run.metrics()] {
        File::options().write(true).open(path).unwrap().set_modified(long_ago).unwrap();
    }
}

/// What is remembered of a run counts as long as its files stay; whatever is wrong with the memory, the list is right.
#[test]
fn an_index_saves_reading_and_never_lies() {
    let folder = tempfile::tempdir().unwrap();
    let (at, out) = (folder.path(), folder.path().join("runs"));
    let run = made(&out, &[], State::Done, 0.5);
    let listed = |accuracy: &str| {
        let (list, _) = succeeds(at, &["runs", "ls"]);
        assert!(list.contains(accuracy), "{list}");
    };
    listed("0.5000");
    assert!(!out.join(".index.json").exists(), "files that just changed may change again");
    age(&run);
    listed("0.5000");
    let text = std::fs::read_to_string(run.metrics()).unwrap();
    let changed = std::fs::metadata(run.metrics()).unwrap().modified().unwrap();
    std::fs::write(run.metrics(), text.replace("0.5", "0.6")).unwrap();
    let metrics = File::options().write(true).open(run.metrics()).unwrap();
    metrics.set_modified(changed).unwrap();
    listed("0.5000");
    metrics.set_modified(changed + Duration::from_millis(1)).unwrap();
    listed("0.6000");
    let index = std::fs::read_to_string(out.join(".index.json")).unwrap();
    let program = serde_json::from_str::<Value>(&index).unwrap()[0].to_string();
    let foreign = index.replacen(&program, "\"another\"", 1).replace("0.6", "0.7");
    for damage in [&index[..index.len() / 2], "[]", &foreign] {
        std::fs::write(out.join(".index.json"), damage).unwrap();
        listed("0.6000");
    }
    // What cannot be written is not.
    std::fs::remove_file(out.join(".index.json")).unwrap();
    std::fs::create_dir(out.join(".index.json")).unwrap();
    listed("0.6000");
    std::fs::remove_dir(out.join(".index.json")).unwrap();
    listed("0.6000");
    std::fs::remove_dir_all(run.path()).unwrap();
    let (list, said) = succeeds(at, &["runs", "ls"]);
    assert!(list.is_empty() && said.contains("no runs in runs"), "{list}{said}");
}

#[test]
fn what_is_not_whole_is_told_and_the_rest_is_listed() {
    let folder = tempfile::tempdir().unwrap();
    let (at, out) = (folder.path(), folder.path().join("runs"));
    for damage in 0..4 {
        let run = made(&out, &[&format!("seed={damage}")], State::Done, 0.5);
        match damage {
            0 => std::fs::write(run.status_file(), "{\"state\"").unwrap(),
            1 => std::fs::write(run.recipe(), "seed = 1\n[later]\nkey = 2\n").unwrap(),
            2 => std::fs::write(run.labels(), "{").unwrap(),
            _ => std::fs::write(run.metrics(), "{\"step\":1,").unwrap(),
        }
    }
    std::fs::create_dir_all(out.join("notes/of mine")).unwrap();
    let (list, said) = succeeds(at, &["runs", "ls", "--csv"]);
    assert_eq!(list.lines().count(), 4, "{list}");
    assert!(list.contains("later.key") && said.contains("damaged: ") && said.lines().count() == 1, "{said}");
    let (code, _, said) = answer(at, &["runs", "tag", "s2", "x"]);
    assert!(code == 2 && said.contains("labels.json"), "{said}");
}

/// By hand: 0.5, 0.6, 0.7 have mean 0.6, SD 0.1 and the interval 0.6 ± 4.302653·0.1/√3; their differences to 0.4, 0.45, 0.65
/// are 0.1, 0.15, 0.05: mean 0.1, SD 0.05.
#[test]
fn a_table_has_means_intervals_and_paired_differences() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    some(&at.join("runs"));
    let (out, said) = succeeds(at, &["runs", "table", "--by", "beta", "--where", "optim=sgd", "--json"]);
    assert_eq!(said, "left out: 1 run not finished\n");
    let rows: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(rows[0]["group"]["credit.eq-prop.beta"], 0.25);
    assert!(rows[0]["difference"].is_null() && rows[1]["seeds"] == serde_json::json!([1, 2, 3]), "{rows}");
    let close = |value: &Value, expected: f64| {
        assert!((value.as_f64().unwrap() - expected).abs() < 1e-6, "{value} {expected}");
    };
    let (row, half) = (&rows[1], 4.302653 / 3f64.sqrt());
    for (key, expected) in [("mean", 0.6), ("sd", 0.1), ("sem", 0.1 / 3f64.sqrt())] {
        close(&row[key], expected);
    }
    close(&row["interval"][0], 0.6 - 0.1 * half);
    close(&row["difference"]["mean"], 0.1);
    close(&row["difference"]["interval"][1], 0.1 + 0.05 * half);
    let (out, _) = succeeds(
        at,
        &["runs", "table", "--by", "beta", "--where", "optim=sgd", "--against", "0.50", "--csv"],
    );
    let cells: Vec<_> = out.lines().nth(1).unwrap().split(',').collect();
    assert!(cells[0] == "0.25" && (cells[8].parse::<f64>().unwrap() + 0.1).abs() < 1e-12, "{out}");
    // One seed is not compared with three.
    let (out, said) = succeeds(at, &["runs", "table", "--by", "optim", "beta", "--json"]);
    let rows: Value = serde_json::from_str(&out).unwrap();
    assert!(rows.as_array().unwrap().iter().all(|row| row["difference"].is_null()), "{rows}");
    assert!(rows[0]["interval"].is_null() && rows[0]["group"]["optim"] == "adam", "{rows}");
    assert!(said.contains("groups with other seeds than `adam,0.5` are not compared with it"), "{said}");
    let (out, _) = succeeds(at, &["runs", "table", "--by", "optim", "seed", "--metric", "time"]);
    assert_eq!(words(out.lines().nth(1).unwrap())[..3], ["adam", "1", "4"], "{out}");
}

#[test]
fn of_a_seed_the_newest_counts_and_what_is_mixed_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let (at, out) = (folder.path(), folder.path().join("runs"));
    for (lr, accuracy) in [("0.1", 0.2), ("0.2", 0.9)] {
        made(&out, &[&format!("optim.sgd.lr={lr}")], State::Done, accuracy);
    }
    made(&out, &["seed=2"], State::Done, f64::NAN);
    let (table, said) = succeeds(at, &["runs", "table", "--by", "neuron"]);
    assert_eq!(words(table.lines().nth(1).unwrap())[..5], ["settle", "0.9000", "–", "–", "1"], "{table}");
    assert!(
        said.contains("1 older run of the same seed") && said.contains("without a finite `accuracy`"),
        "{said}"
    );
    assert!(said.contains("seed and group, with another optim.sgd.lr"), "{said}");
    assert!(!said.contains("differ in"), "what counts is alike: {said}");
    // Two seeds that do not share a key.
    made(&out, &["optim.sgd.lr=0.3", "seed=3"], State::Done, 0.5);
    let (_, said) = succeeds(at, &["runs", "table", "--by", "neuron"]);
    assert!(said.contains("differ in optim.sgd.lr, too"), "{said}");
}

#[test]
fn labels_stay_with_a_run_and_choose_it() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    some(&at.join("runs"));
    succeeds(at, &["runs", "tag", "*_s1_*", "good", "first"]);
    succeeds(at, &["runs", "tag", "last", "good", "--remove"]);
    succeeds(at, &["runs", "note", "s4", "too  small\nrates"]);
    let (out, _) = succeeds(at, &["runs", "ls", "--where", "tag=good"]);
    assert!(out.lines().count() == 3 && out.lines().skip(1).all(|line| line.contains("first good")), "{out}");
    assert!(out.starts_with("run ") && out.lines().next().unwrap().contains("  tags  "), "{out}");
    let (out, _) = succeeds(at, &["runs", "ls", "--where", "note=too small rates", "--json"]);
    assert!(out.contains("\"note\": \"too small rates\""), "{out}");
    let (out, _) = succeeds(at, &["runs", "show", "s4", "last"]);
    assert!(out.contains("note      too small rates") && out.contains("tags      first"), "{out}");
    succeeds(at, &["runs", "note", "s4", ""]);
    assert!(!succeeds(at, &["runs", "show", "s4"]).0.contains("note"));
    for (refused, words) in [
        ("has no tag `good`", vec!["runs", "tag", "last", "good", "--remove"]),
        ("`a b` is no tag", vec!["runs", "tag", "last", "a b"]),
        ("fits 2 runs", vec!["runs", "note", "s2_", "x"]),
    ] {
        let (code, _, said) = answer(at, &words);
        assert!(code == 2 && said.contains(refused) && said.contains("hint: "), "{said}");
    }
}

#[test]
fn only_what_is_meant_is_deleted() {
    let folder = tempfile::tempdir().unwrap();
    let (at, out) = (folder.path(), folder.path().join("runs"));
    some(&out);
    let left = || RunDir::list(&out).unwrap().runs.len();
    let (code, _, said) = answer(at, &["runs", "rm", "s4"]);
    assert!(
        code == 2 && said.contains("one run would be deleted") && said.contains("--yes") && left() == 8,
        "{said}"
    );
    let (code, _, said) = answer(at, &["runs", "rm", "s4", "nobody", "--yes"]);
    assert!(code == 2 && said.contains("fits `nobody`") && left() == 8, "{said}");
    let writing = RunDir::list(&out).unwrap().runs.pop().unwrap().run;
    let lock = writing.lock().unwrap();
    let (code, _, said) = answer(at, &["runs", "rm", "*", "--yes"]);
    assert!(code == 2 && said.contains("is writing this run") && left() == 8, "{said}");
    drop(lock);
    succeeds(at, &["runs", "rm", "*_s2_*", "s4", "--yes"]);
    assert_eq!(left(), 5);
    succeeds(at, &["runs", "rm", writing.path().to_str().unwrap(), "--yes"]);
    assert!(left() == 4 && !writing.path().exists());
}

/// Each with its reason and what to write instead.
#[test]
fn bad_words_are_answered_with_near_ones() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    some(&at.join("runs"));
    made(&at.join("young"), &[], State::Interrupted, 0.5);
    for (command, message, hint) in [
        ("runs ls --sort betta", "--sort `betta`: no run here has `betta`", "did you mean `beta`?"),
        ("runs ls --where acuracy>0.5", "no run here has `acuracy`", "did you mean `accuracy`?"),
        ("runs ls --where lr=0.1", "`lr` may be `optim.adam.lr` or `optim.sgd.lr`", "name more of the key"),
        ("runs ls --where beta", "--where `beta`: not of the form KEY=VALUE", "for example"),
        ("runs ls --where =2", "not of the form KEY=VALUE", "for example"),
        ("runs ls --where state>done", "`done` is no number", "`state=done`"),
        (
            "runs table --by creditt.eq-prop.beta",
            "--by `creditt.eq-prop.beta`",
            "did you mean `credit.eq-prop.beta`?",
        ),
        ("runs table --by beta --metric los", "metric: no run here has `los`", "did you mean `loss`?"),
        ("runs table --by beta --metric optim", "no finished run has a number `optim`", "runs show"),
        (
            "runs table --by beta --against 7",
            "--against `7` is none of the groups",
            "there are `0.25`, `0.5`",
        ),
        ("runs table --by beta --where seed=9", "none of 0 runs in runs is finished", "runs ls"),
        ("runs table --by beta --out young", "none of 1 runs in young is finished", "runs ls"),
        ("runs table --by beta --out nowhere", "none of 0 runs in nowhere is finished", "runs ls"),
        ("runs show last --matrix", "no accuracies of several tasks", "`[sequence]`"),
        ("runs show * --matrix", "not of 8", "name one run"),
        ("runs show *z*", "no run in runs fits `*z*`", "runs ls"),
        ("plot acuracy", "no run here has `acuracy`", "did you mean `accuracy`?"),
        ("plot accuracy --by betta", "--by `betta`", "did you mean `beta`?"),
        ("plot accuracy --x betta", "--x: no run here has `betta`", "did you mean `beta`?"),
        ("plot beta", "`credit.eq-prop.beta` is no metric", "such as `accuracy`"),
        ("plot accuracy --out young", "none of 1 runs in young is finished", "runs ls"),
        ("plot accuracy -o a.docx", "a.docx: no figure of the kind `docx`", ".svg, .pdf"),
        ("plot accuracy -o none/a.svg", "none/a.svg: No such file", "check the path"),
        ("report --compare --out nowhere", "no run in nowhere is meant", "runs ls"),
        ("report --compare -o none/a.html", "none/a.html: No such file", "check the path"),
    ] {
        let (code, out, said) = answer(at, &command.split(' ').collect::<Vec<_>>());
        assert_eq!((code, &*out), (2, ""), "{command}: {said}");
        assert!(said.contains(message) && said.contains(hint), "{command}: {said}");
        assert_eq!(said.matches("error: ").count() + said.matches("hint: ").count(), 2, "{command}: {said}");
    }
}
