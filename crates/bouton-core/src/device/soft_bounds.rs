//! Devices whose steps shrink towards a bound (Fusi & Abbott 2007; presets of the IBM Analog Hardware Acceleration Kit).
//!
//! up: x += a_up (1 − x/r_up + σ ξ);  down: x −= a_down (1 − x/r_down + σ ξ);  x stays within [b_min, b_max], w = x − x₀
//!
//! A step is nothing at its reach r: at the device's own bound (soft bounds), or at b/γ of the mean bound b (linear steps, γ = 0:
//! constant ones). σ may multiply the step instead. x₀ is the device's reference: 0, or its symmetry point, with a spread.
//! Without noise n pulses from 0 give x_n = r (1 − (1 − a_up/r)ⁿ); up and down steps are equal at the symmetry
//! point (a_up − a_down)/(a_up/r_up − a_down/r_down), where alternating pulses end.

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
    /// Whether the spread of the step is that of its logarithm. Default false.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub log_normal: bool,
    /// Whether the noise from pulse to pulse multiplies the step, and is not added to it. Default false.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub multiplicative: bool,
    /// γ of steps up: the share of a step that is lost at the mean upper bound. Default: all of it, at the device's own bound.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub up_slope: Option<f64>,
    /// γ of steps down, at the mean lower bound.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub down_slope: Option<f64>,
    /// Spread of both γ. Default 0.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub slope_spread: f64,
    /// Whether weight 0 is the symmetry point of each device. Default false.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub centred: bool,
    /// Spread of what weight 0 is. Default 0.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub reference_spread: f64,
}

fn is_zero(x: &f64) -> bool {
    *x == 0.0
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
    /// Where a step up, and where a step down would be nothing.
    pub reach: [f64; 2],
    /// x₀: the state that is weight 0.
    pub reference: f64,
    /// σ: noise from pulse to pulse, in steps.
    pub noise: f64,
    /// Whether the noise multiplies the step.
    pub multiplicative: bool,
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
            ("slope-spread", self.slope_spread),
            ("reference-spread", self.reference_spread),
        ];
        let rule = "between 0 and 1000";
        spreads.into_iter().try_for_each(|(key, v)| require((0.0..=1e3).contains(&v), key, v, rule))?;
        // The logarithm of a step of a device far out still is a number.
        let most = if self.log_normal { 10.0 } else { 1e3 };
        require(self.step_spread <= most, "step-spread", self.step_spread, &format!("at most {most}"))?;
        let slopes = [("up-slope", self.up_slope), ("down-slope", self.down_slope)];
        slopes.into_iter().try_for_each(|(key, v)| {
            let v = v.unwrap_or(1.0);
            require((0.0..=1e3).contains(&v), key, v, rule)
        })
    }

    /// The device of standard normal numbers: step, asymmetry, upper bound, lower bound, slopes up and down, reference. Steps
    /// and bounds keep their sign whatever the draw.
    pub fn draw(&self, [step, asymmetry, upper, lower, rest @ ..]: [f64; 7]) -> SoftBounds {
        let spread = self.step_spread * step;
        let gain = if self.log_normal { spread.exp() } else { 1.0 + spread };
        let asymmetry = self.up_down_spread * asymmetry;
        let up = self.step * (gain + asymmetry + self.up_down.min(0.0)).abs();
        let down = self.step * (gain - asymmetry - self.up_down.max(0.0)).abs();
        let upper = (self.upper * (1.0 + self.upper_spread * upper)).abs();
        let lower = -(self.lower * (1.0 + self.lower_spread * lower)).abs();
        self.device([up, down, upper, lower], rest)
    }

    /// The device of these steps and bounds, and of standard normal numbers for slopes up and down and the reference.
    pub fn device(&self, [up, down, upper, lower]: [f64; 4], normals: [f64; 3]) -> SoftBounds {
        let reach = |slope: Option<f64>, mean: f64, own: f64, normal: f64| {
            slope.map_or(own, |slope| mean / (slope + self.slope_spread * normal).abs())
        };
        let reach = [
            reach(self.up_slope, self.upper, upper, normals[0]),
            reach(self.down_slope, self.lower, lower, normals[1]),
        ];
        let (noise, multiplicative) = (self.step_noise, self.multiplicative);
        let mut device = SoftBounds { up, down, upper, lower, reach, reference: 0.0, noise, multiplicative };
        let centre = if self.centred { device.symmetry_point() } else { 0.0 };
        device.reference = centre + self.reference_spread * normals[2];
        device
    }

    /// Whether every device is known by its steps and bounds alone.
    pub fn is_plain(&self) -> bool {
        let linear = self.up_slope.is_some() || self.down_slope.is_some();
        !linear && !self.centred && self.reference_spread == 0.0
    }
}

