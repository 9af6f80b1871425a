//! The angle between a rule's gradient and the true one, connection by connection:
//! cos(g_rule, ∇L) with ∇L by the adjoint's fixed point (Almeida 1987, Pineda 1987), or through all steps of time.

use super::presets;
use crate::credit::{Batch, GradCollector};
use crate::error::Result;
use crate::network::{Carries, Network};
use crate::recipe::Recipe;
use crate::rng::Key;
use crate::solver::SolverSpec;
use crate::task::stream;
use crate::train::{Checkpoint, Trainer};
use crate::vectors::cosine;
use serde::{Deserialize, Serialize};
use std::path::Path;

/// Most training samples the gradients are taken on.
const SAMPLES: usize = 20;
/// The true gradient takes so many times the free sweeps of the rule.
const PATIENCE: usize = 4;

/// The gradient of one connection's weights over training.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Aligned {
    /// The connection's name.
    pub connection: String,
    /// Updates made, and the cosine then; `None` where a gradient vanishes.
    pub cosines: Vec<(u64, Option<f64>)>,
}

/// The cosine for each connection at every checkpoint, in the recipe's precision, on its first training samples; none
/// for networks that see a sample once.
///
/// # Errors
/// [`crate::Error::DataMissing`] without the recipe's data in `folder`, [`crate::Error::Checkpoint`] for weights of another
/// network.
pub fn alignment(recipe: &Recipe, folder: Option<&Path>, checkpoints: &[Checkpoint]) -> Result<Vec<Aligned>> {
    let mut network = recipe.build()?;
    let settled = recipe.credit.free_steps().filter(|_| network.nudged().is_some());
    let credit = match settled.map(|steps| presets::exact(PATIENCE * steps)) {
        Some(exact) => exact,
        None if network.steps_in_time() => presets::in_time(),
        None => return Ok(Vec::new()),
    };
    let batch = stream::open(recipe, folder)?.train.batch(0, network.dtype).first(SAMPLES);
    let exact = Recipe { credit, solver: SolverSpec::default(), ..recipe.clone() };
    let named = network.parameters().into_iter();
    let named = named.filter_map(|(id, name, _)| Some((id, name.strip_suffix(".weight")?.to_owned())));
    let (ids, names): (Vec<_>, Vec<_>) = named.unzip();
    let of = |connection| Aligned { connection, cosines: Vec::new() };
    let mut all: Vec<Aligned> = names.into_iter().map(of).collect();
    for checkpoint in checkpoints {
        let step = checkpoint.meta("step")?;
        Trainer::restore_network(&mut network, checkpoint)?;
        let rule = gradient(recipe, &mut network, &batch)?;
        Trainer::restore_network(&mut network, checkpoint)?;
        let signals = straighten(&mut network);
        let truth = gradient(&exact, &mut network, &batch)?;
        network.connections.iter_mut().zip(signals).for_each(|(c, carries)| c.carries = carries);
        for (one, id) in all.iter_mut().zip(&ids) {
            let cosine = cosine(&rule.values(*id), &truth.values(*id));
            one.cosines.push((step, Some(cosine).filter(|c| c.is_finite())));
        }
    }
    Ok(all)
}

/// Lets errors take the way of activity and no other; returns what connections carried.
fn straighten(network: &mut Network) -> Vec<Carries> {
    let carried = network.connections.iter().map(|c| c.carries).collect();
    for c in &mut network.connections {
        match c.carries {
            Carries::Activity => c.carries = Carries::Both,
            Carries::Errors => c.weight.update(|mut w| w.fill(0.0)),
            Carries::Both => {}
        }
    }
    carried
}

fn gradient(recipe: &Recipe, network: &mut Network, batch: &Batch) -> Result<GradCollector> {
    let objective = recipe.objective.build();
    let mut rule = recipe.credit.build(&recipe.solver, network, batch.len())?;
    let mut sink = GradCollector::default();
    rule.learn(network, batch, &*objective, &mut sink, &Key::new(recipe.seed))?;
    Ok(sink)
}
