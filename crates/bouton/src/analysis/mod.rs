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
mod operations;
mod outside;
mod presets;
mod symmetry;
mod truncation;

pub use crate::property::{Bound, Property, Series, Verdict};
pub use crate::train::forgetting;
pub use crate::vectors::{cosine, relative_error};
pub use about::{About, PROPERTIES, property};
pub use activity::{Activity, activity};
pub use alignment::{Aligned, alignment};
pub use confusion::{Calibration, Confusion};
pub use context::CheckContext;
pub use cost::{Cost, costs};
pub use operations::{Operations, Synapses, operations};

use crate::error::Result;
use serde::Serialize;

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
