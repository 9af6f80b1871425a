//! Pages of the book whose commands are carried out, on recipes that are made small.

use std::path::Path;
use std::process::Command;

/// The text of every code block of a page in `language`.
pub(crate) fn blocks<'a>(page: &'a str, language: &str) -> Vec<&'a str> {
    let parts = page.split("```").skip(1).step_by(2);
    parts.filter_map(|block| block.strip_prefix(language)?.strip_prefix('\n')).collect()
}

/// Carries out the commands of a page in `at`, each as `edit` makes it; the command, and what it printed.
pub(crate) fn carry_out(page: &str, at: &Path, edit: impl Fn(&str) -> String) -> Vec<(String, String)> {
    let program = Path::new(env!("CARGO_BIN_EXE_bouton")).parent().unwrap();
    let path = format!("{}:{}", program.display(), std::env::var("PATH").unwrap());
    let one = |line: &str| {
        let line = edit(line.split(" #").next().unwrap().trim());
        let mut command = Command::new("sh");
        command.args(["-c", &line]).current_dir(at).env("PATH", &path).env("BOUTON_DATA", at.join("data"));
        let output = command.output().unwrap();
        assert!(output.status.success(), "{line}: {}", String::from_utf8_lossy(&output.stderr));
        (line, String::from_utf8(output.stdout).unwrap())
    };
    blocks(page, "sh").into_iter().flat_map(str::lines).map(one).collect()
}

#[cfg(unix)]
#[test]
fn the_continual_experiment_ends_with_its_figures() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let small = |line: &str| {
        if line.ends_with("--dry-run") {
            let recipe = std::fs::read_to_string(at.join("continual.toml")).unwrap();
            let less = recipe
                .replace("batch = 50", "batch = 50\ntrain = 100\ntest = 20")
                .replace("[784, 256, 10]", "[784, 16, 10]");
            assert_ne!(less, recipe);
            std::fs::write(at.join("continual.toml"), less).unwrap();
        }
        line.to_owned()
    };
    let told = carry_out(include_str!("../../../../docs/src/guides/continual-experiment.md"), at, small);
    let printed = |word: &str| &told.iter().rfind(|(line, _)| line.contains(word)).unwrap().1;
    assert_eq!(printed("--dry-run").lines().filter(|line| line.starts_with("bouton run")).count(), 6);
    assert_eq!(printed("runs ls").lines().count(), 4);
    assert_eq!(printed("--metric acc").lines().count(), 3);
    assert!(printed("--matrix").lines().count() >= 6);
    for file in ["acc.pdf", "accuracy.svg", "runs/compare.html"] {
        assert!(at.join(file).is_file(), "{file}");
    }
}

#[cfg(unix)]
#[test]
fn a_table_of_ones_own_is_answered() {
    let folder = tempfile::tempdir().unwrap();
    let told =
        carry_out(include_str!("../../../../docs/src/guides/own-data.md"), folder.path(), str::to_owned);
    assert!(
        told.iter().any(|(line, out)| line == "bouton evaluate last" && out.contains("aster")),
        "{told:?}"
    );
    assert_eq!(std::fs::read_to_string(folder.path().join("answers.csv")).unwrap().lines().count(), 151);
}

#[cfg(unix)]
#[test]
fn spikes_learn_the_digits_by_both_rules() {
    let page = include_str!("../../../../docs/src/guides/time.md");
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("spikes.toml"), blocks(page, "toml")[0]).unwrap();
    let less = |line: &str| match line {
        _ if line.starts_with("bouton run ") => format!("{line} run.updates=20"),
        _ => line.to_owned(),
    };
    let told = carry_out(page, folder.path(), less);
    let plan = &told[0].1;
    assert!(plan.contains("alif") && plan.contains("hidden1 → hidden1"), "{plan}");
    let printed = |word: &str| &told.iter().rfind(|(line, _)| line.contains(word)).unwrap().1;
    let table = printed("runs ls");
    assert_eq!(table.lines().filter(|line| line.contains("spikes")).count(), 2, "{table}");
    let report = folder.path().join(printed("report").lines().last().unwrap());
    let report = std::fs::read_to_string(report).unwrap();
    for figure in ["hidden1: spikes", "hidden1: v", "output: y", "Cosine to the true gradient"] {
        assert!(report.contains(figure), "{figure}");
    }
}

/// The programs in Python of the page are carried out by `python/tests/test_onnx.py`.
#[cfg(unix)]
#[test]
fn a_network_is_taken_elsewhere() {
    let folder = tempfile::tempdir().unwrap();
    let page = include_str!("../../../../docs/src/guides/elsewhere.md");
    std::fs::write(folder.path().join("digits.toml"), blocks(page, "toml")[0]).unwrap();
    let told = carry_out(page, folder.path(), str::to_owned);
    // But for the bytes of the file.
    let until = |text: &str| text.rsplit_once(" (").unwrap().0.to_owned();
    assert_eq!(until(&told.last().unwrap().1), until(blocks(page, "text")[0]));
    assert!(folder.path().join("digits.onnx").is_file());
}
