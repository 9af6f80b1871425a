//! Rectified units that no sample switches on: nothing goes back through them, so that nothing brings them back. The units
//! of a convolution are its channels.

use super::{Bound, CheckContext, Findings, Property};
use crate::error::Result;
use crate::network::Role;
use crate::recipe::NetworkPlan;

pub(super) fn check(context: &CheckContext, findings: &mut Findings) -> Result<()> {
    let (id, bound) = ("dead-units", Bound::AtMost(0.5));
    let samples = context.wide.len();
    let statement =
        format!("share of the rectified units that none of {samples} training samples switches on");
    let plan = NetworkPlan::new(&context.recipe)?;
    let rectifies = |p: usize| plan.populations[p].neuron.method().traits().rectifies;
    if !(0..plan.populations.len()).any(rectifies) {
        findings.properties.push(Property::not_applicable(id, statement, bound, "no unit is rectified"));
        return Ok(());
    }
    let rule = context.recipe.credit.build(&context.recipe.solver, &context.network, samples)?;
    let free = rule.free(&context.network, &context.wide, &*context.objective)?;
    let (mut dead, mut all) = (0, 0);
    for p in
        context.network.with_role(Role::Forward).filter(|&p| p != context.network.output() && rectifies(p))
    {
        let node = &context.network.populations[p];
        let channels = node.shape.channels;
        let values = free.out[p].to_f64s();
        let alive = |c: &usize| values.iter().skip(*c).step_by(channels).any(|v| *v > 0.0);
        let silent = channels - (0..channels).filter(alive).count();
        if silent > 0 {
            findings.notes.push(format!("{silent} of {channels} units of {} are silent", node.name));
        }
        (dead, all) = (dead + silent, all + channels);
    }
    findings.properties.push(match all {
        0 => Property::not_applicable(id, statement, bound, "there is no hidden unit"),
        _ => Property::measured(id, statement, dead as f64 / all as f64, bound),
    });
    Ok(())
}
