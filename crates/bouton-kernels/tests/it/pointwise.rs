//! An equation over registers against the same equation over single numbers.

use bouton_kernels::{Dual, Elem, Level, Pointwise, Real, pointwise, pointwise_at};

/// Uses every function of `Real`, so that a wrong lane or a wrong rounding shows.
#[derive(Clone, Copy)]
struct Everything;

impl Pointwise<1, 2, 2> for Everything {
    fn at<T: Real>(self, [k]: [T; 1], [x, y]: [T; 2], [a, b]: [T; 2]) -> [T; 2] {
        let slope = (Dual::<T, 1>::var(x, 0).tanh() * Dual::cst(k)).eps[0];
        let first = x.sigmoid() * a + y.tanh() / (b.abs() + T::lit(1.0)) - (-x).exp().min(k);
        let second = T::select(x - y, a.max(y), b.min(x)) + y.heaviside() * x.abs().sqrt();
        [first + slope, second + (x.abs() + T::lit(0.5)).ln().graft(y)]
    }
}

fn noise<T: Elem>(n: usize, seed: usize) -> Vec<T> {
    (0..n).map(|i| T::from_f64(((i * 7919 + seed * 104_729) % 4001) as f64 / 500.0 - 4.0)).collect()
}

fn same_bits<T: Elem>(level: Level, n: usize) {
    let (k, x, y) = (T::from_f64(0.75), noise::<T>(n, 1), noise::<T>(n, 2));
    let (mut a, mut b) = (noise::<T>(n, 3), noise::<T>(n, 4));
    let want: Vec<[T; 2]> = (0..n).map(|i| Everything.at([k], [x[i], y[i]], [a[i], b[i]])).collect();
    let most = want.iter().zip(&b).map(|(w, &b)| (w[1] - b).abs().to_f64()).fold(0.0, f64::max);
    let moved = pointwise_at(level, Everything, [k], [&x, &y], [&mut a, &mut b]).unwrap();
    for i in 0..n {
        let (got, want) = ([a[i].to_f64(), b[i].to_f64()], want[i].map(Elem::to_f64));
        assert_eq!(
            got.map(f64::to_bits),
            want.map(f64::to_bits),
            "{level:?}, element {i} of {n}: {got:?}, want {want:?}"
        );
    }
    assert_eq!(moved.to_f64(), most, "largest change of {n}");
}

#[test]
fn registers_round_like_single_numbers() {
    for n in [0, 1, 7, 8, 9, 15, 16, 17, 63, 64, 65, 200, 523] {
        for level in Level::available() {
            same_bits::<f32>(level, n);
            same_bits::<f64>(level, n);
        }
    }
}

/// y ← y, but NaN where the input is negative.
#[derive(Clone, Copy)]
struct Root;

impl Pointwise<0, 1, 1> for Root {
    fn at<T: Real>(self, _: [T; 0], [x]: [T; 1], [_]: [T; 1]) -> [T; 1] {
        [x.sqrt().max(T::lit(0.0)).min(T::lit(9.0))]
    }
}

#[test]
fn nan_passes_and_is_not_the_largest_change() {
    let mut out = [0f32; 21];
    let mut x = [4f32; 21];
    (x[3], x[20]) = (-1.0, -1.0);
    assert_eq!(pointwise(Root, [], [&x], [&mut out]), 2.0);
    assert!(out[3].is_nan() && out[20].is_nan());
    assert!(out.iter().enumerate().all(|(i, &y)| y == 2.0 || i == 3 || i == 20));
}

#[test]
#[should_panic(expected = "different lengths")]
fn lengths_must_agree() {
    pointwise(Root, [], [&[1f32, 2.0]], [&mut [0f32]]);
}
