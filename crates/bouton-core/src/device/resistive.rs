//! Weak RESET of resistive memory (Majumdar et al., IEEE Trans. Electron Devices 68:4925, 2021).
//!
//! R = R0 exp(w(t) + noise), t pulses after the last SET;  w(t) = c + m1 min(t, t*) + m2 max(t − t*, 0)
//!
//! Six parameters differ from device to device; a preset file gives their distributions.

use super::distribution::Distribution;
use super::pink::Pink;
use super::preset::{MAJUMDAR2021, read, require};
use super::telegraph::Telegraph;
use crate::Result;
use crate::rng::Key;
use serde::{Deserialize, Serialize};

/// Every read of every device walks along its taps.
const MOST_TAPS: usize = 1 << 16;

/// A population of devices: the content of a preset file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct DeviceParameters {
    /// Name of the preset.
    pub name: String,
    /// Where the numbers come from.
    pub citation: String,
    /// m1: growth of ln R per pulse up to the breakpoint.
    pub early_slope: Distribution,
    /// t*, pulses.
    pub breakpoint: Distribution,
    /// c: offset of ln R.
    pub offset: Distribution,
    /// m2: growth of ln R per pulse after the breakpoint.
    pub late_slope: Distribution,
    /// R0 right after a SET, ohm.
    pub fresh_resistance: Distribution,
    /// 1/f noise of ln R.
    pub pink: Pink,
    /// Telegraph noise of ln R.
    pub telegraph: Telegraph,
}

/// One device.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Device {
    /// m1: growth of ln R per pulse up to the breakpoint.
    pub early_slope: f64,
    /// t*, pulses.
    pub breakpoint: f64,
    /// c: offset of ln R.
    pub offset: f64,
    /// m2: growth of ln R per pulse after the breakpoint.
    pub late_slope: f64,
    /// R0 right after a SET, ohm.
    pub fresh_resistance: f64,
    /// A: largest step of the telegraph noise in ln R.
    pub telegraph: f64,
}

impl DeviceParameters {
    /// The published population.
    ///
    /// # Errors
    /// None in practice: the file is compiled in and tested.
    pub fn majumdar2021() -> Result<Self> {
        Self::from_toml(MAJUMDAR2021)
    }

    /// Reads a preset.
    ///
    /// # Errors
    /// [`crate::Error::Config`] if a parameter is missing, unknown, not finite or outside its range.
    pub fn from_toml(text: &str) -> Result<Self> {
        let read: Self = read(text, "majumdar2021.toml")?;
        read.check()?;
        Ok(read)
    }

    fn check(&self) -> Result<()> {
        // Changes of ln R, far beyond any device and far from overflow.
        let most = 1e3;
        self.early_slope.check("early-slope", [0.0, most])?;
        self.breakpoint.check("breakpoint", [0.0, 1e15])?;
        self.offset.check("offset", [-most, most])?;
        self.late_slope.check("late-slope", [0.0, most])?;
        self.fresh_resistance.check("fresh-resistance", [1e-30, 1e30])?;
        let (pink, telegraph) = (self.pink, self.telegraph);
        let amplitude = |key, a: f64| require((0.0..=most).contains(&a), key, a, "between 0 and 1000");
        amplitude("pink.amplitude", pink.amplitude)?;
        amplitude("telegraph.amplitude", telegraph.amplitude)?;
        let taps = (1..=MOST_TAPS).contains(&pink.taps);
        require(taps, "pink.taps", pink.taps as f64, &format!("between 1 and {MOST_TAPS}"))?;
        [("telegraph.rise", telegraph.rise), ("telegraph.fall", telegraph.fall)].into_iter().try_for_each(
            |(key, p)| require(p > 0.0 && p <= 1.0, key, p, "a probability above 0 and up to 1"),
        )
    }

    /// The device of six uniform numbers in [0, 1], in the order of the fields of [`Device`].
    pub fn draw(&self, uniforms: [f64; 6]) -> Device {
        let [early, breakpoint, offset, late, fresh, telegraph] = uniforms;
        Device {
            early_slope: self.early_slope.quantile(early),
            breakpoint: self.breakpoint.quantile(breakpoint),
            offset: self.offset.quantile(offset),
            late_slope: self.late_slope.quantile(late),
            fresh_resistance: self.fresh_resistance.quantile(fresh),
            telegraph: telegraph * self.telegraph.amplitude,
        }
    }

    /// The device whose parameters are the means of the population: all devices alike.
    pub fn average(&self) -> Device {
        Device {
            early_slope: self.early_slope.mean(),
            breakpoint: self.breakpoint.mean(),
            offset: self.offset.mean(),
            late_slope: self.late_slope.mean(),
            fresh_resistance: self.fresh_resistance.mean(),
            telegraph: 0.5 * self.telegraph.amplitude,
        }
    }

    /// `devices` independent devices.
    pub fn population(&self, devices: usize, key: &Key) -> Vec<Device> {
        let mut stream = key.of("devices", 0).stream();
        (0..devices).map(|_| self.draw(std::array::from_fn(|_| stream.uniform()))).collect()
    }
}

/// Resistance without noise after `pulses` pulses, ohm, at 5 %, 50 % and 95 % of a population of at least one device.
pub fn resistance_quantiles(population: &[Device], pulses: f64) -> [f64; 3] {
    let mut resistances: Vec<f64> = population.iter().map(|d| d.resistance(pulses, 0.0)).collect();
    resistances.sort_by(f64::total_cmp);
    let last = (resistances.len() - 1) as f64;
    [0.05, 0.5, 0.95].map(|p| resistances[(last * p).round() as usize])
}

