//! What units did while a network that moves in time saw one sample, from a run's `activity.json`: spikes as dots, one row a unit;
//! membranes and readouts as lines.

use bouton::analysis::Activity;
use bouton::train::RunDir;
use bouton::{Error, Result};

use super::Figure;
use super::figures::{Drawing, LineChart, MILLIMETRE, Palette, Raster, Series, line_chart, spike_raster};

/// Units whose membranes are drawn.
const MEMBRANES: usize = 5;

/// Rasters of the populations that spike, and lines of the others; none if `bouton report` has not measured them.
///
/// # Errors
/// [`Error::Io`] if the file cannot be read, [`Error::Data`] if it is garbled.
pub fn activity(run: &RunDir, palette: &mut Palette) -> Result<Vec<Figure>> {
    let path = run.activity();
    if !path.exists() {
        return Ok(Vec::new());
    }
    let bytes = std::fs::read(&path).map_err(|e| Error::io(&path, e))?;
    let all: Vec<Activity> =
        serde_json::from_slice(&bytes).map_err(|e| Error::data(format!("{}: {e}", path.display())))?;
    let mut figures = Vec::new();
    for one in &all {
        if one.spikes {
            figures.push(spikes(one));
        }
        if let Some((state, values)) = &one.state {
            let (title, units) =
                (format!("{}: {state}", one.population), if one.spikes { MEMBRANES } else { usize::MAX });
            figures.push(lines(title, one.dt, values, units, palette)?);
        } else if !one.spikes {
            figures.push(lines(
                format!("{}: output", one.population),
                one.dt,
                &one.outputs,
                usize::MAX,
                palette,
            )?);
        }
    }
    Ok(figures)
}

fn spikes(one: &Activity) -> Figure {
    let at = |(t, row): (usize, &Vec<f64>)| {
        let on: Vec<usize> = (0..row.len()).filter(|&i| row[i] != 0.0).collect();
        on.into_iter().map(move |i| ((t + 1) as f64 * one.dt, i))
    };
    let dots: Vec<(f64, usize)> = one.outputs.iter().enumerate().flat_map(at).collect();
    let (steps, units) = (one.outputs.len(), one.outputs.first().map_or(0, Vec::len));
    let title = format!("{}: spikes", one.population);
    let rate = dots.len() as f64 / (steps * units).max(1) as f64;
    let raster = Raster { title: title.clone(), end: steps as f64 * one.dt, units, dots };
    let drawing: Drawing = spike_raster(&raster, 170.0 * MILLIMETRE);
    let caption = format!("The first test sample, one row a unit; {rate:.3} spikes per step and unit.");
    Figure { title, caption, svg: drawing.svg() }
}

fn lines(title: String, dt: f64, values: &[Vec<f64>], most: usize, palette: &mut Palette) -> Result<Figure> {
    let units = values.first().map_or(0, Vec::len).min(most);
    let series = |i: usize| {
        let points = values.iter().enumerate().map(|(t, row)| ((t + 1) as f64 * dt, row[i])).collect();
        Series { label: format!("unit {}", i + 1), points, band: Vec::new() }
    };
    let chart = LineChart {
        title: title.clone(),
        x_label: "time".into(),
        y_label: "value".into(),
        log_y: false,
        series: (0..units).map(series).collect(),
        boundaries: Vec::new(),
    };
    let caption = "While the network sees the first test sample.".to_owned();
    Ok(Figure { svg: line_chart(&chart, palette)?, title, caption })
}
