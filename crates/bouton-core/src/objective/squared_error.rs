//! Squared error: ℓ = ½‖s − y‖², ∂ℓ/∂s = s − y, with the values of a regression for y, or a one-hot row for a class.

use super::{LossTraits, Objective, ObjectiveMethod, Outputs, TargetKind, Targets};
use crate::axis::Cite;
use crate::own::Own;
use bouton_kernels::{Elem, View, ViewMut, dispatch};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// ½‖s − y‖² per sample (`[objective.squared-error]`). No parameters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct SquaredError {}

impl Objective for SquaredError {
    fn error(&self, out: View<'_>, targets: Targets<'_>, mut err: ViewMut<'_>, loss: &mut [f64]) {
        err.copy_from(out);
        targets.rows.subtract_from(err.reborrow());
        dispatch!(out.dtype(), T => for (r, loss) in loss.iter_mut().enumerate() {
            *loss = 0.5 * err.row_mut::<T>(r).iter().map(|e| e.to_f64().powi(2)).sum::<f64>();
        });
    }

    fn error_complex(&self, out: View<'_>, targets: Targets<'_>, mut err: ViewMut<'_>) -> bool {
        err.copy_from(out);
        targets.rows.subtract_from(err);
        true
    }

    fn is_squared_error(&self) -> bool {
        true
    }
}

impl ObjectiveMethod for SquaredError {
    fn cites(&self, _: bool) -> Vec<Cite> {
        Vec::new()
    }

    fn traits(&self) -> LossTraits {
        LossTraits {
            log_likelihood: false,
            analytic: true,
            outputs: Outputs::States,
            targets: &[TargetKind::Classes, TargetKind::Values],
        }
    }

    fn own(&self) -> Vec<Own> {
        Vec::new()
    }

    fn examples() -> Vec<Self> {
        vec![Self {}]
    }

    fn build(&self) -> Box<dyn Objective> {
        Box::new(*self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bouton_kernels::{DType, Mat};

    #[test]
    fn error_and_loss_of_a_known_output() {
        let out = Mat::from_f64s(DType::F64, 1, 3, &[0.5, 0.25, 1.0]);
        let (mut err, mut loss) = (Mat::zeros(DType::F64, 1, 3), [0.0]);
        SquaredError {}.error(out.view(), Targets::classes(&[1]), err.view_mut(), &mut loss);
        assert_eq!(err.to_f64s(), [0.5, -0.75, 1.0]);
        assert_eq!(loss[0], 0.5 * (0.25 + 0.5625 + 1.0));
    }
}
