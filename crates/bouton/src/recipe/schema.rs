//! The JSON schema of recipes, and a small view on it.
//!
//! Names, types, defaults and descriptions of everything that a recipe may say are read off this schema, which is
//! derived from the structs themselves; there is no second list.

use super::Recipe;
use super::bounds::{self, Bounds};
use serde_json::{Map, Value};
use std::sync::LazyLock;

static SCHEMA: LazyLock<Value> = LazyLock::new(|| {
    let mut schema = schemars::schema_for!(Recipe).to_value();
    bounds::settle(&mut schema);
    schema
});

/// The JSON schema (draft 2020-12) of a recipe.
pub fn schema() -> &'static Value {
    &SCHEMA
}

/// A place of the schema: what may stand at some key of a recipe.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Node {
    /// The schema as it stands at the key, with its own description and default.
    here: &'static Value,
    /// The schema that it refers to, without "or null".
    target: &'static Value,
}

/// One member of a choice.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Member {
    /// Its name in TOML.
    pub name: &'static str,
    /// One line on it.
    pub doc: &'static str,
    /// Its table; absent for a bare word.
    pub table: Option<Node>,
}

/// The kinds of places.
#[derive(Debug)]
pub(crate) enum Kind {
    /// A table with these keys.
    Table(Vec<(&'static str, Node)>),
    /// A table of entries by names of the author's, all alike.
    Map(Node),
    /// One of several named tables or words.
    Choice(Vec<Member>),
    /// Any of several kinds.
    Either(Vec<Node>),
    /// A list, of fixed length if given.
    List(Node, Option<usize>),
    /// A whole number, never negative.
    Whole,
    /// Any number.
    Number,
    /// Text.
    Text,
    /// True or false.
    Flag,
}

impl Node {
    /// The whole recipe.
    pub fn root() -> Self {
        Self::new(schema())
    }

    fn new(here: &'static Value) -> Self {
        Self { here, target: target(here) }
    }

    /// What may stand here.
    pub fn kind(self) -> Kind {
        let t = self.target;
        if let Some(members) = t["oneOf"].as_array() {
            return Kind::Choice(members.iter().map(member).collect());
        }
        if let Some(any) = t["anyOf"].as_array() {
            return Kind::Either(any.iter().map(Self::new).collect());
        }
        match type_name(t) {
            "object" if t["additionalProperties"].is_object() => {
                Kind::Map(Self::new(&t["additionalProperties"]))
            }
            "object" => Kind::Table(fields(t).map(|(name, v)| (name, Self::new(v))).collect()),
            "array" => Kind::List(Self::new(&t["items"]), t["maxItems"].as_u64().map(|n| n as usize)),
            "integer" => Kind::Whole,
            "number" => Kind::Number,
            "boolean" => Kind::Flag,
            _ => Kind::Text,
        }
    }

    /// The table that may stand here in place of a single value.
    pub fn table(self) -> Option<Self> {
        let Kind::Either(any) = self.kind() else { return None };
        any.into_iter().find(|node| matches!(node.kind(), Kind::Table(_)))
    }

    /// The place of `key` in a table.
    pub fn field(self, key: &str) -> Option<Self> {
        fields(self.target).find(|(name, _)| *name == key).map(|(_, v)| Self::new(v))
    }

    /// Whether a table must have `key`.
    pub fn requires(self, key: &str) -> bool {
        self.target["required"].as_array().is_some_and(|keys| keys.iter().any(|k| k == key))
    }

    /// The description: of the key if it has one, else of its type.
    pub fn doc(self) -> &'static str {
        let own = self.here["description"].as_str();
        own.or_else(|| self.target["description"].as_str()).unwrap_or_default()
    }

    /// The description of the type that stands here.
    pub fn type_doc(self) -> &'static str {
        self.target["description"].as_str().unwrap_or_default()
    }

