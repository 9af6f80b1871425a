//! Several heads at once: every sample is judged on the outputs of its own task, as in batches with replayed samples.

use super::{Head, Objective, Targets};
use bouton_kernels::{Mat, View, ViewMut};
use std::ops::Range;
use std::sync::Arc;

/// `objective` on the head that a sample's label belongs to, of heads with these borders.
#[derive(Debug)]
pub struct Heads<'a> {
    /// The objective of every head.
    pub objective: &'a dyn Objective,
    /// Where the outputs of each head begin, and where those of the last one end.
    pub borders: Arc<[usize]>,
}

impl Heads<'_> {
    fn of(&self, label: u16) -> Range<usize> {
        let next = self.borders.partition_point(|border| *border <= usize::from(label));
        self.borders[next - 1]..self.borders[next]
    }
}

impl Objective for Heads<'_> {
    fn error(&self, out: View<'_>, targets: Targets<'_>, mut err: ViewMut<'_>, loss: &mut [f64]) {
        let mut row = Mat::zeros(out.dtype(), 1, out.cols());
        for (r, loss) in loss.iter_mut().enumerate() {
            let head = Head { objective: self.objective, active: self.of(targets.rows.class(r) as u16) };
            let samples = targets.samples.get(r..=r).unwrap_or_default();
            let targets = Targets { rows: targets.rows.row(r), samples, own: targets.own };
            head.error(out.rows_range(r..r + 1), targets, row.view_mut(), std::slice::from_mut(loss));
            err.reborrow().rows_range(r..r + 1).copy_from(row.view());
        }
    }

    fn error_complex(&self, out: View<'_>, targets: Targets<'_>, mut err: ViewMut<'_>) -> bool {
        let n = out.rows() / 2;
        let (mut both, mut row) =
            (Mat::zeros(out.dtype(), 2, out.cols()), Mat::zeros(out.dtype(), 2, out.cols()));
        (0..n).all(|r| {
            let head = Head { objective: self.objective, active: self.of(targets.rows.class(r) as u16) };
            let samples = targets.samples.get(r..=r).unwrap_or_default();
            let targets = Targets { rows: targets.rows.row(r), samples, own: targets.own };
            for (k, at) in [r, n + r].into_iter().enumerate() {
                both.rows_view_mut(k..k + 1).copy_from(out.rows_range(at..at + 1));
            }
            let analytic = head.error_complex(both.view(), targets, row.view_mut());
            for (k, at) in [r, n + r].into_iter().enumerate() {
                err.reborrow().rows_range(at..at + 1).copy_from(row.rows_view(k..k + 1));
            }
            analytic
        })
    }

    fn own_gradient(&self, out: View<'_>, targets: Targets<'_>, sums: &mut [f64]) {
        for r in 0..out.rows() {
            let head = Head { objective: self.objective, active: self.of(targets.rows.class(r) as u16) };
            let samples = targets.samples.get(r..=r).unwrap_or_default();
            let targets = Targets { rows: targets.rows.row(r), samples, own: targets.own };
            head.own_gradient(out.rows_range(r..r + 1), targets, sums);
        }
    }

    /// A spring would pull on every output; this pulls on some.
    fn is_squared_error(&self) -> bool {
        false
    }

    fn active(&self, _: usize, label: u16) -> Range<usize> {
        self.of(label)
    }
}

#[cfg(test)]
mod tests {
    use super::super::{SoftmaxCrossEntropy, predictions};
    use super::*;
    use bouton_kernels::DType;

    #[test]
    fn every_row_is_judged_by_the_head_of_its_label() {
        let out = Mat::from_f64s(DType::F64, 2, 4, &[0.3, -0.2, 5.0, 1.0, 9.0, 2.0, -0.5, 0.25]);
        let heads = Heads { objective: &SoftmaxCrossEntropy::default(), borders: [0, 2, 4].into() };
        let (mut err, mut loss) = (Mat::zeros(DType::F64, 2, 4), [0.0; 2]);
        heads.error(out.view(), Targets::classes(&[1, 2]), err.view_mut(), &mut loss);
        for (r, (label, active)) in [(1, 0..2), (2, 2..4)].into_iter().enumerate() {
            let head = Head { objective: &SoftmaxCrossEntropy::default(), active: active.clone() };
            let (mut own, mut own_loss) = (Mat::zeros(DType::F64, 1, 4), [0.0]);
            head.error(out.rows_view(r..r + 1), Targets::classes(&[label]), own.view_mut(), &mut own_loss);
            assert_eq!((&err.to_f64s()[4 * r..4 * r + 4], loss[r]), (&own.to_f64s()[..], own_loss[0]));
            assert_eq!(heads.active(4, label), active);
        }
        assert_eq!(predictions(out.view(), |r| heads.active(4, [1, 2][r])), [0, 3]);
    }
}
