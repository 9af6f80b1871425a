//! The normal distribution: Φ from the complementary error function of `libm`, and its inverse.

use std::f64::consts::{SQRT_2, TAU};

/// Density φ(z).
pub(super) fn density(z: f64) -> f64 {
    (-0.5 * z * z).exp() / TAU.sqrt()
}

/// Φ(z), with full relative accuracy in the lower tail.
pub(super) fn cdf(z: f64) -> f64 {
    0.5 * libm::erfc(-z / SQRT_2)
}

/// Φ⁻¹(p), −∞ at 0 and ∞ at 1: formula 26.2.23 of Abramowitz & Stegun (error below 4.5e-4), then two of Halley's
/// steps, each of which cubes the error.
pub(super) fn quantile(p: f64) -> f64 {
    if p > 0.5 {
        // 1 − p is exact here.
        return -quantile(1.0 - p);
    }
    if p <= 0.0 {
        return f64::NEG_INFINITY;
    }
    let t = (-2.0 * p.ln()).sqrt();
    let above = 2.515517 + t * (0.802853 + t * 0.010328);
    let below = 1.0 + t * (1.432788 + t * (0.189269 + t * 0.001308));
    let halley = |z: f64| {
        let step = (cdf(z) - p) / density(z);
        z - step / (1.0 + 0.5 * z * step)
    };
    halley(halley(above / below - t))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_quantiles() {
        let known = [
            (0.5, 0.0),
            (0.975, 1.959963984540054),
            (0.999, 3.090232306167813),
            (0.25, -0.6744897501960817),
            (1e-10, -6.361340902404056),
        ];
        for (p, z) in known {
            assert!((quantile(p) - z).abs() < 1e-12, "{p} {}", quantile(p));
        }
        assert_eq!((quantile(0.0), quantile(1.0)), (f64::NEG_INFINITY, f64::INFINITY));
    }

    #[test]
    fn inverse_of_the_distribution() {
        for i in 1..1000 {
            let p = f64::from(i) / 1000.0;
            assert!((cdf(quantile(p)) - p).abs() < 1e-14, "{p}");
        }
    }
}