    /// The default of the key, if it may be left out and has one.
    pub fn default(self) -> Option<&'static Value> {
        self.here.get("default").filter(|v| !v.is_null())
    }

    /// What a number that stands here has to be.
    pub fn bounds(self) -> Option<Bounds> {
        Bounds::of(self.target)
    }

    /// What may stand here, in words.
    pub fn expects(self) -> String {
        match self.kind() {
            Kind::Table(_) => "a table".into(),
            Kind::Map(entry) => format!("a table of named {}", entry.expects_many()),
            Kind::Choice(members) => {
                let names: Vec<_> = members.iter().map(|m| format!("`{}`", m.name)).collect();
                if names.len() == 1 { names[0].clone() } else { format!("one of {}", names.join(", ")) }
            }
            Kind::Either(any) => either(&any),
            Kind::List(item, None) => format!("a list of {}", item.expects_many()),
            Kind::List(item, Some(n)) => format!("a list of {n} {}", item.expects_many()),
            Kind::Whole => self.within("a whole number"),
            Kind::Number => self.within("a number"),
            Kind::Text => "text".into(),
            Kind::Flag => "true or false".into(),
        }
    }

    fn expects_many(self) -> String {
        match self.kind() {
            Kind::Whole => self.within("whole numbers"),
            Kind::Number => self.within("numbers"),
            Kind::Table(_) | Kind::Map(_) => "tables".into(),
            Kind::Either(any) => {
                let mut kinds: Vec<_> = any.iter().map(|n| n.expects_many()).collect();
                kinds.dedup();
                kinds.join(" or ")
            }
            _ => "texts".into(),
        }
    }

    fn within(self, what: &str) -> String {
        self.bounds().map_or(what.into(), |bounds| format!("{what} {bounds}"))
    }
}

/// Alternatives in words: "a number from 0 to 1 or a list of them".
fn either(any: &[Node]) -> String {
    let of_them = |n: &Node| match n.kind() {
        Kind::List(item, None) => any.iter().any(|one| one.expects() == item.expects()),
        _ => false,
    };
    let words = any.iter().map(|n| if of_them(n) { "a list of them".into() } else { n.expects() });
    words.collect::<Vec<_>>().join(" or ")
}

/// The schema behind references and "or null".
fn target(here: &'static Value) -> &'static Value {
    if let Some(name) = here["$ref"].as_str().and_then(|r| r.rsplit('/').next()) {
        return target(&schema()["$defs"][name]);
    }
    let null = |v: &Value| v["type"] == "null";
    match here["anyOf"].as_array() {
        Some(any) if any.iter().any(null) => any.iter().find(|v| !null(v)).map_or(here, target),
        _ => here,
    }
}

fn type_name(t: &'static Value) -> &'static str {
    let of = |v: &'static Value| v.as_str().filter(|s| *s != "null");
    match &t["type"] {
        Value::Array(types) => types.iter().find_map(of).unwrap_or_default(),
        one => of(one).unwrap_or_default(),
    }
}

fn fields(t: &'static Value) -> impl Iterator<Item = (&'static str, &'static Value)> {
    t["properties"].as_object().into_iter().flat_map(Map::iter).map(|(k, v)| (k.as_str(), v))
}

/// A member of a tagged enum: a word (`const`) or an object with one property.
fn member(m: &'static Value) -> Member {
    let doc = m["description"].as_str().unwrap_or_default();
    match fields(m).next() {
        Some((name, table)) => Member { name, doc, table: Some(Node::new(table)) },
        None => Member { name: m["const"].as_str().unwrap_or_default(), doc, table: None },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_view_reads_every_kind_of_the_derived_schema() {
        let root = Node::root();
        let Kind::Choice(credits) = root.field("credit").unwrap().kind() else {
            panic!("credit is a choice")
        };
        let eq_prop = credits.iter().find(|m| m.name == "eq-prop").unwrap();
        assert_eq!(eq_prop.doc, "Equilibrium propagation.");
        let table = eq_prop.table.unwrap();
        assert!(table.requires("beta") && !table.requires("nudge"));
        assert!(matches!(table.field("beta").unwrap().kind(), Kind::Number));
        assert_eq!(table.field("nudge").unwrap().default().unwrap(), "symmetric");
        let run = root.field("run").unwrap();
        assert_eq!(run.field("updates").unwrap().expects(), "a whole number from 1 to 1,000,000,000,000");
        let Kind::Map(population) = root.field("population").unwrap().kind() else {
            panic!("populations have names of their own")
        };
        assert_eq!(root.field("population").unwrap().expects(), "a table of named tables");
        assert_eq!(population.field("units").unwrap().expects(), "a whole number from 1 to 67,108,864");
        let Kind::Choice(tasks) = root.field("task").unwrap().kind() else { panic!("task is a choice") };
        let batch = tasks[0].table.unwrap().field("batch").unwrap();
        assert_eq!(batch.expects(), "a whole number from 1 to 10,000,000 or `all`");
    }
}
