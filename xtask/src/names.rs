//! Members of an axis are asked for what they can do: outside the folder of their axis nothing names one, but for tests and for the
//! references of `analysis/presets.rs`.

use std::path::Path;

/// The enum of every axis and where its members may be named.
const AXES: [(&str, &str); 14] = [
    ("NeuronSpec", "neuron"),
    ("Activation", "neuron"),
    ("WiringSpec", "wiring"),
    ("CreditSpec", "credit"),
    ("ObjectiveSpec", "objective"),
    ("SynapseSpec", "synapse"),
    ("OptimSpec", "optim"),
    ("ScheduleSpec", "optim"),
    ("SolverSpec", "solver"),
    ("AnchorSpec", "anchor"),
    ("NormSpec", "norm"),
    ("EncoderSpec", "encoder"),
    ("TaskSpec", "task"),
    ("SequenceSpec", "task"),
];
/// Files that build references.
const PRESETS: [&str; 1] = ["analysis/presets.rs"];
/// Every place in the library, the command and the wheel that names a member of an axis.
pub fn problems(root: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for source in ["crates/bouton-core/src", "crates/bouton/src", "crates/bouton-cli/src", "python/src"] {
        walk(&root.join(source), &root.join(source), &mut found);
    }
    found
}

fn walk(base: &Path, folder: &Path, found: &mut Vec<String>) {
    let mut entries: Vec<_> =
        std::fs::read_dir(folder).into_iter().flatten().flatten().map(|e| e.path()).collect();
    entries.sort();
    for path in entries {
        let name = path.strip_prefix(base).unwrap_or(&path).display().to_string();
        if path.is_dir() {
            walk(base, &path, found);
        } else if name.ends_with(".rs") && !name.ends_with("tests.rs") && !PRESETS.contains(&name.as_str()) {
            let text = std::fs::read_to_string(&path).unwrap_or_default();
            // Tests stand behind the code of a file.
            let code = text.split("#[cfg(test)]").next().unwrap_or_default();
            let lines = code.lines().enumerate().filter(|(_, line)| !line.trim_start().starts_with("//"));
            found.extend(lines.flat_map(|(i, line)| named(line, &name).map(move |member| (i, member))).map(
                |(i, member)| {
                    format!("{}/{name}:{}: names `{member}`: ask for what it can do", base.display(), i + 1)
                },
            ));
        }
    }
}

/// The members that `line` of the file `name` names.
fn named<'a>(line: &'a str, name: &'a str) -> impl Iterator<Item = String> + 'a {
    let axes = AXES.iter().filter(move |(_, home)| !name.starts_with(home));
    axes.flat_map(move |(axis, _)| {
        let at = format!("{axis}::");
        let member = |(i, _): (usize, &str)| {
            let word: String = line[i + at.len()..].chars().take_while(char::is_ascii_alphanumeric).collect();
            let variant = word.starts_with(|c: char| c.is_ascii_uppercase())
                && word.contains(|c: char| c.is_ascii_lowercase());
            variant.then(|| format!("{axis}::{word}"))
        };
        line.match_indices(&at).filter_map(member).collect::<Vec<_>>()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_are_found_where_they_are_strangers() {
        let found = |line: &str, file: &str| named(line, file).collect::<Vec<_>>();
        let line = "if matches!(r.norm, NormSpec::Batch(_)) {";
        assert_eq!(found(line, "recipe/combos.rs"), ["NormSpec::Batch"]);
        assert!(found(line, "norm/mod.rs").is_empty());
        assert!(found("Activation::ALL.into_iter()", "recipe/a.rs").is_empty());
        assert!(found("SynapseSpec::default()", "analysis/a.rs").is_empty());
    }
}
