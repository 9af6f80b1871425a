//! A drawing as shapes on a page, which becomes SVG here, PDF in `pdf.rs` and PNG in `raster.rs`.

use plotters::style::RGBColor;
use std::fmt::Write;

use super::escape;

/// Points (1/72 inch) in a millimetre.
pub const MILLIMETRE: f64 = 72.0 / 25.4;

/// x and y in points from the top left corner.
pub(super) type Point = (f64, f64);

/// Lines, areas and text on a page of so many points.
#[derive(Debug, Clone, Default)]
pub struct Drawing {
    pub(super) width: f64,
    pub(super) height: f64,
    pub(super) shapes: Vec<Shape>,
}

/// One shape, drawn over those before it.
#[derive(Debug, Clone)]
pub(super) enum Shape {
    Line { points: Vec<Point>, pen: Pen },
    Area { points: Vec<Point>, colour: RGBColor, opacity: f64 },
    Text(Words),
}

/// How a line is drawn.
#[derive(Debug, Clone)]
pub(super) struct Pen {
    pub colour: RGBColor,
    pub width: f64,
    /// Lengths of dash and gap; none for a whole line.
    pub dash: Option<[f64; 2]>,
}

/// A line of text.
#[derive(Debug, Clone)]
pub(super) struct Words {
    pub text: String,
    /// Where its base line begins, has its middle, or ends.
    pub at: Point,
    pub size: f64,
    pub align: Align,
    /// From bottom to top.
    pub up: bool,
    pub bold: bool,
}

/// Which part of a text stands at its place.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Align {
    Left,
    Middle,
    Right,
}

impl Drawing {
    pub(super) fn line(&mut self, points: Vec<Point>, pen: &Pen) {
        self.shapes.push(Shape::Line { points, pen: pen.clone() });
    }

    pub(super) fn area(&mut self, points: Vec<Point>, colour: RGBColor, opacity: f64) {
        self.shapes.push(Shape::Area { points, colour, opacity });
    }

    pub(super) fn text(&mut self, text: &str, at: Point, size: f64, align: Align) {
        let text = text.to_owned();
        self.shapes.push(Shape::Text(Words { text, at, size, align, up: false, bold: false }));
    }

    /// The drawing as one `<svg>` element of its true size.
    pub fn svg(&self) -> String {
        let [w, h] = [self.width, self.height];
        let mut svg = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{}mm\" height=\"{}mm\" viewBox=\"0 0 {} {}\" \
             font-family=\"Helvetica, Arial, sans-serif\" fill=\"none\">\n\
             <rect width=\"{2}\" height=\"{3}\" fill=\"#FFFFFF\"/>\n",
            short(w / MILLIMETRE),
            short(h / MILLIMETRE),
            short(w),
            short(h)
        );
        self.shapes.iter().for_each(|shape| element(shape, &mut svg));
        svg + "</svg>\n"
    }
}

fn element(shape: &Shape, svg: &mut String) {
    // Writing to a String does not fail.
    let _ = match shape {
        Shape::Line { points, pen } => {
            let dash = pen.dash.map_or(String::new(), |[on, off]| {
                format!(" stroke-dasharray=\"{} {}\"", short(on), short(off))
            });
            let (list, colour, width) = (list(points), hex(pen.colour), short(pen.width));
            writeln!(
                svg,
                "<polyline points=\"{list}\" stroke=\"{colour}\" stroke-width=\"{width}\"{dash} stroke-linejoin=\"round\"/>"
            )
        }
        Shape::Area { points, colour, opacity } => {
            let opacity =
                if *opacity < 1.0 { format!(" fill-opacity=\"{}\"", short(*opacity)) } else { String::new() };
            writeln!(svg, "<polygon points=\"{}\" fill=\"{}\"{opacity}/>", list(points), hex(*colour))
        }
        Shape::Text(Words { text, at: (x, y), size, align, up, bold }) => {
            let [x, y, size] = [*x, *y, *size].map(short);
            let anchor = match align {
                Align::Left => "",
                Align::Middle => " text-anchor=\"middle\"",
                Align::Right => " text-anchor=\"end\"",
            };
            let turned = if *up { format!(" transform=\"rotate(-90 {x} {y})\"") } else { String::new() };
            let weight = if *bold { " font-weight=\"bold\"" } else { "" };
            let text = escape(text);
            writeln!(
                svg,
                "<text x=\"{x}\" y=\"{y}\" font-size=\"{size}\" fill=\"#262A30\"{anchor}{weight}{turned}>{text}</text>"
            )
        }
    };
}

fn list(points: &[Point]) -> String {
    points.iter().map(|(x, y)| format!("{},{}", short(*x), short(*y))).collect::<Vec<_>>().join(" ")
}

fn hex(RGBColor(r, g, b): RGBColor) -> String {
    format!("#{r:02X}{g:02X}{b:02X}")
}

/// A length with at most two decimals.
pub(super) fn short(v: f64) -> String {
    let text = format!("{v:.2}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// Widths of the characters from space to `~` in Helvetica, in thousandths of its size.
const WIDTHS: [u16; 95] = [
    278, 278, 355, 556, 556, 889, 667, 191, 333, 333, 389, 584, 278, 333, 278, 278, 556, 556, 556, 556, 556,
    556, 556, 556, 556, 556, 278, 278, 584, 584, 584, 556, 1015, 667, 667, 722, 722, 667, 611, 778, 722, 278,
    500, 667, 556, 833, 722, 778, 667, 778, 722, 667, 611, 722, 667, 944, 667, 667, 611, 278, 278, 278, 469,
    556, 333, 556, 556, 500, 556, 556, 278, 556, 556, 222, 222, 500, 222, 833, 556, 556, 556, 556, 333, 500,
    278, 556, 500, 722, 500, 500, 500, 334, 260, 334, 584,
];

/// Room for a text of this size in points, in whatever font a browser has for Helvetica.
pub(super) fn room(text: &str, size: f64) -> f64 {
    1.15 * width(text, size)
}

/// The width of a text of this size in points.
pub(super) fn width(text: &str, size: f64) -> f64 {
    let one = |c: char| WIDTHS.get((c as usize).wrapping_sub(32)).copied().unwrap_or(556);
    text.chars().map(|c| f64::from(one(c))).sum::<f64>() * size / 1000.0
}
