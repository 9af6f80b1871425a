//! Spiking units that never spike, or hardly ever rest: a silent unit sends nothing forth, a saturated one says the same whatever it
//! hears, and the surrogate slopes of both are near zero.

use super::{Bound, CheckContext, Findings, Property};
use crate::error::Result;
use crate::network::{Network, PopId, Timing};
use crate::recipe::NetworkPlan;

/// Spikes per step above which a unit counts as saturated.
const SATURATED: f64 = 0.5;

pub(super) fn check(context: &CheckContext, findings: &mut Findings) -> Result<()> {
    let (id, bound) = ("silent-or-saturated", Bound::AtMost(0.5));
    let samples = context.wide.len();
    let statement = format!(
        "share of the spiking units that never spike on {samples} training samples, or in more than half of the steps"
    );
    let plan = NetworkPlan::new(&context.recipe)?;
    let spiking: Vec<PopId> = (0..plan.populations.len()).filter(|&p| plan.populations[p].spikes()).collect();
    let Some(time) = context.network.time.as_ref().filter(|_| !spiking.is_empty()) else {
        findings.properties.push(Property::not_applicable(id, statement, bound, "no unit spikes"));
        return Ok(());
    };
    let (mut ill, mut all) = (0, 0);
    for (pop, rates) in spiking.iter().zip(rates(context, time, &spiking)) {
        let name = &context.network.populations[*pop].name;
        let silent = rates.iter().filter(|rate| **rate == 0.0).count();
        let saturated = rates.iter().filter(|rate| **rate > SATURATED).count();
        let mean = rates.iter().sum::<f64>() / rates.len() as f64;
        findings.notes.push(format!(
            "{name}: {mean:.3} spikes per step and unit, {silent} of {} units silent, {saturated} saturated{}",
            rates.len(),
            remedy(silent, saturated, rates.len()),
        ));
        (ill, all) = (ill + silent + saturated, all + rates.len());
    }
    findings.properties.push(Property::measured(id, statement, ill as f64 / all as f64, bound));
    Ok(())
}

fn remedy(silent: usize, saturated: usize, units: usize) -> &'static str {
    match () {
        () if 2 * silent > units => ": raise the gain of what leads to them, or lower their threshold",
        () if 2 * saturated > units => ": lower the gain of what leads to them, or raise their threshold",
        () => "",
    }
}

/// Spikes per step of every unit of these populations.
fn rates(context: &CheckContext, time: &Timing, pops: &[PopId]) -> Vec<Vec<f64>> {
    let network: &Network = &context.network;
    let x = network.seen(time, context.wide.x.view(), &context.wide.ids, None);
    let trace = network.run(time, x.view(), context.wide.len(), None);
    let rate = |&pop: &PopId| {
        let out = trace.out[pop].rows_view(trace.earlier(0)).to_mat();
        let mut sums = vec![0.0; out.cols()];
        out.to_f64s()
            .chunks_exact(out.cols())
            .for_each(|row| sums.iter_mut().zip(row).for_each(|(sum, z)| *sum += z));
        sums.iter().map(|sum| sum / out.rows() as f64).collect()
    };
    pops.iter().map(rate).collect()
}
