//! Reads a recipe from TOML; a mistake is answered with its place and the nearest valid name.

use super::{Recipe, inspect, migrate};
use crate::task::added;
use crate::{Error, Result};
use serde::Deserialize;
use std::path::Path;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

impl Recipe {
    /// Reads the recipe at `path`, or that of the run in the folder `path`, and the files that it names, whose paths begin
    /// at its folder. Its name defaults to the file's, made fit.
    ///
    /// # Errors
    /// [`Error::Config`] if a file cannot be read or is not a recipe. Numbers and combinations are checked by
    /// [`Recipe::check`], after overrides.
    pub fn load(path: impl AsRef<Path>) -> Result<Self> {
        Self::load_in(path, None)
    }

    /// The same where sets of one's own are in the data folder `data` (default: the user's).
    ///
    /// # Errors
    /// As [`Recipe::load`].
    pub fn load_in(path: impl AsRef<Path>, data: Option<&Path>) -> Result<Self> {
        let origin = path.as_ref().display();
        Self::load_for_overrides(&path, data)?.embedded(Path::new(""), data).map_err(|e| e.context(origin))
    }

    /// The same without a look into the data files of its task: [`Recipe::with_overrides_in`] has it, for overrides may tell how to read
    /// them.
    ///
    /// # Errors
    /// As [`Recipe::load`], but for those of the data files.
    pub fn load_for_overrides(path: impl AsRef<Path>, data: Option<&Path>) -> Result<Self> {
        let of_run = path.as_ref().join("recipe.toml");
        let path = if of_run.is_file() { &of_run } else { path.as_ref() };
        let bytes = std::fs::read(path).map_err(|e| unreadable(path, &e))?;
        let text = String::from_utf8(bytes)
            .map_err(|_| Error::config(format!("{}: not a text file", path.display())))?;
        let folder = path.parent().unwrap_or(Path::new(""));
        let origin = path.display().to_string();
        let recipe = read_at(&text, &origin, data)?.placed(folder, data).map_err(|e| e.context(&origin));
        let mut recipe = recipe?;
        if recipe.name.is_empty() {
            recipe.name = fit_name(&path.file_stem().unwrap_or_default().to_string_lossy());
        }
        Ok(recipe)
    }

    /// Reads a recipe from `text`; `origin` is what errors call it. Paths in it begin at the present folder.
    ///
    /// # Errors
    /// [`Error::Config`] with `origin`, line, column, key path and hint.
    pub fn parse(text: &str, origin: &str) -> Result<Self> {
        read_at(text, origin, None)?.embedded(Path::new(""), None).map_err(|e| e.context(origin))
    }
}

/// Reads `text`, whose places errors call by `origin`.
fn read_at(text: &str, origin: &str, data: Option<&Path>) -> Result<Recipe> {
    let recipe = read(text, data, |at| {
        let before = text.get(..at).unwrap_or(text);
        let line = before.matches('\n').count() + 1;
        let column = before.chars().rev().take_while(|c| *c != '\n').count() + 1;
        format!("{origin}:{line}:{column}")
    })?;
    let written = |keys: &[&str]| toml::from_str(text).is_ok_and(|table: toml::Table| has(&table, keys));
    recipe.expand_signs(written).map_err(|e| e.context(origin))
}

/// Most bytes of a name.
pub(super) const LONGEST_NAME: usize = 100;

/// Whether a name may hold `c`.
pub(super) fn fits_name(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '-' | '_' | '.' | '+')
}

/// `name` as a name of runs: what does not fit becomes `-`, what is too long is cut.
pub(super) fn fit_name(name: &str) -> String {
    let fit: String = name.chars().map(|c| if fits_name(c) { c } else { '-' }).collect();
    let fit = fit.trim_matches('-').trim_start_matches('.');
    let end = (0..=LONGEST_NAME.min(fit.len())).rev().find(|&i| fit.is_char_boundary(i)).unwrap_or(0);
    if end == 0 { "recipe".into() } else { fit[..end].into() }
}

/// Reads a recipe, with sets of one's own from the data folder `data`; `place` names the place of a byte in `text`.
pub(super) fn read(text: &str, data: Option<&Path>, place: impl Fn(usize) -> String) -> Result<Recipe> {
    let syntax = |e: toml::de::Error| {
        let at = e.span().map_or(0, |s| s.start);
        Error::config(format!("{}: not valid TOML: {}", place(at), e.message()))
    };
    let document = DeTable::parse(text).map_err(syntax)?;
    let own = own_set(document.get_ref(), data)?;
    // Its keys may be those of a set of one's own from here on.
    let mut document = document;
    if let Some((name, keys)) = &own {
        let keys = DeTable::parse(keys).map_err(syntax)?;
        in_place(document.get_mut(), name, keys.into_inner());
    }
    let mut problems = migrate::rename(document.get_mut());
    problems.extend(inspect::document(&document));
    if !problems.is_empty() {
        return Err(inspect::error(problems, |problem| format!("{}: ", place(problem.span.start))));
    }
    // By way of a plain table, whose keys an error names: the structs of a recipe are compiled for one kind of reader.
    let table = toml::Table::deserialize(toml::Deserializer::from(document)).map_err(syntax)?;
    table
        .try_into()
        .map_err(|e: toml::de::Error| Error::config(format!("{}: {}", place(0), e.to_string().trim_end())))
}

/// The set of one's own that the task of `document` names, with the keys that `[task.files]` has for it.
fn own_set(document: &DeTable<'_>, data: Option<&Path>) -> Result<Option<(String, String)>> {
    let Some(DeValue::Table(task)) = document.get("task").map(Spanned::get_ref) else { return Ok(None) };
    let keys = |name: &str| Ok(added::keys(name, data)?.map(|keys| (name.to_owned(), keys)));
    task.keys().find_map(|key| keys(key.get_ref()).transpose()).transpose()
}

/// Writes `[task.files]` where `[task.<name>]` stands: `keys`, but for those that the recipe has itself.
fn in_place<'a>(document: &mut DeTable<'a>, name: &str, keys: DeTable<'a>) {
    let Some(DeValue::Table(task)) = document.get_mut("task").map(Spanned::get_mut) else { return };
    let Some((key, mut value)) = task.remove_entry(name) else { return };
    if let DeValue::Table(table) = value.get_mut() {
        for (key, value) in keys {
            if !table.contains_key(key.get_ref().as_ref()) {
                table.insert(key, value);
            }
        }
    }
    task.insert(Spanned::new(key.span(), "files".into()), value);
}

/// Whether `table` has the key that `keys` lead to.
fn has(table: &toml::Table, keys: &[&str]) -> bool {
    match keys {
        [] => true,
        [key] => table.contains_key(*key),
        [key, rest @ ..] => {
            table.get(*key).and_then(toml::Value::as_table).is_some_and(|inner| has(inner, rest))
        }
    }
}

fn unreadable(path: &Path, e: &std::io::Error) -> Error {
    let error = Error::config(format!("{}: {e}", path.display()));
    let name = path.with_added_extension("toml");
    let near = [name.clone(), Path::new("recipes").join(path), Path::new("recipes").join(name)];
    if let Some(near) = near.iter().find(|near| near.is_file()) {
        error.with_hint(format!("did you mean `{}`?", near.display()))
    } else if path.is_dir() {
        error.with_hint("name one recipe (a .toml file) of this folder")
    } else {
        error
    }
}