impl SoftBounds {
    /// The state after one pulse, `up` or down; `normal` is a standard normal number (0 for the mean law).
    pub fn pulse(&self, state: f64, up: bool, normal: f64) -> f64 {
        let noise = self.noise * normal;
        let left = 1.0 - state / self.reach[usize::from(!up)];
        let step = if self.multiplicative { left * (1.0 + noise) } else { left + noise };
        let next = if up { state + self.up * step } else { state - self.down * step };
        next.clamp(self.lower, self.upper)
    }

    /// The state after `pulses` pulses up from 0 without noise, short of the bound.
    pub fn after_up(&self, pulses: u32) -> f64 {
        let reach = self.reach[0];
        if reach.is_infinite() {
            return self.up * f64::from(pulses);
        }
        reach * (1.0 - (1.0 - self.up / reach).powf(f64::from(pulses)))
    }

    /// The state at which a step up and a step down are equal, within the bounds; 0 if steps are constant.
    pub fn symmetry_point(&self) -> f64 {
        let point = (self.up - self.down) / (self.up / self.reach[0] - self.down / self.reach[1]);
        if point.is_finite() { point.clamp(self.lower, self.upper) } else { 0.0 }
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
        for device in [preset().draw([0.0; 7]), preset().draw([1.0, -2.0, 0.7, 0.1, 0.0, 0.0, 0.0])] {
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
        let mut device = preset().draw([0.5, 30.0, 0.3, -0.4, 0.0, 0.0, 0.0]);
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
        let device = preset().draw([0.0; 7]);
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
        let device = preset.draw([0.0; 7]);
        assert!((device.up - 0.002).abs() < 1e-15 && (device.down - 0.0016).abs() < 1e-15);
        preset.up_down = -0.2;
        let device = preset.draw([0.0; 7]);
        assert!((device.up - 0.0016).abs() < 1e-15 && (device.down - 0.002).abs() < 1e-15);
    }

    /// γ = ½: the step is halved at the mean bound, whatever the device's own, and the closed form goes on to twice the bound.
    #[test]
    fn linear_steps_reach_beyond_the_bound_and_stop_there() {
        let linear =
            SoftBoundsParameters { up_slope: Some(0.5), down_slope: Some(0.0), step_noise: 0.5, ..preset() };
        let device = linear.draw([0.0, 0.0, 0.3, 0.0, 0.0, 0.0, 0.0]);
        assert!((device.pulse(1.25, true, 0.0) - 1.25 - 0.5 * device.up).abs() < 1e-15);
        let mut state = 0.0;
        for pulses in 0..500 {
            assert!((device.after_up(pulses) - state).abs() < 1e-12, "{pulses}");
            state = device.pulse(state, true, 0.0);
        }
        let full = (0..2000).fold(0.0, |x, _| device.pulse(x, true, 0.0));
        assert_eq!(full, device.upper);
        assert!((device.pulse(0.5, false, 0.0) - 0.5 + device.down).abs() < 1e-15, "constant steps down");
        // Noise that multiplies is half as large where the step is.
        let noisy = SoftBounds { multiplicative: true, ..device };
        let moved = |normal: f64| noisy.pulse(1.25, true, normal) - 1.25;
        assert!((moved(1.0) / moved(0.0) - 1.5).abs() < 1e-9, "{}", moved(1.0) / moved(0.0));
    }

    #[test]
    fn centred_devices_have_equal_steps_at_weight_zero() {
        let mut preset = SoftBoundsParameters { centred: true, ..preset() };
        let device = preset.draw([0.5, 30.0, 0.3, -0.4, 0.0, 0.0, 1.0]);
        let zero = device.reference;
        assert!(zero > 0.1, "{zero}");
        let [up, down] = [true, false].map(|up| (device.pulse(zero, up, 0.0) - zero).abs());
        assert!((up - down).abs() < 1e-15, "{up} {down}");
        preset.reference_spread = 0.05;
        let other = preset.draw([0.5, 30.0, 0.3, -0.4, 0.0, 0.0, -2.0]);
        assert!((other.reference - zero + 0.1).abs() < 1e-12, "{other:?}");
    }

    #[test]
    fn log_normal_steps_multiply() {
        let preset = SoftBoundsParameters { log_normal: true, step_spread: 0.8, ..preset() };
        let device = |normal| preset.draw([normal, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0]);
        assert!((device(2.0).up * device(-2.0).up / device(0.0).up.powi(2) - 1.0).abs() < 1e-12);
        assert!((device(1.0).down / 0.002 - 0.8_f64.exp()).abs() < 1e-12);
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
