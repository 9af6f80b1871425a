//! Kolen–Pollack feedback: with one update for both and weight decay λ, W_f − W_b shrinks by exactly (1 − ηλ) per
//! update, whatever the data (Kolen & Pollack 1994).

use super::presets;
use super::{Bound, CheckContext, Findings, Property};
use crate::credit::Nudge;
use crate::error::Result;
use crate::network::{Connection, Network, Role};
use crate::optim::Updater;
use crate::rng::Key;
use crate::synapse::SynapseSpec;
use crate::vectors::norm;
use crate::wiring::WiringSpec;
use crate::wiring::{Dense, FeedbackSpec};

const RATE: f64 = 0.05;
const DECAY: f64 = 0.1;

pub(super) fn check(context: &CheckContext, findings: &mut Findings) -> Result<()> {
    let (id, statement) =
        ("kolen-pollack", "|contraction of W_f − W_b per update − (1 − ηλ)| with feedback of its own");
    let bound = Bound::AtMost(1e-12);
    // Feedback weights of their own are plain, and the law is of two weights that take the same updates.
    let mut recipe = context.recipe.clone().with_synapse(SynapseSpec::default());
    for dense in recipe.wirings_mut().map(WiringSpec::weights_mut) {
        *dense = Dense { feedback: FeedbackSpec::KolenPollack, homeostasis: 0.0, ..dense.clone() };
    }
    let mut network = recipe.build()?;
    let before = differences(&network);
    if before.is_empty() {
        let why = "no two settling populations are joined by weights";
        findings.properties.push(Property::not_applicable(id, statement, bound, why));
        return Ok(());
    }
    let credit = presets::eq_prop(Nudge::Symmetric, 0.1, [40, 10]);
    let mut rule = credit.build(&recipe.solver, &network, context.batch.ids.len())?;
    let mut updater = Updater::new(&network, presets::descent(RATE, DECAY).build());
    rule.learn(&mut network, &context.batch, &*context.objective, &mut updater, &Key::new(recipe.seed))?;
    let contraction = norm(&differences(&network)) / norm(&before);
    let error = (contraction - (1.0 - RATE * DECAY)).abs();
    findings.properties.push(Property::measured(id, statement, error, bound));
    Ok(())
}

fn differences(network: &Network) -> Vec<f64> {
    let mut all = Vec::new();
    let settles = |c: &&Connection| network.populations[c.pre].role == Role::Settling;
    for c in network.connections.iter().filter(settles) {
        if let Some(back) = c.feedback.own() {
            all.extend(c.weight.mat().to_f64s().iter().zip(back.mat().to_f64s()).map(|(f, b)| f - b));
        }
    }
    all
}