impl Device {
    /// w(t): mean growth of ln R after `pulses` pulses.
    pub fn growth(&self, pulses: f64) -> f64 {
        if pulses < self.breakpoint {
            self.early_slope * pulses + self.offset
        } else {
            self.late_slope * pulses + self.breakpoint * (self.early_slope - self.late_slope) + self.offset
        }
    }

    /// R after `pulses` pulses since the last SET, ohm; `noise` adds to ln R.
    pub fn resistance(&self, pulses: f64, noise: f64) -> f64 {
        self.fresh_resistance * (self.growth(pulses) + noise).exp()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = include_str!("../../data/devices/majumdar2021.toml");

    fn preset() -> DeviceParameters {
        DeviceParameters::majumdar2021().unwrap()
    }

    #[test]
    fn distributions_have_the_published_quantiles() {
        let p = preset();
        let table = [
            (p.early_slope, [6.92e-4, 4.90e-4, 7.1e-5, 2.00e-3], 0.01),
            (p.breakpoint, [629.0, 515.0, 143.0, 1526.0], 0.01),
            (p.offset, [5.2e-3, 5.3e-3, -0.081, 0.092], 0.03),
            (p.late_slope, [2.75e-5, 1.97e-5, 1.5e-6, 8.1e-5], 0.05),
            (p.fresh_resistance, [7003.0, 6996.0, 6438.0, 7591.0], 1e-3),
        ];
        for (d, printed, relative) in table {
            let found = [d.mean(), d.quantile(0.5), d.quantile(0.05), d.quantile(0.95)];
            for (found, printed) in found.into_iter().zip(printed) {
                assert!((found / printed - 1.0).abs() < relative, "{d:?} {found} {printed}");
            }
        }
    }

    #[test]
    fn population_of_resistances() {
        let table = [
            (0.0, [6247.0, 7032.0, 7917.0]),
            (100.0, [6515.0, 7479.0, 8919.0]),
            (500.0, [6872.0, 8560.0, 16_707.0]),
            (1000.0, [7007.0, 9041.0, 26_219.0]),
            (2000.0, [7152.0, 9392.0, 33_403.0]),
            (10_000.0, [7719.0, 11_958.0, 44_174.0]),
        ];
        let population = preset().population(100_000, &Key::new(0));
        for (pulses, printed) in table {
            for (found, printed) in resistance_quantiles(&population, pulses).into_iter().zip(printed) {
                assert!((found / printed - 1.0).abs() < 0.02, "{pulses} {found} {printed}");
            }
        }
    }

    #[test]
    fn growth_is_continuous_and_monotone() {
        for device in preset().population(200, &Key::new(3)).into_iter().chain([preset().average()]) {
            let t = device.breakpoint;
            let before = device.early_slope * t + device.offset;
            assert!((device.growth(t) - before).abs() < 1e-12, "{device:?}");
            assert!((device.growth(t.next_down()) - device.growth(t)).abs() < 1e-12, "{device:?}");
            let closed = |pulses: f64| {
                device.offset + device.early_slope * pulses.min(t) + device.late_slope * (pulses - t).max(0.0)
            };
            let mut last = 0.0;
            for pulses in (0..5000).step_by(7).map(f64::from) {
                let r = device.resistance(pulses, 0.0);
                assert!(r >= last, "{device:?} {pulses}");
                assert!((device.growth(pulses) - closed(pulses)).abs() < 1e-12);
                last = r;
            }
        }
    }

    #[test]
    fn noise_multiplies_the_resistance() {
        let device = preset().average();
        let ratio = device.resistance(100.0, 0.1) / device.resistance(100.0, 0.0);
        assert!((ratio - 0.1f64.exp()).abs() < 1e-14);
        assert!((device.resistance(0.0, 0.0) / device.fresh_resistance - device.offset.exp()).abs() < 1e-14);
    }

    #[test]
    fn impossible_presets_are_refused() {
        let wrong = [
            ("scale = 6.564678e-4", "scale = -6e-4", "early-slope.scale"),
            ("scale = 6.564678e-4\n", "", "scale"),
            ("taps = 15", "taps = 0", "pink.taps"),
            ("taps = 15", "taps = 65537", "pink.taps"),
            ("amplitude = 0.025", "amplitude = 1e9", "pink.amplitude"),
            ("high = 0.15", "high = 1e4", "offset.high"),
            ("mean = 6988\nsd = 381.7", "mean = 0\nsd = 1", "fresh-resistance.low"),
            ("taps = 15", "taps = 15\ntap = 3", "tap"),
            ("sd = 381.7", "sd = nan", "fresh-resistance.sd"),
            ("low = 41", "low = -41", "breakpoint.low"),
            ("high = 0.15", "high = -0.2", "offset.high"),
            ("high = 0.15", "high = 0.15\nhihg = 0.2", "hihg"),
            ("rise = 0.0008", "rise = 1.2", "telegraph.rise"),
            ("amplitude = 0.025", "amplitude = inf", "pink.amplitude"),
            ("[telegraph]", "[telegraf]", "telegraf"),
            ("law = \"normal\"", "law = \"norml\"", "norml"),
            ("rise = 0.0008", "rise = ", "line"),
        ];
        for (from, to, named) in wrong {
            assert!(TEXT.contains(from), "{from}");
            let error = DeviceParameters::from_toml(&TEXT.replacen(from, to, 1)).unwrap_err();
            assert!(error.to_string().contains(named), "{to}: {error}");
            assert!(error.hint().is_some(), "{error}");
        }
    }

    #[test]
    fn presets_survive_being_written() {
        let text = toml::to_string(&preset()).unwrap();
        assert_eq!(DeviceParameters::from_toml(&text).unwrap(), preset());
    }
}
