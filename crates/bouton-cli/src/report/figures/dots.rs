//! Named rows of dots with their means, one dot a seed.

use super::axis::Axis;
use super::chart::AXIS;
use super::drawing::{Align, Drawing, MILLIMETRE, Pen, Shape, Words, room};
use super::palette::{Look, Palette};
use super::plot::marker;

/// One row.
#[derive(Debug, Clone, Default)]
pub struct DotRow {
    /// Its name, written at its left.
    pub label: String,
    /// The dots.
    pub values: Vec<f64>,
    /// Mean, and the ends of its interval if it has one.
    pub mean: f64,
    /// Ends of the interval of the mean.
    pub interval: Option<[f64; 2]>,
}

const WIDTH: f64 = 170.0 * MILLIMETRE;
const FONT: f64 = 9.0;
const PITCH: f64 = 1.8 * FONT;

/// Draws rows from top to bottom above one axis.
pub fn dots(title: &str, x_label: &str, rows: &[DotRow], palette: &mut Palette) -> Drawing {
    let longest = rows.iter().map(|row| room(&row.label, FONT)).fold(0.0, f64::max);
    let left = (longest + 2.0 * FONT).min(0.5 * WIDTH);
    let all =
        rows.iter().flat_map(|row| row.values.iter().copied().chain(row.interval.into_iter().flatten()));
    let top = 2.6 * FONT;
    let bottom = top + rows.len() as f64 * PITCH + 0.5 * FONT;
    let axis = Axis { place: (left, WIDTH - FONT), ..Axis::over(all, 0.04, false) };
    let mut drawing = Drawing { width: WIDTH, height: bottom + 3.2 * FONT, ..Drawing::default() };
    let (text, at, size) = (title.to_owned(), (0.5 * FONT, 1.6 * FONT), 1.2 * FONT);
    drawing.shapes.push(Shape::Text(Words { text, at, size, align: Align::Left, up: false, bold: true }));
    let pen = Pen { colour: AXIS, width: 0.6, dash: None };
    drawing.line(vec![(left, bottom), (WIDTH - FONT, bottom)], &pen);
    for (at, text) in axis.ticks() {
        drawing.line(vec![(at, bottom), (at, bottom + 3.0)], &pen);
        drawing.text(&text, (at, bottom + 1.4 * FONT), FONT, Align::Middle);
    }
    drawing.text(x_label, (0.5 * (left + WIDTH), bottom + 2.7 * FONT), FONT, Align::Middle);
    for (i, row) in rows.iter().enumerate() {
        one(&mut drawing, row, top + (i as f64 + 0.5) * PITCH, &axis, palette.look(&row.label));
    }
    drawing
}

fn one(drawing: &mut Drawing, row: &DotRow, y: f64, axis: &Axis, look: Look) {
    drawing.text(&row.label, (axis.place.0 - FONT, y + 0.35 * FONT), FONT, Align::Right);
    let pen = Pen { colour: look.colour, width: 1.2, dash: None };
    if let Some([low, high]) = row.interval
        && let (Some(low), Some(high)) = (axis.at(low), axis.at(high))
    {
        drawing.line(vec![(low, y), (high, y)], &pen);
    }
    for at in row.values.iter().filter_map(|value| axis.at(*value)) {
        drawing.area(marker((at, y), 3.0, look.round()), look.colour, 0.5);
    }
    if let Some(at) = axis.at(row.mean) {
        drawing.line(vec![(at, y - 5.0), (at, y + 5.0)], &Pen { width: 1.8, ..pen });
    }
}
