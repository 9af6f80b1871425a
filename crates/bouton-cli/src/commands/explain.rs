//! `bouton explain`: one place of a recipe.

use crate::printer::Printer;
use bouton::analysis::{self, About};
use bouton::claims::{self, Assessment, Paper};
use bouton::objective::Metric;
use bouton::recipe::describe::{self, Field, Page};
use bouton::theory;
use bouton::{Error, Result};
use clap::Args;

/// Explain a choice, a table, a key or a word of recipes, a metric, a property or a paper, or show the file of a device
#[derive(Args, Debug)]
pub struct Explain {
    /// The place: `credit`, `credit.eq-prop`, `eq-prop`, `credit.eq-prop.beta`, `beta`, `run`; a word such as `symmetric`; a metric, a
    /// property that `bouton check` measures, a paper, or a device of `bouton list devices`
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
        if let Ok(paper) = claims::paper(&self.place) {
            return self.paper(paper, printer);
        }
        if let Some(metric) = Metric::named(&self.place) {
            let better = if metric.higher_is_better { "more" } else { "less" };
            let told = format!("{}\n\n{}; {better} of it is better\n", metric.name, metric.about);
            return if self.json { printer.json(&metric) } else { printer.text(&told) };
        }
        if let Ok(property) = analysis::property(&self.place) {
            return if self.json { printer.json(&property) } else { printer.text(&told(property)) };
        }
        let page = describe::explain(&self.place).map_err(|error| self.nearest(error))?;
        if self.json { printer.json(&page) } else { printer.text(&text(&page)) }
    }
}

impl Explain {
    /// `error`, that no recipe has the place, unless a property is nearly called so.
    fn nearest(&self, error: Error) -> Error {
        let near = |error: &Error| error.hint().is_some_and(|hint| hint.starts_with("did you mean"));
        let property = analysis::property(&self.place).err().filter(near);
        property.filter(|_| !near(&error)).unwrap_or(error)
    }

    /// A paper's claims with what is stored of them.
    fn paper(&self, paper: &Paper, printer: &mut Printer) -> Result<()> {
        let stored = claims::stored()?;
        let assessed =
            paper.claims.iter().map(|claim| claims::assess(claim, &stored)).collect::<Result<Vec<_>>>()?;
        if self.json {
            return printer.json(&assessed);
        }
        printer.line(format_args!("{}\n\n{}. {}.\n", paper.slug, paper.title, paper.reference))?;
        let (head, mut rows) = Assessment::table(&assessed);
        rows.iter_mut().for_each(|row| row.truncate(head.len() - 1));
        printer.columns(&head[..head.len() - 1].iter().map(String::as_str).collect::<Vec<_>>(), rows)?;
        printer.line(format_args!("\nbouton run @{0}/CLAIM; bouton reproduce {0} --dry-run", paper.slug))
    }
}

fn told(property: &About) -> String {
    let About { id, equation, proves, applies } = property;
    format!("{id}\n\n{equation}\n\nproves: {proves}\nwhere:  {applies}\n")
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
