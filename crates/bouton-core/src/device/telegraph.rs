//! Random telegraph noise: a two-state Markov chain advanced by p pulses at once.
//!
//! Tᵖ = T^∞ + (1 − rise − fall)ᵖ (1 − T^∞);  P(high) → rise/(rise + fall)
//!
//! In the high state ln R is larger by u v A with u, v ~ U(0, 1) drawn anew each time and A of the device.

use serde::{Deserialize, Serialize};

/// Telegraph noise of a logarithmic resistance.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Telegraph {
    /// Probability per pulse to go from low to high.
    pub rise: f64,
    /// Probability per pulse to go from high to low.
    pub fall: f64,
    /// Largest A of a device; A ~ U(0, amplitude).
    pub amplitude: f64,
}

impl Telegraph {
    /// Stationary probability of the high state.
    pub fn occupancy(&self) -> f64 {
        self.rise / (self.rise + self.fall)
    }

    /// Mean time in the low and in the high state, pulses.
    pub fn dwell(&self) -> (f64, f64) {
        (1.0 / self.rise, 1.0 / self.fall)
    }

    /// Probability of the high state `pulses` pulses after the state `high`: an entry of Tᵖ.
    pub fn high_after(&self, high: bool, pulses: u32) -> f64 {
        let memory = (1.0 - self.rise - self.fall).powf(f64::from(pulses));
        self.occupancy() + (f64::from(high) - self.occupancy()) * memory
    }
}

#[cfg(test)]
mod tests {
    use super::Telegraph;

    #[test]
    fn closed_form_is_the_power_of_the_matrix() {
        for chain in [
            Telegraph { rise: 0.0008, fall: 0.002, amplitude: 0.5 },
            Telegraph { rise: 0.9, fall: 0.4, amplitude: 0.5 },
        ] {
            for start in [false, true] {
                let mut high = f64::from(start);
                for pulses in 0..3000 {
                    assert!((chain.high_after(start, pulses) - high).abs() < 1e-13, "{pulses}");
                    high += chain.rise * (1.0 - high) - chain.fall * high;
                }
            }
        }
    }

    #[test]
    fn occupancy_and_dwell_times() {
        let chain = Telegraph { rise: 0.0008, fall: 0.002, amplitude: 0.5 };
        assert!((chain.occupancy() - 0.2857).abs() < 1e-4);
        let (low, high) = chain.dwell();
        assert!((low - 1250.0).abs() < 1e-9 && (high - 500.0).abs() < 1e-9);
        assert!((high / (low + high) - chain.occupancy()).abs() < 1e-15);
    }
}
