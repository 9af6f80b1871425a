//! Figures and the self-contained `report.html` of a run.

mod curves;
pub mod figures;
mod html;
mod weights;

use std::path::PathBuf;

use bouton::Result;
use bouton::train::{RunDir, atomic};

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
