//! What a recipe can say, for people: every axis, its members and their keys, read off the schema.

use super::names::refused;
use super::schema::{Kind, Member, Node};
use super::{inspect, leaves, words};
use crate::{Error, Result};
use serde::Serialize;

/// A member of an axis, or a word that a key can be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Entry {
    /// Its name in TOML.
    pub name: String,
    /// One line on it.
    pub about: String,
}

/// One key of a table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Field {
    /// Its name in TOML.
    pub name: String,
    /// What may stand there.
    pub value: String,
    /// Whether it must be given.
    pub required: bool,
    /// Its value if it is left out and that can be written down.
    pub default: Option<String>,
    /// What it means.
    pub about: String,
}

/// Everything about one place of a recipe.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Page {
    /// The key path.
    pub path: String,
    /// What it is.
    pub about: String,
    /// Keys, if it is a table.
    pub keys: Vec<Field>,
    /// Members, if it is a choice.
    pub choices: Vec<Entry>,
    /// What may stand there, if it is a single value.
    pub value: Option<String>,
    /// Its value if it is left out and that can be written down.
    pub default: Option<String>,
}

/// Names of the axes and tables of a recipe that offer a choice.
pub fn axes() -> Vec<&'static str> {
    let Kind::Table(fields) = Node::root().kind() else { return Vec::new() };
    let tables = |node: Node| match node.kind() {
        Kind::Choice(members) => members.iter().any(|m| m.table.is_some()),
        _ => false,
    };
    fields.into_iter().filter(|(_, node)| tables(*node)).map(|(name, _)| name).collect()
}

/// Names of the tables of a recipe whose entries have names of the author's.
pub fn maps() -> Vec<&'static str> {
    let Kind::Table(fields) = Node::root().kind() else { return Vec::new() };
    let map = |node: Node| matches!(node.kind(), Kind::Map(_));
    fields.into_iter().filter(|(_, node)| map(*node)).map(|(name, _)| name).collect()
}

/// The members of an axis.
///
/// # Errors
/// [`Error::Config`] with the nearest name if there is no such axis.
pub fn list(axis: &str) -> Result<Vec<Entry>> {
    explain(axis).map(|page| page.choices)
}

/// What stands for the name of an entry that an author chooses.
pub const NAME: &str = "NAME";

/// Everything about `path`, such as `credit.eq-prop` or `credit.eq-prop.beta`; a member can stand alone: `eq-prop`, and so can the end
/// of a key: `beta`; where several keys end like that, they are the choices, and so are those that
/// a word stands behind: `symmetric`. Names of
/// populations and connections are free: `population.NAME.units`, `population.hidden1.units`.
///
/// # Errors
/// [`Error::Config`] with the nearest names if there is no such place.
pub fn explain(path: &str) -> Result<Page> {
    explain_whole(path).or_else(|error| match leaves::only(path) {
        Some(full) => explain_whole(&full),
        None => leaves::page(path).or_else(|| words::page(path)).ok_or(error),
    })
}

/// As [`explain`], of a place that is named from its beginning.
fn explain_whole(path: &str) -> Result<Page> {
    let full = match path.split('.').next().and_then(axis_of) {
        Some(axis) => format!("{axis}.{path}"),
        None => path.to_string(),
    };
    let mut place = (Node::root(), String::new());
    let mut at = String::new();
    for key in full.split('.') {
        let here = inspect::join(&at, key);
        place = step(place.0, key)
            .map_err(|hint| Error::config(format!("a recipe has no `{here}`")).with_hint(hint))?;
        at = here;
    }
    Ok(page(at, place.0, place.1))
}

/// The axis that has a member called `name`, unless a recipe has such a key itself.
fn axis_of(name: &str) -> Option<&'static str> {
    if Node::root().field(name).is_some() {
        return None;
    }
    axes().into_iter().find(|axis| members(axis).iter().any(|m| m.name == name))
}

fn members(axis: &str) -> Vec<Member> {
    match Node::root().field(axis).map(Node::kind) {
        Some(Kind::Choice(members)) => members,
        _ => Vec::new(),
    }
}

/// The place of `key` below `node` with a line on it, or what there is instead.
fn step(node: Node, key: &str) -> std::result::Result<(Node, String), String> {
    match node.kind() {
        Kind::Table(fields) => {
            let found = node.field(key).map(|n| (n, n.doc().to_string()));
            found.ok_or_else(|| inspect::nearest(key, fields.iter().map(|f| f.0)))
        }
        Kind::Map(entry) => match refused(key).filter(|_| key != NAME) {
            None => Ok((entry, entry.doc().to_string())),
            Some(hint) => Err(hint),
        },
        Kind::Choice(members) => {
            let member = members.iter().find(|m| m.name == key);
            let place = member.map(|m| (m.table.unwrap_or(node), about(m)));
            place.ok_or_else(|| inspect::nearest(key, members.iter().map(|m| m.name)))
        }
        _ => node
            .table()
            .map_or_else(|| Err(inspect::nearest(key, std::iter::empty())), |table| step(table, key)),
    }
}

