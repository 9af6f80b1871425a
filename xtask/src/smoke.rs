//! `cargo xtask smoke`: every kind of recipe in the repository for two updates on made-up data, in one process. Recipes
//! whose smallest versions differ in numbers alone (rates, seeds, widths) are one kind; the first by name stands for all.

use bouton::Error;
use bouton::recipe::Recipe;
use bouton::train::{RunOptions, Silent, run};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Instant;

/// What is wrong with each recipe that does not run.
pub fn problems(root: &Path) -> Vec<String> {
    let (started, paths, mut kinds) = (Instant::now(), recipes(root), BTreeSet::new());
    let mut go = |path: &PathBuf| -> bouton::Result<()> {
        let recipe = Recipe::load(path)?;
        recipe.check()?;
        let small = recipe.smoke();
        if kinds.insert(kind(&small)) { try_out(&small) } else { Ok(()) }
    };
    let problems = paths.iter().filter_map(|path| go(path).err().map(|e| format!("{}: {e}", path.display())));
    let problems = problems.collect();
    println!("{} recipes of {} kinds, {:.0} s", paths.len(), kinds.len(), started.elapsed().as_secs_f64());
    problems
}

/// What a recipe says apart from its name and its numbers.
fn kind(recipe: &Recipe) -> String {
    let anonymous = Recipe { name: String::new(), about: String::new(), cite: Vec::new(), ..recipe.clone() };
    anonymous
        .to_toml()
        .split(|c: char| c.is_ascii_digit() || ".-".contains(c))
        .filter(|s| !s.is_empty())
        .collect()
}

/// The recipes of the repository, by name.
pub fn recipes(root: &Path) -> Vec<PathBuf> {
    let mut paths = Vec::new();
    collect(&root.join("recipes"), &mut paths);
    paths.sort();
    paths
}

fn collect(folder: &Path, into: &mut Vec<PathBuf>) {
    for path in std::fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path()) {
        if path.is_dir() {
            collect(&path, into);
        } else if path.extension().is_some_and(|e| e == "toml")
            && !["claims.toml", "sweep.toml"].iter().any(|other| path.ends_with(other))
        {
            into.push(path);
        }
    }
}

fn try_out(recipe: &Recipe) -> bouton::Result<()> {
    let out = tempfile::tempdir().map_err(|e| Error::io(std::env::temp_dir(), e))?;
    run(recipe, &RunOptions::new(out.path()), &mut Silent).map(drop)
}
