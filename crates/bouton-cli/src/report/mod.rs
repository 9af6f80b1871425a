//! Figures and the self-contained `report.html` of a run.

mod activity;
mod alignment;
mod compare;
mod continual;
mod costs;
mod curves;
mod device;
pub mod figures;
mod html;
mod importance;
mod network;
pub(crate) mod seeds;
mod weights;

use std::path::PathBuf;

use bouton::Result;
use bouton::recipe::Recipe;
use bouton::train::{Checkpoint, Checkpoints, RunDir, atomic, metrics};

pub use activity::activity;
pub use alignment::alignment;
pub use compare::compare;
pub(crate) use continual::boundaries;
pub use continual::{accuracies, by_task};
pub use costs::{COST_COLUMNS, OPERATION_COLUMNS, cost_rows, costs, operation_rows, operations};
pub use curves::curves;
pub use device::device_page;
pub(crate) use device::parameter_cells;
pub use figures::Palette;
pub use html::render;
pub use importance::importance;
pub use network::network;
pub use weights::{Patch, fields, weights};

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

/// Draws everything that the run directory holds and writes it with [`write()`]: accuracies by task, curves of its metrics,
/// importance by hidden weight, cosines to the true gradient, what units did over time, the plan of its network, weights of its newest checkpoint, and, if its first
/// layer looks at images, its receptive fields. Returns the path of the report.
///
/// # Errors
/// [`bouton::Error::Io`], [`bouton::Error::Data`] or [`bouton::Error::Checkpoint`] if a file is unreadable.
pub fn build(run: &RunDir, patch: Option<Patch>) -> Result<PathBuf> {
    let mut palette = Palette::default();
    // What was kept of earlier tasks is what a run over several tasks is about.
    let mut figures: Vec<Figure> = by_task(run, &tasks(run))?.into_iter().collect();
    if run.metrics().exists() {
        figures.extend(curves(&metrics::read(&run.metrics())?.records, &mut palette)?);
    }
    figures.extend(importance(run, &mut palette)?);
    figures.extend(alignment(run, &mut palette)?);
    figures.extend(activity(run, &mut palette)?);
    figures.extend(network(run)?);
    if let Some(found) = Checkpoints::new(run.checkpoints(), None).newest()? {
        figures.extend(fields_of_first(&found.checkpoint, patch)?);
        figures.extend(weights(&found.checkpoint)?);
    }
    write(run, figures)
}

/// The keys of a run's sequence in words, such as `sequence.split.classes = 2. `.
fn tasks(run: &RunDir) -> String {
    let Ok(recipe) = Recipe::load(run.recipe()) else { return String::new() };
    let keys = recipe.flat().into_iter().filter(|(key, _)| key.starts_with("sequence"));
    keys.map(|(key, value)| format!("{key} = {value}. ")).collect()
}

/// The receptive fields of the first connection, by name, whose rows are such images.
fn fields_of_first(checkpoint: &Checkpoint, patch: Option<Patch>) -> Result<Option<Figure>> {
    let Some(patch) = patch.filter(|p| matches!(p.shape[0], 1 | 3)) else { return Ok(None) };
    let enters = |shape: &[usize]| matches!(shape, [post, columns] if *post > 0 && *columns == patch.size());
    let mut weights = checkpoint.tensors.iter().filter(|tensor| tensor.name.ends_with(".weight"));
    weights.find(|tensor| enters(&tensor.shape)).map(|weight| fields(weight, patch)).transpose()
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
