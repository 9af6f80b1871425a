//! From measured pulses to a device file: each device by itself, then what they have in common and how they differ.
//!
//! ```text
//! analog     soft bounds, by maximum likelihood    filter   what a pulse is expected to do, and how far off it was
//! resistive  weak RESET, by least squares          moments  means and spreads over devices
//! doubts     what the law cannot say               solve    systems of equations
//! telegraph  stretches of telegraph noise
//! ```

mod analog;
mod doubts;
mod filter;
mod moments;
mod resistive;
mod solve;
mod telegraph;

pub use moments::{Estimate, Spread};

use super::pulses::Pulses;
use super::{Law, Population};
use crate::{Error, Result};
use serde::Serialize;

/// What is asked of a fit.
#[derive(Clone, Debug)]
pub struct Asked {
    /// The law.
    pub law: Law,
    /// Name of the device file.
    pub name: String,
    /// Where the numbers come from.
    pub source: String,
    /// Conductances of the weights −1 and 1, siemens; those measured least and most if it is not said.
    pub window: Option<[f64; 2]>,
}

/// A law fitted to pulses.
#[derive(Clone, Debug)]
pub struct Fit {
    /// The law.
    pub law: Law,
    /// Its parameters over devices.
    pub parameters: Vec<Spread>,
    /// Every device with its own parameters, in the order of [`Fit::parameters`]; nothing where its pulses do not tell.
    pub devices: Vec<(String, Vec<Option<Estimate>>)>,
    /// What the law leaves over.
    pub residuals: Vec<Residual>,
    /// What the law cannot say, and where its numbers are not to be trusted.
    pub doubts: Vec<String>,
    /// Lines on what the numbers of the file mean.
    pub notes: Vec<String>,
    /// The population, as device files have it.
    pub population: Population,
}

/// What a pulse did beyond what the law expects.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Residual {
    /// The device, by its place.
    pub device: usize,
    /// Weight before the pulse, or number of the pulse.
    pub at: f64,
    /// Whether the pulse went up.
    pub up: bool,
    /// In standard deviations of the law.
    pub value: f64,
}

impl Fit {
    /// Fits the law of `asked` to `pulses`.
    ///
    /// # Errors
    /// [`Error::Data`] if they have too few pulses for it, [`Error::Config`] if what comes out is no device.
    pub fn of(pulses: &Pulses, asked: &Asked) -> Result<Self> {
        let mut fit = match asked.law {
            Law::SoftBounds => analog::fit(pulses, asked)?,
            Law::WeakReset => resistive::fit(pulses, asked)?,
        };
        let general = doubts::general(&fit, pulses);
        fit.doubts.extend(general);
        // The file is what counts: it has to be one.
        Population::from_toml(&fit.to_toml()?)?;
        Ok(fit)
    }

    /// The device file.
    ///
    /// # Errors
    /// None in practice: every population can be written.
    pub fn to_toml(&self) -> Result<String> {
        let written = match &self.population {
            Population::WeakReset(p) => toml::to_string(p),
            Population::SoftBounds(p) => toml::to_string(p),
        };
        let text = written.map_err(|e| Error::config(format!("device file: {e}")))?;
        let notes = self.notes.iter().chain(&self.doubts);
        let head: String = notes.map(|line| format!("# {}\n", line.replace('\n', " "))).collect();
        Ok(format!("{head}{text}"))
    }
}

/// Six digits that count: what a file says of a number that was measured.
fn rounded(x: f64) -> f64 {
    format!("{x:.5e}").parse().unwrap_or(x)
}

fn too_few(what: impl Into<String>, hint: &str) -> Error {
    Error::data(what).with_hint(hint)
}

#[cfg(test)]
mod tests;
