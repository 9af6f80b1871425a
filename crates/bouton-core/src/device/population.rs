//! A device file of any law: what is in it, in words, and what its devices do under pulses.

use super::preset::{self, require};
use super::{Device, DeviceParameters, Distribution, SoftBounds, SoftBoundsParameters};
use crate::rng::{Key, Stream};
use crate::{Error, Result};
use serde::Serialize;

/// The law of a device file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Law {
    /// A resistance that grows with RESET pulses, fast and then slowly (Majumdar et al. 2021).
    WeakReset,
    /// A weight that pulses move up and down, by less the nearer its bound is (Fusi & Abbott 2007).
    SoftBounds,
}

/// A population of devices of some law.
#[derive(Clone, Debug, PartialEq)]
pub enum Population {
    /// Of weak RESET.
    WeakReset(DeviceParameters),
    /// Of soft bounds.
    SoftBounds(SoftBoundsParameters),
}

/// A parameter of a device file.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Parameter {
    /// Its key in the file.
    pub name: String,
    /// Its value, as the file writes it.
    pub value: String,
    /// Its unit; empty for a pure number.
    pub unit: &'static str,
    /// What it is.
    pub about: &'static str,
}

impl Law {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::WeakReset, Self::SoftBounds];

    /// What the command calls it.
    pub fn name(self) -> &'static str {
        match self {
            Self::WeakReset => "weak-reset",
            Self::SoftBounds => "soft-bounds",
        }
    }

    /// One line on it.
    pub fn about(self) -> &'static str {
        match self {
            Self::WeakReset => {
                "a resistance that RESET pulses increase, fast up to a breakpoint and then slowly"
            }
            Self::SoftBounds => "a weight that pulses move up and down, by less the nearer its bound is",
        }
    }

    /// Its equations, one a line.
    pub fn equations(self) -> &'static str {
        match self {
            Self::WeakReset => {
                "R = R0 exp(c + m1 min(t, t*) + m2 max(t - t*, 0) + telegraph + pink), t pulses since the last SET"
            }
            Self::SoftBounds => {
                "up:   x += a_up (1 - x/r_up + noise)       r: where a step is nothing, the device's bound or beyond\n\
                 down: x -= a_down (1 - x/r_down + noise)   lower <= x <= upper; weight = x - reference + write noise"
            }
        }
    }
}

impl Population {
    /// Reads a device file; its keys tell its law.
    ///
    /// # Errors
    /// [`Error::Config`] if it is of no law, or a parameter is missing, unknown or impossible.
    pub fn from_toml(text: &str) -> Result<Self> {
        let table: toml::Table = preset::read(text, "majumdar2021.toml")?;
        let has = |keys: &[&str]| keys.iter().filter(|key| table.contains_key(**key)).count();
        let analog = has(&["step", "upper", "lower", "up-down", "step-spread", "step-noise", "write-noise"]);
        let resistive = has(&["early-slope", "breakpoint", "offset", "late-slope", "fresh-resistance"]);
        match (analog, resistive) {
            (0, 0) => Err(Error::config("device preset: it has the parameters of no law")
                .with_hint("`bouton device show NAME` shows a built-in one to begin with")),
            (a, r) if a > r => SoftBoundsParameters::from_toml(text).map(Self::SoftBounds),
            _ => DeviceParameters::from_toml(text).map(Self::WeakReset),
        }
    }

    /// The population called `device`: a built-in name, a file, or the text of one.
    ///
    /// # Errors
    /// If the file cannot be read, or as [`Self::from_toml`].
    pub fn named(device: &str) -> Result<Self> {
        let text = preset::embedded(device, std::path::Path::new(""))?;
        let text = preset::built_in(&text).unwrap_or(&text);
        Self::from_toml(text).map_err(|e| if text == device { e } else { e.context(device) })
    }

    /// What `[synapse.<synapse>]` calls `device`.
    pub(crate) fn of(synapse: &str, device: &str) -> Result<Self> {
        Self::from_toml(&preset::text(synapse, device)?)
    }

    /// Its law.
    pub fn law(&self) -> Law {
        match self {
            Self::WeakReset(_) => Law::WeakReset,
            Self::SoftBounds(_) => Law::SoftBounds,
        }
    }

    /// Its name and where its numbers come from.
    pub fn head(&self) -> (&str, &str) {
        match self {
            Self::WeakReset(p) => (&p.name, &p.citation),
            Self::SoftBounds(p) => (&p.name, &p.citation),
        }
    }

