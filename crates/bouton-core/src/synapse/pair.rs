//! The sign of a pair of devices of any law: what one device cannot hold exactly, two compare.
//!
//! W = scale·sign(x_a − x_b);  n = round(clip(Δ, ±`pulses`)): n pulses up on a and down on b if n > 0, else the other way round
//!
//! x is the weight of an analog device ([`crate::device::SoftBounds`], Fusi & Abbott 2007). A device that pulses can only reset
//! ([`crate::device::Device`], Majumdar et al. 2021) takes those of its own side alone, and x is its ln R: that is
//! `[synapse.rram]`, which has a switch for each of its imperfections. A proposal is a number of pulses, as there. A fraction of a
//! pulse is rounded, so that nothing is drawn but what the devices do.

use super::soft_bounds::{Analog, VALUES as DEVICE};
use super::{
    Draw, Info, Rram, SignKeys, SignOfZero, Site, SoftBoundsSynapse, Synapse, SynapseMethod, WeightTraits,
    array, owned,
};
use crate::Result;
use crate::axis::{Cite, Place};
use crate::device::Population;
use bouton_kernels::{Elem, View, ViewMut, dispatch};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A weight of ±`scale` from two devices of any law (`[synapse.pair]`).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct Pair {
    /// The device population: a built-in preset (`bouton device list`), a file, or the text of one. Default: `soft-bounds`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub device: Option<String>,
    /// Whether devices differ. Default true.
    pub d2d: bool,
    /// Whether a device does not do the same each time. Default true.
    pub noise: bool,
    /// Most pulses of one update. Default 14.
    #[schemars(extend("minimum" = 1, "maximum" = 10_000, "x-hint" = "14 is usual"))]
    pub pulses: u32,
    /// Size of the weight. Default 1; networks without normalisation need about 1/√fan_in.
    #[schemars(extend(
        "exclusiveMinimum" = 0, "maximum" = 1e6,
        "x-hint" = "1, or about 1/√fan_in without normalisation"
    ))]
    pub scale: f64,
    /// Weight of a pair of equal devices.
    pub zero: SignOfZero,
}

impl Default for Pair {
    fn default() -> Self {
        Self { device: None, d2d: true, noise: true, pulses: 14, scale: 1.0, zero: SignOfZero::Plus }
    }
}

impl Pair {
    fn population(&self) -> Result<Population> {
        Population::of("pair", self.device.as_deref().unwrap_or("soft-bounds"))
    }

    /// The same pair as one that is reset alone.
    fn resistive(&self) -> Rram {
        let Self { device, d2d, noise, pulses, scale, zero } = self.clone();
        let base = Rram::default();
        Rram { device, d2d, rtn: noise, pink: noise, offset: d2d, pulses, scale, zero, ..base }
    }

    fn analog(&self, key: u64) -> Result<Analog> {
        let (device, d2d) = (self.device.clone(), self.d2d);
        let [step_noise, write_noise] = [self.noise; 2];
        SoftBoundsSynapse { device, d2d, step_noise, write_noise, pulses: self.pulses }.analog(key)
    }
}

/// Values of a pair: the weight, then both devices with what is seen of them, then the pulses that each took.
const VALUES: usize = 1 + 2 * DEVICE + 2;
const STATES: [&str; VALUES - 1] = [
    "pair.a.seen",
    "pair.a.held",
    "pair.a.up",
    "pair.a.down",
    "pair.a.upper",
    "pair.a.lower",
    "pair.b.seen",
    "pair.b.held",
    "pair.b.up",
    "pair.b.down",
    "pair.b.upper",
    "pair.b.lower",
    "pair.up-pulses",
    "pair.down-pulses",
];

/// The pairs of one connection.
#[derive(Debug)]
struct AnalogPair {
    devices: Analog,
    spec: Pair,
}

impl AnalogPair {
    fn init(&self, drawn: f64, draw: Draw) -> [f64; VALUES] {
        let [a, b] = sides(draw).map(|(draw, side)| self.devices.init(0.5 * side * drawn, draw));
        self.values(a, b, [0.0; 2])
    }

    /// The values after `n` pulses.
    fn update(&self, n: f64, old: [f64; VALUES], draw: Draw) -> [f64; VALUES] {
        if n == 0.0 {
            return old;
        }
        let mut devices = sides(draw).into_iter().enumerate().map(|(k, (draw, side))| {
            let device = std::array::from_fn(|i| old[1 + k * DEVICE + i]);
            self.devices.pulsed(n.abs() as u64, n * side > 0.0, device, draw)
        });
        let [a, b] = std::array::from_fn(|_| devices.next().unwrap_or_default());
        let counted = [old[VALUES - 2] + n.max(0.0), old[VALUES - 1] - n.min(0.0)];
        self.values(a, b, counted)
    }

    fn values(&self, a: [f64; DEVICE], b: [f64; DEVICE], counted: [f64; 2]) -> [f64; VALUES] {
        let mut values = [0.0; VALUES];
        values[0] = self.spec.scale * self.spec.zero.sign(a[0] - b[0]);
        let all = a.into_iter().chain(b).chain(counted);
        values[1..].iter_mut().zip(all).for_each(|(value, new)| *value = new);
        values
    }
}

/// The random numbers of both devices of a pair, and the sign with which each counts.
fn sides(Draw { key, index }: Draw) -> [(Draw, f64); 2] {
    [(Draw { key, index: 2 * index }, 1.0), (Draw { key, index: 2 * index + 1 }, -1.0)]
}

const INFO: Info = Info { stochastic: true, ..Info::PLAIN };

impl Synapse for AnalogPair {
    fn states(&self) -> Vec<String> {
        owned(&STATES)
    }

