//! `bouton data`: data sets and their files.

mod added;

use super::DataArgs;
use crate::printer::Printer;
use crate::terminal::say;
use bouton::task::catalogue::{self, KnownSet};
use bouton::task::store::State;
use bouton::task::{DATA, download, import, store};
use bouton::{Error, Result};
use clap::{Args, Subcommand};
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::json;
use std::path::{Path, PathBuf};

/// List, get, import, verify and name data sets; nothing is downloaded unless asked for
#[derive(Args, Debug)]
pub struct Data {
    #[command(subcommand)]
    verb: DataVerb,
    #[command(flatten)]
    data: DataArgs,
}

#[derive(Debug, Subcommand)]
enum DataVerb {
    /// List the known data sets and whether they are there
    List {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Download a data set from its public mirrors
    Get {
        /// Its name
        name: String,
    },
    /// Take data sets from a folder, a data file or an archive (tar, zip, deb), by content
    Import {
        /// The folder or file
        path: PathBuf,
    },
    Add(Box<added::Add>),
    /// Forget a data set of your own; its files stay
    Rm {
        /// Its name
        name: String,
    },
    /// Compare the files of data sets with their published checksums, your own with what they were when they were added
    Verify {
        /// Their names [default: all that are there]
        names: Vec<String>,
    },
}

impl Data {
    /// Carries it out.
    pub fn go(self, printer: &mut Printer) -> Result<()> {
        let dir = self.data.data.as_deref();
        match self.verb {
            DataVerb::List { json } => list(printer, dir, json),
            DataVerb::Get { name } => get(printer, &name, dir),
            DataVerb::Import { path } => take(printer, &path, dir),
            DataVerb::Add(add) => add.go(printer, dir),
            DataVerb::Rm { name } => added::forget(printer, &name, dir),
            DataVerb::Verify { names } => verify(printer, names, dir),
        }
    }
}

/// Whether a set is here, in words.
fn presence(set: &KnownSet, dir: Option<&Path>) -> Result<&'static str> {
    let states: Vec<_> = store::status(set.name, dir)?.into_iter().map(|(_, state)| state).collect();
    Ok(match () {
        () if states.iter().all(|s| *s == State::Embedded) => "built in",
        () if states.iter().all(|s| *s == State::Present) => "here",
        () if states.iter().all(|s| *s == State::Missing) => "not here",
        () => "incomplete",
    })
}

fn list(printer: &mut Printer, dir: Option<&Path>, as_json: bool) -> Result<()> {
    if as_json {
        let sets = DATA.iter().map(|set| {
            Ok(json!({
                "name": set.name, "title": set.title, "shape": set.shape, "classes": set.classes,
                "train": set.train, "test": set.test, "licence": set.licence, "state": presence(set, dir)?,
            }))
        });
        let own = added::rows(dir)?;
        return printer
            .json(&sets.chain(own.iter().map(|row| Ok(row.as_json()))).collect::<Result<Vec<_>>>()?);
    }
    let rows = DATA.iter().map(|set| Ok(vec![set.name.into(), presence(set, dir)?.into(), set.title.into()]));
    let own = added::rows(dir)?.into_iter().map(|row| Ok(vec![row.name, row.state.into(), row.title]));
    printer.columns(&["name", "state", "what"], rows.chain(own).collect::<Result<_>>()?)?;
    let folder = store::folder(dir)?;
    printer.line(format_args!("\nfolder: {}", folder.display()))
}

fn get(printer: &mut Printer, name: &str, dir: Option<&Path>) -> Result<()> {
    printer.only_tell();
    let style =
        ProgressStyle::with_template("{bar:24.cyan/blue} {bytes}/{total_bytes}  {bytes_per_sec}  {eta} left");
    let bar = ProgressBar::no_length().with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    let result = download::get(name, dir, &mut |done, total| {
        bar.set_length(total);
        bar.set_position(done);
    });
    bar.finish_and_clear();
    result?;
    printer.line(format_args!("{name}: {}", presence(catalogue::find(name)?, dir)?))
}

fn take(printer: &mut Printer, path: &Path, dir: Option<&Path>) -> Result<()> {
    printer.only_tell();
    let found = import::import(path, dir)?;
    let rows = found.files.iter().map(|f| vec![f.set.into(), f.file.into(), f.from.clone()]);
    printer.columns(&["set", "file", "from"], rows.collect())?;
    for damage in &found.damaged {
        say(format_args!("not read: {damage}"));
    }
    Ok(())
}

/// What it means that nothing is wrong with a set.
fn verdict(name: &str, dir: Option<&Path>) -> Result<&'static str> {
    if added::verify(name, dir)? {
        return Ok("as it was when it was added");
    }
    let set = catalogue::find(name)?;
    store::verify(name, dir)?;
    match set.is_pinned() {
        true => Ok("as published"),
        false => Ok("sizes and records are right (no checksums of its files are published)"),
    }
}

fn verify(printer: &mut Printer, names: Vec<String>, dir: Option<&Path>) -> Result<()> {
    let mut names = names;
    if names.is_empty() {
        for set in DATA {
            if presence(set, dir)? != "not here" {
                names.push(set.name.into());
            }
        }
        names.extend(added::rows(dir)?.into_iter().map(|row| row.name));
    }
    let mut failed = Vec::new();
    for name in &names {
        match verdict(name, dir) {
            Ok(verdict) => printer.line(format_args!("{name}: {verdict}"))?,
            Err(error) if names.len() == 1 => return Err(error),
            Err(error) => {
                printer.line(format_args!("{name}: {error}"))?;
                failed.push(name.as_str());
            }
        }
    }
    if failed.is_empty() {
        return Ok(());
    }
    Err(Error::data(format!("not as published, or as they were added: {}", failed.join(", "))).with_hint(
        "fetch them again with `bouton data get NAME`; `bouton data rm NAME` forgets one of your own",
    ))
}
