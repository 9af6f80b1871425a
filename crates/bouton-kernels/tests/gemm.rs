//! The products against a plain f64 loop, and the promises about rounding.

use bouton_kernels::{DType, Mat, Operand, gemm_nn, gemm_nt, gemm_tn, product};
use proptest::prelude::*;

/// A matrix of reproducible numbers in (-1, 1).
fn noise(dtype: DType, rows: usize, cols: usize, seed: u64) -> Mat {
    let mut s = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    Mat::from_fn(dtype, rows, cols, |_, _| {
        s ^= s << 13;
        s ^= s >> 7;
        s ^= s << 17;
        (s >> 11) as f64 / (1u64 << 52) as f64 - 1.0
    })
}

/// c + Σ_k a(i, k) b(k, j) in f64.
fn naive(c: &Mat, len: usize, a: impl Fn(usize, usize) -> f64, b: impl Fn(usize, usize) -> f64) -> Mat {
    Mat::from_fn(DType::F64, c.rows(), c.cols(), |i, j| {
        c.get(i, j) + (0..len).map(|k| a(i, k) * b(k, j)).sum::<f64>()
    })
}

fn close(got: &Mat, want: &Mat, len: usize) {
    let unit = if got.dtype() == DType::F32 { f32::EPSILON as f64 } else { f64::EPSILON };
    for (g, w) in got.to_f64s().iter().zip(want.to_f64s()) {
        assert!((g - w).abs() <= unit * (2.0 + (len as f64)), "{g} instead of {w} (length {len})");
    }
}

fn dtypes() -> impl Strategy<Value = DType> {
    prop_oneof![Just(DType::F32), Just(DType::F64)]
}

proptest! {
    #[test]
    fn products_equal_the_triple_loop(t in dtypes(), m in 0usize..40, n in 0usize..70, k in 0usize..90, seed: u64) {
        let (a, w, c) = (noise(t, m, k, seed), noise(t, n, k, seed ^ 1), noise(t, m, n, seed ^ 2));
        let mut got = c.clone();
        gemm_nt(a.view(), &Operand::new(w.clone()), got.view_mut());
        close(&got, &naive(&c, k, |i, l| a.get(i, l), |l, j| w.get(j, l)), k);

        let w = noise(t, k, n, seed ^ 3);
        let mut got = c.clone();
        gemm_nn(a.view(), &Operand::new(w.clone()), got.view_mut());
        close(&got, &naive(&c, k, |i, l| a.get(i, l), |l, j| w.get(l, j)), k);
        close(&product(a.view(), w.view(), false), &naive(&Mat::zeros(t, m, n), k, |i, l| a.get(i, l), |l, j| w.get(l, j)), k);

        let (g, pre, from) = (noise(t, k, m + 3, seed ^ 4), noise(t, k, n, seed ^ 5), (seed % 4) as usize);
        let mut got = c.clone();
        gemm_tn(g.view(), from..from + m, pre.view(), got.view_mut());
        close(&got, &naive(&c, k, |i, l| g.get(l, i + from), |l, j| pre.get(l, j)), k);
    }
}
