//! One head of several: another objective on the outputs of the current task, as if there were no others.

use super::{Objective, Target, TargetView, Targets};
use bouton_kernels::{Mat, View, ViewMut, dispatch};
use std::ops::Range;

/// `objective` on the outputs `active`; the others have no loss and no gradient. Labels count from 0 over all outputs.
#[derive(Debug)]
pub struct Head<'a> {
    /// The objective of the head.
    pub objective: &'a dyn Objective,
    /// Its outputs.
    pub active: Range<usize>,
}

impl Head<'_> {
    /// The outputs of the head.
    fn part(&self, out: View<'_>) -> Mat {
        let mut part = Mat::zeros(out.dtype(), out.rows(), self.active.len());
        dispatch!(out.dtype(), T => for r in 0..out.rows() {
            part.view_mut().row_mut::<T>(r).copy_from_slice(&out.row::<T>(r)[self.active.clone()]);
        });
        part
    }

    /// Classes as the head counts them; values of its own outputs.
    fn own(&self, targets: TargetView<'_>) -> Target {
        match targets {
            TargetView::Classes(labels) => {
                Target::Classes(labels.iter().map(|&l| l - self.active.start as u16).collect())
            }
            TargetView::Values(values) => Target::Values(self.part(values)),
            TargetView::None => Target::None(0),
        }
    }

    /// Puts `part` in their place.
    fn put(&self, part: &Mat, mut out: ViewMut<'_>) {
        dispatch!(out.dtype(), T => for r in 0..out.rows() {
            out.row_mut::<T>(r)[self.active.clone()].copy_from_slice(part.view().row::<T>(r));
        });
    }
}

impl Objective for Head<'_> {
    fn error(&self, out: View<'_>, targets: Targets<'_>, mut err: ViewMut<'_>, loss: &mut [f64]) {
        let own = self.own(targets.rows);
        let part = self.part(out);
        let mut part_err = Mat::zeros(out.dtype(), part.rows(), part.cols());
        err.fill(0.0);
        let targets = Targets { rows: own.view(0..own.rows()), ..targets };
        self.objective.error(part.view(), targets, part_err.view_mut(), loss);
        self.put(&part_err, err);
    }

    fn error_complex(&self, out: View<'_>, targets: Targets<'_>, mut err: ViewMut<'_>) -> bool {
        let own = self.own(targets.rows);
        let part = self.part(out);
        let mut part_err = Mat::zeros(out.dtype(), part.rows(), part.cols());
        err.fill(0.0);
        let targets = Targets { rows: own.view(0..own.rows()), ..targets };
        let analytic = self.objective.error_complex(part.view(), targets, part_err.view_mut());
        self.put(&part_err, err);
        analytic
    }

    fn own_gradient(&self, out: View<'_>, targets: Targets<'_>, sums: &mut [f64]) {
        let own = self.own(targets.rows);
        let targets = Targets { rows: own.view(0..own.rows()), ..targets };
        self.objective.own_gradient(self.part(out).view(), targets, sums);
    }

    fn to_probabilities(&self, out: ViewMut<'_>, own: &[f64]) {
        let mut part = self.part(out.as_view());
        self.objective.to_probabilities(part.view_mut(), own);
        self.put(&part, out);
    }

    fn to_outputs(&self, belief: ViewMut<'_>, own: &[f64]) {
        let mut part = self.part(belief.as_view());
        self.objective.to_outputs(part.view_mut(), own);
        self.put(&part, belief);
    }

    /// A spring would pull on every output; this pulls on some.
    fn is_squared_error(&self) -> bool {
        false
    }

    fn active(&self, _: usize, _: u16) -> Range<usize> {
        self.active.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::super::SoftmaxCrossEntropy;
    use super::*;
    use bouton_kernels::DType;

    #[test]
    fn a_head_is_the_objective_on_its_own_outputs() {
        let logits = [9.0, 0.3, -1.2, 0.8, 9.0];
        let whole = Mat::from_f64s(DType::F64, 1, 5, &logits);
        let own = Mat::from_f64s(DType::F64, 1, 3, &logits[1..4]);
        let run = |o: &dyn Objective, out: &Mat, label: u16| {
            let (mut err, mut loss) = (Mat::zeros(DType::F64, 1, out.cols()), [0.0]);
            o.error(out.view(), Targets::classes(&[label]), err.view_mut(), &mut loss);
            (err.to_f64s(), loss[0])
        };
        let head = Head { objective: &SoftmaxCrossEntropy::default(), active: 1..4 };
        let ((err, loss), (inner, own_loss)) =
            (run(&head, &whole, 2), run(&SoftmaxCrossEntropy::default(), &own, 1));
        assert_eq!((&err[1..4], err[0], err[4], loss), (&inner[..], 0.0, 0.0, own_loss));
    }
}
