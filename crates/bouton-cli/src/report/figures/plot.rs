//! Lines or points over one axis as a [`Drawing`] of any width, for papers and for reports of many runs.

use super::Palette;
use super::axis::{Axis, wants_log};
use super::chart::AXIS;
use super::drawing::{Align, Drawing, Pen, Point, Shape, Words, room};
use super::line::Series;
use super::palette::Look;
use super::pdf::TINT;

/// Lines over one axis.
#[derive(Debug, Clone, Default)]
pub struct Plot {
    /// Written above; may be empty.
    pub title: String,
    /// What stands below the x axis.
    pub x_label: String,
    /// What stands beside the y axis.
    pub y_label: String,
    /// What the labels are values of, before the legend; may be empty.
    pub legend: String,
    /// The lines; a line without a label is not in the legend.
    pub series: Vec<Series>,
    /// Bands are lines from edge to edge at each point, which gets a marker.
    pub points: bool,
    /// Names of x = 0, 1, …, if these are no numbers.
    pub x_names: Vec<String>,
    /// Where a thin line crosses the plot from top to bottom.
    pub boundaries: Vec<f64>,
    /// Width of the whole in points (1/72 inch).
    pub width: f64,
    /// Height of text in points.
    pub font: f64,
}

/// Height of the axes over their width.
const ASPECT: f64 = 0.62;
/// A marker stands on a line about every so many text heights.
const MARKERS: f64 = 6.0;
/// Width of thin lines in text heights.
const THIN: f64 = 0.07;

impl Plot {
    /// Draws it, each series as `palette` has it.
    pub fn draw(&self, palette: &mut Palette) -> Drawing {
        let looks: Vec<Look> = self.series.iter().map(|series| palette.look(&series.label)).collect();
        let mut drawing = Drawing { width: self.width, ..Drawing::default() };
        let top = self.head(&mut drawing, &looks);
        let (x, y) = self.axes(top);
        drawing.height = y.place.0 + 3.4 * self.font;
        let grey = Pen { colour: AXIS, width: THIN * self.font, dash: Some([2.0, 2.0]) };
        for at in self.boundaries.iter().filter_map(|at| x.at(*at)) {
            drawing.line(vec![(at, y.place.1), (at, y.place.0)], &grey);
        }
        for (i, (series, look)) in self.series.iter().zip(&looks).enumerate() {
            // Points over names stand side by side.
            let aside = if x.names.is_empty() { 0.0 } else { (i as f64 + 0.5) / looks.len() as f64 - 0.5 };
            self.series(&mut drawing, &beside(series, 0.5 * aside), *look, &x, &y);
        }
        self.frame(&mut drawing, &x, &y);
        drawing
    }

    /// Both axes in their places below `top`.
    fn axes(&self, top: f64) -> (Axis, Axis) {
        let all = || self.series.iter().flat_map(|series| &series.points);
        let edges = self.series.iter().flat_map(|series| &series.band).flat_map(|(low, high)| [*low, *high]);
        let log_x = self.points && wants_log(all().map(|point| point.0));
        let log_y = wants_log(all().map(|point| point.1));
        let mut x = match self.x_names.is_empty() {
            true => Axis::over(all().map(|p| p.0), if self.points { 0.06 } else { 0.0 }, log_x),
            false => Axis::named(self.x_names.clone()),
        };
        let mut y = Axis::over(all().map(|p| p.1).chain(edges), 0.04, log_y);
        let widest = y.ticks().iter().map(|(_, text)| room(text, self.font)).fold(0.0, f64::max);
        let (left, right) = (widest + 2.6 * self.font, self.width - 1.5 * self.font);
        x.place = (left, right);
        y.place = (top + ASPECT * (right - left), top);
        (x, y)
    }

    /// Title and legend; returns where the axes may begin.
    fn head(&self, drawing: &mut Drawing, looks: &[Look]) -> f64 {
        let f = self.font;
        let (mut x, mut y) = (0.5 * f, 0.3 * f);
        if !self.title.is_empty() {
            y += 1.4 * f;
            let (text, at) = (self.title.clone(), (x, y));
            drawing.shapes.push(Shape::Text(Words {
                text,
                at,
                size: 1.2 * f,
                align: Align::Left,
                up: false,
                bold: true,
            }));
        }
        let labelled = self.series.iter().zip(looks).filter(|(series, _)| !series.label.is_empty());
        if labelled.clone().count() > 0 {
            y += 1.4 * f;
            drawing.text(&self.legend, (x, y), f, Align::Left);
            x += if self.legend.is_empty() { 0.0 } else { room(&self.legend, f) + f };
        }
        for (series, look) in labelled {
            let wide = 2.6 * f + room(&series.label, f) + f;
            if x + wide > self.width && x > f {
                (x, y) = (0.5 * f, y + 1.3 * f);
            }
            let middle = y - 0.35 * f;
            drawing.line(vec![(x, middle), (x + 2.2 * f, middle)], &self.pen(*look));
            if self.points || look.round() > 0 {
                self.marker(drawing, (x + 1.1 * f, middle), *look);
            }
            drawing.text(&series.label, (x + 2.6 * f, y), f, Align::Left);
            x += wide;
        }
        y + 0.9 * f
    }

