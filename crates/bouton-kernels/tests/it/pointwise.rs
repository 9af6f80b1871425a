//! An equation over registers against the same equation over single numbers.

use bouton_kernels::{Dual, Elem, Elements, Level, Pointwise, Real, pointwise, pointwise_at};

/// Uses every function of `Real`, so that a wrong lane or a wrong rounding shows.
#[derive(Clone, Copy)]
struct Everything;

impl Pointwise<1, 1, 1, 1, 1> for Everything {
    fn at<T: Real>(
        self,
        [k]: [T; 1],
        [y]: [T; 1],
        [x]: [T; 1],
        [a]: [T; 1],
        [b]: [T; 1],
    ) -> ([T; 1], [T; 1]) {
        let slope = (Dual::<T, 1>::var(x, 0).tanh() * Dual::cst(k)).eps[0];
        let first = x.sigmoid() * a + y.tanh() / (b.abs() + T::constant(1.0)) - (-x).exp().min(k);
        let second = T::select(x - y, a.max(y), b.min(x)) + y.heaviside() * x.abs().sqrt();
        ([first + slope], [second + (x.abs() + T::constant(0.5)).ln().with_gradient_of(y)])
    }
}

fn noise<T: Elem>(n: usize, seed: usize) -> Vec<T> {
    (0..n).map(|i| T::from_f64(((i * 7919 + seed * 104_729) % 4001) as f64 / 500.0 - 4.0)).collect()
}

fn same_bits<T: Elem>(level: Level, n: usize) {
    let (k, x, y) = (T::from_f64(0.75), noise::<T>(n, 1), noise::<T>(n, 2));
    let (mut a, mut b) = (noise::<T>(n, 3), noise::<T>(n, 4));
    let at = |i: usize| Everything.at([k], [y[i]], [x[i]], [a[i]], [b[i]]);
    let want: Vec<[T; 2]> = (0..n).map(at).map(|([state], [out])| [state, out]).collect();
    let most = want.iter().zip(&b).map(|(w, &b)| (w[1] - b).abs().to_f64()).fold(0.0, f64::max);
    let moved = pointwise_at(
        level,
        Everything,
        [k],
        Elements { own: [&y], input: [&x], state: [&mut a], out: [&mut b] },
    )
    .unwrap();
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

impl Pointwise<0, 0, 1, 0, 1> for Root {
    fn at<T: Real>(self, _: [T; 0], _: [T; 0], [x]: [T; 1], _: [T; 0], [_]: [T; 1]) -> ([T; 0], [T; 1]) {
        ([], [x.sqrt().max(T::constant(0.0)).min(T::constant(9.0))])
    }
}

#[test]
fn nan_passes_and_is_not_the_largest_change() {
    let mut out = [0f32; 21];
    let mut x = [4f32; 21];
    (x[3], x[20]) = (-1.0, -1.0);
    assert_eq!(pointwise(Root, [], Elements { own: [], input: [&x], state: [], out: [&mut out] }), 2.0);
    assert!(out[3].is_nan() && out[20].is_nan());
    assert!(out.iter().enumerate().all(|(i, &y)| y == 2.0 || i == 3 || i == 20));
}

#[test]
#[should_panic(expected = "different lengths")]
fn lengths_must_agree() {
    pointwise(Root, [], Elements { own: [], input: [&[1f32, 2.0]], state: [], out: [&mut [0f32]] });
}
