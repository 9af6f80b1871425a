//! `bouton device`: populations of devices, built in, of one's own, and fitted to pulses.

mod fit;
mod plot;

use crate::printer::Printer;
use bouton::Result;
use bouton::device::{Population, presets};
use clap::{Args, Subcommand};
use serde_json::json;

/// List, show and plot devices; fit one's own to measured pulses
#[derive(Args, Debug)]
pub struct Device {
    #[command(subcommand)]
    verb: DeviceVerb,
}

#[derive(Debug, Subcommand)]
enum DeviceVerb {
    /// List the built-in devices with their laws and sources
    List {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Show a device: its law, its parameters with units and meaning, its source
    Show {
        /// A built-in device, or a device file
        device: String,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    Plot(plot::Plot),
    Fit(fit::Fit),
}

impl Device {
    /// Carries it out.
    pub fn go(self, printer: &mut Printer) -> Result<()> {
        match self.verb {
            DeviceVerb::List { json } => list(printer, json),
            DeviceVerb::Show { device, json } => show(printer, &device, json),
            DeviceVerb::Plot(plot) => plot.go(printer),
            DeviceVerb::Fit(fit) => fit.go(printer),
        }
    }
}

fn list(printer: &mut Printer, as_json: bool) -> Result<()> {
    let all = presets().into_iter().map(|p| Ok((Population::named(&p.name)?, p)));
    let all = all.collect::<Result<Vec<_>>>()?;
    if as_json {
        let one = |(device, preset): &(Population, _)| {
            let preset: &bouton::device::Preset = preset;
            json!({ "name": preset.name, "law": device.law(), "source": preset.citation })
        };
        return printer.json(&all.iter().map(one).collect::<Vec<_>>());
    }
    let row = |(device, preset): (Population, bouton::device::Preset)| {
        vec![preset.name, device.law().name().into(), preset.citation]
    };
    printer.columns(&["name", "law", "source"], all.into_iter().map(row).collect())
}

fn show(printer: &mut Printer, device: &str, as_json: bool) -> Result<()> {
    let population = Population::named(device)?;
    let (law, (name, citation), parameters) = (population.law(), population.head(), population.parameters());
    if as_json {
        return printer.json(&json!({
            "name": name, "law": law, "equations": law.equations(), "source": citation, "parameters": parameters,
        }));
    }
    printer.line(format_args!("{name}: {}, {}\n", law.name(), law.about()))?;
    law.equations().lines().try_for_each(|line| printer.line(format_args!("  {line}")))?;
    printer.line("")?;
    let row = |p: bouton::device::Parameter| vec![p.name, p.value, p.unit.into(), p.about.into()];
    printer
        .columns(&["parameter", "value", "unit", "what it is"], parameters.into_iter().map(row).collect())?;
    printer.line(format_args!("\nsource: {citation}"))
}
