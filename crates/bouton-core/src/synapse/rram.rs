//! The resistive pair: two filamentary devices under weak RESET pulses, whose difference has the weight's sign.
//!
//! W = scale·sign(R_BL − R_BLb);  n = round(clip(Δ, ±`pulses`)): n pulses on BL if n > 0, else |n| on BLb
//!
//! Majumdar, Bocquet, Hirtzlin, Laborieux, Klein, Nowak, Vianello, Portal & Querlioz, IEEE Trans. Electron Devices 68:4925
//! (2021); the device is [`crate::device::Device`]. A proposal is a number of pulses, so that with Adam the learning rate
//! is pulses per update (8 or 100 in the paper). Nothing is hidden: what remembers is the ratio of two resistances. Without
//! `set` both only grow. Arithmetic is in 64 bits, storage in the recipe's precision.

use super::rram_device::{Cell, Devices};
use super::{Draw, Info, SignKeys, SignOfZero, Site, Synapse, SynapseMethod, WeightTraits, array, owned};
use crate::Result;
use crate::axis::{Cite, Place};
use crate::device::{self, DeviceParameters};
use bouton_kernels::{Elem, View, ViewMut, dispatch};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::ops::Range;

/// A weight of ±`scale` from a pair of resistive devices (`[synapse.rram]`).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct Rram {
    /// The device population: a built-in preset (`bouton list devices`), a file, or the text of one. Default:
    /// `majumdar2021`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub device: Option<String>,
    /// Whether devices differ. If not, all have the mean parameters, and every pair starts with one pulse on the side
    /// that the wiring's number favours, or all weights would be alike. Default true.
    pub d2d: bool,
    /// Whether there is random telegraph noise. Default true.
    pub rtn: bool,
    /// Whether there is 1/f noise. Default true.
    pub pink: bool,
    /// Whether there is the offset c1 of ln R, a part of what differs between devices; without `d2d` it is alike in both
    /// devices of a pair and cancels. Default true.
    pub offset: bool,
    /// Whether pulses that turn the sign are followed by a SET of both devices and applied once more to the fresh ones.
    /// Default false.
    pub set: bool,
    /// Metaplastic protection m: pulses that would bring the pair nearer to turning are multiplied by
    /// 1 − tanh²(m·ln(R_BL/R_BLb)), the hidden weight of a pair being physical. Default 0: none.
    #[schemars(extend("minimum" = 0, "maximum" = 1e6, "x-hint" = "leave it out for no protection"))]
    pub m: f64,
    /// Most pulses of one update, from 1 to 10000. Default 14.
    #[schemars(extend("minimum" = 1, "maximum" = 10_000, "x-hint" = "14 is usual"))]
    pub pulses: u32,
    /// Size of the weight. Default 1; networks without normalisation need about 1/√fan_in.
    #[schemars(extend(
        "exclusiveMinimum" = 0, "maximum" = 1e6,
        "x-hint" = "1, or about 1/√fan_in without normalisation"
    ))]
    pub scale: f64,
    /// Weight of a pair of equal resistances.
    pub zero: SignOfZero,
}

impl Default for Rram {
    fn default() -> Self {
        Self {
            device: None,
            d2d: true,
            rtn: true,
            pink: true,
            offset: true,
            set: false,
            m: 0.0,
            pulses: 14,
            scale: 1.0,
            zero: SignOfZero::Plus,
        }
    }
}

impl Rram {
    /// The population of devices.
    ///
    /// # Errors
    /// If its file cannot be read, or a parameter is missing, unknown or impossible.
    pub fn parameters(&self) -> Result<DeviceParameters> {
        let Some(device) = &self.device else { return DeviceParameters::majumdar2021() };
        DeviceParameters::from_toml(&device::text("rram", device)?)
    }
}

/// ln(R_BL/R_BLb) without noise, from the states of a pair in the order of [`RRAM_STATES`].
pub fn log_ratio(state: [f64; VALUES - 1]) -> f64 {
    let [bl, blb] = [0, 7].map(|first| Cell::from(std::array::from_fn(|k| state[first + k])).growth());
    bl - blb
}

/// The pairs of one connection.
#[derive(Debug)]
struct RramPair {
    spec: Rram,
    devices: Devices,
    key: u64,
}

/// Values of a pair: the weight, then BL and BLb.
const VALUES: usize = 15;
/// Those that tell whether a device is in the high state.
const HIGH: [usize; 2] = [7, 14];
/// What is kept of a pair, by the names of checkpoints.
pub const RRAM_STATES: [&str; VALUES - 1] = [
    "rram.bl.level",
    "rram.bl.early",
    "rram.bl.breakpoint",
    "rram.bl.late",
    "rram.bl.pulses",
    "rram.bl.set",
    "rram.bl.high",
    "rram.blb.level",
    "rram.blb.early",
    "rram.blb.breakpoint",
    "rram.blb.late",
    "rram.blb.pulses",
    "rram.blb.set",
    "rram.blb.high",
];

impl RramPair {
    /// The random numbers that belong to the two devices of pair `index` for good.
    #[inline(always)]
    fn of(&self, index: u64) -> [Draw; 2] {
        let of = |side| Draw { key: self.key, index: 2 * index + side };
        [of(0), of(1)]
    }