    fn frame(&self, drawing: &mut Drawing, x: &Axis, y: &Axis) {
        let (f, [left, right, bottom, top]) = (self.font, [x.place.0, x.place.1, y.place.0, y.place.1]);
        let pen = Pen { colour: AXIS, width: THIN * f, dash: None };
        drawing.line(vec![(left, top), (left, bottom), (right, bottom)], &pen);
        // Names that would run into each other stand on two lines in turn.
        let ticks = x.ticks();
        let each = (right - left) / ticks.len().max(1) as f64;
        let crowded = ticks.iter().any(|(_, text)| room(text, f) > each);
        for (i, (at, text)) in ticks.iter().enumerate() {
            let lower = if crowded && i % 2 == 1 { 0.9 * f } else { 0.0 };
            drawing.line(vec![(*at, bottom), (*at, bottom + 0.35 * f)], &pen);
            drawing.text(text, (*at, bottom + 1.35 * f + lower), f, Align::Middle);
        }
        for (at, text) in y.ticks() {
            drawing.line(vec![(left - 0.35 * f, at), (left, at)], &pen);
            drawing.text(&text, (left - 0.6 * f, at + 0.35 * f), f, Align::Right);
        }
        drawing.text(&self.x_label, (0.5 * (left + right), bottom + 3.0 * f), f, Align::Middle);
        let at = (1.1 * f, 0.5 * (top + bottom));
        let text = self.y_label.clone();
        drawing.shapes.push(Shape::Text(Words {
            text,
            at,
            size: f,
            align: Align::Middle,
            up: true,
            bold: false,
        }));
    }

    fn series(&self, drawing: &mut Drawing, series: &Series, look: Look, x: &Axis, y: &Axis) {
        let place = |(a, b): Point| Some((x.at(a)?, y.at(b)?));
        // An edge that has no logarithm ends where the axis does.
        let edge = |a: f64, b: f64| place((a, b)).or(Some((x.at(a)?, y.place.0)));
        let places: Vec<Option<Point>> = series.points.iter().map(|point| place(*point)).collect();
        let edges = series.points.iter().zip(&series.band).zip(&places);
        let edges = edges.filter(|(_, place)| place.is_some());
        let edges: Vec<(Point, Point)> =
            edges.filter_map(|((p, band), _)| Some((edge(p.0, band.0)?, edge(p.0, band.1)?))).collect();
        let pen = self.pen(look);
        if self.points {
            edges
                .iter()
                .for_each(|(low, high)| drawing.line(vec![*low, *high], &Pen { dash: None, ..pen.clone() }));
        } else if edges.len() > 1 {
            let outline = edges.iter().map(|e| e.1).chain(edges.iter().rev().map(|e| e.0));
            drawing.area(outline.collect(), look.colour, TINT);
        }
        let step = if self.points { 0.0 } else { MARKERS * self.font };
        let mut last = x.place.0 - 0.5 * step;
        for run in places.split(Option::is_none) {
            let run: Vec<Point> = run.iter().flatten().copied().collect();
            for &at in run.iter().filter(|_| self.points || run.len() == 1 || look.round() > 0) {
                if at.0 - last >= step || run.len() == 1 {
                    self.marker(drawing, at, look);
                    last = at.0;
                }
            }
            if run.len() > 1 && self.x_names.is_empty() {
                drawing.line(run, &pen);
            }
        }
    }

    fn pen(&self, look: Look) -> Pen {
        let dash = look.dash.map(|dash| [f64::from(dash), 2.5].map(|length| 0.1 * self.font * length));
        Pen { colour: look.colour, width: 0.15 * self.font, dash }
    }

    /// The marker of a look: the first round of colours has discs, later ones other shapes.
    fn marker(&self, drawing: &mut Drawing, at: Point, look: Look) {
        drawing.area(marker(at, 0.32 * self.font, look.round()), look.colour, 1.0);
    }
}

