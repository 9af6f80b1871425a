//! `bouton complete`: what may stand where the cursor is. The scripts of `bouton completions` call it at every press of the key.
//!
//! Commands, options and their words come from the grammar of the command line; what a recipe, a folder of runs or the data folder
//! has to offer is looked up. Whatever goes wrong, nothing is offered, and the shell names files.

mod engine;
mod offers;

use crate::printer::Printer;
use bouton::Result;
use clap::Args;
use engine::Place;

/// Print what may stand at the end of a command line: a word and a line on it, a tab between them
#[derive(Args, Debug)]
#[command(hide = true)]
pub struct Complete {
    /// The words up to the cursor, the program's name first
    #[arg(last = true, value_name = "WORD")]
    words: Vec<String>,
}

impl Complete {
    /// Carries it out.
    pub fn go(self, mut grammar: clap::Command, printer: &mut Printer) -> Result<()> {
        grammar.build();
        let Some((word, before)) = self.words.split_last() else { return Ok(()) };
        let offers = Place::after(&grammar, before.get(1..).unwrap_or_default()).offers(word);
        offers.iter().try_for_each(|(word, about)| printer.line(format_args!("{word}\t{}", short(about))))
    }
}

/// The first sentence, as much of it as a menu can show.
fn short(about: &str) -> String {
    let line = about.lines().next().unwrap_or_default();
    let sentence = line.split_once(". ").map_or(line, |(first, _)| first).trim_end_matches('.');
    sentence.chars().filter(|c| !c.is_control()).take(70).collect()
}