    /// W; `number` is the first of four uniforms of this update.
    #[inline(always)]
    fn weight(&self, cells: &[Cell; 2], draw: Draw, number: u64) -> f64 {
        self.spec.scale * self.spec.zero.sign(self.gap(cells, draw, number))
    }

    /// ln(R_BL/R_BLb).
    #[inline(always)]
    fn gap(&self, cells: &[Cell; 2], draw: Draw, number: u64) -> f64 {
        let of = self.of(draw.index);
        let uniforms = |first| [draw.uniform(first), draw.uniform(first + 1)];
        let bl = self.devices.read(&cells[0], of[0], || uniforms(number));
        bl - self.devices.read(&cells[1], of[1], || uniforms(number + 2))
    }

    /// What is left of the proposal `delta` behind the protection.
    #[inline(always)]
    fn protected(&self, delta: f64, weight: f64, cells: &[Cell; 2], draw: Draw) -> f64 {
        if self.spec.m == 0.0 || delta * weight >= 0.0 {
            return delta;
        }
        let t = (self.spec.m * self.gap(cells, draw, 12)).tanh();
        delta * (1.0 - t * t)
    }

    /// The first weight of the pair `draw.index`.
    fn init(&self, drawn: f64, draw: Draw) -> (f64, [Cell; 2]) {
        let mut cells = self.of(draw.index).map(|of| self.devices.fresh(of));
        if !self.spec.d2d {
            self.devices.pulse(&mut cells[usize::from(drawn < 0.0)], 1.0, draw.uniform(4));
        }
        (self.weight(&cells, draw, 0), cells)
    }

    /// The weight after `n` pulses.
    #[inline(always)]
    fn update(&self, n: f64, old: f64, cells: &mut [Cell; 2], draw: Draw) -> f64 {
        let side = usize::from(n < 0.0);
        if n != 0.0 {
            self.devices.pulse(&mut cells[side], n.abs(), draw.uniform(4));
        }
        let new = self.weight(cells, draw, 0);
        let turned = n != 0.0 && new * old < 0.0;
        if !(turned && self.spec.set) {
            return new;
        }
        for ((cell, of), number) in cells.iter_mut().zip(self.of(draw.index)).zip([5, 6]) {
            self.devices.set(cell, of, draw.uniform(number));
        }
        self.devices.pulse(&mut cells[side], n.abs(), draw.uniform(7));
        self.weight(cells, draw, 8)
    }
}

/// The two devices of pair `i`.
#[inline(always)]
fn cells<T: Elem>(values: &[&mut [T]; VALUES], i: usize) -> [Cell; 2] {
    [1, 8].map(|first| Cell::from(std::array::from_fn(|k| values[first + k][i].to_f64())))
}

/// Values of a device that pulses change; a SET changes its level, too.
const PULSED: Range<usize> = 4..7;

#[inline(always)]
fn store<T: Elem>(
    values: &mut [&mut [T]; VALUES],
    i: usize,
    weight: f64,
    cells: &[Cell; 2],
    changed: Range<usize>,
) {
    values[0][i] = T::from_f64(weight);
    for (cell, first) in cells.iter().zip([1, 8]) {
        let new = cell.values();
        changed.clone().for_each(|k| values[first + k][i] = T::from_f64(new[k]));
    }
}

const INFO: Info = Info { stochastic: true, ..Info::PLAIN };

impl Synapse for RramPair {
    fn states(&self) -> Vec<String> {
        owned(&RRAM_STATES)
    }

    fn info(&self) -> Info {
        INFO
    }

    fn init(&self, key: u64, mut weight: ViewMut<'_>, state: &mut [ViewMut<'_>]) {
        dispatch!(weight.dtype(), T => {
            let mut values = array::<T, VALUES>(&mut weight, state);
            for i in 0..values[0].len() {
                let (weight, cells) = self.init(values[0][i].to_f64(), Draw { key, index: i as u64 });
                store(&mut values, i, weight, &cells, 0..7);
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
                let (old, delta) = (values[0][i].to_f64(), delta.to_f64());
                // Without a pulse only telegraph noise moves.
                if delta.abs() <= 0.5 && HIGH.iter().all(|&high| values[high][i] == T::from_f64(0.0)) {
                    continue;
                }
                let (mut cells, draw) = (cells(&values, i), Draw { key, index: (at + i) as u64 });
                let n = self.protected(delta, old, &cells, draw).clamp(-most, most).round_ties_even();
                let new = self.update(n, old, &mut cells, draw);
                store(&mut values, i, new, &cells, if self.spec.set { 0..7 } else { PULSED });
            }
        });
    }
}

impl SynapseMethod for Rram {
    fn check(&self, _: &Place) -> Result<()> {
        self.parameters().map(drop)
    }

    fn cites(&self) -> Vec<Cite> {
        vec![Cite::of("majumdar2021")]
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
        &["d2d", "rtn", "pink", "offset"]
    }

    fn examples() -> Vec<Self> {
        let base = Self::default();
        let ideal =
            Self { d2d: false, rtn: false, pink: false, offset: false, set: true, m: 1.0, ..base.clone() };
        vec![base, Self { device: Some("majumdar2021".into()), zero: SignOfZero::Zero, ..ideal }]
    }

    fn build(&self, site: Site) -> Result<Box<dyn Synapse>> {
        Ok(Box::new(RramPair { devices: Devices::new(self)?, spec: self.clone(), key: site.key }))
    }
}

#[cfg(test)]
mod tests;
