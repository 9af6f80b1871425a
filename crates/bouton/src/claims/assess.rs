//! One claim beside its results: the row of a table.

use super::{Agreement, Allowed, Claim, Mark, Published, ResultLine, Sample, compare};
use serde::Serialize;
use std::collections::BTreeMap;

/// What the results say about a claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// Our mean error agrees with the published one.
    Match,
    /// Our mean error is smaller.
    Better,
    /// Our mean error is larger.
    Worse,
    /// The published number is only recalled, so there is nothing to agree with.
    UnverifiedTarget,
    /// There is no published number for this network.
    NoPublishedValue,
    /// Only scaled-down runs, which never count.
    Scaled,
    /// No run of the recipe as it is.
    NotRun,
}

impl std::fmt::Display for Verdict {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(match self {
            Self::Match => "match",
            Self::Better => "better",
            Self::Worse => "worse",
            Self::UnverifiedTarget => "unverified target",
            Self::NoPublishedValue => "no published value",
            Self::Scaled => "scaled",
            Self::NotRun => "not run",
        })
    }
}

/// A claim with its verdict.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Assessment<'a> {
    /// The claim.
    pub claim: &'a Claim,
    /// Our test errors: of full runs, or of scaled ones if there are no others.
    pub ours: Option<Sample>,
    /// The verdict.
    pub verdict: Verdict,
    /// What was allowed, if a verified or second-hand number was compared.
    pub allowed: Option<Allowed>,
}

/// Judges `claim` by those of `results` that belong to it. Runs with overrides are left out; of several with one seed
/// the last is taken; scaled-down runs never count.
pub fn assess<'a>(claim: &'a Claim, results: &[ResultLine]) -> Assessment<'a> {
    let id = claim.full_id();
    let sample = |quick: bool| {
        let own = results.iter().filter(|r| r.claim == id && r.overrides.is_empty() && r.quick == quick);
        let by_seed: BTreeMap<u64, f64> = own.map(|r| (r.seed, r.error_percent)).collect();
        Sample::of(&by_seed.into_values().collect::<Vec<_>>())
    };
    let Some(ours) = sample(false) else {
        let scaled = sample(true);
        let verdict = if scaled.is_some() { Verdict::Scaled } else { Verdict::NotRun };
        return Assessment { claim, ours: scaled, verdict, allowed: None };
    };
    let (verdict, allowed) = match &claim.published {
        None => (Verdict::NoPublishedValue, None),
        Some(p) if p.mark == Mark::Recalled => (Verdict::UnverifiedTarget, None),
        Some(p) => {
            let (agreement, allowed) = compare(p, &ours);
            (agreement.into(), Some(allowed))
        }
    };
    Assessment { claim, ours: Some(ours), verdict, allowed }
}

impl From<Agreement> for Verdict {
    fn from(agreement: Agreement) -> Self {
        match agreement {
            Agreement::Match => Self::Match,
            Agreement::Better => Self::Better,
            Agreement::Worse => Self::Worse,
        }
    }
}

impl Assessment<'_> {
    /// Titles of [`Assessment::cells`].
    pub const HEADER: [&'static str; 6] =
        ["claim", "what", "paper: test error %", "ours: test error %", "verdict", "allowed difference"];

    /// The row of a table: mean ± standard deviation (number of runs), for ours with the standard error of the mean.
    pub fn cells(&self) -> [String; 6] {
        [
            self.claim.id.clone(),
            self.claim.about.clone(),
            self.paper(),
            self.ours.map_or("–".into(), |s| ours(&s)),
            self.judgement(),
            self.allowed.as_ref().map_or(String::new(), |a| match a.by_tolerance {
                Some(why) => format!("±{:.2} (tolerance: {why})", a.margin),
                None if a.one_seed => format!("±{:.2} (one seed, published spread)", a.margin),
                None => format!("±{:.2} (two standard errors)", a.margin),
            }),
        ]
    }

    /// The published number as it may be shown: a recalled one is not the paper's.
    fn paper(&self) -> String {
        match &self.claim.published {
            None => "none".into(),
            Some(p) if p.mark == Mark::Recalled => "recalled, unverified".into(),
            Some(p) if p.mark == Mark::SecondHand => format!("{}, second-hand", printed(p)),
            Some(p) => printed(p),
        }
    }

    fn judgement(&self) -> String {
        match &self.claim.published {
            Some(p) if self.verdict == Verdict::UnverifiedTarget => {
                format!("{} [{}]", self.verdict, printed(p))
            }
            _ => self.verdict.to_string(),
        }
    }
}

fn printed(p: &Published) -> String {
    number(p.mean, p.std, p.n, p.digits)
}

fn ours(s: &Sample) -> String {
    let sem = s.sem().map_or(String::new(), |sem| format!(", SEM {sem:.2}"));
    format!("{}{sem}", number(s.mean, s.std, Some(s.n), 2))
}

fn number(mean: f64, std: Option<f64>, n: Option<usize>, digits: usize) -> String {
    let std = std.map_or(String::new(), |s| format!(" ± {s:.digits$}"));
    let n = n.map_or(String::new(), |n| format!(" ({n})"));
    format!("{mean:.digits$}{std}{n}")
}
