//! The products against a plain f64 loop, and the promises about rounding.

use bouton_kernels::{DType, Mat, WeightMat, gemm_nn, gemm_nt, gemm_tn, par_gemm_nt, product};
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
        assert!((g - w).abs() <= unit * (2.0 + len as f64), "{g} instead of {w} (length {len})");
    }
}

/// A fresh `c` with a product accumulated into it.
fn after(c: &Mat, f: impl FnOnce(&mut Mat)) -> Mat {
    let mut c = c.clone();
    f(&mut c);
    c
}

fn dot(x: &Mat, y: &Mat) -> f64 {
    x.to_f64s().iter().zip(y.to_f64s()).map(|(a, b)| a * b).sum()
}

fn dtypes() -> impl Strategy<Value = DType> {
    prop_oneof![Just(DType::F32), Just(DType::F64)]
}

/// Lengths around the sizes of registers, tiles and blocks, and anything up to `max`.
fn length(max: usize) -> impl Strategy<Value = usize> {
    prop_oneof![Just(0), Just(1), Just(16), Just(17), Just(64), Just(65), 0..max]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(96) })]

    #[test]
    fn products_equal_the_triple_loop(t in dtypes(), m in length(110), n in length(150), k in length(140), seed: u64) {
        let (a, c) = (noise(t, m, k, seed), noise(t, m, n, seed ^ 2));

        let w = noise(t, n, k, seed ^ 1);
        let got = after(&c, |c| gemm_nt(a.view(), &WeightMat::new(w.clone()), c.view_mut()));
        close(&got, &naive(&c, k, |i, l| a.get(i, l), |l, j| w.get(j, l)), k);

        let w = noise(t, k, n, seed ^ 3);
        let got = after(&c, |c| gemm_nn(a.view(), &WeightMat::new(w.clone()), c.view_mut()));
        close(&got, &naive(&c, k, |i, l| a.get(i, l), |l, j| w.get(l, j)), k);
        let zero = Mat::zeros(t, m, n);
        let want = naive(&zero, k, |i, l| a.get(i, l), |l, j| w.get(l, j));
        close(&product(a.view(), w.view(), false), &want, k);

        let (g, pre, from) = (noise(t, k, m + 3, seed ^ 4), noise(t, k, n, seed ^ 5), (seed % 4) as usize);
        let got = after(&c, |c| gemm_tn(g.view(), from..from + m, pre.view(), c.view_mut()));
        close(&got, &naive(&c, k, |i, l| g.get(l, i + from), |l, j| pre.get(l, j)), k);
    }

    /// Bit for bit: rows computed alone, in any cut, or with others.
    #[test]
    fn a_row_does_not_depend_on_other_rows(t in dtypes(), m in 1usize..120, n in length(90), k in length(140), at: prop::sample::Index, seed: u64) {
        let (a, c) = (noise(t, m, k, seed), noise(t, m, n, seed ^ 1));
        let (w, v) = (WeightMat::new(noise(t, n, k, seed ^ 2)), WeightMat::new(noise(t, k, n, seed ^ 3)));
        let (g, pre) = (noise(t, k, m, seed ^ 4), noise(t, k, n, seed ^ 5));
        let at = at.index(m);
        for what in 0..3 {
            let run = |c: &mut Mat, rows: std::ops::Range<usize>| match what {
                0 => gemm_nt(a.rows_view(rows.clone()), &w, c.rows_view_mut(rows)),
                1 => gemm_nn(a.rows_view(rows.clone()), &v, c.rows_view_mut(rows)),
                _ => gemm_tn(g.view(), rows.clone(), pre.view(), c.rows_view_mut(rows)),
            };
            let whole = after(&c, |c| run(c, 0..m));
            let parts = after(&c, |c| { run(c, 0..at); run(c, at..at + 1); run(c, at + 1..m) });
            prop_assert_eq!(whole, parts, "product {}", what);
        }
    }

    /// <a Wᵀ, c> = <a, c W> = <W, cᵀ a>.
    #[test]
    fn the_three_products_are_adjoint(t in dtypes(), m in 1usize..40, n in 1usize..80, k in 1usize..120, seed: u64) {
        let (a, w, c) = (noise(t, m, k, seed), noise(t, n, k, seed ^ 1), noise(t, m, n, seed ^ 2));
        let op = WeightMat::new(w.clone());
        let drive = after(&Mat::zeros(t, m, n), |y| gemm_nt(a.view(), &op, y.view_mut()));
        let backward = after(&Mat::zeros(t, m, k), |y| gemm_nn(c.view(), &op, y.view_mut()));
        let slope = after(&Mat::zeros(t, n, k), |y| gemm_tn(c.view(), 0..n, a.view(), y.view_mut()));
        let want = dot(&drive, &c);
        let unit = if t == DType::F32 { 1e-6 } else { 1e-14 };
        let bound = unit * (m * n * k) as f64;
        prop_assert!((dot(&a, &backward) - want).abs() <= bound && (dot(&w, &slope) - want).abs() <= bound);
    }
}

