//! Named numbers side by side.

use bouton::Result;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, VPos};

use super::chart::{SCALE, WIDTH, canvas, font, head, legend_places, span, tick, write};
use super::palette::Look;

/// Height of a bar with its gap, and the space for its number, in shown pixels.
const PITCH: i32 = 32;
const NUMBER: i32 = 110;

/// One bar.
#[derive(Debug, Clone, Default)]
pub struct Bar {
    /// Its name, written at its left.
    pub label: String,
    /// Its length; a number that is not finite draws no bar.
    pub value: f64,
    /// Half the length of its error line; none if it is 0.
    pub error: f64,
    /// Number of its colour, for example one for "paper" and one for "here".
    pub series: usize,
}

/// Draws horizontal bars from zero, top to bottom, each with its number. `legend` names the colours and may be
/// empty.
///
/// # Errors
/// [`bouton::Error::Data`] if it cannot be drawn.
pub fn bars(title: &str, legend: &[&str], bars: &[Bar]) -> Result<String> {
    let legend: Vec<_> = legend.iter().enumerate().map(|(i, name)| (*name, Look::of(i))).collect();
    let ends = bars.iter().flat_map(|bar| [bar.value - bar.error, bar.value + bar.error]);
    let (lo, hi) = span(ends.chain([0.0]), 0.0);
    let longest = bars.iter().map(|bar| bar.label.chars().count()).max().unwrap_or(0) as i32;
    let left = (28 + 7 * longest).min(300);
    let at = |v: f64| left + (f64::from(WIDTH - left - NUMBER) * (v - lo) / (hi - lo)).round() as i32;
    let top = legend_places(&legend).1;
    let bottom = top + bars.len() as i32 * PITCH;
    canvas(bottom + 12, |area| {
        head(area, title, &legend)?;
        for (i, bar) in bars.iter().enumerate() {
            let (upper, height) = (top + i as i32 * PITCH, PITCH * 7 / 10);
            let middle = upper + height / 2;
            write(area, &bar.label, (left - 8, middle), font(12), HPos::Right, VPos::Center)?;
            if !bar.value.is_finite() {
                write(area, "not finite", (at(0.0) + 6, middle), font(12), HPos::Left, VPos::Center)?;
                continue;
            }
            let rectangle = [(at(0.0), upper), (at(bar.value), upper + height)].map(scaled);
            area.draw(&Rectangle::new(rectangle, Look::of(bar.series).colour.filled()))?;
            let whisker =
                [(at(bar.value - bar.error), middle), (at(bar.value + bar.error), middle)].map(scaled);
            let mut text = tick(bar.value);
            if bar.error > 0.0 {
                area.draw(&PathElement::new(whisker, BLACK.stroke_width(SCALE as u32 * 3 / 2)))?;
                text = format!("{text} ± {}", tick(bar.error));
            }
            let end = at(bar.value + bar.error).max(at(0.0)) + 6;
            write(area, &text, (end, middle), font(12), HPos::Left, VPos::Center)?;
        }
        let axis = [(at(0.0), top - 4), (at(0.0), bottom - 4)].map(scaled);
        area.draw(&PathElement::new(axis, BLACK.stroke_width(SCALE as u32)))
    })
}

fn scaled((x, y): (i32, i32)) -> (i32, i32) {
    (x * SCALE, y * SCALE)
}

#[cfg(test)]
mod tests {
    use super::super::check::{attributes, well_formed};
    use super::*;

    #[test]
    fn bars_are_as_long_as_their_numbers() {
        let bar = |value, error| Bar { label: "a<b".into(), value, error, series: 1 };
        let svg =
            bars("errors", &["paper", "here"], &[bar(2.0, 0.0), bar(1.0, 0.5), bar(f64::NAN, 0.0)]).unwrap();
        well_formed(&svg);
        let fills = attributes(&svg, "rect", "fill");
        let widths = attributes(&svg, "rect", "width");
        let drawn: Vec<f64> = (widths.iter().zip(&fills).filter(|(_, fill)| *fill == "#D55E00"))
            .map(|(width, _)| width.parse().unwrap())
            .collect();
        // The first of that colour is the legend's.
        assert_eq!(drawn.len(), 3);
        assert!((drawn[1] / drawn[2] - 2.0).abs() < 0.02, "{drawn:?}");
        assert!(svg.contains("1 ± 0.5") && svg.contains("not finite") && svg.contains("a&lt;b"));
        well_formed(&bars("none", &[], &[]).unwrap());
    }
}