    /// The unit of what is measured of a device.
    pub fn unit(&self) -> &'static str {
        match self {
            Self::WeakReset(_) => "ohm",
            Self::SoftBounds(_) => "weight",
        }
    }

    /// Its parameters, in the order of the file.
    pub fn parameters(&self) -> Vec<Parameter> {
        match self {
            Self::WeakReset(p) => resistive(p),
            Self::SoftBounds(p) => analog(p),
        }
    }

    /// What is seen of `devices` drawn devices: first before any pulse, then after each of `pulses`, `true` for one up.
    /// Devices of weak RESET know no direction.
    ///
    /// # Errors
    /// [`Error::Config`] for more than 10⁷ values.
    pub fn simulate(&self, devices: usize, pulses: &[bool], key: &Key) -> Result<Vec<Vec<f64>>> {
        let values = devices.saturating_mul(pulses.len() + 1) as f64;
        require(values <= 1e7, "devices times pulses", values, "at most 10000000")?;
        let one = |i: u64| {
            let mut stream = key.of("device", i).stream();
            match self {
                Self::WeakReset(p) => resistances(p, pulses.len(), &mut stream),
                Self::SoftBounds(p) => weights(p, pulses, &mut stream),
            }
        };
        Ok((0..devices as u64).map(one).collect())
    }
}

fn weights(p: &SoftBoundsParameters, pulses: &[bool], stream: &mut Stream) -> Vec<f64> {
    let device = p.draw(std::array::from_fn(|_| stream.normal()));
    weights_of(p, &device, pulses, stream)
}

/// The visible weight of a device that starts at its lower bound.
pub(super) fn weights_of(
    p: &SoftBoundsParameters,
    device: &SoftBounds,
    pulses: &[bool],
    stream: &mut Stream,
) -> Vec<f64> {
    let mut state = device.lower;
    let mut seen = vec![state - device.reference + p.write_noise * p.step * stream.normal()];
    for &up in pulses {
        state = device.pulse(state, up, stream.normal());
        seen.push(state - device.reference + p.write_noise * p.step * stream.normal());
    }
    seen
}

fn resistances(p: &DeviceParameters, pulses: usize, stream: &mut Stream) -> Vec<f64> {
    let device = p.draw(std::array::from_fn(|_| stream.uniform()));
    resistances_of(p, &device, pulses, stream)
}

/// The resistance of a device from its SET on.
pub(super) fn resistances_of(
    p: &DeviceParameters,
    device: &Device,
    pulses: usize,
    stream: &mut Stream,
) -> Vec<f64> {
    let taps = p.pink.coefficients();
    let mut register = std::collections::VecDeque::from(vec![0.0; taps.len()]);
    let mut high = false;
    let mut seen = Vec::with_capacity(pulses + 1);
    for t in 0..=pulses {
        if t > 0 {
            register.pop_back();
            register.push_front(stream.uniform());
            high = stream.uniform() < p.telegraph.high_after(high, 1);
        }
        let pink: f64 = taps.iter().zip(&register).map(|(b, u)| b * u).sum::<f64>() * p.pink.amplitude;
        let telegraph = stream.uniform() * stream.uniform() * device.telegraph * f64::from(u8::from(high));
        seen.push(device.resistance(t as f64, pink + telegraph));
    }
    seen
}

fn resistive(p: &DeviceParameters) -> Vec<Parameter> {
    let parts: [(&str, &Distribution, &str, &str); 5] = [
        ("early-slope", &p.early_slope, "1/pulse", "m1: growth of ln R per pulse up to the breakpoint"),
        ("breakpoint", &p.breakpoint, "pulses", "t*: pulses after which the growth slows down"),
        ("offset", &p.offset, "", "c: offset of ln R of a device"),
        ("late-slope", &p.late_slope, "1/pulse", "m2: growth of ln R per pulse after the breakpoint"),
        ("fresh-resistance", &p.fresh_resistance, "ohm", "R0: resistance right after a SET"),
    ];
    let mut all: Vec<Parameter> =
        parts.into_iter().map(|(name, of, unit, about)| row(name, of, unit, about)).collect();
    let (pink, rtn) = (&p.pink, &p.telegraph);
    all.push(row("pink.amplitude", &pink.amplitude, "", "size of the 1/f noise of ln R"));
    all.push(row("pink.taps", &pink.taps, "pulses", "how long the 1/f noise remembers"));
    all.push(row("telegraph.rise", &rtn.rise, "1/pulse", "probability to enter the high state"));
    all.push(row("telegraph.fall", &rtn.fall, "1/pulse", "probability to leave it"));
    all.push(row("telegraph.amplitude", &rtn.amplitude, "", "largest step of ln R in the high state"));
    all
}

