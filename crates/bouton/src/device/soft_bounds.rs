//! Resistive memory with soft bounds (Fusi & Abbott 2007; preset ReRamSB of the IBM Analog Hardware Acceleration Kit).
//!
//! up: w += a_up (1 − w/b_max + σ ξ);  down: w −= a_down (1 − w/b_min + σ ξ);  w stays within [b_min, b_max]
//!
//! Without noise n pulses from 0 give w_n = b_max (1 − (1 − a_up/b_max)ⁿ); up and down steps are equal at the symmetry
//! point (a_up − a_down)/(a_up/b_max − a_down/b_min), where alternating pulses end.

use super::preset::{SOFT_BOUNDS, read, require};
use crate::Result;
use serde::{Deserialize, Serialize};

/// A population of devices: the content of a preset file. Spreads are standard deviations between devices.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct SoftBoundsParameters {
    /// Name of the preset.
    pub name: String,
    /// Where the numbers come from.
    pub citation: String,
    /// Mean step at weight 0.
    pub step: f64,
    /// Mean upper bound b_max, positive.
    pub upper: f64,
    /// Mean lower bound b_min, negative.
    pub lower: f64,
    /// Mean asymmetry: a positive one shortens the down steps, a negative one the up steps.
    pub up_down: f64,
    /// Spread of the step, relative.
    pub step_spread: f64,
    /// Spread of the upper bound, relative.
    pub upper_spread: f64,
    /// Spread of the lower bound, relative.
    pub lower_spread: f64,
    /// Spread of the asymmetry.
    pub up_down_spread: f64,
    /// σ: noise from pulse to pulse, in steps.
    pub step_noise: f64,
    /// Noise of the visible weight, in mean steps.
    pub write_noise: f64,
}

/// One device.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SoftBounds {
    /// a_up: step up at weight 0.
    pub up: f64,
    /// a_down: step down at weight 0.
    pub down: f64,
    /// b_max.
    pub upper: f64,
    /// b_min.
    pub lower: f64,
    /// σ: noise from pulse to pulse, in steps.
    pub noise: f64,
}

impl SoftBoundsParameters {
    /// The preset ReRamSB.
    ///
    /// # Errors
    /// None in practice: the file is compiled in and tested.
    pub fn reram() -> Result<Self> {
        Self::from_toml(SOFT_BOUNDS)
    }

    /// Reads a preset.
    ///
    /// # Errors
    /// [`crate::Error::Config`] if a parameter is missing, unknown, not finite or outside its range.
    pub fn from_toml(text: &str) -> Result<Self> {
        let read: Self = read(text, "soft-bounds.toml")?;
        read.check()?;
        Ok(read)
    }

    fn check(&self) -> Result<()> {
        let size = |key, value, size: f64| {
            require((1e-9..=1e9).contains(&size), key, value, &format!("between {} and {}", 1e-9, 1e9))
        };
        size("step", self.step, self.step)?;
        size("upper", self.upper, self.upper)?;
        require(self.lower < 0.0, "lower", self.lower, "negative")?;
        size("lower", self.lower, -self.lower)?;
        require(self.up_down.abs() < 1.0, "up-down", self.up_down, "between -1 and 1")?;
        let spreads = [
            ("step-spread", self.step_spread),
            ("upper-spread", self.upper_spread),
            ("lower-spread", self.lower_spread),
            ("up-down-spread", self.up_down_spread),
            ("step-noise", self.step_noise),
            ("write-noise", self.write_noise),
        ];
        let rule = "between 0 and 1000";
        spreads.into_iter().try_for_each(|(key, v)| require((0.0..=1e3).contains(&v), key, v, rule))
    }

    /// The device of four standard normal numbers: step, asymmetry, upper bound, lower bound. Steps and bounds keep
    /// their sign whatever the draw.
    pub fn draw(&self, normals: [f64; 4]) -> SoftBounds {
        let [step, asymmetry, upper, lower] = normals;
        let gain = 1.0 + self.step_spread * step;
        let asymmetry = self.up_down_spread * asymmetry;
        SoftBounds {
            up: self.step * (gain + asymmetry + self.up_down.min(0.0)).abs(),
            down: self.step * (gain - asymmetry - self.up_down.max(0.0)).abs(),
            upper: (self.upper * (1.0 + self.upper_spread * upper)).abs(),
            lower: -(self.lower * (1.0 + self.lower_spread * lower)).abs(),
            noise: self.step_noise,
        }
    }
}

