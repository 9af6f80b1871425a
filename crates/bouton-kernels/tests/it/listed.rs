//! Products with some weights against dense ones whose other weights are zero.

use bouton_kernels::{DType, Mat, WeightMat, gemm_nn, gemm_nt, gemm_tn, listed_nn, listed_nt, listed_tn};

fn noise(rows: usize, cols: usize, seed: usize) -> Mat {
    let at = |r: usize, c: usize| ((r * 7919 + c * 104_729 + seed * 1_299_709) % 10_007) as f64;
    Mat::from_fn(DType::F64, rows, cols, |r, c| at(r, c) / 10_007.0 - 0.4)
}

fn near(a: &Mat, b: &Mat) -> bool {
    a.to_f64s().iter().zip(b.to_f64s()).all(|(a, b)| (a - b).abs() < 1e-12)
}

#[test]
fn weights_that_are_not_listed_are_zero() {
    for (rows, k, n, listed) in [(1, 1, 1, 1), (5, 37, 19, 4), (8, 12, 7, 12), (17, 30, 3, 9)] {
        let at: Vec<u32> =
            (0..n).flat_map(|i| (0..listed).map(move |c| ((i + c * (k / listed)) % k) as u32)).collect();
        let (w, a, g) = (noise(n, listed, 1), noise(rows, k, 2), noise(rows, n, 3));
        let mut dense = Mat::zeros(DType::F64, n, k);
        for (place, &to) in at.iter().enumerate() {
            let (i, c) = (place / listed, place % listed);
            dense.view_mut().row_mut::<f64>(i)[to as usize] = w.get(i, c);
        }
        let dense = WeightMat::new(dense);
        let (mut some, mut all) = (noise(rows, n, 4), noise(rows, n, 4));
        listed_nt(a.view(), w.view(), &at, some.view_mut());
        gemm_nt(a.view(), &dense, all.view_mut());
        assert!(near(&some, &all), "forth {rows} {k} {n}");
        let mut alone = noise(rows, n, 4).rows_view(rows - 1..rows).to_mat();
        listed_nt(a.rows_view(rows - 1..rows), w.view(), &at, alone.view_mut());
        assert_eq!(alone.to_f64s(), some.rows_view(rows - 1..rows).to_mat().to_f64s(), "a row alone");
        let (mut some, mut all) = (noise(rows, k, 5), noise(rows, k, 5));
        listed_nn(g.view(), w.view(), &at, some.view_mut());
        gemm_nn(g.view(), &dense, all.view_mut());
        assert!(near(&some, &all), "back {rows} {k} {n}");
        let band = n / 3..n;
        let (mut some, mut all) =
            (Mat::zeros(DType::F64, band.len(), listed), Mat::zeros(DType::F64, band.len(), k));
        listed_tn(g.view(), band.clone(), a.view(), &at, some.view_mut());
        gemm_tn(g.view(), band.clone(), a.view(), all.view_mut());
        let picked = Mat::from_fn(DType::F64, band.len(), listed, |r, c| {
            all.get(r, at[(band.start + r) * listed + c] as usize)
        });
        assert!(near(&some, &picked), "weight {rows} {k} {n}");
    }
}
