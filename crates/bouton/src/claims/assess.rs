//! One claim beside its results: the row of a table.

use super::{Agreement, Allowed, Claim, Mark, Published, ResultLine, Sample, compare};
use crate::Result;
use crate::objective::Metric;
use serde::Serialize;
use std::collections::BTreeMap;

/// What the results say about a claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// Our mean agrees with the published one.
    Match,
    /// Our mean is better.
    Better,
    /// Our mean is worse.
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
    /// The metric that it is about, in whose unit the numbers are.
    pub metric: &'static Metric,
    /// Our test results: of full runs, or of scaled ones if there are no others.
    pub ours: Option<Sample>,
    /// The verdict.
    pub verdict: Verdict,
    /// What was allowed, if a verified or second-hand number was compared.
    pub allowed: Option<Allowed>,
}

/// Judges `claim` by those of `results` that belong to it. Runs with overrides are left out; of several with one seed
/// the last is taken; scaled-down runs never count.
///
/// # Errors
/// As [`Claim::metric`].
pub fn assess<'a>(claim: &'a Claim, results: &[ResultLine]) -> Result<Assessment<'a>> {
    let (id, metric) = (claim.full_id(), claim.metric()?);
    let sample = |quick: bool| {
        let own = results.iter().filter(|r| r.claim == id && r.overrides.is_empty() && r.quick == quick);
        let by_seed: BTreeMap<u64, f64> = own.filter_map(|r| Some((r.seed, r.value(metric)?))).collect();
        Sample::of(&by_seed.into_values().collect::<Vec<_>>())
    };
    let Some(ours) = sample(false) else {
        let scaled = sample(true);
        let verdict = if scaled.is_some() { Verdict::Scaled } else { Verdict::NotRun };
        return Ok(Assessment { claim, metric, ours: scaled, verdict, allowed: None });
    };
    let (verdict, allowed) = match &claim.published {
        None => (Verdict::NoPublishedValue, None),
        Some(p) if p.mark == Mark::Recalled => (Verdict::UnverifiedTarget, None),
        Some(p) => {
            let (agreement, allowed) = compare(metric, p, &ours);
            (agreement.into(), Some(allowed))
        }
    };
    Ok(Assessment { claim, metric, ours: Some(ours), verdict, allowed })
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
    /// A table of `all`, its head and a row for each. The metric stands in the head if it is one for all, otherwise in a
    /// column behind the first two.
    pub fn table(all: &[Self]) -> (Vec<String>, Vec<Vec<String>>) {
        let metric = Self::metric_of(all);
        let named = metric.map_or(String::new(), |metric| format!(": {}", result(metric)));
        let mut head = vec!["claim".into(), "what".into(), format!("paper{named}"), format!("ours{named}")];
        head.extend(["verdict".into(), "allowed difference".into()]);
        let mut rows: Vec<_> = all.iter().map(|a| a.cells().to_vec()).collect();
        if metric.is_none() {
            head.insert(2, "metric".into());
            rows.iter_mut().zip(all).for_each(|(row, a)| row.insert(2, result(a.metric)));
        }
        (head, rows)
    }

    /// The metric that all of them are about; none if there are several.
    pub(super) fn metric_of(all: &[Self]) -> Option<&'static Metric> {
        let first = all.first()?.metric;
        all.iter().all(|a| a.metric == first).then_some(first)
    }

    /// Claim, what it is, paper, ours, verdict, allowed difference: mean ± standard deviation (number of runs), for ours with
    /// the standard error of the mean.
    pub fn cells(&self) -> [String; 6] {
        let digits = self.digits();
        [
            self.claim.id.clone(),
            self.claim.about.clone(),
            self.paper(),
            self.ours.map_or("–".into(), |s| ours(&s, digits)),
            self.judgement(),
            self.allowed.as_ref().map_or(String::new(), |a| match a.by_tolerance {
                Some(why) => format!("±{:.digits$} (tolerance: {why})", a.margin),
                None if a.one_seed => format!("±{:.digits$} (one seed, published spread)", a.margin),
                None => format!("±{:.digits$} (two standard errors)", a.margin),
            }),
        ]
    }

    /// A result of ours, in the unit of the metric, as tables show it.
    pub(super) fn number(&self, value: f64) -> String {
        number(value, None, None, self.digits())
    }

    /// Ours is never told more coarsely than theirs.
    fn digits(&self) -> usize {
        let theirs = self.claim.published.as_ref().map_or(0, |p| p.digits);
        self.metric.unit.digits.max(theirs)
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

/// What a column of test results is headed with: `test error %`.
pub(super) fn result(metric: &Metric) -> String {
    format!("test {}", metric.title())
}

fn ours(s: &Sample, digits: usize) -> String {
    let sem = s.sem().map_or(String::new(), |sem| format!(", SEM {sem:.digits$}"));
    format!("{}{sem}", number(s.mean, s.std, Some(s.n), digits))
}

fn number(mean: f64, std: Option<f64>, n: Option<usize>, digits: usize) -> String {
    let std = std.map_or(String::new(), |s| format!(" ± {s:.digits$}"));
    let n = n.map_or(String::new(), |n| format!(" ({n})"));
    format!("{mean:.digits$}{std}{n}")
}
