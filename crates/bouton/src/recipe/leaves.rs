//! Keys by the end of their names: `beta` finds `credit.eq-prop.beta`, `task.epochs` finds `task.digits.epochs`.

use super::describe::Entry;
use super::schema::{Kind, Node};
use super::{Recipe, describe};
use serde_json::Value;
use std::collections::BTreeMap;

/// How many places a hint names.
const MOST_SHOWN: usize = 6;

/// One key of the schema.
pub(super) struct Leaf {
    pub path: Vec<&'static str>,
    pub about: String,
    pub node: Node,
}

/// Whether `wanted` can mean `path`: it ends like it, and the words before stand there in the same order.
fn means(path: &[&str], wanted: &[&str]) -> bool {
    let Some((last, before)) = wanted.split_last() else { return false };
    let Some((end, rest)) = path.split_last() else { return false };
    let mut rest = rest.iter();
    end == last && before.iter().all(|word| rest.any(|here| here == word))
}

/// All keys below `node`, but for those of populations and connections, whose names are the author's.
pub(super) fn leaves(node: Node, path: &mut Vec<&'static str>, all: &mut Vec<Leaf>) {
    let tables: Vec<(&'static str, Node)> = match node.kind() {
        Kind::Table(fields) => fields,
        Kind::Choice(members) => members.into_iter().filter_map(|m| Some((m.name, m.table?))).collect(),
        _ => Vec::new(),
    };
    for (name, inner) in tables {
        path.push(name);
        match inner.kind() {
            Kind::Table(_) => leaves(inner, path, all),
            Kind::Choice(members) if members.iter().any(|m| m.table.is_some()) => leaves(inner, path, all),
            Kind::Map(_) => {}
            _ => all.push(Leaf { path: path.clone(), about: inner.doc().replace('\n', " "), node: inner }),
        }
        path.pop();
    }
}

/// The keys that `wanted` can mean, each with a line on it; those that many members have alike are one.
pub(super) fn entries(wanted: &str) -> Vec<Entry> {
    let words: Vec<&str> = wanted.split('.').collect();
    let mut all = Vec::new();
    leaves(Node::root(), &mut Vec::new(), &mut all);
    all.retain(|leaf| means(&leaf.path, &words));
    let mut alike: BTreeMap<(&str, String, &str), Vec<&Leaf>> = BTreeMap::new();
    for leaf in &all {
        let behind = leaf.path.get(2..).unwrap_or_default().join(".");
        alike.entry((leaf.path[0], behind, &leaf.about)).or_default().push(leaf);
    }
    let entry = |leaves: Vec<&Leaf>| match leaves[..] {
        [only] => Entry { name: only.path.join("."), about: only.about.clone() },
        _ => {
            let members: Vec<&str> = leaves.iter().map(|leaf| leaf.path[1]).collect();
            let shown = [&leaves[0].path[..1], &["…"], &leaves[0].path[2..]].concat().join(".");
            Entry { name: shown, about: format!("{} ({})", leaves[0].about, members.join(", ")) }
        }
    };
    alike.into_values().map(entry).collect()
}

/// What to write instead of the override of a key that there is not: the keys of this recipe that it can mean, with their values, or
/// those of others.
pub(super) fn instead(recipe: &Recipe, key: &str, value: &str) -> Option<String> {
    let words: Vec<&str> = key.split('.').collect();
    let flat = recipe.flat();
    let here: Vec<(&String, &Value)> =
        flat.iter().filter(|(path, _)| means(&path.split('.').collect::<Vec<_>>(), &words)).collect();
    match here[..] {
        [] => {
            let names: Vec<String> =
                entries(key).into_iter().map(|entry| format!("`{}`", entry.name)).collect();
            let more = if names.len() > MOST_SHOWN { ", …" } else { "" };
            let shown = names[..names.len().min(MOST_SHOWN)].join(", ");
            (!names.is_empty()).then(|| format!("this recipe has no such key; there is {shown}{more}"))
        }
        [(path, now)] => Some(format!("did you mean `{path}={value}`? It is {} here", describe::toml(now))),
        _ => {
            let each = |(path, now): &(&String, &Value)| format!("`{path}` ({})", describe::toml(now));
            let shown: Vec<String> = here.iter().take(MOST_SHOWN).map(each).collect();
            Some(format!("did you mean one of {}?", shown.join(", ")))
        }
    }
}

/// The only key that `wanted` can mean, if there is but one.
pub(super) fn only(wanted: &str) -> Option<String> {
    match &entries(wanted)[..] {
        [only] if !only.name.contains('…') => Some(only.name.clone()),
        _ => None,
    }
}

/// The page about all keys that `wanted` can mean; none if there is none.
pub(super) fn page(wanted: &str) -> Option<describe::Page> {
    let choices = entries(wanted);
    (!choices.is_empty()).then(|| describe::Page {
        path: wanted.to_owned(),
        about: format!("Several keys end like that; `bouton explain KEY` tells one of them, such as {}.", {
            let first = &choices[0].name;
            first.replace('…', "NAME")
        }),
        keys: Vec::new(),
        choices,
        value: None,
        default: None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_found_by_its_end() {
        assert!(means(&["task", "digits", "epochs"], &["epochs"]));
        assert!(means(&["task", "digits", "epochs"], &["task", "epochs"]));
        assert!(means(&["task", "digits", "epochs"], &["task", "digits", "epochs"]));
        assert!(!means(&["task", "digits", "epochs"], &["digits", "task", "epochs"]));
        assert!(!means(&["task", "digits", "epochs"], &["task", "digits"]));
        assert!(!means(&["task", "digits", "epochs"], &["epochs", "epochs"]));
    }

    #[test]
    fn what_many_members_have_alike_is_one_entry() {
        let epochs = entries("epochs");
        assert!(
            epochs.iter().any(|e| e.name == "task.….epochs" && e.about.contains("mnist, ")),
            "{epochs:?}"
        );
        assert!(epochs.len() < 4, "{epochs:?}");
        assert_eq!(only("free-steps"), None);
        assert_eq!(only("flip-samples").as_deref(), Some("run.flip-samples"));
        assert!(entries("nothing-of-the-kind").is_empty() && page("nothing-of-the-kind").is_none());
    }
}
