//! `key=value` overrides: the key must exist and keep its type; naming another member of a choice replaces it.

use super::inspect::Problem;
use super::names::refused;
use super::schema::{Kind, Node};
use super::{Recipe, inspect, leaves, load, migrate};
use crate::{Error, Result};
use std::borrow::Cow;
use std::path::Path;
use toml::de::DeValue;
use toml_edit::{DocumentMut, Item, Table, TableLike, Value};

impl Recipe {
    /// The recipe with `overrides` such as `credit.eq-prop.beta=0.5` applied in order.
    ///
    /// Values are TOML; text needs no quotes. `optim.adam.lr=1e-3` on a recipe that uses another optimiser replaces
    /// it, and so does `optim=adam` where no key is required. `signs=larq` sets every key that it stands for, wherever it
    /// stands in the list. Paths begin at the present folder.
    ///
    /// # Errors
    /// [`Error::Config`] with the nearest valid names, all mistakes at once, or if `signs` and another override contradict each other.
    pub fn with_overrides<S: AsRef<str>>(&self, overrides: &[S]) -> Result<Self> {
        self.with_overrides_in(overrides, None)
    }

    /// The same where sets of one's own are in the data folder `data` (default: the user's).
    ///
    /// # Errors
    /// As [`Recipe::with_overrides`].
    pub fn with_overrides_in<S: AsRef<str>>(&self, overrides: &[S], data: Option<&Path>) -> Result<Self> {
        if overrides.is_empty() {
            return self.clone().embedded(Path::new(""), data);
        }
        let mut document: DocumentMut =
            self.to_toml().parse().map_err(|e| Error::config(format!("resolved recipe: {e}")))?;
        let wrong = overrides.iter().filter_map(|one| {
            let error = apply(document.as_table_mut(), &self.by_task(one.as_ref())).err()?;
            let error = self.or_leaf(error, one.as_ref());
            Some(error.context(format!("override `{}`", one.as_ref())))
        });
        Error::all(wrong.collect())?;
        let recipe = load::read(&document.to_string(), data, |_| "recipe with overrides".to_string())?;
        let recipe = recipe.expand_signs(|keys| overrides.iter().any(|one| names(one.as_ref(), keys)))?;
        recipe.embedded(Path::new(""), data)
    }

    /// An override by the name of the recipe's own set is one of its files.
    fn by_task<'a>(&self, one: &'a str) -> Cow<'a, str> {
        let (called, name) = (self.task.called(), self.task.name());
        match one.trim_start().strip_prefix("task.").and_then(|rest| rest.strip_prefix(called)) {
            Some(rest) if called != name && rest.starts_with('.') => format!("task.{name}{rest}").into(),
            _ => one.into(),
        }
    }

    /// Names the keys that the end of an unknown one can mean.
    fn or_leaf(&self, error: Error, one: &str) -> Error {
        let (key, value) = one.split_once('=').unwrap_or((one, ""));
        let unknown = error.to_string().contains("unknown key");
        match leaves::instead(self, key.trim(), value.trim()).filter(|_| unknown) {
            Some(hint) => error.with_hint(hint),
            None => error,
        }
    }

    /// The recipe with `key`, such as `run.updates` or `anchor`, left out, and so at its default.
    ///
    /// # Errors
    /// [`Error::Config`] if there is no such key, or if a recipe cannot do without it.
    pub fn without(&self, key: &str) -> Result<Self> {
        let mut document: DocumentMut =
            self.to_toml().parse().map_err(|e| Error::config(format!("resolved recipe: {e}")))?;
        let keys = migrate::present(&key.split('.').collect::<Vec<_>>());
        unset(document.as_table_mut(), Node::root(), &keys, "")?;
        load::read(&document.to_string(), None, |_| format!("recipe without `{key}`"))
    }
}

/// Walks down `keys` beside the schema and takes out what stands at the end.
fn unset(table: &mut dyn TableLike, node: Node, keys: &[&str], path: &str) -> Result<()> {
    let (key, rest) = keys.split_first().ok_or_else(|| Error::config("empty key"))?;
    let full = inspect::join(path, key);
    let place = enter(&mut Table::new(), node, key, &full)?;
    if rest.is_empty() {
        table.remove(key);
        return Ok(());
    }
    let inner = table.get_mut(key).and_then(Item::as_table_like_mut);
    inner.map_or(Ok(()), |inner| unset(inner, place, rest, &full))
}

/// Whether an override is about the key that `keys` lead to: by its path, or inside a table that it gives.
fn names(text: &str, keys: &[&str]) -> bool {
    let (path, value) = text.split_once('=').unwrap_or((text, ""));
    let path: Vec<&str> = path.split('.').map(str::trim).collect();
    keys.starts_with(&path) && keys[path.len()..].iter().all(|key| value.contains(key))
}

