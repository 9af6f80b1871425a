//! Reads recipes that were written when some keys had other names.
//!
//! An old name is read as the present one before anything else looks at the recipe. What identifies a recipe is hashed under the
//! first names, so that stored results and folders of runs stay those of their recipes.

use super::inspect::{Cause, Problem};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// A key that has another name now.
struct Renamed {
    /// Its table.
    table: &'static str,
    old: &'static str,
    new: &'static str,
}

/// Every key that was renamed.
const RENAMED: [Renamed; 3] = [
    Renamed { table: "run", old: "turn-draws", new: "flip-samples" },
    Renamed { table: "continual", old: "interleaved", new: "joint" },
    Renamed { table: "solver.anderson", old: "memory", new: "history" },
];

/// Gives the keys of `document` their present names; one that stands there under both is told.
pub(super) fn rename(document: &mut DeTable<'_>) -> Vec<Problem> {
    RENAMED.iter().filter_map(|renamed| rename_one(document, renamed)).collect()
}

fn rename_one(document: &mut DeTable<'_>, Renamed { table, old, new }: &Renamed) -> Option<Problem> {
    let mut at = document;
    for key in table.split('.') {
        match at.get_mut(key).map(Spanned::get_mut) {
            Some(DeValue::Table(inner)) => at = inner,
            _ => return None,
        }
    }
    let (key, value) = at.remove_entry(*old)?;
    if at.contains_key(*new) {
        let message = format!("`{table}.{old}` and `{table}.{new}` are one key");
        let hint = Some(format!("leave `{old}` out: it is the old name of `{new}`"));
        return Some(Problem { cause: Cause::Wrong, span: key.span(), message, hint });
    }
    at.insert(Spanned::new(key.span(), (*new).into()), value);
    None
}

/// The present name of the last of `keys`, which lead to a key.
pub(super) fn present<'a>(keys: &[&'a str]) -> Vec<&'a str> {
    let mut keys = keys.to_vec();
    for Renamed { table, old, new } in &RENAMED {
        let depth = table.split('.').count();
        if keys.get(depth) == Some(old) && table.split('.').eq(keys[..depth].iter().copied()) {
            keys[depth] = new;
        }
    }
    keys
}

/// `text`, a recipe as [`super::Recipe::to_toml`] writes it, with the first name of every key.
pub(super) fn first_names(text: &str) -> String {
    let mut table = "";
    let mut first = String::with_capacity(text.len());
    for line in text.split_inclusive('\n') {
        if let Some(name) = line.trim_end().strip_prefix('[').and_then(|l| l.strip_suffix(']')) {
            table = name;
        }
        let value = |r: &Renamed| line.strip_prefix(r.new).filter(|rest| rest.starts_with(" = "));
        match RENAMED.iter().filter(|r| r.table == table).find_map(|r| Some((r.old, value(r)?))) {
            Some((old, value)) => first.extend([old, value]),
            None => first.push_str(line),
        }
    }
    first
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recipe::schema::Node;

    /// A key that was renamed once more, or away, would be read as one that is not known.
    #[test]
    fn new_names_are_keys_and_old_ones_are_not() {
        for Renamed { table, old, new } in &RENAMED {
            let page = |key: &str| crate::recipe::describe::explain(&format!("{table}.{key}"));
            assert!(page(new).is_ok() && page(old).is_err(), "{table}: {old}, {new}");
            assert!(Node::root().field(table.split('.').next().unwrap()).is_some());
        }
    }

    #[test]
    fn first_names_stand_in_their_tables_only() {
        let now = "joint = 1\n[continual]\njoint = true\njoints = 2\n\n[run]\njoint = 3\nflip-samples = 4\n\
                   [solver.anderson]\nhistory = 5\n";
        let first = "joint = 1\n[continual]\ninterleaved = true\njoints = 2\n\n[run]\njoint = 3\nturn-draws = 4\n\
                     [solver.anderson]\nmemory = 5\n";
        assert_eq!(first_names(now), first);
        assert_eq!(first_names(first), first);
    }

    #[test]
    fn paths_are_renamed_at_their_place_only() {
        let path = |text: &str| present(&text.split('.').collect::<Vec<_>>()).join(".");
        assert_eq!(path("solver.anderson.memory"), "solver.anderson.history");
        assert_eq!(path("run.turn-draws"), "run.flip-samples");
        for same in ["continual.turn-draws", "turn-draws", "continual", "continual.joint", "memory"] {
            assert_eq!(path(same), same);
        }
    }
}
