//! Truncation: recurrent backpropagation is the sum of all increments, and EP stopped after K nudged sweeps is BPTT
//! through the last K sweeps.

use super::{Bound, Findings, Lab, Property, relative_error};
use crate::credit::{Bptt, CreditSpec, EqProp, Nudge, RecurrentBackprop, Start};
use crate::error::Result;

/// Nudged sweeps of the truncated comparison.
const K: usize = 6;

pub(super) fn check(lab: &mut Lab, findings: &mut Findings) -> Result<()> {
    let rows = [
        ("rbp-is-bptt", "recurrent backprop equals BPTT through many sweeps", 1e-8),
        ("truncated-ep-is-tbp", "EP with 6 nudged sweeps equals BPTT through 6 sweeps (β = 1e-4)", 1e-6),
    ];
    if let Some(why) = lab.obstacle() {
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
    let steps = lab.sweeps();
    let rbp = lab.gradient(&CreditSpec::RecurrentBackprop(RecurrentBackprop {
        free_steps: steps,
        adjoint_steps: steps,
    }))?;
    let long = lab.gradient(&CreditSpec::Bptt(Bptt { steps: 2 * steps, truncate: Some(steps) }))?;
    let (id, statement, bound) = rows[0];
    findings.properties.push(Property::measured(
        id,
        statement,
        relative_error(&rbp, &long),
        Bound::AtMost(bound),
    ));
    let (id, statement, bound) = rows[1];
    if lab.nudged_outside() || lab.follows_energy() {
        let why = "it holds for the prototypical dynamics with the nudge inside";
        findings.properties.push(Property::not_applicable(id, statement, Bound::AtMost(bound), why));
        return Ok(());
    }
    let ep = CreditSpec::EqProp(EqProp {
        beta: 1e-4,
        nudge: Nudge::Symmetric,
        free_steps: steps,
        nudged_steps: K,
        start: Start::Zero,
        corrected: false,
    });
    let (ep, tbp) =
        (lab.gradient(&ep)?, lab.gradient(&CreditSpec::Bptt(Bptt { steps: steps + K, truncate: Some(K) }))?);
    findings.properties.push(Property::measured(
        id,
        statement,
        relative_error(&ep, &tbp),
        Bound::AtMost(bound),
    ));
    Ok(())
}
