//! What can be typed: the keys that an override of a recipe may set, what may stand behind one, and the keys that a word can stand
//! behind.

use super::describe::{Entry, Page};
use super::leaves::leaves;
use super::schema::{Kind, Node};
use super::{Recipe, describe};
use serde_json::Value;
use std::collections::BTreeMap;

impl Recipe {
    /// Every key that an override may set while the choices stay, with a line on it, axes among them; but for those of populations
    /// and connections, whose names are the author's.
    pub fn keys(&self) -> Vec<Entry> {
        let flat = self.flat();
        let mut all = Vec::new();
        leaves(Node::root(), &mut Vec::new(), &mut all);
        all.retain(|leaf| chosen(&flat, &leaf.path));
        let axes = describe::axes().into_iter().map(|axis| Entry {
            name: axis.into(),
            about: Node::root().field(axis).map(Node::doc).unwrap_or_default().replace('\n', " "),
        });
        axes.chain(all.into_iter().map(|leaf| Entry { name: leaf.path.join("."), about: leaf.about }))
            .collect()
    }
}

/// Whether every member on the way down `path` is the one that the recipe chose.
fn chosen(flat: &BTreeMap<String, Value>, path: &[&str]) -> bool {
    (1..path.len()).all(|depth| {
        let choice = flat.get(&path[..depth].join(".")).and_then(Value::as_str);
        choice.is_none_or(|member| member == path[depth])
    })
}

/// The words that may stand behind `key`, each with a line on it: members, enumerated words, `true` and `false`.
pub fn values(key: &str) -> Vec<Entry> {
    let Ok(page) = describe::explain(key) else { return Vec::new() };
    let flag = page.value.as_deref() == Some("true or false");
    let word = |name: &str| Entry { name: name.into(), about: String::new() };
    if flag { vec![word("true"), word("false")] } else { page.choices }
}

/// The page about a word that stands behind keys, such as `symmetric`: what it means there. None if it stands behind none.
pub(super) fn page(word: &str) -> Option<Page> {
    let mut all = Vec::new();
    leaves(Node::root(), &mut Vec::new(), &mut all);
    let mut choices: Vec<Entry> = Vec::new();
    for leaf in all {
        let Some(about) = meaning(leaf.node, word) else { continue };
        // Data sets have their keys in common.
        let name = if leaf.path[0] == "task" && leaf.path.len() == 3 {
            format!("task.….{}", leaf.path[2])
        } else {
            leaf.path.join(".")
        };
        let entry = Entry { name: format!("{name} = \"{word}\""), about: about.replace('\n', " ") };
        if !choices.contains(&entry) {
            choices.push(entry);
        }
    }
    (!choices.is_empty()).then(|| Page {
        path: word.into(),
        about: "A word that stands behind keys; what it means there:".into(),
        keys: Vec::new(),
        choices,
        value: None,
        default: None,
    })
}

/// What `word` means at `node`, if it may stand there.
fn meaning(node: Node, word: &str) -> Option<&'static str> {
    match node.kind() {
        Kind::Choice(members) => {
            members.into_iter().find(|m| m.name == word && m.table.is_none()).map(|m| m.doc)
        }
        Kind::Either(any) => any.into_iter().find_map(|node| meaning(node, word)),
        Kind::List(item, _) => meaning(item, word),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_those_of_the_chosen_members() {
        let recipe =
            Recipe::parse(include_str!("../../../../recipes/quickstart.toml"), "quickstart").unwrap();
        let keys = recipe.keys();
        let has = |name: &str| keys.iter().any(|key| key.name == name && !key.about.is_empty());
        for key in ["seed", "credit", "credit.eq-prop.beta", "run.updates", "optim.sgd.lr", "network.layers"]
        {
            assert!(has(key), "{key}");
        }
        for key in ["optim.adam.lr", "credit.bptt.steps", "task.mnist.epochs", "population.NAME.units"] {
            assert!(!has(key), "{key}");
        }
        // What the recipe says can be overridden, key by key.
        for (key, _) in recipe.flat().into_iter().filter(|(key, _)| !key.starts_with("population.")) {
            assert!(has(&key), "{key}");
        }
    }

    #[test]
    fn values_are_words() {
        let names = |key: &str| values(key).into_iter().map(|entry| entry.name).collect::<Vec<_>>();
        assert!(names("solver").contains(&"even-odd".to_owned()));
        assert_eq!(names("credit.eq-prop.nudge").len(), 4);
        assert_eq!(names("task.files.grey"), ["true", "false"]);
        assert!(names("seed").is_empty() && names("nonsense").is_empty());
    }

    #[test]
    fn a_word_is_explained_where_it_stands() {
        let page = page("symmetric").unwrap();
        assert!(page.choices.iter().any(|c| c.name == "credit.eq-prop.nudge = \"symmetric\""), "{page:?}");
        assert!(page.choices.iter().all(|c| !c.about.is_empty()));
        assert!(super::page("settle").is_none(), "a member is no word");
    }
}
