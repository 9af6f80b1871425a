//! Cosine of each connection's gradient to the true one over training, from a run's `alignment.json`.

use bouton::analysis::Aligned;
use bouton::train::RunDir;
use bouton::{Error, Result};

use super::Figure;
use super::figures::{LineChart, Palette, Series, line_chart};

/// One line for each connection; `None` if `bouton report` has not measured them.
///
/// # Errors
/// [`Error::Io`] if the file cannot be read, [`Error::Data`] if it is garbled.
pub fn alignment(run: &RunDir, palette: &mut Palette) -> Result<Option<Figure>> {
    let path = run.alignment();
    if !path.exists() {
        return Ok(None);
    }
    let bytes = std::fs::read(&path).map_err(|e| Error::io(&path, e))?;
    let all: Vec<Aligned> =
        serde_json::from_slice(&bytes).map_err(|e| Error::data(format!("{}: {e}", path.display())))?;
    // What never learns has no gradient.
    let all: Vec<Aligned> =
        all.into_iter().filter(|one| one.cosines.iter().any(|(_, cosine)| cosine.is_some())).collect();
    if all.is_empty() {
        return Ok(None);
    }
    let chart = LineChart {
        title: "Cosine to the true gradient".into(),
        x_label: "updates".into(),
        y_label: "cosine".into(),
        log_y: false,
        series: all.into_iter().map(series).collect(),
        boundaries: Vec::new(),
    };
    let caption = "Between the gradient that the credit rule hands over and the gradient of the loss (at the free fixed point of \
                   networks that settle, through all steps of those that move in time), on the first training samples, at \
                   checkpoints of the run.";
    Ok(Some(Figure { svg: line_chart(&chart, palette)?, title: chart.title, caption: caption.into() }))
}

fn series(one: Aligned) -> Series {
    let points = one.cosines.into_iter().map(|(step, cosine)| (step as f64, cosine.unwrap_or(f64::NAN)));
    Series { label: one.connection, points: points.collect(), band: Vec::new() }
}
