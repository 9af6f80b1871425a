//! The devices of resistive pairs: drawn once, told apart by number, pulsed, SET and read.
//!
//! ln R = ln R0 + c1 + w(t) + w_RTN + w_pink,  t pulses after the last SET
//!
//! What differs between devices and the noise of the pulses come from counters: a device has its uniform numbers, and so
//! has each of its pulses, so that neither the pink register nor the telegraph amplitude needs memory.

use super::{Draw, Rram};
use crate::Result;
use crate::device::{Device, DeviceParameters};
use bouton_kernels::vectorize;

/// Number of a device's uniforms that stand for its parameters; those of its pulses come behind.
const PARAMETERS: u64 = 6;
const TELEGRAPH: u64 = 5;
/// Taps of the pink register that are drawn side by side.
const LANES: usize = 16;

/// What is kept of one device.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Cell {
    /// ln R0 + c1 since the last SET.
    pub level: f64,
    /// m1.
    pub early: f64,
    /// t*.
    pub breakpoint: f64,
    /// m2.
    pub late: f64,
    /// Pulses so far.
    pub pulses: f64,
    /// Pulses at the last SET.
    pub set: f64,
    /// 1 in the high state of the telegraph noise, else 0.
    pub high: f64,
}

impl Cell {
    /// ln R without noise.
    #[inline(always)]
    pub fn growth(&self) -> f64 {
        let law = Device {
            early_slope: self.early,
            breakpoint: self.breakpoint,
            offset: self.level,
            late_slope: self.late,
            fresh_resistance: 1.0,
            telegraph: 0.0,
        };
        law.growth(self.pulses - self.set)
    }

    /// The numbers in the order of the fields.
    #[inline(always)]
    pub fn values(&self) -> [f64; 7] {
        [self.level, self.early, self.breakpoint, self.late, self.pulses, self.set, self.high]
    }
}

impl From<[f64; 7]> for Cell {
    #[inline(always)]
    fn from([level, early, breakpoint, late, pulses, set, high]: [f64; 7]) -> Self {
        Self { level, early, breakpoint, late, pulses, set, high }
    }
}

/// A population of devices with the imperfections that are switched on.
#[derive(Clone, Debug)]
pub(super) struct Devices {
    d2d: bool,
    rtn: bool,
    pink: bool,
    offset: bool,
    parameters: DeviceParameters,
    average: Device,
    taps: Vec<f64>,
    /// Probability of the high telegraph state after so many pulses, from the low and from the high one.
    telegraph: Vec<[f64; 2]>,
}

impl Devices {
    /// The devices of `spec`.
    pub fn new(spec: &Rram) -> Result<Self> {
        let parameters = spec.parameters()?;
        let amplitude = parameters.pink.amplitude;
        Ok(Self {
            d2d: spec.d2d,
            rtn: spec.rtn,
            pink: spec.pink,
            offset: spec.offset,
            average: parameters.average(),
            taps: parameters.pink.coefficients().into_iter().map(|b| amplitude * b).collect(),
            telegraph: (0..=if spec.rtn { spec.pulses } else { 0 })
                .map(|n| [false, true].map(|high| parameters.telegraph.high_after(high, n)))
                .collect(),
            parameters,
        })
    }

    /// Device `of` before any pulse.
    pub fn fresh(&self, of: Draw) -> Cell {
        let uniforms = std::array::from_fn(|k| of.uniform(k as u64));
        let device = if self.d2d { self.parameters.draw(uniforms) } else { self.average };
        let offset = if self.offset { device.offset } else { 0.0 };
        Cell {
            level: device.fresh_resistance.ln() + offset,
            early: device.early_slope,
            breakpoint: device.breakpoint,
            late: device.late_slope,
            pulses: 0.0,
            set: 0.0,
            high: 0.0,
        }
    }

