//! Completion: what is offered for words that have begun, and the script of a real shell.

use super::train::{bouton, folder, succeeds};
use std::path::Path;
use std::process::{Command, Stdio};

/// The words that are offered behind these.
#[track_caller]
fn offers(at: &Path, words: &[&str]) -> Vec<String> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_bouton"));
    command.current_dir(at).env("BOUTON_DATA", "data").args(["complete", "--", "bouton"]).args(words);
    let output = command.output().unwrap();
    assert!(output.status.success() && output.stderr.is_empty(), "{words:?}: {output:?}");
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines().map(|line| line.split_once('\t').expect("a word and a line on it").0.to_owned()).collect()
}

#[test]
fn keys_and_their_values_are_offered() {
    let folder = folder();
    let at = folder.path();
    let run = |words: &[&str]| offers(at, &[&["run", "small.toml"], words].concat());
    assert_eq!(run(&["credit.eq-prop.be"]), ["credit.eq-prop.beta="]);
    assert_eq!(run(&["credit.eq-prop.nudge=s"]), ["credit.eq-prop.nudge=symmetric"]);
    assert_eq!(run(&["epo"]), ["task.synthetic.epochs="], "by its end");
    assert!(run(&["epochs="]).is_empty(), "no override is called so");
    assert_eq!(run(&["solver="]), ["solver=synchronous", "solver=even-odd", "solver=anderson"]);
    assert_eq!(run(&["task.synthetic.epochs="]), ["task.synthetic.epochs=2"], "what it is now");
    assert_eq!(run(&["continual.joint=t"]), ["continual.joint=true"]);
    assert_eq!(offers(at, &["sweep", "small.toml", "solver=even-odd,s"]), ["solver=even-odd,synchronous"]);
    let adam = |words: &[&str]| run(words).contains(&"optim.adam.beta1=".to_owned());
    assert!(!adam(&["optim.adam."]) && adam(&["optim.adam.lr=0.1", "optim.adam."]));
    assert!(run(&[""]).len() > 30 && run(&["nonsense"]).is_empty());
    assert!(offers(at, &["run", "nowhere.toml", ""]).is_empty(), "files are the shell's");
}

#[test]
fn verbs_options_topics_and_runs_are_offered() {
    let folder = folder();
    let at = folder.path();
    assert_eq!(offers(at, &["comp"]), ["completions"], "the hidden verb stays hidden");
    assert_eq!(offers(at, &["runs", "s"]), ["show"]);
    assert_eq!(offers(at, &["sweep", "small.toml", "--ag"]), ["--again"]);
    assert_eq!(offers(at, &["list", "prop"]), ["properties"]);
    assert_eq!(offers(at, &["list", "combos", "synapse=rr"]), ["synapse=rram"]);
    assert_eq!(offers(at, &["explain", "credit.eq-prop.b"]), ["credit.eq-prop.beta"]);
    assert_eq!(offers(at, &["explain", "gdu-s"]), ["gdu-symmetric"]);
    assert_eq!(offers(at, &["data", "get", "kmn"]), ["kmnist"]);
    assert!(offers(at, &["run", "@ernoult2019/"]).iter().all(|claim| claim.starts_with("@ernoult2019/")));
    assert!(offers(at, &["completions", ""]).contains(&"bash".to_owned()));
    assert!(offers(at, &["report", ""]).is_empty());
    succeeds(at, &["run", "small.toml", "run.updates=1", "--out", "there"]);
    let runs = offers(at, &["report", "--out", "there", ""]);
    assert!(runs.len() == 2 && runs[0] == "last" && runs[1].contains("_small_s1_"), "{runs:?}");
    succeeds(at, &["run", "small.toml", "run.updates=1", "seed=2", "optim.sgd.lr=0.2", "--out", "there"]);
    assert_eq!(offers(at, &["runs", "--out=there", "table", "--by", "opt"]), ["optim.sgd.lr"]);
    assert_eq!(offers(at, &["runs", "ls", "--out", "there", "--where", "se"]), ["seed="]);
    assert_eq!(offers(at, &["plot", "acc"]), ["accuracy"]);
    assert_eq!(offers(at, &["runs", "--out=there", "show", "small_s1"]), runs[1..], "part of a name");
}

/// What bash makes of the script, as it is called at a press of the key.
#[test]
#[cfg(unix)]
fn bash_completes_with_the_script() {
    let folder = folder();
    let at = folder.path();
    let script = bouton(at, &["completions", "bash"]).output().unwrap().stdout;
    std::fs::write(at.join("bouton.bash"), script).unwrap();
    std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_bouton"), at.join("bouton")).unwrap();
    let bash = Command::new("bash").arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
    if !bash.is_ok_and(|status| status.success()) {
        return;
    }
    let completed = |line: &str| {
        let press = "source ./bouton.bash; complete -p bouton > /dev/null || exit 1; \
            COMP_LINE=$1; COMP_POINT=${#1}; _bouton; printf '%s\\n' \"${COMPREPLY[@]}\"";
        let mut command = Command::new("bash");
        command.current_dir(at).args(["--norc", "-c", press, "bash", line]);
        let output = command.env("PATH", format!("{}:{}", at.display(), env!("PATH"))).output().unwrap();
        assert!(output.status.success(), "{line}: {output:?}");
        String::from_utf8(output.stdout).unwrap().lines().map(String::from).collect::<Vec<_>>()
    };
    assert_eq!(completed("bouton run small.toml epo"), ["task.synthetic.epochs="]);
    // bash takes what is behind `=` for the word.
    assert_eq!(completed("bouton run small.toml credit.eq-prop.nudge=po"), ["positive"]);
    assert_eq!(completed("bouton sweep small.toml solver=even-odd,a"), ["even-odd,anderson"]);
    assert_eq!(completed("bouton explain gdu-"), ["gdu-symmetric", "gdu-one-sided"]);
    assert_eq!(completed("bouton run small.toml "), {
        let all = offers(at, &["run", "small.toml", ""]);
        assert!(all.len() > 30);
        all
    });
}
