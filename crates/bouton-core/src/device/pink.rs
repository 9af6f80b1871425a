//! Pink noise from a shift register (Kasdin 1995): white noise through (1 − z)^(−1/2), cut after P taps.
//!
//! w = α Σ_k b_k u_k,  b_0 = 1,  b_k = b_(k−1) (k − 1/2)/k,  u_k ~ U(0, 1), shifted by one per pulse
//!
//! Its density falls as 1/f between 1/P and 1/2 cycles per pulse. U(0, 1) has mean ½, and so has the noise a mean.

use crate::fit::{log_log_slope, log_spaced};
use serde::{Deserialize, Serialize};
use std::f64::consts::TAU;

/// Pink noise of a logarithmic resistance.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Pink {
    /// α.
    pub amplitude: f64,
    /// Length P of the register, at least 1.
    pub taps: usize,
}

impl Pink {
    /// b_0 … b_(P−1).
    pub fn coefficients(&self) -> Vec<f64> {
        let next = |b: &mut f64, k: usize| {
            if k > 0 {
                *b *= (k as f64 - 0.5) / k as f64;
            }
            Some(*b)
        };
        (0..self.taps).scan(1.0, next).collect()
    }

    /// Stationary mean, α Σ b_k/2.
    pub fn mean(&self) -> f64 {
        0.5 * self.amplitude * self.coefficients().iter().sum::<f64>()
    }

    /// Stationary standard deviation, α √(Σ b_k²/12).
    pub fn sd(&self) -> f64 {
        self.amplitude * (self.coefficients().iter().map(|b| b * b).sum::<f64>() / 12.0).sqrt()
    }

    /// Two-sided power density at `frequency` cycles per pulse, α²/12 |Σ b_k e^(−2πifk)|²; its mean over [0, 1] is
    /// the variance.
    pub fn density(&self, frequency: f64) -> f64 {
        let (mut re, mut im) = (0.0, 0.0);
        for (k, b) in self.coefficients().into_iter().enumerate() {
            let (sin, cos) = (TAU * frequency * k as f64).sin_cos();
            re += b * cos;
            im += b * sin;
        }
        self.amplitude.powi(2) / 12.0 * (re * re + im * im)
    }

    /// Slope of ln density against ln frequency from 1/P to 1/2, by least squares over `points` times spread evenly
    /// in ln f.
    pub fn slope(&self, points: usize) -> f64 {
        let band = log_spaced(1.0 / self.taps as f64, 0.5, points);
        log_log_slope(band.map(|f| (f, self.density(f))))
    }
}

#[cfg(test)]
mod tests {
    use super::Pink;

    fn pink(taps: usize) -> Pink {
        Pink { amplitude: 0.025, taps }
    }

    #[test]
    fn coefficients_are_those_of_the_root() {
        let b = pink(127).coefficients();
        assert_eq!(b[..4], [1.0, 0.5, 0.375, 0.3125]);
        // The square of (1 − z)^(−1/2) is 1 + z + z² + …
        for k in 0..127 {
            let square: f64 = (0..=k).map(|i| b[i] * b[k - i]).sum();
            assert!((square - 1.0).abs() < 1e-13, "{k} {square}");
        }
    }

    #[test]
    fn stationary_moments() {
        for (taps, mean, sd) in [(15, 0.0542, 0.0100), (127, 0.159, 0.0117)] {
            let pink = pink(taps);
            assert!((pink.mean() / mean - 1.0).abs() < 5e-3, "{}", pink.mean());
            assert!((pink.sd() / sd - 1.0).abs() < 5e-3, "{}", pink.sd());
            let power = (0..256).map(|i| pink.density(f64::from(i) / 256.0)).sum::<f64>() / 256.0;
            assert!((power / pink.sd().powi(2) - 1.0).abs() < 1e-12, "{power}");
        }
    }

    #[test]
    fn density_falls_as_one_over_f() {
        let slope = pink(127).slope(400);
        assert!((slope + 1.0).abs() < 0.1, "{slope}");
    }
}
