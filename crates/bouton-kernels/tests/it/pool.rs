//! Pooling against plain loops, adjoint identities and finite differences.

use bouton_kernels::{
    DType, Mat, PoolShape, avg_pool, avg_unpool, max_pool, max_unpool, soft_pool, soft_unpool,
};
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

fn dot(x: &Mat, y: &Mat) -> f64 {
    x.to_f64s().iter().zip(y.to_f64s()).map(|(a, b)| a * b).sum()
}

/// The columns of y in the window of each column of the output, row by row.
fn windows(s: &PoolShape) -> Vec<Vec<usize>> {
    let mut all = Vec::new();
    for (i, j) in (0..s.height / s.size).flat_map(|i| (0..s.width / s.size).map(move |j| (i, j))) {
        for c in 0..s.channels {
            let places = (0..s.size).flat_map(|a| (0..s.size).map(move |b| (a, b)));
            let at = |(a, b)| ((i * s.size + a) * s.width + j * s.size + b) * s.channels + c;
            all.push(places.map(at).collect());
        }
    }
    all
}

fn shapes() -> impl Strategy<Value = PoolShape> {
    (1usize..5, 1usize..5, 1usize..40, 1usize..4).prop_map(|(i, j, channels, size)| PoolShape {
        height: i * size,
        width: j * size,
        channels,
        size,
    })
}

