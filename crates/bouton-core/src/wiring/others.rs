//! All units of a population to all others, none to itself: post += pre·(W − diag W)ᵀ.
//!
//! What stands on the diagonal of the weight has no effect and no gradient, whatever a synapse makes of it.

use super::{DenseWiring, Form, Wiring};
use bouton_kernels::{Mat, View, ViewMut, WeightMat, dispatch};
use std::ops::Range;

/// Wiring of a population with itself, without autapses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OthersWiring {
    /// All units to all, of one population.
    pub all: DenseWiring,
}

/// to −= from · diag W, row by row.
fn subtract_own(weight: &Mat, from: View<'_>, mut to: ViewMut<'_>) {
    dispatch!(from.dtype(), T => {
        let (n, weight) = (from.cols(), weight.slice::<T>());
        for r in 0..from.rows() {
            let pairs = to.row_mut::<T>(r).iter_mut().zip(from.row::<T>(r)).enumerate();
            pairs.for_each(|(i, (to, &x))| *to -= weight[i * n + i] * x);
        }
    });
}

impl Wiring for OthersWiring {
    fn form(&self) -> Option<Form> {
        None
    }

    fn weight_shape(&self) -> (usize, usize) {
        self.all.weight_shape()
    }

    fn factorises(&self) -> bool {
        true
    }

    fn forward(&self, weight: &WeightMat, pre: View<'_>, mut post: ViewMut<'_>) {
        self.all.forward(weight, pre, post.reborrow());
        subtract_own(weight.mat(), pre, post);
    }

    fn backward_input(&self, weight: &WeightMat, g: View<'_>, mut pre: ViewMut<'_>) {
        self.all.backward_input(weight, g, pre.reborrow());
        subtract_own(weight.mat(), g, pre);
    }

    fn backward_input_often(&self, weight: &WeightMat, g: View<'_>, mut pre: ViewMut<'_>) {
        self.all.backward_input_often(weight, g, pre.reborrow());
        subtract_own(weight.mat(), g, pre);
    }

    fn backward_weight(&self, pre: View<'_>, g: View<'_>, band: Range<usize>, mut g_w: ViewMut<'_>) {
        dispatch!(g_w.dtype(), T => {
            let own = |g_w: &ViewMut<'_>, r: usize| g_w.as_view().row::<T>(r)[band.start + r];
            let before: Vec<T> = (0..band.len()).map(|r| own(&g_w, r)).collect();
            self.all.backward_weight(pre, g, band.clone(), g_w.reborrow());
            for (r, was) in before.into_iter().enumerate() {
                g_w.row_mut::<T>(r)[band.start + r] = was;
            }
        });
    }

    fn par_forward(&self, weight: &WeightMat, pre: View<'_>, mut post: ViewMut<'_>) {
        self.all.par_forward(weight, pre, post.reborrow());
        subtract_own(weight.mat(), pre, post);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bouton_kernels::{DType, gemm_nn, gemm_nt, gemm_tn};

    #[test]
    fn the_diagonal_has_no_effect_and_no_gradient() {
        let mat = |rows, cols, k: usize| {
            Mat::from_fn(DType::F64, rows, cols, |r, c| ((r * 7 + c * 3 + k) % 11) as f64 - 5.0)
        };
        let (weight, pre, g) = (mat(3, 3, 1), mat(4, 3, 2), mat(4, 3, 3));
        let without = Mat::from_fn(DType::F64, 3, 3, |r, c| if r == c { 0.0 } else { weight.get(r, c) });
        let (with, without) = (WeightMat::new(weight), WeightMat::new(without));
        let wiring = OthersWiring { all: DenseWiring { pre: 3, post: 3, sparse: false } };
        let run = |f: &dyn Fn(ViewMut<'_>)| {
            let mut out = Mat::zeros(DType::F64, 4, 3);
            f(out.view_mut());
            out
        };
        assert_eq!(
            run(&|to| wiring.forward(&with, pre.view(), to)),
            run(&|to| gemm_nt(pre.view(), &without, to))
        );
        assert_eq!(
            run(&|to| wiring.par_forward(&with, pre.view(), to)),
            run(&|to| gemm_nt(pre.view(), &without, to))
        );
        assert_eq!(
            run(&|to| wiring.backward_input(&with, g.view(), to)),
            run(&|to| gemm_nn(g.view(), &without, to))
        );
        assert_eq!(
            run(&|to| wiring.backward_input_often(&with, g.view(), to)),
            run(&|to| gemm_nn(g.view(), &without, to))
        );
        let mut g_w = Mat::from_fn(DType::F64, 2, 3, |r, c| (r + c) as f64);
        wiring.backward_weight(pre.view(), g.view(), 1..3, g_w.view_mut());
        let mut full = Mat::from_fn(DType::F64, 2, 3, |r, c| (r + c) as f64);
        gemm_tn(g.view(), 1..3, pre.view(), full.view_mut());
        for (r, c) in [(0, 0), (0, 2), (1, 0), (1, 1)] {
            assert_eq!(g_w.get(r, c), full.get(r, c));
        }
        assert_eq!((g_w.get(0, 1), g_w.get(1, 2)), (1.0, 3.0), "what was there stays");
    }
}