/// The series moved along x.
fn beside(series: &Series, aside: f64) -> Series {
    let points = series.points.iter().map(|(x, y)| (x + aside, *y)).collect();
    Series { points, ..series.clone() }
}

/// Corners of a shape of this radius: a disc, a square, a triangle, a diamond, a triangle on its tip, and again.
pub(super) fn marker((x, y): Point, radius: f64, shape: usize) -> Vec<Point> {
    let (corners, turn) = [(12, 0.0), (4, 0.125), (3, -0.25), (4, 0.0), (3, 0.25)][shape % 5];
    let corner = |i: i32| {
        let angle = std::f64::consts::TAU * (f64::from(i) / f64::from(corners) + turn);
        (x + radius * angle.cos(), y + radius * angle.sin())
    };
    (0..corners).map(corner).collect()
}

#[cfg(test)]
mod tests {
    use super::super::check::{attributes, well_formed};
    use super::*;

    fn series(label: &str, points: &[(f64, f64)]) -> Series {
        let band = points.iter().map(|(_, y)| (y - 0.5, y + 0.5)).collect();
        Series { label: label.into(), points: points.to_vec(), band }
    }

    fn plot(series: Vec<Series>) -> Plot {
        Plot { series, width: 240.0, font: 8.0, ..Plot::default() }
    }

    fn corners(list: &str) -> Vec<Vec<f64>> {
        let pair = |pair: &str| pair.split(',').map(|number| number.parse().unwrap()).collect();
        list.split_whitespace().map(pair).collect()
    }

    #[test]
    fn larger_values_stand_higher_and_further_right_within_their_band() {
        let svg = plot(vec![series("a<b", &[(0.0, 1.0), (5.0, 2.0), (10.0, 9.0)])]);
        let svg = svg.draw(&mut Palette::default()).svg();
        well_formed(&svg);
        assert!(svg.contains("width=\"84.67mm\"") && svg.contains("a&lt;b"), "{svg}");
        let line = attributes(&svg, "polyline", "points").into_iter().map(|list| corners(&list));
        let line = line.filter(|line| line.len() == 3).find(|line| line[0][1] != line[1][1]).unwrap();
        assert!(line.is_sorted_by(|a, b| a[0] < b[0] && a[1] > b[1]), "{line:?}");
        let band = corners(&attributes(&svg, "polygon", "points")[0]);
        for (i, point) in line.iter().enumerate() {
            assert!(band[i][1] < point[1] && point[1] < band[5 - i][1], "{band:?} {line:?}");
        }
    }

    #[test]
    fn points_have_markers_and_intervals_and_names_stand_apart() {
        let lines = vec![series("a", &[(0.0, 1.0), (1.0, 2.0)]), series("b", &[(0.0, 1.0)])];
        let names = ["sgd", "adam"].map(String::from).to_vec();
        let svg = Plot { points: true, x_names: names, ..plot(lines) }.draw(&mut Palette::default()).svg();
        well_formed(&svg);
        assert_eq!(attributes(&svg, "polygon", "points").len(), 3 + 2, "three points, two in the legend");
        let whiskers = attributes(&svg, "polyline", "points").into_iter().map(|list| corners(&list));
        let upright: Vec<f64> = whiskers
            .filter(|l| l.len() == 2 && l[0][0] == l[1][0] && l[0][1] > l[1][1])
            .map(|l| l[0][0])
            .collect();
        assert!(upright.len() == 3 && upright[0] != upright[2], "{upright:?}");
        assert!(svg.contains(">sgd<") && svg.contains(">adam<"), "{svg}");
    }

    #[test]
    fn no_two_of_fifty_lines_look_alike() {
        let lines = (0..50).map(|i| series(&format!("line {i}"), &[(0.0, 0.0), (1.0, f64::from(i))]));
        let svg = plot(lines.collect()).draw(&mut Palette::default()).svg();
        well_formed(&svg);
        let strokes =
            svg.lines().filter(|l| l.starts_with("<polyline") && l.contains("stroke-width=\"1.2\""));
        let look = |line: &str| line[line.find("stroke=").unwrap()..].to_owned();
        let mut looks: Vec<String> = strokes.map(look).collect();
        looks.sort();
        looks.dedup();
        assert_eq!(looks.len(), 50);
    }

    #[test]
    fn nothing_to_draw_is_still_a_plot() {
        for points in [&[][..], &[(0.0, f64::NAN)], &[(3.0, 3.0)]] {
            for as_points in [false, true] {
                let plot =
                    Plot { points: as_points, boundaries: vec![1.0], ..plot(vec![series("a", points)]) };
                well_formed(&plot.draw(&mut Palette::default()).svg());
            }
        }
    }
}