impl SoftBounds {
    /// The weight after one pulse, `up` or down; `normal` is a standard normal number (0 for the mean law).
    pub fn pulse(&self, weight: f64, up: bool, normal: f64) -> f64 {
        let noise = self.noise * normal;
        let next = if up {
            weight + self.up * (1.0 - weight / self.upper + noise)
        } else {
            weight - self.down * (1.0 - weight / self.lower + noise)
        };
        next.clamp(self.lower, self.upper)
    }

    /// The weight after `pulses` pulses up from 0 without noise.
    pub fn after_up(&self, pulses: u32) -> f64 {
        self.upper * (1.0 - (1.0 - self.up / self.upper).powf(f64::from(pulses)))
    }

    /// The weight at which a step up and a step down are equal.
    pub fn symmetry_point(&self) -> f64 {
        (self.up - self.down) / (self.up / self.upper - self.down / self.lower)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = include_str!("../../data/devices/soft-bounds.toml");

    fn preset() -> SoftBoundsParameters {
        SoftBoundsParameters::reram().unwrap()
    }

    #[test]
    fn pulses_up_follow_the_closed_form() {
        for device in [preset().draw([0.0; 4]), preset().draw([1.0, -2.0, 0.7, 0.1])] {
            let mut weight = 0.0;
            for pulses in 0..3000 {
                assert!((device.after_up(pulses) - weight).abs() < 1e-12, "{pulses}");
                weight = device.pulse(weight, true, 0.0);
            }
            assert!(weight > 0.95 * device.upper && weight < device.upper);
        }
    }

    #[test]
    fn alternating_pulses_end_at_the_symmetry_point() {
        let mut device = preset().draw([0.5, 30.0, 0.3, -0.4]);
        assert!(device.symmetry_point() > 0.1, "{}", device.symmetry_point());
        for scale in [1.0, 0.1] {
            (device.up, device.down) = (device.up * scale, device.down * scale);
            let (mut low, mut high) = (-0.6, -0.6);
            for _ in 0..50_000 {
                high = device.pulse(low, true, 0.0);
                low = device.pulse(high, false, 0.0);
            }
            let point = device.symmetry_point();
            assert!(low < point && point < high && high - low < device.up, "{low} {point} {high}");
        }
    }

    #[test]
    fn bounds_hold_and_noise_averages_out() {
        let device = preset().draw([0.0; 4]);
        assert_eq!(device.pulse(1.2, true, 1e3), device.upper);
        assert_eq!(device.pulse(-0.7, false, 1e3), device.lower);
        let pair = device.pulse(0.3, true, 1.0) + device.pulse(0.3, true, -1.0);
        assert!((0.5 * pair - device.pulse(0.3, true, 0.0)).abs() < 1e-15);
        assert!((device.pulse(0.3, false, 0.0) - (0.3 - 0.002 * 1.4)).abs() < 1e-15);
    }

    #[test]
    fn asymmetry_falls_on_one_side() {
        let mut preset = preset();
        preset.up_down = 0.2;
        let device = preset.draw([0.0; 4]);
        assert!((device.up - 0.002).abs() < 1e-15 && (device.down - 0.0016).abs() < 1e-15);
        preset.up_down = -0.2;
        let device = preset.draw([0.0; 4]);
        assert!((device.up - 0.0016).abs() < 1e-15 && (device.down - 0.002).abs() < 1e-15);
    }

    #[test]
    fn impossible_presets_are_refused() {
        let wrong = [
            ("step = 0.002", "step = -0.002", "`step`"),
            ("step = 0.002", "step = 1e300", "`step`"),
            ("lower = -0.75", "lower = 0.75", "`lower`"),
            ("step-noise = 3.75", "step-noise = 1e300", "step-noise"),
            ("upper = 1.25", "uper = 1.25", "uper"),
            ("write-noise = 56", "", "write-noise"),
            ("step-noise = 3.75", "step-noise = nan", "step-noise"),
        ];
        for (from, to, named) in wrong {
            assert!(TEXT.contains(from), "{from}");
            let error = SoftBoundsParameters::from_toml(&TEXT.replacen(from, to, 1)).unwrap_err();
            assert!(error.to_string().contains(named) && error.hint().is_some(), "{to}: {error}");
        }
    }
}
