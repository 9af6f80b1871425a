//! `bouton reproduce`: the claims of a paper against own runs.

use super::{DataArgs, OutArgs};
use crate::interrupt::Interrupt;
use crate::printer::Printer;
use crate::progress::Progress;
use bouton::claims::{self, Assessment, Claim, ResultLine, Verdict};
use bouton::recipe::Recipe;
use bouton::train::{Earlier, Outcome, RunOptions, run};
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
    seeds: u64,
    /// Run a small version of each claim; its result never counts
    #[arg(long)]
    quick: bool,
    /// Only tell claims, data and time
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    out: OutArgs,
    #[command(flatten)]
    data: DataArgs,
}

impl Reproduce {
    /// Carries it out; false if a result is worse than published.
    pub fn go(self, printer: &mut Printer) -> Result<bool> {
        let paper = claims::paper(&self.paper)?;
        let chosen: Vec<&Claim> = match &self.claim {
            Some(id) => vec![paper.claim(id)?],
            None => paper.claims.iter().collect(),
        };
        if !self.dry_run {
            printer.only_tell();
        }
        printer.line(format_args!("{} ({})", paper.title, paper.reference))?;
        self.estimate(printer, &chosen)?;
        if self.dry_run {
            return Ok(true);
        }
        let (mut results, interrupt) = (Vec::new(), Interrupt::listen()?);
        for claim in &chosen {
            for seed in 1..=self.seeds {
                results.push(self.train(claim, seed, &interrupt)?);
            }
        }
        let assessed = chosen.iter().map(|claim| claims::assess(claim, &results));
        let assessed: Vec<Assessment<'_>> = assessed.collect::<Result<_>>()?;
        let (head, rows) = Assessment::table(&assessed);
        printer.columns(&head.iter().map(String::as_str).collect::<Vec<_>>(), rows)?;
        if self.quick {
            printer.line("scaled-down runs show that things work; they never count as reproduced")?;
        }
        Ok(assessed.iter().all(|a| a.verdict != Verdict::Worse))
    }

    fn recipe(&self, claim: &Claim, seed: u64) -> Result<Recipe> {
        let recipe = Recipe { seed, ..claim.recipe()? };
        Ok(if self.quick { claims::quick(&recipe) } else { recipe })
    }

    /// Times a few batches of every claim, before anything long begins.
    fn estimate(&self, printer: &mut Printer, chosen: &[&Claim]) -> Result<()> {
        let mut rows = Vec::new();
        for claim in chosen {
            let recipe = self.recipe(claim, 1)?;
            let timing = claims::time_batches(&recipe, claims::TIMED_BATCHES, self.data.data.as_deref());
            let time = match timing {
                Ok(t) => duration(t.seconds / t.batches.max(1) as f64 * t.updates as f64),
                Err(Error::DataMissing { hint, .. }) => format!("data missing: {hint}"),
                Err(e) => return Err(e.context(claim.full_id())),
            };
            rows.push(vec![claim.id.clone(), claim.about.clone(), time]);
        }
        printer.columns(&["claim", "what", "about, per seed"], rows)
    }

    fn train(&self, claim: &Claim, seed: u64, interrupt: &Interrupt) -> Result<ResultLine> {
        let options = RunOptions {
            data: self.data.data.clone(),
            earlier: Earlier::AnyBuild,
            interrupt: &|| interrupt.asked(),
            command: crate::command_line(),
            build: crate::BUILD.map(Into::into),
            ..RunOptions::new(&self.out.out)
        };
        let outcome = run(&self.recipe(claim, seed)?, &options, &mut Progress::default())?;
        let (Outcome::Finished { run, .. } | Outcome::AlreadyDone { run }) = outcome;
        claims::result_of_run(&run)
    }
}

/// Seconds in words.
fn duration(seconds: f64) -> String {
    match seconds {
        s if s < 120.0 => format!("{s:.0} s"),
        s if s < 7200.0 => format!("{:.0} min", s / 60.0),
        s if s < 172_800.0 => format!("{:.1} h", s / 3600.0),
        s => format!("{:.1} days", s / 86_400.0),
    }
}