fn analog(p: &SoftBoundsParameters) -> Vec<Parameter> {
    let mut all = vec![
        row("step", &p.step, "weight", "mean step at weight 0"),
        row("upper", &p.upper, "weight", "mean upper bound"),
        row("lower", &p.lower, "weight", "mean lower bound"),
        row("up-down", &p.up_down, "step", "asymmetry: above 0 shorter steps down, below 0 shorter ones up"),
        row("step-spread", &p.step_spread, "step", "device-to-device spread of the step"),
        row("upper-spread", &p.upper_spread, "bound", "device-to-device spread of the upper bound"),
        row("lower-spread", &p.lower_spread, "bound", "device-to-device spread of the lower bound"),
        row("up-down-spread", &p.up_down_spread, "step", "device-to-device spread of the asymmetry"),
        row("step-noise", &p.step_noise, "step", "noise from pulse to pulse"),
        row("write-noise", &p.write_noise, "step", "noise of the visible weight"),
    ];
    let switches = [
        ("log-normal", p.log_normal, "the spread of the step is that of its logarithm"),
        ("multiplicative", p.multiplicative, "the noise from pulse to pulse multiplies the step"),
        ("centred", p.centred, "weight 0 is the symmetry point of each device"),
    ];
    let on = switches.into_iter().filter(|s| s.1);
    all.extend(on.map(|(name, on, about)| row(name, &on, "", about)));
    let slopes = [("up-slope", p.up_slope, "upper"), ("down-slope", p.down_slope, "lower")];
    all.extend(slopes.into_iter().filter_map(|(name, slope, bound)| {
        let about = if bound == "upper" {
            "share of a step lost at the mean upper bound"
        } else {
            "share of a step lost at the mean lower bound"
        };
        Some(row(name, &slope?, "step", about))
    }));
    let more = [
        ("slope-spread", p.slope_spread, "step", "device-to-device spread of both slopes"),
        ("reference-spread", p.reference_spread, "weight", "device-to-device spread of what weight 0 is"),
    ];
    all.extend(
        more.into_iter().filter(|m| m.1 > 0.0).map(|(name, v, unit, about)| row(name, &v, unit, about)),
    );
    all
}

fn row(name: &str, value: &impl Serialize, unit: &'static str, about: &'static str) -> Parameter {
    let value = toml::Value::try_from(value).map_or_else(|_| String::new(), |value| value.to_string());
    Parameter { name: name.into(), value, unit, about }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::device::{built_in, presets};

    #[test]
    fn every_preset_shows_every_key_of_its_file() {
        for preset in presets() {
            let text = built_in(&preset.name).unwrap();
            let population = Population::from_toml(text).unwrap();
            assert_eq!(population.head(), (preset.name.as_str(), preset.citation.as_str()));
            let shown: Vec<String> = population.parameters().into_iter().map(|p| p.name).collect();
            let table: toml::Table = text.parse().unwrap();
            for key in table.keys().filter(|key| !["name", "citation"].contains(&key.as_str())) {
                let is = |name: &&String| **name == *key || name.starts_with(&format!("{key}."));
                assert!(shown.iter().any(|name| is(&name)), "{}: {key}: {shown:?}", preset.name);
            }
        }
    }

    /// Means over many devices follow the mean law.
    #[test]
    fn simulated_devices_are_those_of_the_file() {
        let key = Key::new(3);
        let text = built_in("soft-bounds").unwrap().replace("step-noise = 3.75", "step-noise = 0");
        let all = Population::from_toml(&text).unwrap().simulate(4000, &[true; 30], &key).unwrap();
        let mean = |t: usize| all.iter().map(|d| d[t]).sum::<f64>() / all.len() as f64;
        // 1 − x/b_max at the mean lower bound: 1 + 0.75/1.25; devices that differ make it a little more.
        let slope = (mean(30) - mean(0)) / 30.0;
        assert!((slope / (0.002 * 1.6) - 1.0).abs() < 0.12, "{slope}");
        let all = Population::named("majumdar2021").unwrap().simulate(4000, &[false; 100], &key).unwrap();
        let mut last: Vec<f64> = all.iter().map(|d| d[100]).collect();
        last.sort_by(f64::total_cmp);
        // Without noise the median after 100 pulses is 7479 ohm; pink noise adds 5.4 %, telegraph noise less than 1 %.
        assert!((last[2000] / (7479.0 * 1.056) - 1.0).abs() < 0.02, "{}", last[2000]);
    }

    #[test]
    fn a_file_of_no_law_is_refused() {
        let error = Population::from_toml("name = \"x\"\n").unwrap_err();
        assert!(error.to_string().contains("no law") && error.hint().is_some());
        let error = Population::from_toml("step = 1\n").unwrap_err();
        assert!(error.to_string().contains("missing field"), "{error}");
        assert!(Population::named("no-such-file").unwrap_err().hint().unwrap().contains("ecram-mo"));
    }
}
