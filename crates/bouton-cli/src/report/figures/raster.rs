//! A drawing as a picture of dots (PNG), 300 to the inch.

use plotters::style::RGBColor;
use std::ops::Range;

use super::drawing::{Drawing, Pen, Point, Shape};
use super::png::Image;
use super::strokes::strokes;

/// Dots in a point.
const DOTS: f64 = 300.0 / 72.0;
/// Lines on which the edge of an area is looked at within a dot.
const FINE: usize = 4;
/// Colour of text.
const INK: RGBColor = RGBColor(38, 42, 48);

impl Drawing {
    /// The drawing as the bytes of a PNG.
    pub fn png(&self) -> Vec<u8> {
        let size = [self.width, self.height].map(|points| (points * DOTS).round() as usize);
        let mut image = Image::filled(size[0], size[1], [255; 3]);
        for shape in &self.shapes {
            match shape {
                Shape::Line { points, pen } => line(&mut image, points, pen),
                Shape::Area { points, colour, opacity } => area(&mut image, points, *colour, *opacity),
                Shape::Text(words) => {
                    let (lines, width) = strokes(words);
                    let pen = Pen { colour: INK, width, dash: None };
                    lines.iter().for_each(|points| line(&mut image, points, &pen));
                }
            }
        }
        image.png(Some((DOTS * 72.0 / 0.0254).round() as u32))
    }
}

/// A line as one rectangle for each of its pieces, with a round end where pieces meet.
fn line(image: &mut Image, points: &[Point], pen: &Pen) {
    for (from, to) in pieces(points, pen.dash) {
        let (dx, dy) = (to.0 - from.0, to.1 - from.1);
        let half = 0.5 * pen.width / dx.hypot(dy).max(1e-9);
        let (u, v) = (-dy * half, dx * half);
        let corners =
            [(from, 1.0), (to, 1.0), (to, -1.0), (from, -1.0)].map(|(p, s)| (p.0 + s * u, p.1 + s * v));
        area(image, &corners, pen.colour, 1.0);
    }
    if pen.dash.is_none() && points.len() > 2 {
        points.iter().for_each(|at| area(image, &disc(*at, 0.5 * pen.width), pen.colour, 1.0));
    }
}

fn disc((x, y): Point, radius: f64) -> [Point; 8] {
    std::array::from_fn(|i| {
        let angle = std::f64::consts::TAU * i as f64 / 8.0;
        (x + radius * angle.cos(), y + radius * angle.sin())
    })
}

/// The straight pieces of a line that are drawn.
fn pieces(points: &[Point], dash: Option<[f64; 2]>) -> Vec<(Point, Point)> {
    let whole = points.windows(2).map(|pair| (pair[0], pair[1]));
    let Some([on, off]) = dash else { return whole.collect() };
    let (mut drawn, mut done) = (Vec::new(), 0.0);
    for (from, to) in whole {
        let length = (to.0 - from.0).hypot(to.1 - from.1);
        let at = |d: f64| {
            let part = (d / length.max(1e-9)).clamp(0.0, 1.0);
            (from.0 + part * (to.0 - from.0), from.1 + part * (to.1 - from.1))
        };
        // Dashes begin at multiples of their period from the beginning of the line.
        let mut dash = (done / (on + off)).floor() * (on + off) - done;
        while dash < length {
            if dash + on > 0.0 {
                drawn.push((at(dash), at(dash + on)));
            }
            dash += on + off;
        }
        done += length;
    }
    drawn
}

/// Fills an area; the dots at its edge take as much of its colour as it covers of them.
fn area(image: &mut Image, points: &[Point], RGBColor(r, g, b): RGBColor, opacity: f64) {
    let points: Vec<Point> = points.iter().map(|(x, y)| (x * DOTS, y * DOTS)).collect();
    let (columns, rows) = (dots(&points, |p| p.0, image.width), dots(&points, |p| p.1, image.height));
    for row in rows {
        let mut covered = vec![0.0; columns.len()];
        for fine in 0..FINE {
            let y = row as f64 + (fine as f64 + 0.5) / FINE as f64;
            for pair in crossings(&points, y).chunks_exact(2) {
                cover(&mut covered, pair[0] - columns.start as f64, pair[1] - columns.start as f64);
            }
        }
        let start = row * image.width + columns.start;
        for (pixel, covered) in image.pixels[start..start + covered.len()].iter_mut().zip(covered) {
            let part = opacity * covered / FINE as f64;
            for (old, new) in pixel.iter_mut().zip([r, g, b]) {
                *old = (f64::from(*old) + part * (f64::from(new) - f64::from(*old))).round() as u8;
            }
        }
    }
}

/// The dots of a row or column of so many between the first and the last of some places.
fn dots(points: &[Point], of: fn(&Point) -> f64, most: usize) -> Range<usize> {
    let ends = points.iter().map(of).fold((f64::MAX, 0.0_f64), |(low, high), v| (low.min(v), high.max(v)));
    let end = (ends.1.ceil() as usize).min(most);
    (ends.0.max(0.0) as usize).min(end)..end
}

/// Where the edge of an area crosses a height, from left to right.
fn crossings(points: &[Point], y: f64) -> Vec<f64> {
    let next = points.iter().cycle().skip(1);
    let crossed = points.iter().zip(next).filter(|(a, b)| (a.1 <= y) != (b.1 <= y));
    let mut xs: Vec<f64> = crossed.map(|(a, b)| a.0 + (y - a.1) / (b.1 - a.1) * (b.0 - a.0)).collect();
    xs.sort_by(f64::total_cmp);
    xs
}

/// Adds how much of each dot lies between two places of a row.
fn cover(row: &mut [f64], from: f64, to: f64) {
    let last = (to.max(0.0).ceil() as usize).min(row.len());
    for (i, dot) in row.iter_mut().enumerate().take(last).skip(from.max(0.0) as usize) {
        *dot += (to.min(i as f64 + 1.0) - from.max(i as f64)).max(0.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// In dots, from (1, 1) to (3.5, 2.25): the corner dot has an eighth of the colour.
    #[test]
    fn dots_at_an_edge_are_covered_in_part() {
        let mut image = Image::filled(5, 4, [255; 3]);
        let corners = [(1.0, 1.0), (3.5, 1.0), (3.5, 2.25), (1.0, 2.25)].map(|(x, y)| (x / DOTS, y / DOTS));
        area(&mut image, &corners, RGBColor(0, 0, 55), 1.0);
        let red: Vec<u8> = image.pixels.iter().map(|pixel| pixel[0]).collect();
        assert_eq!(red[5..10], [255, 0, 0, 128, 255]);
        assert_eq!(red[10..15], [255, 191, 191, 223, 255]);
        assert_eq!((image.pixels[6], &red[..5], &red[15..]), ([0, 0, 55], &[255; 5][..], &[255; 5][..]));
    }

    #[test]
    fn dashes_go_on_around_corners() {
        let corner = [(0.0, 0.0), (3.0, 0.0), (3.0, 9.0)];
        let drawn = pieces(&corner, Some([2.0, 2.0]));
        assert_eq!(drawn, [((0.0, 0.0), (2.0, 0.0)), ((3.0, 1.0), (3.0, 3.0)), ((3.0, 5.0), (3.0, 7.0))]);
        assert_eq!(pieces(&corner, None).len(), 2);
    }
}
