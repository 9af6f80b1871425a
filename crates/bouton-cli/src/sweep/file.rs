//! A sweep as a file: `recipe = "mine.toml"`, and tables `[keys]` and `[zip]` with lists, or text as on the command line.

use super::{Axis, grammar};
use bouton::{Error, Result};
use std::path::{Path, PathBuf};
use toml::{Table, Value};

/// What a file says of a sweep.
#[derive(Debug, PartialEq)]
pub(crate) struct SweepFile {
    /// The recipe; its path begins at the folder of the file.
    pub recipe: PathBuf,
    /// Its keys, then its zipped keys.
    pub axes: Vec<Axis>,
}

/// What a file may say.
const NAMES: [&str; 3] = ["recipe", "keys", "zip"];

impl SweepFile {
    /// Reads the file at `path`; none if that is something else, such as a recipe.
    ///
    /// # Errors
    /// [`Error::Config`] if it is a sweep that cannot be understood.
    pub fn read(path: &Path) -> Result<Option<Self>> {
        let text = std::fs::read_to_string(path).unwrap_or_default();
        // Who reads recipes tells best where this is no TOML.
        let Ok(table) = text.parse::<Table>() else { return Ok(None) };
        if !NAMES.iter().any(|name| table.contains_key(*name)) {
            return Ok(None);
        }
        Self::from(&table, path.parent().unwrap_or(Path::new("")))
            .map(Some)
            .map_err(|e| e.context(path.display()))
    }

    fn from(table: &Table, folder: &Path) -> Result<Self> {
        let explained = "a sweep has `recipe`, `[keys]` and `[zip]`";
        if let Some(name) = table.keys().find(|name| !NAMES.contains(&name.as_str())) {
            return Err(Error::config(format!("unknown key `{name}`")).with_hint(explained));
        }
        let recipe = match table.get("recipe") {
            Some(Value::String(recipe)) => folder.join(recipe),
            Some(_) => return Err(Error::config("`recipe` must be text").with_hint("name a .toml file")),
            None => return Err(Error::config("missing key `recipe`").with_hint(explained)),
        };
        let mut axes = Vec::new();
        for (name, zipped) in [("keys", false), ("zip", true)] {
            match table.get(name) {
                Some(Value::Table(keys)) => {
                    keys.iter().try_for_each(|(key, value)| add(key, value, zipped, &mut axes))?;
                }
                Some(_) => {
                    return Err(Error::config(format!("`{name}` must be a table")).with_hint(explained));
                }
                None => {}
            }
        }
        Ok(Self { recipe, axes })
    }
}

/// Adds the key at `path`; a table holds further keys.
fn add(path: &str, value: &Value, zipped: bool, axes: &mut Vec<Axis>) -> Result<()> {
    let values = match value {
        Value::Table(keys) => {
            return keys
                .iter()
                .try_for_each(|(key, value)| add(&format!("{path}.{key}"), value, zipped, axes));
        }
        Value::Array(list) if list.is_empty() => {
            return Err(Error::config(format!("`{path}` has no values")).with_hint("give one at least"));
        }
        Value::Array(list) => list.iter().map(written).collect(),
        Value::String(text) => grammar::values(text).map_err(|e| e.context(format!("`{path}`")))?,
        one => vec![written(one)],
    };
    axes.push(Axis { key: path.to_owned(), values, zipped });
    Ok(())
}

/// A value as an override writes it: text has no quotes.
fn written(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Option<SweepFile>> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("sweep.toml");
        std::fs::write(&path, text).unwrap();
        let file = SweepFile::read(&path)?;
        Ok(file.map(|file| SweepFile {
            recipe: file.recipe.strip_prefix(folder.path()).unwrap().into(),
            ..file
        }))
    }

    #[test]
    fn a_file_says_what_a_command_line_says() {
        let text = r#"
recipe = "mine.toml"
[keys]
seed = "1..3"
optim.sgd.lr = [0.1, [0.1, 0.05]]
"credit.eq-prop.beta" = 0.5
synapse = ["plain", { metaplastic = { m = 1.5 } }]
[zip]
task.digits.batch = [10, 20]
"#;
        let file = read(text).unwrap().unwrap();
        assert_eq!(file.recipe, Path::new("mine.toml"));
        let words = [
            "seed=1,2,3",
            "optim.sgd.lr=0.1,[0.1, 0.05]",
            "credit.eq-prop.beta=0.5",
            "synapse=plain,{ metaplastic = { m = 1.5 } }",
            "zip:task.digits.batch=10,20",
        ];
        assert_eq!(file.axes, words.map(|word| Axis::parse(word).unwrap()));
        assert_eq!(read("seed = 2\n[task.digits]\n").unwrap(), None, "a recipe");
        assert_eq!(read("[keys").unwrap(), None);
    }

    #[test]
    fn what_is_no_sweep_is_refused_with_its_file() {
        for (text, says) in [
            ("recipe = \"a\"\nkey = 1\n", "unknown key `key`"),
            ("[keys]\nseed = [1, 2]\n", "missing key `recipe`"),
            ("recipe = 1\n", "`recipe` must be text"),
            ("recipe = \"a\"\nkeys = 1\n", "`keys` must be a table"),
            ("recipe = \"a\"\n[keys]\nseed = []\n", "`seed` has no values"),
            ("recipe = \"a\"\n[zip]\nrun.updates = \"5..1\"\n", "`run.updates`: the range 5..1 is empty"),
        ] {
            let error = read(text).unwrap_err();
            assert!(
                error.to_string().contains(&format!("sweep.toml: {says}")) && error.hint().is_some(),
                "{error}"
            );
        }
    }
}
