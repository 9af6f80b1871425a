//! Truncation: recurrent backpropagation is the sum of all increments, and EP stopped after K nudged sweeps is BPTT
//! through the last K sweeps.

use super::{Bound, CheckContext, Findings, Property, presets, relative_error};
use crate::credit::Nudge;
use crate::error::Result;

/// Nudged sweeps of the truncated comparison.
const K: usize = 6;

pub(super) fn check(context: &mut CheckContext, findings: &mut Findings) -> Result<()> {
    let rows = [
        ("rbp-is-bptt", "recurrent backprop equals BPTT through many sweeps", 1e-8),
        ("truncated-ep-is-tbp", "EP with 6 nudged sweeps equals BPTT through 6 sweeps (β = 1e-4)", 1e-6),
    ];
    if let Some(why) = context.why_not_applicable() {
        for (id, statement, bound) in rows {
            findings.properties.push(Property::not_applicable(
                id,
                statement,
                Bound::AtMost(bound),
                why.clone(),
            ));
        }
        return Ok(());
    }
    let steps = context.sweeps();
    let rbp = context.gradient(&presets::exact(steps))?;
    let long = context.gradient(&presets::through_time(2 * steps, Some(steps)))?;
    let (id, statement, bound) = rows[0];
    findings.properties.push(Property::measured(
        id,
        statement,
        relative_error(&rbp, &long),
        Bound::AtMost(bound),
    ));
    let (id, statement, bound) = rows[1];
    if context.nudged_outside() || context.follows_energy() {
        let why = "it holds for the prototypical dynamics with the nudge inside";
        findings.properties.push(Property::not_applicable(id, statement, Bound::AtMost(bound), why));
        return Ok(());
    }
    let ep = presets::eq_prop(Nudge::Symmetric, 1e-4, [steps, K]);
    let (ep, tbp) = (context.gradient(&ep)?, context.gradient(&presets::through_time(steps + K, Some(K)))?);
    findings.properties.push(Property::measured(
        id,
        statement,
        relative_error(&ep, &tbp),
        Bound::AtMost(bound),
    ));
    Ok(())
}
