//! Continual EP with a vanishing learning rate makes the update of ordinary EP (Ernoult et al. 2020).

use super::{Bound, Findings, Lab, Property, relative_error};
use crate::credit::{ContinualEqProp, CreditSpec, EqProp, Nudge, Start};
use crate::error::Result;
use crate::network::Network;
use crate::optim::{Decay, OptimSpec, Sgd, Updater};
use crate::recipe::Recipe;
use crate::rng::Key;
use crate::synapse::SynapseSpec;
use crate::wiring::PerLayer;

/// Learning rate small enough for the weights to stand still during the nudged phase.
const RATE: f64 = 1e-7;
const BETA: f64 = 0.1;
const K: usize = 8;

pub(super) fn check(lab: &mut Lab, findings: &mut Findings) -> Result<()> {
    let (id, statement) = ("continual-is-ep", "continual EP with a vanishing rate makes EP's update");
    let bound = Bound::AtMost(1e-4);
    if lab.network.nudged().is_none() {
        findings.properties.push(Property::not_applicable(
            id,
            statement,
            bound,
            "the network does not settle",
        ));
        return Ok(());
    }
    let free_steps = lab.sweeps();
    let ep = CreditSpec::EqProp(EqProp {
        beta: BETA,
        nudge: Nudge::Positive,
        free_steps,
        nudged_steps: K,
        start: Start::Zero,
        corrected: false,
    });
    let gradient = lab.gradient(&ep)?;
    let moved = continual_update(lab, free_steps)?;
    findings.properties.push(Property::measured(id, statement, relative_error(&moved, &gradient), bound));
    Ok(())
}

/// −Δθ/η of one batch of continual EP.
fn continual_update(lab: &Lab, free_steps: usize) -> Result<Vec<f64>> {
    // What the rules propose is compared, whatever synapse takes it.
    let recipe = Recipe { synapse: SynapseSpec::default(), ..lab.recipe.clone() };
    let mut network = Network::build(&recipe)?;
    copy(&lab.network, &mut network)?;
    let solver = lab.recipe.solver.method().plain();
    let spec = ContinualEqProp { beta: BETA, nudge: Nudge::Positive, free_steps, nudged_steps: K };
    let mut rule = CreditSpec::ContinualEqProp(spec).build(&solver, &network, lab.batch.ids.len())?;
    let sgd = Sgd {
        lr: PerLayer::All(RATE),
        nesterov: false,
        momentum: 0.0,
        decay: 0.0,
        decay_style: Decay::Coupled,
        bias_scale: 1.0,
    };
    let mut updater = Updater::new(&network, OptimSpec::Sgd(sgd).build());
    rule.learn(&mut network, &lab.batch, &*lab.objective, &mut updater, &Key::new(lab.recipe.seed))?;
    let flat = |n: &Network| n.parameters().into_iter().flat_map(|(_, _, m)| m.to_f64s()).collect::<Vec<_>>();
    Ok(flat(&lab.network).iter().zip(flat(&network)).map(|(old, new)| (old - new) / RATE).collect())
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
