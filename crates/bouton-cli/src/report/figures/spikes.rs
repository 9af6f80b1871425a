//! Spikes over time, one row a unit.

use super::axis::Axis;
use super::chart::AXIS;
use super::drawing::{Align, Drawing, Pen};

/// What is drawn.
#[derive(Debug, Clone, Default)]
pub struct Raster {
    /// Written above.
    pub title: String,
    /// Where time ends.
    pub end: f64,
    /// Number of units.
    pub units: usize,
    /// When which unit spikes.
    pub dots: Vec<(f64, usize)>,
}

const FONT: f64 = 9.0;
/// Height of all rows together.
const HEIGHT: f64 = 180.0;

/// Draws the rows of all units from bottom to top above an axis of time.
pub fn spike_raster(raster: &Raster, width: f64) -> Drawing {
    let (left, top) = (4.0 * FONT, 2.6 * FONT);
    let bottom = top + HEIGHT;
    let axis = Axis { place: (left, width - FONT), ..Axis::over([0.0, raster.end].into_iter(), 0.0, false) };
    let mut drawing = Drawing { width, height: bottom + 3.2 * FONT, ..Drawing::default() };
    drawing.text(&raster.title, (left, 1.6 * FONT), 1.2 * FONT, Align::Left);
    let pen = Pen { colour: AXIS, width: 0.6, dash: None };
    drawing.line(vec![(left, bottom), (width - FONT, bottom)], &pen);
    for (at, text) in axis.ticks() {
        drawing.line(vec![(at, bottom), (at, bottom + 3.0)], &pen);
        drawing.text(&text, (at, bottom + 1.4 * FONT), FONT, Align::Middle);
    }
    drawing.text("time", (0.5 * (left + width), bottom + 2.7 * FONT), FONT, Align::Middle);
    let pitch = HEIGHT / raster.units.max(1) as f64;
    for (unit, label) in [(0, "1".to_owned()), (raster.units.saturating_sub(1), raster.units.to_string())] {
        let y = bottom - (unit as f64 + 0.5) * pitch + 0.35 * FONT;
        drawing.text(&label, (left - 0.6 * FONT, y), FONT, Align::Right);
    }
    let mark = Pen { colour: AXIS, width: 1.0, dash: None };
    for (time, unit) in &raster.dots {
        if let Some(x) = axis.at(*time) {
            let y = bottom - (*unit as f64 + 0.5) * pitch;
            drawing.line(vec![(x, y - 0.4 * pitch), (x, y + 0.4 * pitch)], &mark);
        }
    }
    drawing
}

#[cfg(test)]
mod tests {
    use super::super::check::well_formed;
    use super::*;

    #[test]
    fn every_spike_is_a_mark() {
        let raster = Raster {
            title: "hidden1".into(),
            end: 10.0,
            units: 3,
            dots: vec![(1.0, 0), (5.0, 2), (10.0, 1)],
        };
        let (some, none) =
            (spike_raster(&raster, 400.0), spike_raster(&Raster { dots: Vec::new(), ..raster }, 400.0));
        assert_eq!(some.shapes.len() - none.shapes.len(), 3);
        well_formed(&some.svg());
        well_formed(&spike_raster(&Raster::default(), 400.0).svg());
    }
}
