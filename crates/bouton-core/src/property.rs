//! A property of theory: what was measured, and what it is held against.

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