    fn info(&self) -> Info {
        INFO
    }

    fn init(&self, key: u64, mut weight: ViewMut<'_>, state: &mut [ViewMut<'_>]) {
        dispatch!(weight.dtype(), T => {
            let mut values = array::<T, VALUES>(&mut weight, state);
            for i in 0..values[0].len() {
                let new = self.init(values[0][i].to_f64(), Draw { key, index: i as u64 });
                values.iter_mut().zip(new).for_each(|(v, new)| v[i] = T::from_f64(new));
            }
        });
    }

    fn update(
        &self,
        key: u64,
        at: usize,
        delta: View<'_>,
        mut weight: ViewMut<'_>,
        state: &mut [ViewMut<'_>],
    ) {
        let most = f64::from(self.spec.pulses);
        dispatch!(delta.dtype(), T => {
            let (delta, mut values) = (delta.slice::<T>(), array::<T, VALUES>(&mut weight, state));
            for (i, delta) in delta.iter().enumerate() {
                let n = delta.to_f64().clamp(-most, most).round_ties_even();
                let old = std::array::from_fn(|k| values[k][i].to_f64());
                let new = self.update(n, old, Draw { key, index: (at + i) as u64 });
                values.iter_mut().zip(new).for_each(|(v, new)| v[i] = T::from_f64(new));
            }
        });
    }
}

impl SynapseMethod for Pair {
    fn check(&self, _: &Place) -> Result<()> {
        self.population().map(drop)
    }

    fn cites(&self) -> Vec<Cite> {
        match (self.population(), &self.device) {
            (Ok(Population::WeakReset(_)), _) => vec![Cite::of("majumdar2021")],
            (_, None) => vec![Cite::of("gong2018")],
            // Other files tell of their own sources.
            _ => Vec::new(),
        }
    }

    fn traits(&self) -> WeightTraits {
        WeightTraits::bits(INFO, self.scale, self.zero)
    }

    fn sign_keys(&mut self) -> Option<SignKeys<'_>> {
        Some(SignKeys { zero: &mut self.zero, window: None, clip: None })
    }

    fn device(&mut self) -> Option<&mut Option<String>> {
        Some(&mut self.device)
    }

    fn imperfections(&self) -> &'static [&'static str] {
        &["d2d", "noise"]
    }

    fn examples() -> Vec<Self> {
        let base = Self::default();
        let ideal = Self { d2d: false, noise: false, zero: SignOfZero::Zero, scale: 0.5, ..base.clone() };
        let devices = ["majumdar2021", "reram-array-om", "ecram"].map(|device| Some(device.to_owned()));
        let others = devices.map(|device| Self { device, ..base.clone() });
        [vec![base, ideal], others.into()].concat()
    }

    fn build(&self, site: Site) -> Result<Box<dyn Synapse>> {
        match self.population()? {
            Population::WeakReset(_) => self.resistive().build(site),
            Population::SoftBounds(_) => {
                Ok(Box::new(AnalogPair { devices: self.analog(site.key)?, spec: self.clone() }))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ideal() -> AnalogPair {
        let spec = Pair { d2d: false, noise: false, zero: SignOfZero::Zero, scale: 0.5, ..Pair::default() };
        AnalogPair { devices: spec.analog(4).unwrap(), spec }
    }

    const DRAW: Draw = Draw { key: 3, index: 5 };

    /// Closed form of the preset: b_max (1 − (1 − a/b_max)ⁿ) against b_min, in opposite directions.
    #[test]
    fn pulses_up_one_device_and_down_the_other() {
        let pair = ideal();
        let mut values = pair.init(0.0, DRAW);
        assert_eq!(values[0], 0.0, "equal devices");
        for _ in 0..5 {
            values = pair.update(10.0, values, DRAW);
        }
        let toward = |bound: f64| bound * (1.0 - (1.0 - 0.002 / bound.abs()).powi(50));
        assert!((values[2] - toward(1.25)).abs() < 1e-12 && (values[8] - toward(-0.75)).abs() < 1e-12);
        assert_eq!((values[0], values[13], values[14]), (0.5, 50.0, 0.0));
        // What went up comes down again, and crosses zero but once.
        let signs: Vec<f64> = (0..12)
            .scan(values, |v, _| {
                *v = pair.update(-10.0, *v, DRAW);
                Some(v[0])
            })
            .collect();
        assert_eq!(signs[0], 0.5);
        assert_eq!(signs[11], -0.5);
        assert_eq!(signs.windows(2).filter(|w| w[0] != w[1]).count(), 1, "{signs:?}");
    }

    #[test]
    fn the_first_sign_is_the_one_that_was_drawn_and_devices_differ() {
        let spec = Pair { noise: false, ..Pair::default() };
        let pair = AnalogPair { devices: spec.analog(4).unwrap(), spec };
        for index in 0..50 {
            let values = pair.init(if index % 2 == 0 { 0.1 } else { -0.1 }, Draw { key: 3, index });
            assert_eq!(values[0], if index % 2 == 0 { 1.0 } else { -1.0 });
            assert_ne!(values[3], values[9], "two devices are two");
        }
    }

    /// A device that can only be reset is the resistive pair, bit for bit.
    #[test]
    fn a_pair_that_is_reset_is_the_resistive_one() {
        let spec = Pair { device: Some("majumdar2021".into()), pulses: 9, ..Pair::default() };
        let site = Site { layer: 0, key: 5 };
        let expected = Rram { pulses: 9, ..Rram::default() };
        let states = |s: Box<dyn Synapse>| format!("{s:?}");
        assert_eq!(
            states(spec.build(site).unwrap()).replace("Some(\"majumdar2021\")", "None"),
            states(expected.build(site).unwrap())
        );
    }
}
