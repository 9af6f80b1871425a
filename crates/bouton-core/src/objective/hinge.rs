//! Squared hinge: ℓ = mean_k max(0, 1 − t_k o_k)² with t = ±1, ∂ℓ/∂o_k = −2 t_k max(0, 1 − t_k o_k)/K.
//!
//! The loss of the binarized networks of Courbariaux et al. 2016 and of their BNN-PYNQ successors.

use super::{LossTraits, Objective, ObjectiveMethod, Outputs, TargetKind, Targets};
use crate::axis::Cite;
use crate::own::Own;
use bouton_kernels::{Real, View, ViewMut, dispatch};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Squared hinge on ±1 targets, mean over outputs (`[objective.squared-hinge]`). No parameters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct SquaredHinge {}

impl Objective for SquaredHinge {
    fn error(&self, out: View<'_>, targets: Targets<'_>, mut err: ViewMut<'_>, loss: &mut [f64]) {
        let outputs = out.cols() as f64;
        dispatch!(out.dtype(), T => for (r, loss) in loss.iter_mut().enumerate() {
            let label = targets.rows.class(r);
            let mut sum = 0.0;
            for (k, (err, &o)) in err.row_mut::<T>(r).iter_mut().zip(out.row::<T>(r)).enumerate() {
                let t = T::constant(if k == label { 1.0 } else { -1.0 });
                let short = (T::constant(1.0) - t * o).max(T::constant(0.0));
                *err = T::constant(-2.0 / outputs) * t * short;
                sum += bouton_kernels::Elem::to_f64(short * short);
            }
            *loss = sum / outputs;
        });
    }

    fn error_complex(&self, _: View<'_>, _: Targets<'_>, _: ViewMut<'_>) -> bool {
        false
    }

    fn is_squared_error(&self) -> bool {
        false
    }
}

impl ObjectiveMethod for SquaredHinge {
    fn cites(&self, _: bool) -> Vec<Cite> {
        Vec::new()
    }

    fn traits(&self) -> LossTraits {
        LossTraits {
            log_likelihood: false,
            analytic: false,
            outputs: Outputs::Signs,
            targets: &[TargetKind::Classes],
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

    fn at(out: [f64; 3]) -> (Vec<f64>, f64) {
        let out = Mat::from_f64s(DType::F64, 1, 3, &out);
        let (mut err, mut loss) = (Mat::zeros(DType::F64, 1, 3), [0.0]);
        SquaredHinge {}.error(out.view(), Targets::classes(&[1]), err.view_mut(), &mut loss);
        (err.to_f64s(), loss[0])
    }

    #[test]
    fn error_is_the_gradient_of_the_loss() {
        let out = [0.5, 0.25, -2.0];
        let (err, loss) = at(out);
        assert!((loss - (1.5_f64.powi(2) + 0.75_f64.powi(2)) / 3.0).abs() < 1e-15);
        for i in 0..3 {
            let (mut up, mut down) = (out, out);
            (up[i], down[i]) = (out[i] + 1e-5, out[i] - 1e-5);
            assert!((err[i] - (at(up).1 - at(down).1) / 2e-5).abs() < 1e-9, "{i}");
        }
        assert_eq!(err[2], 0.0, "beyond the margin nothing pulls");
    }
}
