//! The frame that all plotted figures share: canvas, title, legend, axes, ticks, colours.

use bouton::{Error, Result};
use plotters::chart::ChartContext;
use plotters::coord::Shift;
use plotters::coord::types::RangedCoordf64;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::palette::Look;

/// The backend rounds to whole pixels: drawing this many times larger than shown keeps curves smooth.
pub(super) const SCALE: i32 = 4;
pub(super) const WIDTH: i32 = 680;
const HEIGHT: i32 = 380;
/// Height of the title, and of a row of the legend.
const TITLE: i32 = 34;
const ROW: i32 = 22;
/// Where the legend begins: above the left end of the axes.
const LEFT: i32 = 76;
/// Length of a line in the legend, and of the gap between dashes.
const SWATCH: i32 = 20;
pub(super) const GAP: i32 = 4;

const INK: RGBColor = RGBColor(38, 42, 48);
pub(super) const AXIS: RGBColor = RGBColor(130, 136, 144);
const GRID: RGBColor = RGBColor(228, 231, 235);

pub(super) type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;
pub(super) type Chart<'a, 'b> = ChartContext<'a, SVGBackend<'b>, Cartesian2d<RangedCoordf64, RangedCoordf64>>;
pub(super) type Drawn<T = ()> = std::result::Result<T, DrawingAreaErrorKind<std::io::Error>>;

/// What stands around the data.
pub(super) struct Frame<'a> {
    pub title: &'a str,
    pub x_label: &'a str,
    pub y_label: &'a str,
    pub x: (f64, f64),
    pub y: (f64, f64),
    /// The y values are decimal logarithms.
    pub log_y: bool,
    /// Names and looks of the series; no legend if there are none.
    pub legend: Vec<(&'a str, Look)>,
}

/// An SVG of the shared width and `height`, filled by `draw`.
pub(super) fn canvas(height: i32, draw: impl FnOnce(&Area<'_>) -> Drawn) -> Result<String> {
    let mut svg = String::new();
    let large = (WIDTH * SCALE, height * SCALE);
    let backend = SVGBackend::with_string(&mut svg, (large.0 as u32, large.1 as u32));
    let area = backend.into_drawing_area();
    let drawn = area.fill(&WHITE).and_then(|()| draw(&area)).and_then(|()| area.present());
    drawn.map_err(|e| Error::data(format!("cannot draw a figure: {e}")))?;
    drop(area);
    let size = |width, height| format!("width=\"{width}\" height=\"{height}\"");
    Ok(svg.replacen(&size(large.0, large.1), &size(WIDTH, height), 1))
}

impl Frame<'_> {
    /// A figure with this frame, its data drawn by `draw`.
    pub(super) fn draw(&self, draw: impl FnOnce(&mut Chart<'_, '_>) -> Drawn) -> Result<String> {
        canvas(HEIGHT, |area| {
            let top = head(area, self.title, &self.legend)?;
            let mut chart = ChartBuilder::on(area)
                .margin_top(top * SCALE)
                .margin_right(18 * SCALE)
                .margin_bottom(8 * SCALE)
                .margin_left(8 * SCALE)
                .x_label_area_size(44 * SCALE)
                .y_label_area_size(64 * SCALE)
                .build_cartesian_2d(self.x.0..self.x.1, self.y.0..self.y.1)?;
            self.axes(&mut chart)?;
            draw(&mut chart)
        })
    }

    fn axes(&self, chart: &mut Chart<'_, '_>) -> Drawn {
        let decades = self.y.1 - self.y.0;
        let tick_y = |v: &f64| if self.log_y { tick_log(*v, decades) } else { tick(*v) };
        let text = font(12).into_font().color(&INK);
        chart
            .configure_mesh()
            .x_labels(8)
            .y_labels(if self.log_y { (decades.ceil() as usize + 1).clamp(3, 8) } else { 7 })
            .max_light_lines(0)
            .bold_line_style(GRID.stroke_width(SCALE as u32))
            .axis_style(AXIS.stroke_width(SCALE as u32))
            .set_all_tick_mark_size(4 * SCALE)
            .label_style(text.clone())
            .axis_desc_style(font(13).into_font().color(&INK))
            .x_desc(self.x_label)
            .y_desc(self.y_label)
            .x_label_formatter(&|v| tick(*v))
            .y_label_formatter(&tick_y)
            .draw()
    }
}

/// Where each name of a legend begins, and the height that they take together with the title.
pub(super) fn legend_places(legend: &[(&str, Look)]) -> (Vec<(i32, i32)>, i32) {
    let (mut x, mut y) = (LEFT, TITLE + 6);
    let place = |(name, _): &(&str, Look)| {
        let width = SWATCH + 20 + 7 * name.chars().count() as i32;
        if x + width > WIDTH - 10 && x > LEFT {
            (x, y) = (LEFT, y + ROW);
        }
        x += width;
        (x - width, y)
    };
    let places: Vec<_> = legend.iter().map(place).collect();
    let height = places.last().map_or(TITLE + 8, |place| place.1 + 18);
    (places, height)
}

