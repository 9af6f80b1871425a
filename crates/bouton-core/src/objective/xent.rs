//! Softmax cross-entropy: ℓ = −ln p_y with p = softmax(o/τ), ∂ℓ/∂o = (p − y)/τ, ∂ℓ/∂τ = −Σ_k (p_k − y_k) o_k/τ².
//!
//! The temperature τ is 1 unless told otherwise; it can be learned with the network (as calibration learns it behind one,
//! Guo et al. 2017).

use super::{LossTraits, Objective, ObjectiveMethod, Outputs, TargetKind, Targets};
use crate::axis::Cite;
use crate::own::{Own, Start};
use bouton_kernels::{Complex, Elem, Mat, Real, View, ViewMut, dispatch};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Cross-entropy of the softmax of the readout (`[objective.softmax-cross-entropy]`).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct SoftmaxCrossEntropy {
    /// Temperature τ that outputs are divided by; where it starts if it is learned. Default 1.
    #[serde(skip_serializing_if = "is_one")]
    #[schemars(extend("minimum" = 1e-3, "maximum" = 1e3, "x-hint" = "1 is the plain softmax"))]
    pub temperature: f64,
    /// Whether τ is learned with the network, between 0.001 and 1000, at the rate of the output's bias. Default false.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub learn_temperature: bool,
}

