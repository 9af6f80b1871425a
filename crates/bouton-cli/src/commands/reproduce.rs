//! `bouton reproduce`: the claims of a paper against own runs.

use super::{DataArgs, OutArgs};
use bouton::{Error, Result};
use clap::Args;

/// Train the recipes of a paper and compare with its table
#[derive(Args, Debug)]
pub struct Reproduce {
    /// The paper, see `bouton list papers`
    paper: String,
    /// Only this claim
    #[arg(long, value_name = "ID")]
    claim: Option<String>,
    /// Runs per claim
    #[arg(long, value_name = "N", default_value_t = 3)]
    seeds: usize,
    /// Run a small version of each claim; its result never counts
    #[arg(long)]
    quick: bool,
    /// Only tell claims, commands, data and time
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    out: OutArgs,
    #[command(flatten)]
    data: DataArgs,
}

impl Reproduce {
    /// Carries it out.
    pub fn go(self) -> Result<()> {
        Err(Error::config(format!("cannot reproduce {} yet: {self:?}", self.paper)))
    }
}
