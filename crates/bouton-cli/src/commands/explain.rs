//! `bouton explain`: one place of a recipe.

use crate::printer::Printer;
use bouton::Result;
use bouton::recipe::describe::{self, Field, Page};
use bouton::theory;
use clap::Args;

/// Explain a choice, a table or a key of recipes, or show the file of a device
#[derive(Args, Debug)]
pub struct Explain {
    /// The place: `credit`, `credit.eq-prop`, `eq-prop`, `credit.eq-prop.beta`, `run`; or a device of `bouton list devices`
    place: String,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl Explain {
    /// Carries it out.
    pub fn go(self, printer: &mut Printer) -> Result<()> {
        if let Some(device) = theory::built_in(&self.place) {
            return if self.json { printer.json(&device) } else { printer.text(device) };
        }
        let page = describe::explain(&self.place)?;
        if self.json { printer.json(&page) } else { printer.text(&text(&page)) }
    }
}

fn text(page: &Page) -> String {
    let mut text = format!("{}\n\n{}\n", page.path, page.about);
    if let Some(value) = &page.value {
        text += &format!("\nvalue: {value}\n");
    }
    if let Some(default) = &page.default {
        text += &format!("\ndefault: {default}\n");
    }
    if !page.choices.is_empty() {
        text += "\nchoices:\n";
        for choice in &page.choices {
            text += &format!("  {}\n      {}\n", choice.name, choice.about);
        }
    }
    if !page.keys.is_empty() {
        text += "\nkeys:\n";
        text += &page.keys.iter().map(key).collect::<String>();
    }
    text
}

fn key(field: &Field) -> String {
    let left_out = match &field.default {
        _ if field.required => ", required".to_string(),
        Some(default) => format!(", default {default}"),
        None => String::new(),
    };
    format!("  {}: {}{left_out}\n      {}\n", field.name, field.value, field.about)
}
