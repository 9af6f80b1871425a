//! `bouton cite`: the publications behind a recipe.

use super::{OutArgs, RecipeArgs};
use crate::printer::Printer;
use bouton::Result;
use clap::Args;
use serde_json::json;

/// Print the publications behind a recipe in BibTeX
#[derive(Args, Debug)]
pub struct Cite {
    #[command(flatten)]
    recipe: RecipeArgs,
    #[command(flatten)]
    out: OutArgs,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl Cite {
    /// Carries it out.
    pub fn go(self, printer: &mut Printer) -> Result<()> {
        let references = self.recipe.or_run(&self.out.out)?.load(None)?.citations()?;
        if self.json {
            let entry = |r: &bouton::recipe::Reference| json!({ "key": r.key, "title": r.title(), "reasons": r.reasons, "bibtex": r.bibtex });
            return printer.json(&references.iter().map(entry).collect::<Vec<_>>());
        }
        references.iter().try_for_each(|r| {
            printer.line(format_args!("% {}", r.reasons.join("; ")))?;
            printer.line(format_args!("{}\n", r.bibtex))
        })
    }
}