/// The line of the choice and the text of the table behind it, whose TOML name is known here and whose first sentence
/// often says the same.
fn about(m: &Member) -> String {
    let table = m.table.map_or("", Node::type_doc);
    let at = table.find(" (`[").zip(table.find("]`)"));
    let table = at.map_or(table.to_string(), |(from, to)| format!("{}{}", &table[..from], &table[to + 3..]));
    match table.strip_prefix(m.doc).unwrap_or(&table).trim() {
        "" => m.doc.to_string(),
        more => format!("{}\n\n{more}", m.doc),
    }
}

fn page(path: String, node: Node, about: String) -> Page {
    let mut page = Page {
        path,
        about: unwrap(&about),
        keys: Vec::new(),
        choices: Vec::new(),
        value: None,
        default: node.default().map(toml),
    };
    match node.kind() {
        Kind::Table(_) => page.keys = keys(node).collect(),
        Kind::Map(entry) => {
            let named = |field: Field| Field { name: format!("{NAME}.{}", field.name), ..field };
            page.keys = keys(entry).map(named).collect();
        }
        Kind::Choice(members) => {
            let entry = |m: Member| Entry { name: m.name.into(), about: unwrap(m.doc) };
            page.choices = members.into_iter().map(entry).collect();
        }
        _ => {
            page.value = Some(node.expects());
            page.keys = node.table().map(|table| keys(table).collect()).unwrap_or_default();
        }
    }
    page
}

fn keys(table: Node) -> impl Iterator<Item = Field> {
    let fields = if let Kind::Table(fields) = table.kind() { fields } else { Vec::new() };
    fields.into_iter().map(move |(name, field)| describe(table, name, field))
}

fn describe(table: Node, name: &str, field: Node) -> Field {
    Field {
        name: name.into(),
        value: field.expects(),
        required: table.requires(name),
        default: field.default().map(toml),
        about: unwrap(field.doc()),
    }
}

/// A JSON value as TOML, on one line.
pub(super) fn toml(value: &serde_json::Value) -> String {
    use serde_json::Value;
    match value {
        Value::Array(list) => format!("[{}]", list.iter().map(toml).collect::<Vec<_>>().join(", ")),
        Value::Object(table) => {
            let pairs = table.iter().filter(|(_, v)| !v.is_null());
            let pairs: Vec<_> = pairs.map(|(k, v)| format!("{k} = {}", toml(v))).collect();
            if pairs.is_empty() { "{}".into() } else { format!("{{ {} }}", pairs.join(", ")) }
        }
        other => other.to_string(),
    }
}

/// Joins the lines of a paragraph.
fn unwrap(doc: &str) -> String {
    doc.split("\n\n").map(|p| p.replace('\n', " ")).collect::<Vec<_>>().join("\n\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn axes_and_members_are_those_of_the_structs() {
        let wanted = [
            "task",
            "sequence",
            "encoder",
            "neuron",
            "norm",
            "wiring",
            "synapse",
            "anchor",
            "objective",
            "credit",
            "solver",
            "optim",
            "schedule",
        ];
        assert_eq!(axes(), wanted);
        for axis in axes() {
            for entry in list(axis).unwrap() {
                assert!(!entry.about.is_empty(), "{axis}.{} has no doc comment", entry.name);
            }
        }
        assert!(list("credit").unwrap().iter().any(|e| e.name == "recurrent-backprop"));
    }

    #[test]
    fn a_table_explains_its_keys() {
        let page = explain("eq-prop").unwrap();
        assert_eq!(page.path, "credit.eq-prop");
        let beta = page.keys.iter().find(|k| k.name == "beta").unwrap();
        assert!(beta.required && beta.default.is_none() && beta.value == "a number above 0 and at most 1e6");
        let nudge = page.keys.iter().find(|k| k.name == "nudge").unwrap();
        assert_eq!(nudge.default.as_deref(), Some("\"symmetric\""));
        assert!(page.about.starts_with("Equilibrium propagation."));
    }

    #[test]
    fn a_value_that_may_be_a_table_explains_its_keys() {
        let page = explain("neuron.adaptive.strength").unwrap();
        assert!(page.value.is_some() && page.keys.iter().any(|k| k.name == "learned"), "{page:?}");
        assert_eq!(explain("adaptive.strength.uniform").unwrap().path, "neuron.adaptive.strength.uniform");
        assert_eq!(explain("optim.sgd.lr.x").unwrap_err().hint(), Some("this table has no keys"));
    }

    #[test]
    fn a_key_explains_its_values() {
        let page = explain("neuron.settle.activation").unwrap();
        assert!(page.choices.iter().any(|c| c.name == "d-silu" && c.about.contains("Laborieux")));
        assert_eq!(
            explain("seed").unwrap().value.as_deref(),
            Some("a whole number from 0 to 9,223,372,036,854,775,807")
        );
        assert_eq!(explain("wiring").unwrap().choices.len(), list("wiring").unwrap().len());
    }

    #[test]
    fn unknown_places_name_the_nearest() {
        let error = explain("credit.eqprop").unwrap_err();
        assert_eq!(error.to_string(), "a recipe has no `credit.eqprop`");
        assert_eq!(error.hint(), Some("did you mean `eq-prop`?"));
        for wrong in ["seed.x", ""] {
            assert_eq!(explain(wrong).unwrap_err().to_string(), format!("a recipe has no `{wrong}`"));
        }
    }
}
