//! Answers of weights that are distributions: those of the mean weights, or the mean of the answers of drawn ones.
//!
//! p(y|x) = 1/n Σ_k p(y|x, w_k),  w_k ∼ q(w): the predictive distribution of Bayesian networks, by Monte Carlo.

use super::outcome::loss_and_error_of;
use super::{Batch, Credit, Step};
use crate::error::Result;
use crate::network::Network;
use crate::objective::Objective;
use crate::rng::Key;
use bouton_kernels::{Mat, add_scaled, scale_all};

/// The outcome of the batches that `batches` lists again and again, from `draws` networks drawn by `key`, or from the
/// one of the mean weights. The network keeps its own weights.
///
/// # Errors
/// If a relaxation diverges.
pub fn evaluate<I: Iterator<Item = Batch>>(
    credit: &dyn Credit,
    network: &mut Network,
    objective: &dyn Objective,
    batches: impl Fn() -> I,
    draws: Option<(usize, &Key)>,
) -> Result<Step> {
    let own = network.sampled_weights();
    let outcome = match draws {
        Some((n, key)) => average(credit, network, objective, batches, n, key),
        None => {
            network.set_sampled_weights(None);
            batches().try_fold(Step::default(), |sum, batch| {
                Ok(sum.with(&credit.evaluate(network, &batch, objective)?))
            })
        }
    };
    network.restore_weights(&own);
    outcome
}

/// The answers to the same batches: probabilities where the objective has them, outputs where not, one matrix a batch.
///
/// # Errors
/// If a relaxation diverges.
pub fn answers<I: Iterator<Item = Batch>>(
    credit: &dyn Credit,
    network: &mut Network,
    objective: &dyn Objective,
    batches: impl Fn() -> I,
    draws: Option<(usize, &Key)>,
) -> Result<Vec<Mat>> {
    let own = network.sampled_weights();
    let answers = match draws {
        Some((n, key)) => drawn(credit, network, objective, batches, n, key),
        None => {
            network.set_sampled_weights(None);
            batches().map(|batch| answer(credit, network, objective, &batch)).collect()
        }
    };
    network.restore_weights(&own);
    answers
}

/// The answers of the weights that the network has now.
fn answer(credit: &dyn Credit, network: &Network, objective: &dyn Objective, batch: &Batch) -> Result<Mat> {
    let mut out = credit.free(network, batch, objective)?.out.swap_remove(network.output());
    objective.to_probabilities(out.view_mut(), &network.objective_values());
    Ok(out)
}

/// Sums of the answers of `n` drawn networks, divided by `n`.
fn drawn<I: Iterator<Item = Batch>>(
    credit: &dyn Credit,
    network: &mut Network,
    objective: &dyn Objective,
    batches: impl Fn() -> I,
    n: usize,
    key: &Key,
) -> Result<Vec<Mat>> {
    let mut sums: Vec<Mat> = Vec::new();
    for k in 0..n {
        network.set_sampled_weights(Some(&key.of("draw", k as u64)));
        for (i, batch) in batches().enumerate() {
            let out = answer(credit, network, objective, &batch)?;
            match sums.get_mut(i) {
                Some(sum) => add_scaled(sum, 1.0, out.view()),
                None => sums.push(out),
            }
        }
    }
    sums.iter_mut().for_each(|sum| scale_all(sum, 1.0 / n as f64));
    Ok(sums)
}

fn average<I: Iterator<Item = Batch>>(
    credit: &dyn Credit,
    network: &mut Network,
    objective: &dyn Objective,
    batches: impl Fn() -> I,
    n: usize,
    key: &Key,
) -> Result<Step> {
    let means = drawn(credit, network, objective, &batches, n, key)?;
    let outcome = |(mut mean, batch): (Mat, Batch)| {
        objective.to_outputs(mean.view_mut(), &network.objective_values());
        loss_and_error_of(network, objective, mean.view(), &batch.target).1
    };
    Ok(means.into_iter().zip(batches()).map(outcome).fold(Step::default(), |sum, step| sum.with(&step)))
}
