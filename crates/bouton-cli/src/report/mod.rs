//! Figures and the self-contained `report.html` of a run.

mod curves;
pub mod figures;
mod html;
mod weights;

use std::path::PathBuf;

use bouton::Result;
use bouton::recipe::Recipe;
use bouton::train::{Checkpoints, RunDir, atomic, metrics};

pub use curves::curves;
pub use html::render;
pub use weights::{fields, weights};

/// One figure of a report.
#[derive(Debug, Clone)]
pub struct Figure {
    /// Its heading; the file name is made from it.
    pub title: String,
    /// One or two sentences below it; may be empty.
    pub caption: String,
    /// The drawing: one `<svg>` element, from [`figures`].
    pub svg: String,
}

/// Draws everything a run has: curves, weight histograms, receptive fields of the first layer.
///
/// # Errors
/// As [`write`], and [`bouton::Error::Checkpoint`] if no checkpoint is readable.
pub fn draw(run: &RunDir) -> Result<Vec<Figure>> {
    let mut figures = curves(&metrics::read(&run.metrics())?.records)?;
    if let Some(found) = Checkpoints::new(run.checkpoints(), None).newest()? {
        let (shape, _) = Recipe::load(run.recipe())?.task.shape();
        let first = found.checkpoint.tensors.iter().find(|t| t.name.starts_with("input-") && t.name.ends_with(".weight"));
        if let Some(first) = first {
            figures.push(fields(first, shape)?);
        }
        figures.extend(weights(&found.checkpoint)?);
    }
    Ok(figures)
}

/// Writes `figures/*.svg` and `report.html` into the run directory; returns the path of the report.
///
/// # Errors
/// [`bouton::Error::Io`] if the folder cannot be read or written, [`bouton::Error::Data`] if its metrics or status
/// are damaged.
pub fn write(run: &RunDir, figures: Vec<Figure>) -> Result<PathBuf> {
    let folder = run.figures();
    std::fs::create_dir_all(&folder).map_err(|e| bouton::Error::io(&folder, e))?;
    for figure in &figures {
        atomic::write(folder.join(format!("{}.svg", slug(&figure.title))), &figure.svg)?;
    }
    atomic::write(run.report(), render(run, figures)?)?;
    Ok(run.report())
}

/// A title as file name: lower-case letters and digits, everything else one dash.
fn slug(title: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' };
    let dashed: String = title.chars().map(plain).collect();
    dashed.split('-').filter(|word| !word.is_empty()).collect::<Vec<_>>().join("-")
}
