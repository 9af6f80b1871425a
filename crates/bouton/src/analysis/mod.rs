//! Exact properties: what makes a method right, measured on a recipe's own network and data.
//!
//! Each file is one property of the theory; [`check`] runs those that apply, in 64-bit arithmetic. Where a property
//! does not apply, the verdict says why instead of failing. Beside them, for reports of runs: what a training sample
//! costs ([`costs()`]), and the cosine of each connection's gradient to the true one ([`alignment()`]).

mod about;
mod activity;
mod alignment;
mod alive;
mod bias;
mod confusion;
mod context;
mod continual;
mod cost;
mod dead;
mod differences;
mod energy;
mod feedback;
mod finite;
mod gdu;
mod holomorphic;
mod outside;
mod presets;
mod symmetry;
mod truncation;
mod vectors;

pub use crate::train::forgetting;
pub use about::{About, PROPERTIES, property};
pub use activity::{Activity, activity};
pub use alignment::{Aligned, alignment};
pub use confusion::{Calibration, Confusion};
pub use context::CheckContext;
pub use cost::{Cost, costs};
pub use vectors::{cosine, relative_error};

use crate::error::Result;
use serde::Serialize;

/// What a measured value is held against.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Bound {
    /// At most this.
    AtMost(f64),
    /// Within `by` of `of`.
    Within {
        /// Target.
        of: f64,
        /// Allowed distance.
        by: f64,
    },
}

impl Bound {
    /// Whether `value` keeps the bound.
    pub fn holds(self, value: f64) -> bool {
        match self {
            Self::AtMost(bound) => value <= bound,
            Self::Within { of, by } => (value - of).abs() <= by,
        }
    }
}

impl std::fmt::Display for Bound {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::AtMost(0.0) => write!(f, "≤ 0"),
            Self::AtMost(bound) => write!(f, "≤ {bound:.0e}"),
            Self::Within { of, by } => write!(f, "{of} ± {by}"),
        }
    }
}

/// How a property came out.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// The bound holds.
    Pass,
    /// The bound does not hold.
    Fail,
    /// The property says nothing about this recipe.
    NotApplicable(String),
}

/// One property of a recipe.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Property {
    /// Short name.
    pub id: String,
    /// What it says, in one line.
    pub statement: String,
    /// Measured value, if the property applies.
    pub measured: Option<f64>,
    /// What it is held against.
    pub bound: Bound,
    /// How it came out.
    pub verdict: Verdict,
}

impl Property {
    /// A measured property.
    pub fn measured(id: &str, statement: impl Into<String>, measured: f64, bound: Bound) -> Self {
        let verdict = if bound.holds(measured) { Verdict::Pass } else { Verdict::Fail };
        Self { id: id.into(), statement: statement.into(), measured: Some(measured), bound, verdict }
    }

    /// A property that says nothing about this recipe.
    pub fn not_applicable(
        id: &str,
        statement: impl Into<String>,
        bound: Bound,
        why: impl Into<String>,
    ) -> Self {
        let verdict = Verdict::NotApplicable(why.into());
        Self { id: id.into(), statement: statement.into(), measured: None, bound, verdict }
    }
}

/// A curve of a check: named y values over x.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Series {
    /// What is drawn.
    pub title: String,
    /// Name of the x axis.
    pub x_label: String,
    /// Name of the y axis.
    pub y_label: String,
    /// Lines: name and points.
    pub lines: Vec<(String, Vec<(f64, f64)>)>,
}

/// Everything `bouton check` found out.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Findings {
    /// Properties in the order they were measured.
    pub properties: Vec<Property>,
    /// Curves.
    pub series: Vec<Series>,
    /// Remarks on the recipe, such as units near a kink.
    pub notes: Vec<String>,
}

impl Findings {
    /// Whether no property failed.
    pub fn passed(&self) -> bool {
        self.properties.iter().all(|p| p.verdict != Verdict::Fail)
    }

    /// Whether any theory was put to the test; that weights are finite is none.
    pub fn tested(&self) -> bool {
        self.properties.iter().any(|p| p.measured.is_some() && p.id != finite::ID)
    }
}

/// Checks the properties that apply to the recipe of `context`; only that its weights are finite, if they are not.
pub fn check(context: &mut CheckContext) -> Result<Findings> {
    let mut findings = Findings { notes: context.notes(), ..Findings::default() };
    if !finite::check(&context.damage, &mut findings) {
        return Ok(findings);
    }
    differences::check(context, &mut findings)?;
    dead::check(context, &mut findings)?;
    alive::check(context, &mut findings)?;
    gdu::check(context, &mut findings)?;
    bias::check(context, &mut findings)?;
    holomorphic::check(context, &mut findings)?;
    truncation::check(context, &mut findings)?;
    outside::check(context, &mut findings)?;
    continual::check(context, &mut findings)?;
    energy::check(context, &mut findings)?;
    feedback::check(context, &mut findings)?;
    symmetry::check(context, &mut findings)?;
    if !findings.tested() {
        findings.notes.push("nothing was checked: no property of theory applies to this recipe".into());
    }
    Ok(findings)
}
