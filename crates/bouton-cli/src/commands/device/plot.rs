//! `bouton device plot`: what simulated devices do under pulses.

use super::super::figure;
use crate::csv;
use crate::printer::Printer;
use crate::report::figures::{Drawing, MILLIMETRE, Palette, Plot as Lines, Series};
use bouton::Result;
use bouton::device::{Law, Population};
use bouton::rng::Key;
use bouton::train::atomic;
use clap::Args;
use std::path::PathBuf;

/// About so many places of a curve are drawn.
const PLACES: usize = 300;
/// Width of the figure, and height of its text.
const WIDTH: f64 = 130.0 * MILLIMETRE;
const FONT: f64 = 8.0;

/// Draw what simulated devices do under pulses, up and then down
#[derive(Args, Debug)]
pub struct Plot {
    /// A built-in device, or a device file
    device: String,
    /// The figure (.svg, .png, .pdf); .csv for the pulses themselves, as `bouton device fit` reads them, twice up and down
    #[arg(short, long, value_name = "FILE")]
    output: PathBuf,
    /// Devices that are simulated
    #[arg(long, value_name = "N", default_value_t = 200, value_parser = clap::value_parser!(u16).range(1..))]
    devices: u16,
    /// Pulses of each direction [default: as many as bring the mean device near its bound]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(2..=100_000))]
    pulses: Option<u32>,
    /// Draws the devices and their noise
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
}

impl Plot {
    /// Carries it out.
    pub fn go(self, printer: &mut Printer) -> Result<()> {
        figure::known(&self.output, &["csv"])?;
        let population = Population::named(&self.device)?;
        let n = self.pulses.map_or_else(|| enough(&population), |n| n as usize);
        let once: Vec<bool> = match population.law() {
            Law::WeakReset => vec![false; n],
            Law::SoftBounds => (0..2 * n).map(|i| i < n).collect(),
        };
        let table = figure::ending(&self.output) == "csv";
        let cycles = if table && population.law() == Law::SoftBounds { 2 } else { 1 };
        let seen = population.simulate(self.devices.into(), &once.repeat(cycles), &Key::new(self.seed))?;
        if table {
            atomic::write(&self.output, pulses(&population, &once, &seen))?;
        } else {
            figure::write(&self.output, &draw(&population, n, &seen))?;
        }
        printer.line(self.output.display())
    }
}

/// Pulses that bring the mean device 95 % of the way, or past a breakpoint.
fn enough(population: &Population) -> usize {
    let pulses = match population {
        Population::WeakReset(p) => 3.0 * p.average().breakpoint,
        Population::SoftBounds(p) => {
            let device = p.draw([0.0; 7]);
            let range = device.upper - device.lower;
            // A step at the far bound, and what is left of it near its own.
            let reach = device.reach[0].min(1e6 * range);
            (3.0 * reach).min(range) / device.up * if reach > 2.0 * range { 1.0 } else { 2.0 }
        }
    };
    pulses.clamp(10.0, 10_000.0).round() as usize
}

/// The pulses as a table. Weights −1, 0 and 1 are 40, 50 and 60 µS.
fn pulses(population: &Population, once: &[bool], seen: &[Vec<f64>]) -> String {
    let (column, value): (_, fn(f64) -> String) = match population.law() {
        Law::WeakReset => ("resistance (ohm)", |r| format!("{r:.2}")),
        Law::SoftBounds => ("conductance (uS)", |w| format!("{:.4}", (50.0 + 10.0 * w).max(1e-4))),
    };
    let heading = ["device", "cycle", "pulse", "direction", column].map(String::from);
    let rows = seen.iter().enumerate().flat_map(|(device, seen)| {
        seen.iter().skip(1).enumerate().map(move |(i, v)| {
            let (cycle, pulse) = (1 + i / once.len(), 1 + i % once.len());
            let direction = if once[pulse - 1] { "set" } else { "reset" };
            vec![
                format!("d{}", device + 1),
                cycle.to_string(),
                pulse.to_string(),
                direction.into(),
                value(*v),
            ]
        })
    });
    csv::table(&heading, &rows.collect::<Vec<_>>())
}

fn draw(population: &Population, n: usize, seen: &[Vec<f64>]) -> Drawing {
    let (name, _) = population.head();
    let (y_label, factor) = match population.law() {
        Law::WeakReset => ("resistance (kohm)", 1e-3),
        Law::SoftBounds => ("weight", 1.0),
    };
    let all = 0..seen.first().map_or(0, Vec::len);
    let every = all.len().div_ceil(PLACES).max(1);
    let places: Vec<usize> = all.step_by(every).collect();
    let values = |t: usize| {
        let mut values: Vec<f64> = seen.iter().map(|d| factor * d[t]).collect();
        values.sort_by(f64::total_cmp);
        values
    };
    let mean = |v: &[f64]| v.iter().sum::<f64>() / v.len() as f64;
    let at = |v: &[f64], p: f64| v[(p * (v.len() - 1) as f64).round() as usize];
    let of = |label: String, point: &dyn Fn(&[f64]) -> f64, band: Option<[f64; 2]>| {
        let sorted: Vec<_> = places.iter().map(|&t| (t as f64, values(t))).collect();
        let band = band.map(|[low, high]| sorted.iter().map(|(_, v)| (at(v, low), at(v, high))).collect());
        Series {
            label,
            points: sorted.iter().map(|(t, v)| (*t, point(v))).collect(),
            band: band.unwrap_or_default(),
        }
    };
    let devices = seen.len();
    let series = vec![
        of(format!("mean of {devices} devices, 5 to 95 % of them"), &mean, Some([0.05, 0.95])),
        of("median, 25 to 75 %".into(), &|v| at(v, 0.5), Some([0.25, 0.75])),
        one("a single device", seen, &places, factor),
    ];
    let boundaries = if population.law() == Law::SoftBounds { vec![n as f64] } else { Vec::new() };
    let x_label = match population.law() {
        Law::WeakReset => "RESET pulses since the SET",
        Law::SoftBounds => "pulses up, then down",
    };
    let (title, x_label, y_label) = (name.to_owned(), x_label.into(), y_label.into());
    let lines =
        Lines { title, x_label, y_label, series, boundaries, width: WIDTH, font: FONT, ..Lines::default() };
    lines.draw(&mut Palette::default())
}

fn one(label: &str, seen: &[Vec<f64>], places: &[usize], factor: f64) -> Series {
    let device = seen.first().map_or(&[][..], Vec::as_slice);
    let points = places.iter().map(|&t| (t as f64, factor * device[t])).collect();
    Series { label: label.into(), points, band: Vec::new() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn enough_pulses_bring_every_built_in_device_near_its_bound() {
        for preset in bouton::device::presets() {
            let population = Population::named(&preset.name).unwrap();
            let Population::SoftBounds(p) = &population else { continue };
            let device = p.draw([0.0; 7]);
            let end = (0..enough(&population)).fold(device.lower, |x, _| device.pulse(x, true, 0.0));
            let way = (end - device.lower) / (device.upper - device.lower);
            assert!(way > 0.8, "{}: {way}", preset.name);
        }
    }
}