    #[inline(always)]
    fn offset(&self, of: Draw) -> f64 {
        match (self.offset, self.d2d) {
            (false, _) => 0.0,
            (true, false) => self.average.offset,
            (true, true) => self.parameters.offset.quantile(of.uniform(2)),
        }
    }

    /// SETs a device: R0 is drawn anew from `uniform`, everything else stays its own.
    #[inline(always)]
    pub fn set(&self, cell: &mut Cell, of: Draw, uniform: f64) {
        let fresh = &self.parameters.fresh_resistance;
        let resistance = if self.d2d { fresh.quantile(uniform) } else { self.average.fresh_resistance };
        cell.level = resistance.ln() + self.offset(of);
        cell.set = cell.pulses;
    }

    /// Applies `n` RESET pulses; `uniform` decides about the telegraph state behind them.
    #[inline(always)]
    pub fn pulse(&self, cell: &mut Cell, n: f64, uniform: f64) {
        cell.pulses += n;
        if self.rtn {
            let high = self.telegraph[n as usize][usize::from(cell.high > 0.5)];
            cell.high = f64::from(u8::from(uniform < high));
        }
    }

    /// ln R; two uniforms redraw the telegraph step.
    #[inline(always)]
    pub fn read(&self, cell: &Cell, of: Draw, uniforms: impl FnOnce() -> [f64; 2]) -> f64 {
        let mut read = cell.growth();
        if cell.high > 0.5 {
            let largest = if self.d2d { of.uniform::<f64>(TELEGRAPH) } else { 0.5 };
            let [u, v] = uniforms();
            read += u * v * largest * self.parameters.telegraph.amplitude;
        }
        if self.pink {
            read += self.pink(cell.pulses as u64, of);
        }
        read
    }

