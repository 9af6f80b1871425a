//! Objectives of single populations beside that of the output: ℓ = ℓ_output + Σ_p w_p ℓ_p(output of p, target).

use super::Batch;
use super::outcome::weigh;
use crate::network::{Network, PopId};
use crate::objective::{Target, Targets};
use bouton_kernels::{Mat, scale_all};

/// w_p ∂ℓ_p/∂output of every population with an objective of its own.
pub(super) type Errors = Vec<(PopId, Mat)>;

/// Errors of the populations whose outputs are `out`, and their weighted losses summed over samples.
pub(super) fn errors(network: &Network, out: &[Mat], target: &Target, samples: &[usize]) -> (Errors, f64) {
    weighed(network, out, target, samples, None)
}

/// The same with a weight for each row.
pub(super) fn weighed(
    network: &Network,
    out: &[Mat],
    target: &Target,
    samples: &[usize],
    weights: Option<&[f64]>,
) -> (Errors, f64) {
    let (mut errors, mut loss) = (Vec::new(), 0.0);
    if matches!(target, Target::None(_)) {
        // A loss from outside has no targets, and is all that counts.
        return (errors, loss);
    }
    for (pop, node) in network.populations.iter().enumerate() {
        let Some((objective, weight)) = &node.objective else { continue };
        let out = &out[pop];
        let (mut err, mut losses) =
            (Mat::zeros(network.dtype, out.rows(), out.cols()), vec![0.0; out.rows()]);
        let targets = Targets { rows: target.view(0..out.rows()), samples, own: &[] };
        objective.error(out.view(), targets, err.view_mut(), &mut losses);
        weights.into_iter().for_each(|weights| weigh(&mut err, &mut losses, weights));
        scale_all(&mut err, *weight);
        loss += weight * losses.iter().sum::<f64>();
        errors.push((pop, err));
    }
    (errors, loss)
}

/// The same for a whole batch.
pub(super) fn of_batch(network: &Network, out: &[Mat], batch: &Batch) -> (Errors, f64) {
    let samples: Vec<usize> = (0..batch.len()).collect();
    errors(network, out, &batch.target, &samples)
}