fn dtypes() -> impl Strategy<Value = DType> {
    prop_oneof![Just(DType::F32), Just(DType::F64)]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(64) })]

    /// Values are cut to one digit, so that there are ties.
    #[test]
    fn the_first_of_the_largest_wins(t in dtypes(), s in shapes(), rows in 0usize..4, seed: u64) {
        let fine = noise(t, rows, s.inputs(), seed);
        let y = Mat::from_fn(t, rows, s.inputs(), |r, c| (fine.get(r, c) * 3.0).round() / 4.0);
        let start = noise(t, rows, s.outputs(), seed ^ 1);
        let (mut out, mut index) = (start.clone(), noise(t, rows, s.outputs(), seed ^ 2));
        max_pool(&s, y.view(), out.view_mut(), index.view_mut());
        for (r, (o, window)) in (0..rows).flat_map(|r| windows(&s).into_iter().enumerate().map(move |w| (r, w))) {
            let mut first = 0;
            for p in 0..window.len() {
                if y.get(r, window[p]) > y.get(r, window[first]) {
                    first = p;
                }
            }
            prop_assert_eq!(index.get(r, o), first as f64);
            let want = start.get(r, o) + y.get(r, window[first]);
            prop_assert!((out.get(r, o) - want).abs() < 1e-6);
        }
    }

    /// The adjoint puts g at the winner and nothing elsewhere; of the pooled values it rebuilds exactly those.
    #[test]
    fn unpooling_goes_to_the_winner(t in dtypes(), s in shapes(), rows in 1usize..4, seed: u64) {
        let (y, g) = (noise(t, rows, s.inputs(), seed), noise(t, rows, s.outputs(), seed ^ 1));
        let [mut out, mut index] = [0, 1].map(|_| Mat::zeros(t, rows, s.outputs()));
        max_pool(&s, y.view(), out.view_mut(), index.view_mut());
        let mut got = noise(t, rows, s.inputs(), seed ^ 2);
        max_unpool(&s, g.view(), index.view(), got.view_mut());
        let mut back = Mat::zeros(t, rows, s.inputs());
        max_unpool(&s, out.view(), index.view(), back.view_mut());
        for (r, (o, window)) in (0..rows).flat_map(|r| windows(&s).into_iter().enumerate().map(move |w| (r, w))) {
            for (p, at) in window.into_iter().enumerate() {
                let wins = index.get(r, o) == p as f64;
                prop_assert_eq!(got.get(r, at), if wins { g.get(r, o) } else { 0.0 });
                prop_assert_eq!(back.get(r, at), if wins { y.get(r, at) } else { 0.0 });
            }
        }
    }

    #[test]
    fn the_mean_and_its_adjoint(t in dtypes(), s in shapes(), rows in 1usize..4, seed: u64) {
        let (y, g) = (noise(t, rows, s.inputs(), seed), noise(t, rows, s.outputs(), seed ^ 1));
        let start = noise(t, rows, s.outputs(), seed ^ 2);
        let (mut out, mut back) = (start.clone(), Mat::zeros(t, rows, s.inputs()));
        avg_pool(&s, y.view(), out.view_mut());
        for (r, (o, window)) in (0..rows).flat_map(|r| windows(&s).into_iter().enumerate().map(move |w| (r, w))) {
            let mean = window.iter().map(|at| y.get(r, *at)).sum::<f64>() / window.len() as f64;
            prop_assert!((out.get(r, o) - start.get(r, o) - mean).abs() < 1e-6);
        }
        avg_unpool(&s, g.view(), back.view_mut());
        prop_assert!((dot(&back, &y) - (dot(&out, &g) - dot(&start, &g))).abs() < 1e-4);
        let once = back.clone();
        avg_unpool(&s, g.view(), back.view_mut());
        prop_assert_eq!(back, once, "what was there before does not matter");
    }

    #[test]
    fn the_soft_mean_by_its_definition(t in dtypes(), s in shapes(), rows in 1usize..4, seed: u64) {
        let fine = noise(DType::F64, rows, s.inputs(), seed);
        // Large enough that exponentials overflow unless the largest is subtracted first.
        let y = Mat::from_fn(t, rows, s.inputs(), |r, c| 100.0 + fine.get(r, c));
        let start = noise(t, rows, s.outputs(), seed ^ 1);
        let (mut out, mut slope) = (start.clone(), noise(t, rows, s.inputs(), seed ^ 2));
        soft_pool(&s, 0.1, y.view(), out.view_mut(), slope.view_mut());
        for (r, (o, window)) in (0..rows).flat_map(|r| windows(&s).into_iter().enumerate().map(move |w| (r, w))) {
            let e = |at: &usize| ((y.get(r, *at) - 100.0) / 0.1).exp();
            let sum: f64 = window.iter().map(e).sum();
            let mean = window.iter().map(|at| y.get(r, *at) * e(at)).sum::<f64>() / sum;
            let bound = if t == DType::F32 { 1e-4 } else { 1e-11 };
            prop_assert!((out.get(r, o) - start.get(r, o) - mean).abs() < bound);
        }
    }

    /// In f64, against central differences.
    #[test]
    fn the_slope_of_the_soft_mean(s in shapes(), temperature in 0.2f64..3.0, seed: u64) {
        let y = noise(DType::F64, 1, s.inputs(), seed);
        let pooled = |y: &Mat| {
            let [mut out, mut slope] = [s.outputs(), s.inputs()].map(|n| Mat::zeros(DType::F64, 1, n));
            soft_pool(&s, temperature, y.view(), out.view_mut(), slope.view_mut());
            (out, slope)
        };
        let slope = pooled(&y).1;
        for (o, window) in windows(&s).iter().enumerate().step_by(7) {
            for &at in window {
                let moved = |step: f64| {
                    pooled(&Mat::from_fn(DType::F64, 1, s.inputs(), |_, c| y.get(0, c) + if c == at { step } else { 0.0 }))
                };
                let want = (moved(1e-5).0.get(0, o) - moved(-1e-5).0.get(0, o)) / 2e-5;
                prop_assert!((slope.get(0, at) - want).abs() < 1e-8, "{} is not {}", slope.get(0, at), want);
            }
        }
        let g = noise(DType::F64, 1, s.outputs(), seed ^ 1);
        let mut back = noise(DType::F64, 1, s.inputs(), seed ^ 2);
        soft_unpool(&s, g.view(), slope.view(), back.view_mut());
        for (o, window) in windows(&s).iter().enumerate() {
            for &at in window {
                prop_assert!((back.get(0, at) - slope.get(0, at) * g.get(0, o)).abs() < 1e-14);
            }
        }
    }
}

#[test]
#[should_panic(expected = "avg_pool: PoolShape { height: 5, width: 4, channels: 1, size: 2 } has windows")]
fn windows_that_do_not_tile_are_named() {
    let s = PoolShape { height: 5, width: 4, channels: 1, size: 2 };
    let [y, mut out] = [20, 5].map(|n| Mat::zeros(DType::F32, 1, n));
    avg_pool(&s, y.view(), out.view_mut());
}
