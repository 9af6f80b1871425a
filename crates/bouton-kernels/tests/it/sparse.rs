//! Products with mostly zeros against those with everything.

use bouton_kernels::{DType, Mat, WeightMat, gemm_nt, gemm_tn, sparse_nt, sparse_tn};

fn noise(dtype: DType, rows: usize, cols: usize, share: f64, seed: usize) -> Mat {
    Mat::from_fn(dtype, rows, cols, |r, c| {
        let x = ((r * 7919 + c * 104_729 + seed * 1_299_709) % 10_007) as f64 / 10_007.0;
        if x < share { 1.0 + x } else { 0.0 }
    })
}

#[test]
fn what_is_left_out_is_zero() {
    for (rows, k, n) in [(1, 1, 1), (5, 37, 19), (16, 64, 33), (3, 130, 260)] {
        for share in [0.0, 0.05, 0.4, 1.0] {
            let (a, g) = (noise(DType::F64, rows, k, share, 1), noise(DType::F64, rows, n, 1.0, 2));
            let w = WeightMat::new(noise(DType::F64, n, k, 1.0, 3));
            let near = |a: &Mat, b: &Mat| {
                a.to_f64s().iter().zip(b.to_f64s()).all(|(a, b)| (a - b).abs() < 1e-9 * (1.0 + b.abs()))
            };
            let (mut c, mut all) = (noise(DType::F64, rows, n, 1.0, 4), noise(DType::F64, rows, n, 1.0, 4));
            sparse_nt(a.view(), &w, c.view_mut());
            gemm_nt(a.view(), &w, all.view_mut());
            assert!(near(&c, &all), "{rows} {k} {n} {share}");
            let band = n / 3..n;
            let (mut c, mut all) =
                (noise(DType::F64, band.len(), k, 1.0, 5), noise(DType::F64, band.len(), k, 1.0, 5));
            sparse_tn(g.view(), band.clone(), a.view(), c.view_mut());
            gemm_tn(g.view(), band, a.view(), all.view_mut());
            assert!(near(&c, &all), "{rows} {k} {n} {share}");
        }
    }
}

/// A row has the bits that it has alone, and a changed weight is seen.
#[test]
fn rows_do_not_see_each_other_and_changes_are_seen() {
    let a = noise(DType::F32, 9, 50, 0.3, 1);
    let mut w = WeightMat::new(noise(DType::F32, 21, 50, 1.0, 2));
    let run = |a: bouton_kernels::View<'_>, w: &WeightMat| {
        let mut c = Mat::zeros(DType::F32, a.rows(), 21);
        sparse_nt(a, w, c.view_mut());
        c
    };
    let all = run(a.view(), &w);
    assert!((0..9).all(|r| run(a.rows_view(r..r + 1), &w) == all.rows_view(r..r + 1).to_mat()));
    w.update(|mut w| w.fill(0.5));
    assert_ne!(run(a.view(), &w), all);
}
