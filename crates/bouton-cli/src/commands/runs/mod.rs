//! `bouton runs`: what has been run.

mod diff;
mod find;
mod label;
mod ls;
pub(super) mod matrix;
mod rm;
mod show;
mod table;

use super::OutArgs;
use crate::printer::Printer;
use bouton::Result;
use clap::{Args, Subcommand};

pub use find::{find, find_all, part};
pub(super) use ls::{as_json, scores};

/// List, show, label and compare runs
#[derive(Args, Debug)]
pub struct Runs {
    #[command(subcommand)]
    verb: Verb,
    #[command(flatten)]
    out: OutArgs,
    /// Print JSON
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// List runs with the keys in which they differ, oldest first
    Ls(ls::Ls),
    /// Group finished runs: mean and spread over seeds, differences seed by seed
    ///
    /// Intervals are those of Student's t, 95 %. Groups with the seeds of the first one (or of --against) are compared with it,
    /// run by run of the same seed. Of several runs of a seed in a group the newest counts.
    Table(table::Table),
    /// Show runs: how they went and where they came from
    Show(show::Show),
    /// Compare two runs: recipes and results
    Diff(diff::Diff),
    /// Put tags on runs, for `--where tag=TAG`
    Tag(label::Tag),
    /// Write a note on runs; an empty one takes it away
    Note(label::Note),
    /// Delete runs
    Rm(rm::Rm),
}

impl Runs {
    /// Carries it out.
    pub fn go(self, printer: &mut Printer) -> Result<()> {
        let out = self.out.out.as_path();
        match &self.verb {
            Verb::Ls(ls) => ls.go(printer, out, self.json),
            Verb::Table(table) => table.go(printer, out, self.json),
            Verb::Show(show) => show.go(printer, out, self.json),
            Verb::Diff(diff) => diff.go(printer, out, self.json),
            Verb::Tag(tag) => tag.go(printer, out),
            Verb::Note(note) => note.go(printer, out),
            Verb::Rm(rm) => rm.go(printer, out),
        }
    }
}