impl Default for SoftmaxCrossEntropy {
    fn default() -> Self {
        Self { temperature: 1.0, learn_temperature: false }
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it with a reference")]
fn is_one(x: &f64) -> bool {
    *x == 1.0
}

impl SoftmaxCrossEntropy {
    /// τ, the learned one if it is learned.
    fn temperature(&self, own: &[f64]) -> f64 {
        if self.learn_temperature { own[0] } else { self.temperature }
    }
}

/// Every number times `by`, which changes no bit of them if it is 1.
fn scale(mut mat: ViewMut<'_>, by: f64) {
    if by != 1.0 {
        dispatch!(mat.dtype(), T => mat.slice_mut::<T>().iter_mut().for_each(|x| *x *= T::constant(by)));
    }
}

impl Objective for SoftmaxCrossEntropy {
    fn error(&self, out: View<'_>, targets: Targets<'_>, mut err: ViewMut<'_>, loss: &mut [f64]) {
        let colder = 1.0 / self.temperature(targets.own);
        err.copy_from(out);
        scale(err.reborrow(), colder);
        dispatch!(out.dtype(), T => for (r, loss) in loss.iter_mut().enumerate() {
            *loss = softmax_error(err.row_mut::<T>(r), targets.rows.class(r));
        });
        scale(err, colder);
    }

    fn error_complex(&self, out: View<'_>, targets: Targets<'_>, err: ViewMut<'_>) -> bool {
        let (n, colder) = (out.rows() / 2, 1.0 / self.temperature(targets.own));
        let mut err = err;
        err.copy_from(out);
        scale(err.reborrow(), colder);
        let (mut re, mut im) = err.reborrow().split_rows(n);
        dispatch!(out.dtype(), T => for r in 0..n {
            let (p, q) = (re.row_mut::<T>(r), im.row_mut::<T>(r));
            softmax_complex(p, q);
            p[targets.rows.class(r)] -= T::constant(1.0);
        });
        scale(err, colder);
        true
    }

    fn own_gradient(&self, out: View<'_>, targets: Targets<'_>, sums: &mut [f64]) {
        let Some(sum) = sums.first_mut() else { return };
        let mut err = Mat::zeros(out.dtype(), out.rows(), out.cols());
        self.error(out, targets, err.view_mut(), &mut vec![0.0; out.rows()]);
        let tau = self.temperature(targets.own);
        dispatch!(out.dtype(), T => for r in 0..out.rows() {
            let product = |(e, o): (&T, &T)| e.to_f64() * o.to_f64();
            *sum -= err.view().row::<T>(r).iter().zip(out.row::<T>(r)).map(product).sum::<f64>() / tau;
        });
    }

    fn to_probabilities(&self, mut out: ViewMut<'_>, own: &[f64]) {
        scale(out.reborrow(), 1.0 / self.temperature(own));
        dispatch!(out.dtype(), T => for r in 0..out.rows() {
            softmax(out.row_mut::<T>(r));
        });
    }

    fn softmax(&self, own: &[f64]) -> Option<f64> {
        Some(self.temperature(own))
    }

    fn to_outputs(&self, mut belief: ViewMut<'_>, own: &[f64]) {
        dispatch!(belief.dtype(), T => belief.slice_mut::<T>().iter_mut().for_each(|p| *p = p.max(T::constant(1e-37)).ln()));
        scale(belief, self.temperature(own));
    }

    fn is_squared_error(&self) -> bool {
        false
    }
}

/// Turns logits into p − y and returns −ln p_y.
fn softmax_error<T: Elem>(row: &mut [T], label: usize) -> f64 {
    let own = row[label];
    let (top, sum) = softmax(row);
    row[label] -= T::constant(1.0);
    sum.to_f64().ln() - (own - top).to_f64()
}

/// Turns logits into probabilities; returns the largest logit, which is subtracted first, so that nothing overflows, and
/// the sum of exponentials behind that.
pub(crate) fn softmax<T: Elem>(row: &mut [T]) -> (T, T) {
    let top = row.iter().copied().fold(row[0], T::max);
    let mut sum = T::constant(0.0);
    for o in row.iter_mut() {
        *o = (*o - top).exp();
        sum += *o;
    }
    for o in row.iter_mut() {
        *o = *o / sum;
    }
    (top, sum)
}

/// [`softmax`] of complex logits, real parts `re` and imaginary parts `im`.
pub(super) fn softmax_complex<T: Elem>(re: &mut [T], im: &mut [T]) {
    let top = re.iter().copied().fold(re[0], T::max);
    use bouton_kernels::Analytic;
    let mut sum: Complex<T> = Analytic::constant(0.0);
    for (re, im) in re.iter_mut().zip(im.iter_mut()) {
        let e = Analytic::exp(Complex { re: *re - top, im: *im });
        (*re, *im) = (e.re, e.im);
        sum = sum + e;
    }
    for (re, im) in re.iter_mut().zip(im.iter_mut()) {
        let p = Complex { re: *re, im: *im } / sum;
        (*re, *im) = (p.re, p.im);
    }
}

impl ObjectiveMethod for SoftmaxCrossEntropy {
    fn cites(&self, settles: bool) -> Vec<Cite> {
        let readout = Cite::setting("laborieux2021", "softmax readout of a settling network");
        settles.then_some(readout).into_iter().collect()
    }

    fn traits(&self) -> LossTraits {
        LossTraits {
            log_likelihood: true,
            analytic: true,
            outputs: Outputs::Logits,
            targets: &[TargetKind::Classes],
        }
    }

    fn own(&self) -> Vec<Own> {
        let start = Start::Value(self.temperature);
        let own = Own { name: "temperature", start, learned: true, shared: true, range: (1e-3, 1e3) };
        if self.learn_temperature { vec![own] } else { Vec::new() }
    }

    fn examples() -> Vec<Self> {
        let colder = Self { temperature: 0.5, learn_temperature: false };
        vec![Self::default(), colder, Self { temperature: 2.0, learn_temperature: true }]
    }

    fn build(&self) -> Box<dyn Objective> {
        Box::new(*self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bouton_kernels::{DType, Mat};

    fn loss(logits: &[f64]) -> f64 {
        let out = Mat::from_f64s(DType::F64, 1, 3, logits);
        let (mut err, mut loss) = (Mat::zeros(DType::F64, 1, 3), [0.0]);
        SoftmaxCrossEntropy::default().error(out.view(), Targets::classes(&[2]), err.view_mut(), &mut loss);
        loss[0]
    }

    #[test]
    fn error_is_the_gradient_of_the_loss() {
        let logits = [0.3, -1.2, 0.8];
        let out = Mat::from_f64s(DType::F64, 1, 3, &logits);
        let mut err = Mat::zeros(DType::F64, 1, 3);
        SoftmaxCrossEntropy::default().error(out.view(), Targets::classes(&[2]), err.view_mut(), &mut [0.0]);
        for i in 0..3 {
            let (mut up, mut down) = (logits, logits);
            (up[i], down[i]) = (logits[i] + 1e-5, logits[i] - 1e-5);
            assert!((err.get(0, i) - (loss(&up) - loss(&down)) / 2e-5).abs() < 1e-9);
        }
    }

    /// Along the real axis as always, across it by the Cauchy-Riemann equations.
    #[test]
    fn the_complex_error_continues_the_real_one() {
        let out = |d: f64, i: f64| Mat::from_f64s(DType::F64, 2, 3, &[0.3 + d, -1.2, 0.8, i, 0.2, -0.4]);
        let error = |out: &Mat| {
            let mut err = Mat::zeros(DType::F64, 2, 3);
            assert!(SoftmaxCrossEntropy::default().error_complex(
                out.view(),
                Targets::classes(&[2]),
                err.view_mut()
            ));
            err.to_f64s()
        };
        let slope =
            |a: Vec<f64>, b: Vec<f64>| a.iter().zip(b).map(|(a, b)| (a - b) / 2e-6).collect::<Vec<_>>();
        let along = slope(error(&out(1e-6, 0.1)), error(&out(-1e-6, 0.1)));
        let across = slope(error(&out(0.0, 0.1 + 1e-6)), error(&out(0.0, 0.1 - 1e-6)));
        for j in 0..3 {
            assert!((along[j] - across[3 + j]).abs() < 1e-8 && (along[3 + j] + across[j]).abs() < 1e-8);
        }
        let real = Mat::from_f64s(DType::F64, 2, 3, &[0.3, -1.2, 0.8, 0.0, 0.0, 0.0]);
        let (mut err, got) = (Mat::zeros(DType::F64, 1, 3), error(&real));
        SoftmaxCrossEntropy::default().error(
            real.rows_view(0..1),
            Targets::classes(&[2]),
            err.view_mut(),
            &mut [0.0],
        );
        assert!(err.to_f64s().iter().zip(&got).all(|(a, b)| (a - b).abs() < 1e-15) && got[3..] == [0.0; 3]);
    }

    #[test]
    fn huge_logits_stay_finite() {
        assert!((loss(&[1000.0, 0.0, -1000.0]) - 2000.0).abs() < 1e-9);
    }
}