#[test]
fn threads_do_not_change_a_bit() {
    for (t, m, n, k) in [(DType::F32, 64, 515, 130), (DType::F64, 40, 333, 200), (DType::F32, 3, 5000, 257)] {
        let (a, w, c) = (noise(t, m, k, 1), WeightMat::new(noise(t, n, k, 2)), noise(t, m, n, 3));
        let want = after(&c, |c| gemm_nt(a.view(), &w, c.view_mut()));
        for threads in [1, 2, 3] {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            let got = after(&c, |c| pool.install(|| par_gemm_nt(a.view(), &w, c.view_mut())));
            assert!(got == want, "{threads} threads, {m} x {n} x {k}");
            let turned = Mat::from_fn(t, k, n, |l, j| w.mat().get(j, l));
            let both = pool.install(|| product(a.view(), turned.view(), true));
            close(&both, &naive(&Mat::zeros(t, m, n), k, |i, l| a.get(i, l), |l, j| w.mat().get(j, l)), k);
        }
    }
}

/// Feedback and gradients are chains of fused multiply-adds in ascending order, where the machine has them.
#[test]
fn chains_are_what_they_promise() {
    let (m, n, k) = (7, 83, 150);
    let (a, w, c) = (noise(DType::F32, m, k, 1), noise(DType::F32, k, n, 2), noise(DType::F32, m, n, 3));
    let got = after(&c, |c| gemm_nn(a.view(), &WeightMat::new(w.clone()), c.view_mut()));
    if bouton_kernels::simd_level() == "portable" {
        return;
    }
    for i in 0..m {
        for j in 0..n {
            let (mut sum, x) = (c.view().row::<f32>(i)[j], a.view().row::<f32>(i));
            for p in 0..k {
                sum = x[p].mul_add(w.view().row::<f32>(p)[j], sum);
            }
            assert_eq!(got.view().row::<f32>(i)[j].to_bits(), sum.to_bits(), "({i}, {j})");
        }
    }
}

#[test]
fn an_update_of_the_operand_is_seen() {
    let (a, mut w) = (noise(DType::F32, 4, 30, 1), WeightMat::new(noise(DType::F32, 20, 30, 2)));
    let zero = Mat::zeros(DType::F32, 4, 20);
    let drive = |w: &WeightMat| after(&zero, |c| gemm_nt(a.view(), w, c.view_mut()));
    let first = drive(&w);
    assert_eq!((drive(&w), w.version()), (first.clone(), 0));
    let copy = w.clone();
    w.update(|mut w| w.row_mut::<f32>(7).fill(0.0));
    let second = drive(&w);
    assert_eq!(w.version(), 1);
    for r in 0..4 {
        assert_eq!(second.get(r, 7), 0.0);
        assert_ne!(first.get(r, 7), 0.0);
        assert_eq!(second.get(r, 6), first.get(r, 6));
    }
    assert_eq!((drive(&copy), copy.version()), (first, 0));
}

#[test]
#[should_panic(expected = "gemm_nt: F32 2 x 3 and F32 4 x 5 into F32 2 x 4 do not fit")]
fn shapes_that_do_not_fit_are_named() {
    let [a, w, mut c] = [(2, 3), (4, 5), (2, 4)].map(|(r, c)| Mat::zeros(DType::F32, r, c));
    gemm_nt(a.view(), &WeightMat::new(w), c.view_mut());
}

#[test]
#[should_panic(expected = "gemm_nn: F32 2 x 3 and F64 3 x 5 into F32 2 x 5 do not fit")]
fn mixed_number_types_are_named() {
    let [a, mut c] = [(2, 3), (2, 5)].map(|(r, c)| Mat::zeros(DType::F32, r, c));
    gemm_nn(a.view(), &WeightMat::new(Mat::zeros(DType::F64, 3, 5)), c.view_mut());
}
