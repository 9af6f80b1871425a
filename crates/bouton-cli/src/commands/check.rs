//! `bouton check`: what theory says about a recipe.

use super::{DataArgs, RecipeArgs};
use crate::engine;
use crate::printer::Printer;
use bouton::Result;
use clap::Args;

/// Check what theory says about a recipe: gradients, fixed points, invariants
#[derive(Args, Debug)]
pub struct Check {
    #[command(flatten)]
    recipe: RecipeArgs,
    #[command(flatten)]
    data: DataArgs,
}

impl Check {
    /// Carries it out.
    pub fn go(self, printer: &mut Printer) -> Result<()> {
        let properties = engine::check(&self.recipe.load()?, self.data.data.as_deref())?;
        let rows = properties.into_iter().map(|p| {
            let verdict = p.passed.map_or("does not apply", |passed| if passed { "pass" } else { "FAIL" });
            vec![verdict.to_string(), p.name, p.finding]
        });
        printer.columns(&["verdict", "property", "finding"], rows.collect())
    }
}
