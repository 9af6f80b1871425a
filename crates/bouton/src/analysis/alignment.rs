//! The angle between a rule's gradient and the true one, connection by connection:
//! cos(g_rule, ∇L) with ∇L by the adjoint's fixed point (Almeida 1987, Pineda 1987).

use super::presets;
use super::vectors::cosine;
use crate::credit::{Batch, GradCollector};
use crate::error::Result;
use crate::network::Network;
use crate::recipe::Recipe;
use crate::rng::Key;
use crate::solver::SolverSpec;
use crate::task::stream;
use crate::train::{Checkpoint, Trainer};
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
/// for networks that do not settle.
///
/// # Errors
/// [`crate::Error::DataMissing`] without the recipe's data in `folder`, [`crate::Error::Checkpoint`] for weights of another
/// network.
pub fn alignment(recipe: &Recipe, folder: Option<&Path>, checkpoints: &[Checkpoint]) -> Result<Vec<Aligned>> {
    let mut network = Network::build(recipe)?;
    let Some(steps) = recipe.credit.free_steps().filter(|_| network.nudged().is_some()) else {
        return Ok(Vec::new());
    };
    let batch = stream::open(recipe, folder)?.train.batch(0, network.dtype).first(SAMPLES);
    let credit = presets::exact(PATIENCE * steps);
    let exact = Recipe { credit, solver: SolverSpec::default(), ..recipe.clone() };
    let named = network.parameters().into_iter();
    let named = named.filter_map(|(id, name, _)| Some((id, name.strip_suffix(".weight")?.to_owned())));
    let (ids, names): (Vec<_>, Vec<_>) = named.unzip();
    let of = |connection| Aligned { connection, cosines: Vec::new() };
    let mut all: Vec<Aligned> = names.into_iter().map(of).collect();
    for checkpoint in checkpoints {
        let step = checkpoint.meta("step")?;
        let mut gradient = |recipe: &Recipe| {
            Trainer::restore_network(&mut network, checkpoint)?;
            gradient(recipe, &mut network, &batch)
        };
        let (rule, truth) = (gradient(recipe)?, gradient(&exact)?);
        for (one, id) in all.iter_mut().zip(&ids) {
            let cosine = cosine(&rule.values(*id), &truth.values(*id));
            one.cosines.push((step, Some(cosine).filter(|c| c.is_finite())));
        }
    }
    Ok(all)
}

fn gradient(recipe: &Recipe, network: &mut Network, batch: &Batch) -> Result<GradCollector> {
    let objective = recipe.objective.build();
    let mut rule = recipe.credit.build(&recipe.solver, network, batch.len())?;
    let mut sink = GradCollector::default();
    rule.learn(network, batch, &*objective, &mut sink, &Key::new(recipe.seed))?;
    Ok(sink)
}
