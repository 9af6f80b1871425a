//! The f32 functions against f64, and bit for bit between instruction sets.

use bouton_kernels::{Level, Real, with_level};

/// Every `step`-th f32 bit pattern between `lo` and `hi` by magnitude, both signs.
fn sweep(hi: f32, step: usize) -> impl Iterator<Item = f32> {
    (0..=hi.to_bits()).step_by(step).flat_map(|b| [f32::from_bits(b), -f32::from_bits(b)])
}

/// Largest relative error where the true value is a normal number.
fn worst(xs: impl Iterator<Item = f32>, f: impl Fn(f32) -> f32, exact: impl Fn(f64) -> f64) -> (f64, f32) {
    let mut worst = (0.0, 0.0);
    for x in xs {
        let want = exact(x as f64);
        if (f32::MIN_POSITIVE as f64..f32::MAX as f64).contains(&want.abs()) {
            let error = ((f(x) as f64 - want) / want).abs();
            assert!(!error.is_nan(), "NaN at {x:e}");
            if error > worst.0 {
                worst = (error, x);
            }
        }
    }
    worst
}

const DENSE: usize = 487; // prime: hits all residues; about 4.6 million numbers of each sign

#[test]
fn relative_errors() {
    let check = |name: &str, f: fn(f32) -> f32, exact: &dyn Fn(f64) -> f64| {
        let (error, at) = worst(sweep(f32::MAX, DENSE), f, exact);
        let (fine, fine_at) = worst((0..3_000_000).map(|i| (i as f32 - 1.5e6) * 7e-5), f, exact);
        println!("{name}: {error:.2e} at {at:e}, {fine:.2e} at {fine_at:e}");
        assert!(error.max(fine) < 4e-7, "{name}: {error:.2e} at {at:e}, {fine:.2e} at {fine_at:e}");
    };
    check("exp", Real::exp, &f64::exp);
    check("tanh", Real::tanh, &f64::tanh);
    check("sigmoid", Real::sigmoid, &|x| 1.0 / (1.0 + (-x).exp()));
    check("ln", Real::ln, &f64::ln);
}

/// The zeros of sine and cosine lie between numbers, so their errors are absolute.
#[test]
fn sine_and_cosine() {
    for i in 0..4_000_000 {
        let x = (i as f32 - 2e6) * 1.7e-3;
        let error = |got: f32, want: f64| (f64::from(got) - want).abs();
        let (sin, cos) = (error(Real::sin(x), f64::from(x).sin()), error(Real::cos(x), f64::from(x).cos()));
        assert!(sin.max(cos) < 3e-7, "{x}: {sin:.1e} {cos:.1e}");
    }
    assert_eq!(Real::sin(0f32), 0.0);
}

#[test]
fn extremes() {
    let inf = f32::INFINITY;
    for x in [88.722_84, 89.0, 1e10, f32::MAX, inf] {
        let e = Real::exp(x);
        assert!(e.is_finite() && e > 3.4e38, "exp({x}) = {e}");
        assert_eq!((Real::sigmoid(x), Real::tanh(x)), (1.0, 1.0));
        assert_eq!((Real::exp(-x), Real::sigmoid(-x), Real::tanh(-x)), (0.0, 0.0, -1.0));
    }
    assert_eq!((Real::exp(0f32), Real::sigmoid(0f32)), (1.0, 0.5));
    assert_eq!(Real::tanh(-0f32).to_bits(), (-0f32).to_bits());
    assert_eq!((Real::ln(0f32), Real::ln(inf), Real::ln(1f32)), (-inf, inf, 0.0));
    assert!(Real::ln(-1f32).is_nan());
    for nan in [f32::NAN, -f32::NAN] {
        for f in
            [Real::exp, Real::tanh, Real::sigmoid, Real::ln, Real::abs, Real::sqrt] as [fn(f32) -> f32; 6]
        {
            assert!(f(nan).is_nan());
        }
        assert!(Real::max(nan, 0.0).is_nan() && Real::min(nan, 0.0).is_nan());
    }
}

/// All functions over a slice, summed up in their bits.
fn hash(xs: &[f32]) -> u64 {
    let mut out = vec![[0f32; 6]; xs.len()];
    for (o, &x) in out.iter_mut().zip(xs) {
        *o = [Real::exp(x), Real::tanh(x), Real::sigmoid(x), Real::ln(x), Real::sin(x), Real::cos(x)];
    }
    out.iter().flatten().fold(0u64, |h, y| h.wrapping_mul(0x0100_0000_01b3) ^ y.to_bits() as u64)
}

#[test]
fn levels_agree_bit_for_bit() {
    let xs: Vec<f32> = sweep(f32::MAX, 9973).collect();
    let want = hash(&xs);
    for level in Level::available() {
        assert_eq!(
            with_level(
                level,
                #[inline(always)]
                || hash(&xs)
            ),
            Some(want),
            "{level:?}"
        );
    }
}
