//! Continual EP with a vanishing learning rate makes the update of ordinary EP (Ernoult et al. 2020).

use super::{Bound, CheckContext, Findings, Property, presets, relative_error};
use crate::credit::Nudge;
use crate::error::Result;
use crate::network::Network;
use crate::optim::Updater;
use crate::recipe::Recipe;
use crate::rng::Key;
use crate::synapse::SynapseSpec;

/// Learning rate small enough for the weights to stand still during the nudged phase.
const RATE: f64 = 1e-7;
const BETA: f64 = 0.1;
const K: usize = 8;

pub(super) fn check(context: &mut CheckContext, findings: &mut Findings) -> Result<()> {
    let (id, statement) = ("continual-is-ep", "continual EP with a vanishing rate makes EP's update");
    let bound = Bound::AtMost(1e-4);
    if context.network.nudged().is_none() {
        findings.properties.push(Property::not_applicable(
            id,
            statement,
            bound,
            "the network does not settle",
        ));
        return Ok(());
    }
    let free_steps = context.sweeps();
    let ep = presets::eq_prop(Nudge::Positive, BETA, [free_steps, K]);
    let gradient = context.gradient(&ep)?;
    let moved = continual_update(context, free_steps)?;
    findings.properties.push(Property::measured(id, statement, relative_error(&moved, &gradient), bound));
    Ok(())
}

/// −Δθ/η of one batch of continual EP.
fn continual_update(context: &CheckContext, free_steps: usize) -> Result<Vec<f64>> {
    // What the rules propose is compared, whatever synapse takes it.
    let recipe = Recipe { synapse: SynapseSpec::default(), ..context.recipe.clone() };
    let mut network = recipe.build()?;
    copy(&context.network, &mut network)?;
    let solver = context.recipe.solver.method().plain();
    let credit = presets::continual(BETA, [free_steps, K]);
    let mut rule = credit.build(&solver, &network, context.batch.ids.len())?;
    let mut updater = Updater::new(&network, presets::descent(RATE, 0.0).build());
    rule.learn(
        &mut network,
        &context.batch,
        &*context.objective,
        &mut updater,
        &Key::new(context.recipe.seed),
    )?;
    let flat = |n: &Network| n.parameters().into_iter().flat_map(|(_, _, m)| m.to_f64s()).collect::<Vec<_>>();
    Ok(flat(&context.network).iter().zip(flat(&network)).map(|(old, new)| (old - new) / RATE).collect())
}

fn copy(from: &Network, to: &mut Network) -> Result<()> {
    let values: Vec<_> = from.parameters().into_iter().map(|(_, n, m)| (n, m.clone())).collect();
    to.visit(&mut |name, mat| {
        if let Some((_, value)) = values.iter().find(|(n, _)| n == name) {
            mat.copy_from(value.view());
        }
        Ok(())
    })
}