/// Draws the title and the legend; returns the height that they take.
pub(super) fn head(area: &Area<'_>, title: &str, legend: &[(&str, Look)]) -> Drawn<i32> {
    write(area, title, (16, 10), font_bold(15), HPos::Left, VPos::Top)?;
    let (places, height) = legend_places(legend);
    for ((name, look), (x, y)) in legend.iter().zip(places) {
        let (mut from, end) = (x, x + SWATCH);
        while from < end {
            let to = (from + look.dash.unwrap_or(SWATCH)).min(end);
            let corners = [(from * SCALE, y * SCALE - 6), (to * SCALE, y * SCALE + 6)];
            area.draw(&Rectangle::new(corners, look.colour.filled()))?;
            from = to + GAP;
        }
        write(area, name, (x + SWATCH + 6, y), font(12), HPos::Left, VPos::Center)?;
    }
    Ok(height)
}

/// Writes text at a place in shown pixels.
pub(super) fn write(
    area: &Area<'_>,
    text: &str,
    place: (i32, i32),
    font: impl IntoFont<'static>,
    h: HPos,
    v: VPos,
) -> Drawn {
    let style = TextStyle::from(font.into_font()).color(&INK).pos(Pos::new(h, v));
    area.draw(&Text::new(text.to_string(), (place.0 * SCALE, place.1 * SCALE), style))
}

/// A font by its height in shown pixels (the backend divides sizes by 1.24).
pub(super) fn font(pixels: i32) -> (&'static str, f64) {
    ("sans-serif", f64::from(pixels * SCALE) * 1.24)
}

pub(super) fn font_bold(pixels: i32) -> (&'static str, f64, FontStyle) {
    ("sans-serif", f64::from(pixels * SCALE) * 1.24, FontStyle::Bold)
}

/// The smallest and largest finite value, widened by `margin` of their distance; never empty.
pub(super) fn span(values: impl Iterator<Item = f64>, margin: f64) -> (f64, f64) {
    let finite = values.filter(|v| v.is_finite());
    let (lo, hi) = finite.fold((f64::INFINITY, f64::NEG_INFINITY), |(lo, hi), v| (lo.min(v), hi.max(v)));
    if lo > hi {
        return (0.0, 1.0);
    }
    let pad = if hi > lo { margin * (hi - lo) } else { 0.5 * hi.abs().max(1e-12) };
    (lo - pad, hi + pad)
}

/// A tick of a linear axis.
pub(super) fn tick(v: f64) -> String {
    let size = v.abs();
    if size < 1e-12 {
        return "0".into();
    }
    if !(1e-3..1e6).contains(&size) {
        return format!("{v:.1e}").replace(".0e", "e");
    }
    let text = format!("{v:.4}");
    text.trim_end_matches('0').trim_end_matches('.').to_string()
}

/// A tick of a logarithmic axis that spans `decades`: powers of ten, or plain numbers if few of them fit.
fn tick_log(exponent: f64, decades: f64) -> String {
    let whole = (exponent - exponent.round()).abs() < 1e-6;
    match (whole, decades < 2.0) {
        (_, true) => tick(10f64.powf(exponent)),
        (true, false) => format!("10{}", superscript(exponent.round() as i64)),
        (false, false) => String::new(),
    }
}

fn superscript(number: i64) -> String {
    const DIGITS: [char; 10] = ['⁰', '¹', '²', '³', '⁴', '⁵', '⁶', '⁷', '⁸', '⁹'];
    let digit = |c: char| c.to_digit(10).map_or('⁻', |d| DIGITS[d as usize]);
    number.to_string().chars().map(digit).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_short() {
        let ticks = [0.0, 0.25, -3.0, 20_000.0, 2e-5, 1.5e7, -1e-17];
        assert_eq!(ticks.map(tick), ["0", "0.25", "-3", "20000", "2e-5", "1.5e7", "0"]);
        assert_eq!(tick_log(-12.0, 9.0), "10⁻¹²");
        assert_eq!(tick_log(-0.5, 9.0), "");
        assert_eq!(tick_log(0.0, 1.0), "1");
    }

    #[test]
    fn a_span_is_never_empty_and_ignores_what_is_not_finite() {
        assert_eq!(span([1.0, f64::NAN, 3.0, f64::INFINITY].into_iter(), 0.5), (0.0, 4.0));
        assert_eq!(span(std::iter::empty(), 0.1), (0.0, 1.0));
        let (lo, hi) = span([0.0, 0.0].into_iter(), 0.1);
        assert!(lo < 0.0 && hi > 0.0);
    }
}
