//! `bouton reproduce`: the claims of a paper against own runs.

use super::{DataArgs, OutArgs};
use crate::interrupt::Interrupt;
use crate::printer::Printer;
use crate::progress::Progress;
use crate::terminal::say;
use bouton::claims::{self, Assessment, Claim, ResultLine, Verdict};
use bouton::recipe::Recipe;
use bouton::train::{Earlier, Outcome, RunOptions, run};
use bouton::{Error, Result};
use clap::Args;
use std::time::{Duration, Instant};

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
    /// Only tell claims, what is stored of them, and time; needs no data
    #[arg(long)]
    dry_run: bool,
    /// Leave out what would not be done in so much time, such as 2h or 45m; the cheapest claims come first
    #[arg(long, value_name = "TIME", value_parser = time)]
    max_time: Option<Duration>,
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
        let chosen = self.estimate(printer, chosen)?;
        if self.dry_run {
            return Ok(true);
        }
        let (mut results, interrupt, began) = (Vec::new(), Interrupt::listen()?, Instant::now());
        let mut tried = Vec::new();
        for (claim, seconds) in chosen {
            let left = self.max_time.map(|most| most.saturating_sub(began.elapsed()).as_secs_f64());
            if left.is_some_and(|left| seconds.is_none_or(|seconds| seconds * self.seeds as f64 > left)) {
                say(format_args!("{}: left out, it would take longer than there is time", claim.id));
                continue;
            }
            for seed in 1..=self.seeds {
                results.push(self.train(claim, seed, &interrupt)?);
            }
            tried.push(claim);
        }
        let assessed = tried.iter().map(|claim| claims::assess(claim, &results));
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

    /// Times a few batches of every claim, before anything long begins, and tells them with what is stored; the cheapest come first,
    /// each with the seconds of one seed if they are known.
    fn estimate<'a>(
        &self,
        printer: &mut Printer,
        chosen: Vec<&'a Claim>,
    ) -> Result<Vec<(&'a Claim, Option<f64>)>> {
        let mut timed = Vec::new();
        for claim in chosen {
            timed.push((claim, self.seconds(claim)?));
        }
        timed.sort_by(|a, b| a.1.unwrap_or(f64::MAX).total_cmp(&b.1.unwrap_or(f64::MAX)));
        let stored = claims::stored()?;
        let assessed =
            timed.iter().map(|(claim, _)| claims::assess(claim, &stored)).collect::<Result<Vec<_>>>()?;
        let (head, rows) = Assessment::table(&assessed);
        // What difference is allowed is the report's to tell.
        let head: Vec<&str> =
            head[..head.len() - 1].iter().map(String::as_str).chain(["about, per seed"]).collect();
        let row = |(mut row, (_, seconds)): (Vec<String>, &(&Claim, Option<f64>))| {
            row.pop();
            row.push(seconds.map_or("not known without the data".into(), duration));
            row
        };
        printer.columns(&head, rows.into_iter().zip(&timed).map(row).collect())?;
        Ok(timed)
    }

    /// Seconds that one seed of a claim takes: on its data, or on made-up images of the same shape where they are not.
    fn seconds(&self, claim: &Claim) -> Result<Option<f64>> {
        let recipe = self.recipe(claim, 1)?;
        let time =
            |recipe: &Recipe| claims::time_batches(recipe, claims::TIMED_BATCHES, self.data.data.as_deref());
        let timing = match time(&recipe) {
            Err(Error::DataMissing { .. }) => match claims::made_up(&recipe) {
                Some(made_up) => time(&made_up),
                None => return Ok(None),
            },
            timing => timing,
        };
        let t = timing.map_err(|e| e.context(claim.full_id()))?;
        Ok(Some(t.seconds / t.batches.max(1) as f64 * t.updates as f64))
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

/// A time such as `2h`, `45m` or `1h 30m`.
fn time(text: &str) -> std::result::Result<Duration, String> {
    let known = text.parse::<jiff::SignedDuration>().ok().and_then(|time| Duration::try_from(time).ok());
    known.filter(|time| !time.is_zero()).ok_or_else(|| "a time is 2h, 45m or 90s".to_owned())
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