fn apply(root: &mut Table, text: &str) -> Result<()> {
    let (key, value) = text
        .split_once('=')
        .ok_or_else(|| Error::config("not of the form key=value").with_hint("for example `seed=2`"))?;
    let (key, value) = (key.trim(), value.trim());
    let keys = migrate::present(&key.split('.').map(str::trim).collect::<Vec<_>>());
    set(root, Node::root(), &keys, "", value)
}

/// Walks down `keys` beside the schema and writes `value` at the end.
fn set(table: &mut dyn TableLike, node: Node, keys: &[&str], path: &str, value: &str) -> Result<()> {
    let (key, rest) = keys.split_first().ok_or_else(|| Error::config("empty key"))?;
    let full = inspect::join(path, key);
    let place = enter(table, node, key, &full)?;
    if rest.is_empty() {
        let item = parse(value, place, &full)?;
        // `optim=sgd` where sgd is used already keeps its settings.
        let same = item.as_table_like().zip(table.get(key).and_then(Item::as_table_like));
        if !same.is_some_and(|(new, old)| is_choice(place) && names_the_same(new, old)) {
            table.insert(key, item);
        }
        return Ok(());
    }
    if !matches!(place.kind(), Kind::Table(_) | Kind::Map(_) | Kind::Choice(_)) {
        let error = Error::config(format!("`{full}` is {} and has no keys", place.expects()));
        let whole = || format!("give all of it: {full}={{ {} = {value}, … }}", rest.join("."));
        return Err(if place.table().is_some() { error.with_hint(whole()) } else { error });
    }
    if !table.get(key).is_some_and(Item::is_table_like) {
        table.insert(key, Item::Table(Table::new()));
    }
    let inner = table.get_mut(key).and_then(Item::as_table_like_mut);
    let inner = inner.ok_or_else(|| Error::config(format!("`{full}` is not a table")))?;
    set(inner, place, rest, &full, value)
}

/// The place of `key` in `node`; another member of a choice is taken out of `table`.
fn enter(table: &mut dyn TableLike, node: Node, key: &str, full: &str) -> Result<Node> {
    let unknown = |names: Vec<&str>| {
        let hint = inspect::nearest(key, names.into_iter());
        Error::config(format!("unknown key `{full}`")).with_hint(hint)
    };
    match node.kind() {
        Kind::Table(fields) => node.field(key).ok_or_else(|| unknown(fields.iter().map(|f| f.0).collect())),
        Kind::Map(entry) => match refused(key) {
            None => Ok(entry),
            Some(hint) => Err(Error::config(inspect::misnamed(full)).with_hint(hint)),
        },
        Kind::Choice(members) => {
            let member = members.iter().find(|m| m.name == key);
            let member = member.ok_or_else(|| unknown(members.iter().map(|m| m.name).collect()))?;
            if !table.contains_key(key) {
                table.clear();
            }
            member.table.ok_or_else(|| Error::config(format!("`{full}` has no settings")))
        }
        _ => Err(unknown(Vec::new())),
    }
}

/// `text` as TOML if that fits `place`, as bare text if that fits, as the name of a choice if that fits.
fn parse(text: &str, place: Node, path: &str) -> Result<Item> {
    let bare = text.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(text);
    if let Kind::Choice(members) = place.kind()
        && members.iter().any(|m| m.name == bare && m.table.is_some())
    {
        let mut table = Table::new();
        table.insert(bare, Item::Table(Table::new()));
        return Ok(Item::Table(table));
    }
    let quoted = Value::from(text).to_string();
    let tries = [text, &quoted].map(|t| {
        let parsed = DeValue::parse(t).ok()?;
        Some((inspect::value(&parsed, place, path), t))
    });
    let fits = tries.iter().flatten().find(|(problems, _)| problems.is_empty());
    if let Some(value) = fits.and_then(|(_, t)| t.parse::<Value>().ok()) {
        return Ok(Item::Value(value));
    }
    let problem = tries.into_iter().flatten().find_map(|(problems, _)| problems.into_iter().next());
    Err(problem
        .map_or_else(|| Error::config(format!("`{path}` must be {}", place.expects())), Problem::into_error))
}

fn is_choice(place: Node) -> bool {
    matches!(place.kind(), Kind::Choice(_))
}

fn names_the_same(new: &dyn TableLike, old: &dyn TableLike) -> bool {
    new.iter().map(|(k, _)| k).eq(old.iter().map(|(k, _)| k))
        && new.iter().all(|(_, v)| v.as_table_like().is_some_and(TableLike::is_empty))
}
