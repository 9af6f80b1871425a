//! The recipes of a sweep, checked before anything is trained.

use super::Grid;
use bouton::recipe::Recipe;
use bouton::{Error, Result};
use rayon::prelude::*;
use std::collections::HashMap;
use std::path::Path;

/// One run of a sweep.
#[derive(Debug)]
pub(crate) struct Point {
    /// What `bouton run` is told beside the recipe.
    pub overrides: Vec<String>,
    /// The keys that differ between points, with their values here.
    pub keys: Vec<(String, String)>,
    /// What its runs are known by; empty if it is refused.
    pub hash: String,
    /// Its recipe, or why it has none.
    pub recipe: Result<Recipe>,
}

impl Point {
    /// Every point of `grid` on `recipe`, which errors call `origin`, with sets of one's own in the data folder `data`.
    ///
    /// # Errors
    /// [`Error::Config`] if all of them are refused, or if two are the same recipe.
    pub fn all(recipe: &Recipe, origin: &Path, data: Option<&Path>, grid: &Grid) -> Result<Vec<Self>> {
        let point = |i| Self::new(recipe, origin, data, grid.overrides(i), grid.differing(i));
        let points: Vec<_> = (0..grid.len()).into_par_iter().map(point).collect();
        if points.iter().any(|point| point.recipe.is_ok()) {
            return distinct(&points).map(|()| points);
        }
        let first = points.into_iter().find_map(|point| point.recipe.err());
        let first = first.unwrap_or_else(|| Error::config("a sweep without points"));
        Err(match grid.len() {
            1 => first,
            n => first.context(format!("all points are refused, the first of {n}")),
        })
    }

    /// The point of `recipe` with these overrides, told from others by `keys`.
    pub fn new(
        recipe: &Recipe,
        origin: &Path,
        data: Option<&Path>,
        overrides: Vec<String>,
        keys: Vec<(String, String)>,
    ) -> Self {
        let recipe = recipe.with_overrides_in(&overrides, data).and_then(|recipe| {
            recipe.check().map_err(|e| e.context(origin.display()))?;
            Ok(recipe)
        });
        let hash = recipe.as_ref().map_or_else(|_| String::new(), Recipe::hash);
        Self { keys, hash, recipe, overrides }
    }

    /// What tells it from the others: `optim.sgd.lr=0.1 seed=2`.
    pub fn name(&self) -> String {
        if self.keys.is_empty() {
            return "the only point".into();
        }
        self.keys.iter().map(|(key, value)| format!("{key}={value}")).collect::<Vec<_>>().join(" ")
    }
}

/// Refuses two points that would be one run.
fn distinct(points: &[Point]) -> Result<()> {
    let mut seen: HashMap<&str, &Point> = HashMap::new();
    for point in points.iter().filter(|point| point.recipe.is_ok()) {
        if let Some(earlier) = seen.insert(&point.hash, point) {
            let (a, b) = (earlier.name(), point.name());
            return Err(Error::config(format!("the points {a} and {b} are the same recipe"))
                .with_hint("leave out what stands twice, or what another key replaces"));
        }
    }
    Ok(())
}
