//! Published results, the recipes that repeat them, and what came out.
//!
//! `recipes/<paper>/claims.toml` lists the claims of a paper; each names one recipe of the same folder and, where it is
//! known, the published number with its mark: of the test error, unless the claim names another metric. All folders are compiled in, so that the program needs no other file.
//!
//! Reproducing a claim: run [`Claim::recipe`] with a few seeds, [`collect`] the finished runs, [`assess`] them.

mod assess;
mod embedded;
mod markdown;
mod plan;
mod results;
mod statistics;

pub use assess::{Assessment, Verdict, assess};
pub use markdown::{paper_markdown, reproducibility_markdown};
pub use plan::{Estimate, MOST_MADE_UP, TIMED_BATCHES, Timing, estimate, made_up, quick, time_batches};
pub use results::{ResultLine, append_result, collect, parse_results, read_results, result_of_run, stored};
pub use statistics::{Agreement, Allowed, Sample, compare};

use crate::objective::{METRICS, Metric};
use crate::recipe::Recipe;
use crate::{Error, Result};
use serde::{Deserialize, Serialize};
use std::sync::LazyLock;

/// A paper with its claims (`claims.toml`).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Paper {
    /// Name of its folder in `recipes/`: `scellier2017`.
    #[serde(skip_deserializing)]
    pub slug: String,
    /// Its title.
    pub title: String,
    /// Authors, place and year.
    pub reference: String,
    /// What is repeated, in one line.
    pub about: String,
    /// What it claims.
    pub claims: Vec<Claim>,
}

/// One result: a recipe and a metric of its test at the last epoch.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Claim {
    /// Name of its paper.
    #[serde(skip_deserializing)]
    pub paper: String,
    /// Its own name within the paper.
    pub id: String,
    /// File of its recipe, in the folder of the paper.
    #[serde(rename = "recipe")]
    pub file: String,
    /// Network, method and epochs in a few words.
    pub about: String,
    /// How long one seed takes on two cores.
    pub cost: Cost,
    /// The metric that it is about, by name, see [`Claim::metric`]. Default: how far the task's tests fall short, `error` for
    /// classes and `mse` for values.
    #[serde(rename = "metric", default)]
    pub named: Option<String>,
    /// What the reader should know about the published number, or about its absence.
    #[serde(default)]
    pub note: Option<String>,
    /// The published result; absent if there is none for this network.
    #[serde(default)]
    pub published: Option<Published>,
    #[serde(skip)]
    text: &'static str,
}

/// A published test result, in the unit of the claim's metric: in percent for `error` and `accuracy`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Published {
    /// Mean over runs.
    pub mean: f64,
    /// Standard deviation over runs, if it is published.
    #[serde(default)]
    pub std: Option<f64>,
    /// Number of runs, if it is published.
    #[serde(default)]
    pub n: Option<usize>,
    /// Printed digits after the decimal point. Default 2.
    #[serde(default = "two")]
    pub digits: usize,
    /// How far the number can be trusted.
    pub mark: Mark,
    /// Where it stands.
    pub source: String,
    /// Largest difference that counts as a match where a spread is unknown, in the same unit.
    pub tolerance: f64,
}

/// How far a published number can be trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mark {
    /// Read in the source.
    Verified,
    /// Read in a text about the source.
    SecondHand,
    /// Written down from memory: never shown as the paper's result.
    Recalled,
}

/// How long one seed takes on two cores.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Cost {
    /// Less than an hour.
    Minutes,
    /// Less than a day.
    Hours,
    /// A day or more.
    Days,
}

fn two() -> usize {
    2
}

/// Every paper, in the order of their years.
pub fn papers() -> &'static [Paper] {
    static PAPERS: LazyLock<Vec<Paper>> = LazyLock::new(|| {
        let read = |folder| parse(folder).expect("every embedded claims.toml is tested");
        embedded::FOLDERS.iter().map(read).collect()
    });
    &PAPERS
}

/// The paper called `slug`.
///
/// # Errors
/// [`Error::Config`] with the known names.
pub fn paper(slug: &str) -> Result<&'static Paper> {
    papers().iter().find(|p| p.slug == slug).ok_or_else(|| {
        let known: Vec<_> = papers().iter().map(|p| format!("`{}`", p.slug)).collect();
        Error::config(format!("unknown paper `{slug}`")).with_hint(format!("known are {}", known.join(", ")))
    })
}

impl Paper {
    /// The claim called `id`.
    ///
    /// # Errors
    /// [`Error::Config`] with the known names.
    pub fn claim(&self, id: &str) -> Result<&Claim> {
        self.claims.iter().find(|c| c.id == id).ok_or_else(|| {
            let known: Vec<_> = self.claims.iter().map(|c| format!("`{}`", c.id)).collect();
            Error::config(format!("{} has no claim `{id}`", self.slug))
                .with_hint(format!("known are {}", known.join(", ")))
        })
    }
}

impl Claim {
    /// Its recipe, with the seed that the file has.
    ///
    /// # Errors
    /// [`Error::Config`] if the file is not a recipe.
    pub fn recipe(&self) -> Result<Recipe> {
        Recipe::parse(self.text, &format!("recipes/{}/{}", self.paper, self.file))
    }

    /// The metric that it is about: the one that it names, or the first [shortfall](Metric::shortfall) of its task.
    ///
    /// # Errors
    /// [`Error::Config`] with the known names if it names none of its task; as [`Claim::recipe`].
    pub fn metric(&self) -> Result<&'static Metric> {
        let kind = self.recipe()?.task.method().targets();
        let Some(name) = &self.named else { return Ok(Metric::shortfall(kind)) };
        Metric::named(name).filter(|metric| metric.of == kind).ok_or_else(|| {
            let known = METRICS.iter().filter(|metric| metric.of == kind);
            let known: Vec<_> = known.map(|metric| format!("`{}`", metric.name)).collect();
            Error::config(format!(
                "recipes/{}/claims.toml: claim `{}`: `{name}` is no metric of {kind}",
                self.paper, self.id
            ))
            .with_hint(format!("known are {}", known.join(", ")))
        })
    }

    /// Name among all papers: `scellier2017/one-hidden`.
    pub fn full_id(&self) -> String {
        format!("{}/{}", self.paper, self.id)
    }
}

fn parse(folder: &embedded::Folder) -> Result<Paper> {
    let wrong = |message: String| Error::config(format!("recipes/{}/claims.toml: {message}", folder.slug));
    let mut paper: Paper = toml::from_str(folder.claims).map_err(|e| wrong(e.to_string()))?;
    paper.slug = folder.slug.into();
    for claim in &mut paper.claims {
        claim.paper = folder.slug.into();
        let recipe = folder.recipes.iter().find(|(name, _)| *name == claim.file);
        claim.text = recipe.ok_or_else(|| wrong(format!("there is no recipe `{}`", claim.file)))?.1;
        if claim.named.is_some() {
            claim.metric()?;
        }
    }
    Ok(paper)
}

#[cfg(test)]
mod tests;
