//! Named changes as bars from zero with their intervals, as a [`Drawing`].

use super::axis::Axis;
use super::bars::Bar;
use super::chart::AXIS;
use super::drawing::{Align, Drawing, MILLIMETRE, Pen, Shape, Words, room};
use super::palette::Look;

const WIDTH: f64 = 150.0 * MILLIMETRE;
const FONT: f64 = 8.0;
const PITCH: f64 = 2.0 * FONT;

/// Draws horizontal bars from top to bottom above one axis; `legend` names their series. A bar whose value is not finite is
/// left out, an error that is not finite draws no line.
pub fn effects(title: &str, x_label: &str, legend: &[&str], bars: &[Bar]) -> Drawing {
    let longest = bars.iter().map(|bar| room(&bar.label, FONT)).fold(0.0, f64::max);
    let (left, top) = ((longest + 2.0 * FONT).min(0.5 * WIDTH), 4.2 * FONT);
    let error = |bar: &Bar| if bar.error.is_finite() { bar.error } else { 0.0 };
    let ends = bars.iter().flat_map(|bar| [bar.value - error(bar), bar.value + error(bar), 0.0]);
    let axis = Axis { place: (left, WIDTH - FONT), ..Axis::over(ends, 0.05, false) };
    let bottom = top + bars.len() as f64 * PITCH + 0.5 * FONT;
    let mut drawing = Drawing { width: WIDTH, height: bottom + 3.4 * FONT, ..Drawing::default() };
    head(&mut drawing, title, legend);
    let grey = Pen { colour: AXIS, width: 0.6, dash: None };
    for (at, text) in axis.ticks() {
        drawing.line(vec![(at, bottom), (at, bottom + 3.0)], &grey);
        drawing.text(&text, (at, bottom + 1.4 * FONT), FONT, Align::Middle);
    }
    drawing.text(x_label, (0.5 * (left + WIDTH), bottom + 2.9 * FONT), FONT, Align::Middle);
    let zero = axis.at(0.0).unwrap_or(left);
    for (i, bar) in bars.iter().enumerate() {
        let y = top + (i as f64 + 0.5) * PITCH;
        drawing.text(&bar.label, (left - FONT, y + 0.35 * FONT), FONT, Align::Right);
        let Some(end) = axis.at(bar.value) else { continue };
        let (upper, lower) = (y - 0.3 * PITCH, y + 0.3 * PITCH);
        let corners = vec![(zero, upper), (end, upper), (end, lower), (zero, lower)];
        drawing.area(corners, Look::of(bar.series).colour, 1.0);
        let whisker = [bar.value - error(bar), bar.value + error(bar)].map(|v| axis.at(v).unwrap_or(end));
        let pen = Pen { colour: plotters::style::BLACK, width: 0.9, dash: None };
        drawing.line(whisker.map(|x| (x, y)).to_vec(), &pen);
    }
    drawing.line(vec![(left, bottom), (WIDTH - FONT, bottom)], &grey);
    drawing.line(vec![(zero, top), (zero, bottom)], &grey);
    drawing
}

fn head(drawing: &mut Drawing, title: &str, legend: &[&str]) {
    let (text, at, size) = (title.to_owned(), (0.5 * FONT, 1.6 * FONT), 1.2 * FONT);
    drawing.shapes.push(Shape::Text(Words { text, at, size, align: Align::Left, up: false, bold: true }));
    let (mut x, y) = (0.5 * FONT, 3.2 * FONT);
    for (i, name) in legend.iter().enumerate() {
        let (upper, lower) = (y - 0.7 * FONT, y);
        let corners = vec![(x, upper), (x + 1.4 * FONT, upper), (x + 1.4 * FONT, lower), (x, lower)];
        drawing.area(corners, Look::of(i).colour, 1.0);
        drawing.text(name, (x + 1.9 * FONT, y), FONT, Align::Left);
        x += room(name, FONT) + 3.4 * FONT;
    }
}

#[cfg(test)]
mod tests {
    use super::super::check::{attributes, well_formed};
    use super::*;

    #[test]
    fn bars_begin_at_zero_and_are_as_long_as_their_numbers() {
        let bar = |value, error, series| Bar { label: "a<b".into(), value, error, series };
        let all = [bar(2.0, 0.5, 0), bar(-1.0, f64::NAN, 1), bar(f64::NAN, 1.0, 0)];
        let svg = effects("changes", "points", &["alone", "left out"], &all).svg();
        well_formed(&svg);
        let corners = |list: &str| -> Vec<f64> {
            list.split_whitespace().map(|p| p.split(',').next().unwrap().parse().unwrap()).collect()
        };
        let drawn: Vec<Vec<f64>> = attributes(&svg, "polygon", "points").iter().map(|l| corners(l)).collect();
        // Two of the legend come first.
        assert_eq!(drawn.len(), 4, "{svg}");
        let length = |bar: &Vec<f64>| bar[1] - bar[0];
        assert!((length(&drawn[2]) / length(&drawn[3]) + 2.0).abs() < 0.02, "{drawn:?}");
        assert!((drawn[2][0] - drawn[3][0]).abs() < 1e-9 && svg.contains("a&lt;b"));
    }
}
