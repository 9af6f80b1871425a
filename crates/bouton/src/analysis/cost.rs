//! What one training sample costs by different credit rules on the same layers: operations, bytes moved and working
//! memory, as the kernels count them ([`bouton_kernels::account`]).
//!
//! A rule with local signals keeps a few states whatever its number of sweeps T; backpropagation through time keeps all T.

use super::presets;
use crate::credit::{Acts, Batch};
use crate::error::{Error, Result};
use crate::recipe::{Recipe, variant_name};
use crate::rng::Key;
use crate::solver::SolverSpec;
use crate::task::stream;
use crate::train::{Checkpoint, Trainer};
use bouton_kernels::account;
use serde::{Deserialize, Serialize};
use std::path::Path;

/// Most samples of the batch that is counted.
const SAMPLES: usize = 32;

/// One update by one rule.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Cost {
    /// The credit rule as recipes spell it.
    pub rule: String,
    /// Samples of the batch that was counted.
    pub samples: usize,
    /// Floating-point operations per sample.
    pub operations: f64,
    /// Bytes moved per sample.
    pub bytes: f64,
    /// Most bytes held at once beyond network and optimiser, per sample.
    pub peak: f64,
}

/// The cost of the recipe's rule and, if its units settle, of BPTT through as many sweeps and of backpropagation in a
/// feed-forward network of the same layers; rules that this network cannot have are left out.
///
/// Uses the first training batch, cut to 32 samples, and the weights of `checkpoint` or else the initial ones.
///
/// # Errors
/// [`Error::DataMissing`] without the recipe's data in `folder`, [`Error::Checkpoint`] for weights of another network.
pub fn costs(recipe: &Recipe, folder: Option<&Path>, checkpoint: Option<&Checkpoint>) -> Result<Vec<Cost>> {
    let batch = stream::open(recipe, folder)?.train.batch(0, recipe.precision.into()).first(SAMPLES);
    let mut all = vec![cost(recipe, &batch, checkpoint)?];
    for other in others(recipe).into_iter().filter(|r| r.check().is_ok()) {
        all.push(cost(&other, &batch, checkpoint)?);
    }
    Ok(all)
}

/// The recipe with BPTT, and with backpropagation.
fn others(recipe: &Recipe) -> Vec<Recipe> {
    if !recipe.neuron.method().traits().settles() {
        return Vec::new();
    }
    let plain = Recipe { solver: SolverSpec::default(), ..recipe.clone() };
    let rule = recipe.credit.method().needs();
    let through_time = rule.acts == Acts::Gradient && rule.fixed_steps;
    let steps = recipe.credit.free_steps().filter(|_| !through_time);
    let unrolled = steps.map(|steps| Recipe { credit: presets::through_time(steps, None), ..plain.clone() });
    let (neuron, credit, objective) = presets::layered();
    let layered = Recipe { neuron, credit, objective, ..plain };
    unrolled.into_iter().chain([layered]).collect()
}

/// One update in a thread pool of its own, so that no working memory is left from before.
fn cost(recipe: &Recipe, batch: &Batch, checkpoint: Option<&Checkpoint>) -> Result<Cost> {
    let threads = rayon::ThreadPoolBuilder::new().num_threads(rayon::current_num_threads());
    let pool = threads.build().map_err(|e| Error::config(format!("no threads to count with: {e}")))?;
    let mut network = recipe.build()?;
    if let Some(checkpoint) = checkpoint {
        Trainer::restore_network(&mut network, checkpoint)?;
    }
    let objective = recipe.objective.build();
    let mut updater = recipe.updater(&network)?;
    updater.set_draws(recipe.run.train_draws.unwrap_or(1));
    updater.set_piece(recipe.piece());
    let mut rule = recipe.credit.build(&recipe.solver, &network, batch.len())?;
    let key = Key::new(recipe.seed).of("update", 0);
    let learn = || updater.update(&mut *rule, &mut network, batch, &*objective, &key);
    let (step, account) = pool.install(|| account(learn));
    step?;
    let samples = batch.len();
    let [operations, bytes, peak] =
        [account.operations, account.bytes, account.peak].map(|n| n as f64 / samples as f64);
    Ok(Cost { rule: variant_name(&recipe.credit), samples, operations, bytes, peak })
}