    /// w_pink after so many pulses: the register starts at zeros, and pulses are numbered from 1.
    #[inline(always)]
    fn pink(&self, pulses: u64, of: Draw) -> f64 {
        let taps = &self.taps[..self.taps.len().min(pulses as usize)];
        vectorize(
            #[inline(always)]
            || {
                let mut sum = 0.0;
                for (block, taps) in taps.chunks(LANES).enumerate() {
                    let newest = PARAMETERS + pulses - (block * LANES) as u64;
                    let mut terms = [0.0; LANES];
                    for (i, (term, tap)) in terms.iter_mut().zip(taps).enumerate() {
                        *term = tap * of.uniform::<f64>(newest - i as u64);
                    }
                    sum = terms[..taps.len()].iter().fold(sum, |sum, term| sum + term);
                }
                sum
            },
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn devices(change: impl Fn(&mut Rram)) -> Devices {
        let mut spec = Rram { d2d: false, rtn: false, pink: false, offset: false, ..Rram::default() };
        change(&mut spec);
        Devices::new(&spec).unwrap()
    }

    fn of(index: u64) -> Draw {
        Draw { key: 11, index }
    }

    fn median(mut values: Vec<f64>) -> f64 {
        values.sort_by(f64::total_cmp);
        values[values.len() / 2]
    }

    #[test]
    fn populations_have_the_published_medians() {
        let all = devices(|s| (s.d2d, s.offset) = (true, true));
        let cells: Vec<Cell> = (0..40_000).map(|i| all.fresh(of(i))).collect();
        let check = |of: &dyn Fn(&Cell) -> f64, printed: f64, relative: f64| {
            let found = median(cells.iter().map(of).collect());
            assert!((found / printed - 1.0).abs() < relative, "{found} {printed}");
        };
        check(&|c| c.level.exp(), 7032.0, 0.005);
        check(&|c| c.early, 4.90e-4, 0.03);
        check(&|c| c.breakpoint, 515.0, 0.03);
        check(&|c| c.late, 1.97e-5, 0.04);
        check(&|c| Cell { pulses: 1000.0, ..*c }.growth().exp(), 9041.0, 0.02);
    }

    #[test]
    fn resistance_only_grows_without_noise() {
        let all = devices(|s| (s.d2d, s.offset) = (true, true));
        for i in 0..100 {
            let mut cell = all.fresh(of(i));
            let mut last = f64::MIN;
            for t in 0..400 {
                let read = all.read(&cell, of(i), || panic!("no noise"));
                assert!(read > last && cell.pulses == f64::from(7 * t));
                last = read;
                all.pulse(&mut cell, 7.0, 0.0);
            }
        }
    }

    /// α = 0.025 and fifteen taps: mean 0.0542, standard deviation 0.0100.
    #[test]
    fn pink_noise_has_its_moments_and_starts_from_nothing() {
        let pink = devices(|s| s.pink = true);
        let noise = |i, pulses| {
            let cell = Cell { pulses, ..pink.fresh(of(i)) };
            pink.read(&cell, of(i), || panic!("no telegraph noise")) - cell.growth()
        };
        assert_eq!(noise(3, 0.0), 0.0);
        let first = 0.025 * of(3).uniform::<f64>(PARAMETERS + 1);
        assert!((noise(3, 1.0) - first).abs() < 1e-12);
        let second = 0.025 * (of(3).uniform::<f64>(PARAMETERS + 2)) + 0.5 * first;
        assert!((noise(3, 2.0) - second).abs() < 1e-12, "the register shifts");
        let all: Vec<f64> = (0..20_000).map(|i| noise(i, 40.0)).collect();
        let mean = all.iter().sum::<f64>() / all.len() as f64;
        let sd = (all.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / all.len() as f64).sqrt();
        assert!((mean - 0.0542).abs() < 5e-4 && (sd - 0.01).abs() < 3e-4, "{mean} {sd}");
    }

    /// More taps than are drawn side by side: the sum is still Σ tap_k u_k, newest first, bit for bit.
    #[test]
    fn a_long_pink_register_is_the_plain_sum() {
        let mut pink = devices(|s| s.pink = true);
        pink.taps = (0..40).map(|k| 0.5 + 0.01 * f64::from(k)).collect();
        for pulses in [1, 16, 17, 40, 60] {
            let draws = (1..=pulses).rev().map(|pulse| of(3).uniform::<f64>(PARAMETERS + pulse));
            let plain = pink.taps.iter().zip(draws).fold(0.0, |sum, (tap, u)| sum + tap * u);
            assert_eq!(pink.pink(pulses, of(3)).to_bits(), plain.to_bits(), "{pulses}");
        }
    }

    #[test]
    fn telegraph_noise_is_high_two_sevenths_of_the_time_and_adds_a_bounded_step() {
        let noisy = devices(|s| s.rtn = true);
        let mut cells: Vec<Cell> = (0..4000).map(|i| noisy.fresh(of(i))).collect();
        for t in 0..400 {
            for (i, cell) in cells.iter_mut().enumerate() {
                noisy.pulse(cell, 14.0, Draw { key: t, index: i as u64 }.uniform(0));
            }
        }
        let share = cells.iter().map(|c| c.high).sum::<f64>() / 4000.0;
        assert!((share - 0.2857).abs() < 0.03, "{share}");
        let cell = cells.iter().find(|c| c.high == 1.0).unwrap();
        let step = noisy.read(cell, of(0), || [0.5, 0.5]) - cell.growth();
        assert!((step - 0.25 * 0.5 * 0.5).abs() < 1e-12, "{step}");
    }

    #[test]
    fn a_set_draws_the_fresh_resistance_only() {
        let all = devices(|s| (s.d2d, s.offset) = (true, true));
        let mut cell = all.fresh(of(1));
        all.pulse(&mut cell, 9.0, 0.0);
        let before = cell;
        all.set(&mut cell, of(1), 0.5);
        let offset = all.parameters.offset.quantile(of(1).uniform(2));
        assert!((cell.growth() - offset - 6996f64.ln()).abs() < 1e-3);
        assert_eq!(Cell { level: before.level, set: 0.0, ..cell }, before);
        assert_eq!(cell.set, 9.0);
    }
}
