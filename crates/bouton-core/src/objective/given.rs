//! A gradient from outside: ℓ = g·s with a fixed g per sample, so that ∂ℓ/∂s = g.
//!
//! Lets a network stand inside a larger model: g is what the rest of the model sends back.

use super::{Objective, Targets};
use bouton_kernels::{Elem, Mat, View, ViewMut, dispatch};

/// The linear loss with gradient `gradient`, [samples, outputs].
#[derive(Clone, Debug)]
pub struct Given {
    /// ∂ℓ/∂output of every sample of the batch.
    pub gradient: Mat,
}

impl Objective for Given {
    fn error(&self, out: View<'_>, targets: Targets<'_>, mut err: ViewMut<'_>, loss: &mut [f64]) {
        dispatch!(out.dtype(), T => for (r, &sample) in targets.samples.iter().enumerate() {
            let g = self.gradient.rows_view(sample..sample + 1);
            err.row_mut::<T>(r).copy_from_slice(g.row::<T>(0));
            let product = |(&g, &s): (&T, &T)| g.to_f64() * s.to_f64();
            loss[r] = g.row::<T>(0).iter().zip(out.row::<T>(r)).map(product).sum::<f64>();
        });
    }

    /// The gradient is the same everywhere, in the complex plane too.
    fn error_complex(&self, _out: View<'_>, targets: Targets<'_>, mut err: ViewMut<'_>) -> bool {
        err.fill(0.0);
        dispatch!(err.dtype(), T => for (r, &sample) in targets.samples.iter().enumerate() {
            err.row_mut::<T>(r).copy_from_slice(self.gradient.rows_view(sample..sample + 1).row::<T>(0));
        });
        true
    }

    /// Whatever the loss is, it stands outside: the objective's own numbers have no part in it.
    fn own_gradient(&self, _: View<'_>, _: Targets<'_>, _: &mut [f64]) {}

    fn unit(&self) -> Option<(Given, Vec<f64>)> {
        let mut gradient = self.gradient.clone();
        let cols = gradient.cols().max(1);
        let sizes = dispatch!(gradient.dtype(), T => {
            gradient.slice_mut::<T>().chunks_exact_mut(cols).map(normalise::<T>).collect()
        });
        Some((Self { gradient }, sizes))
    }

    fn is_squared_error(&self) -> bool {
        false
    }
}

/// Divides a row by its Euclidean norm, which it returns; a row of zeros stays one.
fn normalise<T: Elem>(row: &mut [T]) -> f64 {
    // Squares of the largest numbers would overflow.
    let top = row.iter().fold(0.0_f64, |top, g| top.max(g.to_f64().abs()));
    if top == 0.0 {
        return 0.0;
    }
    let norm = row.iter().map(|g| (g.to_f64() / top).powi(2)).sum::<f64>().sqrt();
    row.iter_mut().for_each(|g| *g = T::from_f64(g.to_f64() / top / norm));
    top * norm
}

#[cfg(test)]
mod tests {
    use super::super::TargetView;
    use super::*;
    use bouton_kernels::DType;

    #[test]
    fn every_row_gets_the_gradient_of_its_own_sample() {
        let given = Given { gradient: Mat::from_f64s(DType::F32, 3, 2, &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]) };
        let out = Mat::from_f64s(DType::F32, 2, 2, &[1.0, 0.5, -1.0, 2.0]);
        let (mut err, mut loss) = (Mat::zeros(DType::F32, 2, 2), [0.0; 2]);
        let targets = Targets { rows: TargetView::None, samples: &[2, 0], own: &[] };
        given.error(out.view(), targets, err.view_mut(), &mut loss);
        assert_eq!((err.to_f64s(), loss), (vec![5.0, 6.0, 1.0, 2.0], [8.0, 3.0]));
    }
}
