//! Derivatives against central differences, and at the points where they are a matter of convention.

use bouton_kernels::{Dual, Real};
use proptest::prelude::*;

type D = Dual<f64, 2>;

/// Smooth functions of two variables that use every operation.
fn smooth<T: Real>(which: usize, x: T, y: T) -> T {
    match which {
        0 => x + y * T::constant(3.0) - x * y,
        1 => x / (y * y + T::constant(1.0)),
        2 => (x * y).exp() - (-x).exp(),
        3 => (x - y).tanh() * x.sigmoid(),
        4 => (x * x + T::constant(0.5)).sqrt() * (y * y + T::constant(0.3)).ln(),
        5 => x.max(y + T::constant(10.0)) + x.min(y + T::constant(10.0)) * x,
        6 => T::select(x - T::constant(100.0), y, x * x) + T::select(T::constant(100.0) - x, y * x, x),
        _ => (x - T::constant(7.0)).abs() * y + x.heaviside() * y.with_gradient_of(y),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn derivatives_equal_central_differences(which in 0usize..8, x in 0.05f64..2.0, y in -2.0f64..2.0) {
        let d = smooth(which, D::var(x, 0), D::var(y, 1));
        let f = |x, y| smooth(which, x, y);
        prop_assert_eq!(d.re, f(x, y));
        let h = 1e-5;
        let slopes = [(f(x + h, y) - f(x - h, y)) / (2.0 * h), (f(x, y + h) - f(x, y - h)) / (2.0 * h)];
        for (got, want) in d.eps.iter().zip(slopes) {
            prop_assert!((got - want).abs() <= 1e-7 * (1.0 + want.abs()), "{} instead of {}", got, want);
        }
    }

    #[test]
    fn second_derivatives_by_nesting(x in -2.0f64..2.0) {
        let d = Dual::<Dual<f64, 1>, 1>::var(Dual::var(x, 0), 0).tanh();
        let (t, h) = (x.tanh(), 1e-5);
        prop_assert!((d.eps[0].re - (1.0 - t * t)).abs() < 1e-15);
        let slope = |x: f64| 1.0 - x.tanh().powi(2);
        prop_assert!((d.eps[0].eps[0] - (slope(x + h) - slope(x - h)) / (2.0 * h)).abs() < 1e-8);
    }
}

#[test]
fn a_value_on_a_limit_is_saturated() {
    let clip = |x: D| x.max(D::constant(0.0)).min(D::constant(1.0));
    let turned = |x: D| D::constant(1.0).min(D::constant(0.0).max(x));
    for f in [clip, turned] {
        for (x, value, slope) in
            [(-1.0, 0.0, 0.0), (0.0, 0.0, 0.0), (0.5, 0.5, 1.0), (1.0, 1.0, 0.0), (2.0, 1.0, 0.0)]
        {
            assert_eq!(f(D::var(x, 0)), Dual { re: value, eps: [slope, 0.0] }, "at {x}");
        }
    }
}

#[test]
fn choice_graft_and_step() {
    let (x, y) = (D::var(3.0, 0), D::var(5.0, 1));
    assert_eq!(D::select(D::constant(0.0), x, y), x);
    assert_eq!(D::select(D::constant(-1e-300), x, y), y);
    assert_eq!(D::select(D::constant(f64::NAN), x, y), y);
    assert_eq!(x.with_gradient_of(y), Dual { re: 3.0, eps: [0.0, 1.0] });
    for (at, step) in [(-0.1, 0.0), (0.0, 1.0), (0.1, 1.0)] {
        assert_eq!(D::var(at, 0).heaviside(), D::cst(step));
        assert_eq!((Real::heaviside(at), Real::heaviside(at as f32)), (step, step as f32));
    }
    assert_eq!(D::var(0.0, 0).abs().eps, [1.0, 0.0]);
    assert_eq!(D::var(-2.0, 0).abs(), Dual { re: 2.0, eps: [-1.0, 0.0] });
}

#[test]
fn nan_is_not_hidden() {
    let nan = D::var(f64::NAN, 0);
    for x in [
        nan.max(D::constant(0.0)),
        nan.min(D::constant(0.0)),
        nan.sigmoid(),
        nan.tanh(),
        nan.exp(),
        nan.abs(),
    ] {
        assert!(x.re.is_nan());
    }
}
