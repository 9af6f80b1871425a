//! `bouton runs tag` and `bouton runs note`.

use super::find_all;
use crate::printer::Printer;
use bouton::train::{Labels, RunDir};
use bouton::{Error, Result};
use clap::Args;
use std::path::Path;

#[derive(Args, Debug)]
pub(super) struct Tag {
    /// A folder, a part of its name, `last`, or a pattern such as '*_s1_*' for several
    run: String,
    /// Words without spaces and commas
    #[arg(required = true, value_name = "TAG")]
    tags: Vec<String>,
    /// Take the tags away
    #[arg(long)]
    remove: bool,
}

#[derive(Args, Debug)]
pub(super) struct Note {
    /// A folder, a part of its name, `last`, or a pattern such as '*_s1_*' for several
    run: String,
    /// The note
    text: String,
}

impl Tag {
    pub fn go(&self, printer: &mut Printer, out: &Path) -> Result<()> {
        let odd = |tag: &&String| tag.is_empty() || tag.contains(|c: char| c.is_whitespace() || c == ',');
        if let Some(tag) = self.tags.iter().find(odd) {
            let error = Error::config(format!("`{tag}` is no tag"));
            return Err(error.with_hint("a tag is one word; `bouton runs note` takes text"));
        }
        for run in find_all(out, std::slice::from_ref(&self.run))? {
            let mut labels = Labels::read(&run.labels())?;
            for tag in &self.tags {
                match self.remove {
                    true if !labels.tags.remove(tag) => return Err(untagged(&run, tag)),
                    true => {}
                    false => _ = labels.tags.insert(tag.clone()),
                }
            }
            labels.write(&run.labels())?;
            let tags: Vec<_> = labels.tags.into_iter().collect();
            printer.line(format_args!("{}  {}", run.path().display(), tags.join(" ")))?;
        }
        Ok(())
    }
}

fn untagged(run: &RunDir, tag: &str) -> Error {
    Error::config(format!("{} has no tag `{tag}`", run.path().display()))
        .with_hint("`bouton runs show` prints the tags of a run")
}

impl Note {
    pub fn go(&self, printer: &mut Printer, out: &Path) -> Result<()> {
        for run in find_all(out, std::slice::from_ref(&self.run))? {
            let mut labels = Labels::read(&run.labels())?;
            labels.note = self.text.split_whitespace().collect::<Vec<_>>().join(" ");
            labels.write(&run.labels())?;
            printer.line(format_args!("{}  {}", run.path().display(), labels.note))?;
        }
        Ok(())
    }
}
