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

    fn is_spring(&self) -> bool {
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bouton_kernels::DType;

    #[test]
    fn every_row_gets_the_gradient_of_its_own_sample() {
        let given = Given { gradient: Mat::from_f64s(DType::F32, 3, 2, &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]) };
        let out = Mat::from_f64s(DType::F32, 2, 2, &[1.0, 0.5, -1.0, 2.0]);
        let (mut err, mut loss) = (Mat::zeros(DType::F32, 2, 2), [0.0; 2]);
        let targets = Targets { labels: &[0, 0], samples: &[2, 0] };
        given.error(out.view(), targets, err.view_mut(), &mut loss);
        assert_eq!((err.to_f64s(), loss), (vec![5.0, 6.0, 1.0, 2.0], [8.0, 3.0]));
    }
}
