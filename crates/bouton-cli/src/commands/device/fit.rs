//! `bouton device fit`: from measured pulses to a device file.

use crate::printer::Printer;
use crate::report::{device_page, parameter_cells};
use bouton::device::Law;
use bouton::device::fit::{Asked, Fit as Fitted};
use bouton::device::pulses::{Pulses, Unit};
use bouton::train::atomic;
use bouton::{Error, Result};
use clap::builder::PossibleValue;
use clap::{Args, ValueEnum};
use serde_json::json;
use std::path::{Path, PathBuf};

/// Fit a device to measured pulses: a table with the columns device, cycle, pulse, direction and conductance
#[derive(Args, Debug)]
pub struct Fit {
    /// The pulses (CSV), one a line; directions are set and reset, +1 and -1, ltp and ltd
    pulses: PathBuf,
    /// The law
    #[arg(long, value_name = "LAW")]
    law: LawName,
    /// Unit of the conductances: S, mS, uS, nS, or ohm, kohm, Mohm [default: that of the header, as in `conductance (uS)`]
    #[arg(long, value_name = "UNIT")]
    unit: Option<String>,
    /// Conductances of the weights -1 and 1, in that unit [default: the least and the most measured]
    #[arg(long, value_name = "LOW,HIGH", value_delimiter = ',')]
    window: Vec<f64>,
    /// Where to write the device file, which recipes take as `device = "mine.toml"`
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Where to write a report of it, with what the law leaves over
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// A law as the command line names it.
#[derive(Clone, Copy, Debug)]
struct LawName(Law);

impl ValueEnum for LawName {
    fn value_variants<'a>() -> &'a [Self] {
        &[Self(Law::WeakReset), Self(Law::SoftBounds)]
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(PossibleValue::new(self.0.name()).help(self.0.about()))
    }
}

impl Fit {
    /// Carries it out.
    pub fn go(self, printer: &mut Printer) -> Result<()> {
        let place = self.pulses.display().to_string();
        let unit = self.unit.as_deref().map(Unit::parse).transpose()?;
        let bytes = std::fs::read(&self.pulses).map_err(|e| Error::io(&self.pulses, e))?;
        let pulses = Pulses::parse(&bytes, &place, unit)?;
        let asked = Asked {
            law: self.law.0,
            name: self.output.as_deref().map_or_else(|| "mine".into(), stem),
            source: source(&self.pulses, &pulses),
            window: window(&self.window, unit, &bytes)?,
        };
        let fit = Fitted::of(&pulses, &asked).map_err(|e| e.context(&place))?;
        if let Some(output) = &self.output {
            atomic::write(output, fit.to_toml()?)?;
        }
        if let Some(report) = &self.report {
            atomic::write(report, device_page(&asked.name, &fit)?)?;
        }
        if self.json { printer.json(&as_json(&fit)) } else { tell(printer, &fit) }
    }
}

fn stem(path: &Path) -> String {
    path.file_stem().unwrap_or_default().to_string_lossy().into_owned()
}

/// What the file says of where its numbers come from.
fn source(path: &Path, pulses: &Pulses) -> String {
    let name = path.file_name().unwrap_or_default().to_string_lossy().replace(char::is_control, " ");
    let (devices, cycles, n) = (pulses.devices.len(), pulses.traces.len(), pulses.len());
    format!("fitted to {name}: {devices} devices, {cycles} cycles, {n} pulses")
}

/// The ends of the window in siemens, the lower one first; nothing if it was not said.
fn window(ends: &[f64], unit: Option<Unit>, bytes: &[u8]) -> Result<Option<[f64; 2]>> {
    if ends.is_empty() {
        return Ok(None);
    }
    let unit = unit.map_or_else(|| Unit::of_header(bytes), Ok)?;
    let mut window: Vec<f64> = ends.iter().map(|end| unit.siemens(*end)).collect();
    window.sort_by(f64::total_cmp);
    match window[..] {
        [low, high] if low >= 0.0 && high > low && high.is_finite() => Ok(Some([low, high])),
        _ => Err(Error::config("--window: two different conductances are needed, 0 or more")
            .with_hint("for example --window 5,45: the conductances of the weights -1 and 1")),
    }
}

fn tell(printer: &mut Printer, fit: &Fitted) -> Result<()> {
    let head = ["parameter", "unit", "mean", "between devices", "between cycles", "devices"];
    printer.columns(&head, fit.parameters.iter().map(parameter_cells).collect())?;
    fit.notes.iter().skip(1).try_for_each(|note| printer.line(format_args!("\n{note}")))?;
    printer.line("\nwhat the law cannot say:")?;
    if fit.doubts.is_empty() {
        printer.line("  nothing was found")?;
    }
    fit.doubts.iter().try_for_each(|doubt| printer.line(format_args!("  - {doubt}")))
}

fn as_json(fit: &Fitted) -> serde_json::Value {
    let devices = fit.devices.iter().map(|(name, all)| {
        let of = fit.parameters.iter().zip(all).map(|(p, e)| (p.name.to_owned(), json!(e)));
        json!({ "device": name, "parameters": of.collect::<serde_json::Map<_, _>>() })
    });
    json!({
        "law": fit.law, "parameters": fit.parameters, "devices": devices.collect::<Vec<_>>(), "doubts": fit.doubts,
    })
}
