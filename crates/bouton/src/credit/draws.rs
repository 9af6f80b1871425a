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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::objective::Head;
    use crate::recipe::Recipe;
    use bouton_kernels::DType;

    const RECIPE: &str = "precision = \"f64\"\n[task.synthetic]\nshape = [1, 3, 3]\nclasses = 4\ntrain = 24\ntest = 4\n\
        batch = 3\nepochs = 1\n[network]\nlayers = [9, 7, 4]\n[neuron.relu]\n[credit.backprop]\n\
        [objective.softmax-cross-entropy]\n[optim.sgd]\nlr = 0.1\n";

    /// The mean loss of the first samples, by the mean weights or by draws, and by each of the drawn networks alone.
    fn losses(synapse: &str, samples: usize, draws: Option<usize>, head: bool) -> (f64, Vec<f64>) {
        let recipe = Recipe::parse(&format!("{RECIPE}{synapse}"), "test").unwrap();
        let mut task_stream = crate::task::stream::open(&recipe, None).unwrap();
        let mut network = Network::build(&recipe).unwrap();
        let credit = recipe.credit.build(&recipe.solver, &network, 24).unwrap();
        let mut batch = task_stream.train.batch(0, DType::F64).first(samples);
        batch.target = batch.target.classes().unwrap().iter().map(|l| 1 + l % 2).collect::<Vec<u16>>().into();
        let softmax = recipe.objective.build();
        let only = Head { objective: &*softmax, active: 1..3 };
        let objective: &dyn Objective = if head { &only } else { &*softmax };
        let (key, own) = (Key::new(5), network.sampled_weights());
        let batches = || std::iter::once(batch.clone());
        let outcome = evaluate(&*credit, &mut network, objective, batches, draws.map(|n| (n, &key))).unwrap();
        assert!(
            network.sampled_weights().iter().zip(&own).all(|(a, b)| a.1 == b.1),
            "the network keeps its weights"
        );
        let alone = |k| {
            network.set_sampled_weights(Some(&key.of("draw", k)));
            credit.evaluate(&network, &batch, objective).unwrap().mean_loss()
        };
        (outcome.mean_loss(), (0..3).map(alone).collect())
    }

    #[test]
    fn probabilities_are_averaged() {
        for head in [false, true] {
            for synapse in ["[synapse.mesu]\n", "[synapse.bimu]\n", "[synapse.bayesbinn]\nstart = 0.5\n"] {
                let (loss, alone) = losses(synapse, 1, Some(3), head);
                let p = alone.iter().map(|l| (-l).exp()).sum::<f64>() / 3.0;
                assert!((loss + p.ln()).abs() < 1e-12, "{synapse} {loss} {alone:?}");
                assert!(alone[0] != alone[1], "{synapse}");
            }
        }
    }

    /// A distribution without width.
    #[test]
    fn draws_that_are_all_alike_answer_as_the_mean() {
        for head in [false, true] {
            let synapse = "[synapse.mesu]\nspread = 1e-14\n";
            let (drawn, mean) = (losses(synapse, 3, Some(4), head).0, losses(synapse, 3, None, head).0);
            assert!((drawn - mean).abs() < 1e-10, "{drawn} {mean}");
            assert!((losses("[synapse.mesu]\n", 3, Some(4), head).0 - mean).abs() > 1e-3);
        }
    }
}
