//! Softmax cross-entropy: ℓ = −ln p_y with p = softmax(o), ∂ℓ/∂o = p − y.

use super::{Objective, Targets};
use bouton_kernels::{Elem, View, ViewMut, dispatch};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Cross-entropy of the softmax of the readout (`[objective.softmax-cross-entropy]`). No parameters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct SoftmaxCrossEntropy {}

impl Objective for SoftmaxCrossEntropy {
    fn error(&self, out: View<'_>, targets: Targets<'_>, mut err: ViewMut<'_>, loss: &mut [f64]) {
        err.copy_from(out);
        dispatch!(out.dtype(), T => for (r, &label) in targets.labels.iter().enumerate() {
            loss[r] = softmax_error(err.row_mut::<T>(r), usize::from(label));
        });
    }

    fn is_spring(&self) -> bool {
        false
    }
}

/// Turns logits into p − y and returns −ln p_y.
fn softmax_error<T: Elem>(row: &mut [T], label: usize) -> f64 {
    let own = row[label];
    let (top, sum) = softmax(row);
    row[label] -= T::lit(1.0);
    sum.to_f64().ln() - (own - top).to_f64()
}

/// Turns logits into probabilities; returns the largest logit, which is subtracted first, so that nothing overflows, and
/// the sum of exponentials behind that.
pub(crate) fn softmax<T: Elem>(row: &mut [T]) -> (T, T) {
    let top = row.iter().copied().fold(row[0], T::max);
    let mut sum = T::lit(0.0);
    for o in row.iter_mut() {
        *o = (*o - top).exp();
        sum += *o;
    }
    for o in row.iter_mut() {
        *o = *o / sum;
    }
    (top, sum)
}

#[cfg(test)]
mod tests {
    use super::*;
    use bouton_kernels::{DType, Mat};

    fn loss(logits: &[f64]) -> f64 {
        let out = Mat::from_f64s(DType::F64, 1, 3, logits);
        let (mut err, mut loss) = (Mat::zeros(DType::F64, 1, 3), [0.0]);
        SoftmaxCrossEntropy {}.error(out.view(), Targets::classes(&[2]), err.view_mut(), &mut loss);
        loss[0]
    }

    #[test]
    fn error_is_the_gradient_of_the_loss() {
        let logits = [0.3, -1.2, 0.8];
        let out = Mat::from_f64s(DType::F64, 1, 3, &logits);
        let mut err = Mat::zeros(DType::F64, 1, 3);
        SoftmaxCrossEntropy {}.error(out.view(), Targets::classes(&[2]), err.view_mut(), &mut [0.0]);
        for i in 0..3 {
            let (mut up, mut down) = (logits, logits);
            (up[i], down[i]) = (logits[i] + 1e-5, logits[i] - 1e-5);
            assert!((err.get(0, i) - (loss(&up) - loss(&down)) / 2e-5).abs() < 1e-9);
        }
    }

    #[test]
    fn huge_logits_stay_finite() {
        assert!((loss(&[1000.0, 0.0, -1000.0]) - 2000.0).abs() < 1e-9);
    }
}
