//! Which runs a table or a figure is about, and by what: keys of recipes, results, state, tags.

mod chosen;
mod condition;
mod groups;
mod key;

use crate::terminal::say;
use bouton::Result;
use bouton::train::{Entry, Overview};
use clap::Args;
use condition::Condition;
use std::path::Path;

pub(crate) use chosen::{chosen, tell};
pub(crate) use groups::{Group, differing_keys, groups, remarks};
pub(crate) use key::{Cell, Key, Known, results};

/// Which of the runs.
#[derive(Args, Debug, Default)]
pub struct Which {
    /// Only runs for which this holds, such as `beta=0.5`, `state!=done`, `test.accuracy>0.9`, `tag=x`; several: all of them
    #[arg(long = "where", value_name = "KEY=VALUE")]
    conditions: Vec<String>,
}

impl Which {
    /// The runs in `out` for which all conditions hold. Damaged folders are told of.
    pub fn of(&self, out: &Path) -> Result<Vec<Entry>> {
        let overview = overview(out)?;
        for (path, what) in &overview.damaged {
            say(format_args!("damaged: {}: {what}", path.display()));
        }
        self.among(overview.runs)
    }

    /// Whether nothing is asked of them.
    pub fn is_all(&self) -> bool {
        self.conditions.is_empty()
    }

    /// Those of `runs` for which all conditions hold.
    pub fn among(&self, mut runs: Vec<Entry>) -> Result<Vec<Entry>> {
        if self.is_all() || runs.is_empty() {
            return Ok(runs);
        }
        let known = Known::of(&runs);
        let conditions = self.conditions.iter().map(|text| Condition::parse(text, &known));
        let conditions = conditions.collect::<Result<Vec<_>>>()?;
        runs.retain(|run| conditions.iter().all(|condition| condition.holds(run)));
        Ok(runs)
    }
}

/// All runs in `out`, as this build reads them.
pub(crate) fn overview(out: &Path) -> Result<Overview> {
    Overview::of(out, crate::BUILD.unwrap_or(env!("CARGO_PKG_VERSION")))
}
