//! A drawing as a PDF of one page, in the Helvetica that every reader of PDF has.

use flate2::Compression;
use flate2::write::ZlibEncoder;
use plotters::style::RGBColor;
use std::io::Write;

use super::drawing::{Align, Drawing, Point, Shape, Words, short, width};

impl Drawing {
    /// The drawing as a file of its true size.
    pub fn pdf(&self) -> Vec<u8> {
        let mut content = ZlibEncoder::new(Vec::new(), Compression::best());
        let text: String = self.shapes.iter().map(|shape| operators(shape, self.height)).collect();
        // One byte a character: `encoded` left none beyond.
        let bytes: Vec<u8> = text.chars().map(|c| c as u8).collect();
        content.write_all(&bytes).expect("writes to memory");
        let content = content.finish().expect("writes to memory");
        let font = |name| format!("<</Type/Font/Subtype/Type1/BaseFont/{name}/Encoding/WinAnsiEncoding>>");
        let page = format!(
            "<</Type/Page/Parent 2 0 R/MediaBox[0 0 {} {}]/Contents 4 0 R/Resources<</Font<</F 5 0 R/B 6 0 R>>\
             /ExtGState<</O 7 0 R/T 8 0 R>>>>>>",
            short(self.width),
            short(self.height)
        );
        let stream = format!("<</Length {}/Filter/FlateDecode>>\nstream\n", content.len());
        let objects = [
            b"<</Type/Catalog/Pages 2 0 R>>".to_vec(),
            b"<</Type/Pages/Kids[3 0 R]/Count 1>>".to_vec(),
            page.into_bytes(),
            [stream.as_bytes(), &content, b"\nendstream"].concat(),
            font("Helvetica").into_bytes(),
            font("Helvetica-Bold").into_bytes(),
            b"<</ca 1>>".to_vec(),
            format!("<</ca {TINT}>>").into_bytes(),
        ];
        file(&objects)
    }
}

/// Opacity of every area that is not opaque.
pub(super) const TINT: f64 = 0.18;

/// Numbered objects, the table of where they begin, and the trailer.
fn file(objects: &[Vec<u8>]) -> Vec<u8> {
    let mut file = b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n".to_vec();
    let mut table = format!("xref\n0 {}\n0000000000 65535 f \n", objects.len() + 1);
    for (i, object) in objects.iter().enumerate() {
        table += &format!("{:010} 00000 n \n", file.len());
        file.extend(format!("{} 0 obj\n", i + 1).bytes());
        file.extend(object);
        file.extend(b"\nendobj\n");
    }
    let start = file.len();
    let trailer = format!("trailer\n<</Size {}/Root 1 0 R>>\nstartxref\n{start}\n%%EOF\n", objects.len() + 1);
    file.extend(table.bytes().chain(trailer.bytes()));
    file
}

/// What draws a shape on a page of this height, whose origin is at the bottom.
fn operators(shape: &Shape, height: f64) -> String {
    let place = |(x, y): Point| format!("{} {}", short(x), short(height - y));
    let path = |points: &[Point]| {
        let steps = points.iter().enumerate();
        steps.map(|(i, p)| format!("{} {}\n", place(*p), if i == 0 { "m" } else { "l" })).collect::<String>()
    };
    match shape {
        Shape::Line { points, pen } => {
            let dash = pen.dash.map_or(String::new(), |[on, off]| format!("{} {}", short(on), short(off)));
            let (colour, width) = (rgb(pen.colour), short(pen.width));
            format!("{colour} RG {width} w 1 j [{dash}] 0 d\n{}S\n", path(points))
        }
        Shape::Area { points, colour, opacity } => {
            let state = if *opacity < 1.0 { "T" } else { "O" };
            format!("/{state} gs {} rg\n{}f\n/O gs\n", rgb(*colour), path(points))
        }
        Shape::Text(words) => text(words, place),
    }
}

fn text(words: &Words, place: impl Fn(Point) -> String) -> String {
    let Words { text, at: (x, y), size, align, up, bold } = words;
    let back = match align {
        Align::Left => 0.0,
        Align::Middle => 0.5 * width(text, *size),
        Align::Right => width(text, *size),
    };
    let (turn, at) = if *up { ("0 1 -1 0", (*x, *y + back)) } else { ("1 0 0 1", (*x - back, *y)) };
    let font = if *bold { "B" } else { "F" };
    let encoded = encoded(text);
    format!("BT 0.15 0.16 0.19 rg /{font} {} Tf {turn} {} Tm ({encoded}) Tj ET\n", short(*size), place(at))
}

/// The characters of the font's encoding, one byte each; `?` for any other.
fn encoded(text: &str) -> String {
    let byte = |c: char| match c {
        '(' | ')' | '\\' => format!("\\{c}"),
        ' '..='~' | '\u{a1}'..='\u{ff}' => c.to_string(),
        '–' => "\u{96}".into(),
        '…' => "\u{85}".into(),
        '−' => "-".into(),
        _ => "?".into(),
    };
    text.chars().map(byte).collect()
}

fn rgb(RGBColor(r, g, b): RGBColor) -> String {
    [r, g, b].map(|part| short(f64::from(part) / 255.0)).join(" ")
}

#[cfg(test)]
mod tests {
    use super::super::drawing::Pen;
    use super::*;

    #[test]
    fn the_table_points_to_every_object() {
        let mut drawing = Drawing { width: 100.0, height: 50.0, ..Drawing::default() };
        let pen = Pen { colour: RGBColor(0, 114, 178), width: 1.0, dash: Some([2.0, 1.0]) };
        drawing.line(vec![(0.0, 0.0), (10.0, 40.0)], &pen);
        drawing.area(vec![(0.0, 0.0), (1.0, 0.0), (1.0, 1.0)], RGBColor(0, 0, 0), TINT);
        drawing.text("a (b) – é", (5.0, 5.0), 8.0, Align::Right);
        let file = drawing.pdf();
        let text = String::from_utf8_lossy(&file);
        let start: usize =
            text.rsplit("startxref\n").next().unwrap().lines().next().unwrap().parse().unwrap();
        let table = std::str::from_utf8(&file[start..]).unwrap();
        assert!(table.starts_with("xref\n0 9\n"), "{table}");
        for (i, entry) in table.lines().skip(3).take(8).enumerate() {
            let at: usize = entry[..10].parse().unwrap();
            assert!(file[at..].starts_with(format!("{} 0 obj\n", i + 1).as_bytes()), "{entry}");
        }
    }

    /// Twelve points below the top are 38 above the bottom; a text that ends at a place begins its width before it.
    #[test]
    fn the_page_is_turned_over() {
        let text = Words {
            text: "(ii)".into(),
            at: (20.0, 12.0),
            size: 10.0,
            align: Align::Right,
            up: false,
            bold: false,
        };
        let drawn = operators(&Shape::Text(text), 50.0);
        // Parentheses are 333 thousandths wide, an i 222.
        assert!(drawn.contains("1 0 0 1 8.9 38 Tm (\\(ii\\)) Tj"), "{drawn}");
        assert_eq!(encoded("5 – \u{2192} é"), "5 \u{96} ? é");
    }
}
