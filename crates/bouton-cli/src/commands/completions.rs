//! `bouton completions`: scripts for shells.

use crate::printer::Printer;
use bouton::Result;
use clap::Args;
use clap_complete::Shell;

/// Print the completion script of a shell
#[derive(Args, Debug)]
pub struct Completions {
    /// The shell
    shell: Shell,
}

impl Completions {
    /// Carries it out.
    pub fn go(self, mut grammar: clap::Command, printer: &mut Printer) -> Result<()> {
        match self.shell {
            Shell::Bash => printer.text(include_str!("completions/bouton.bash")),
            Shell::Zsh => printer.text(include_str!("completions/bouton.zsh")),
            Shell::Fish => printer.text(include_str!("completions/bouton.fish")),
            // These know commands and options, and neither keys nor runs.
            other => {
                let mut script = Vec::new();
                clap_complete::generate(other, &mut grammar, "bouton", &mut script);
                printer.text(&String::from_utf8_lossy(&script))
            }
        }
    }
}
