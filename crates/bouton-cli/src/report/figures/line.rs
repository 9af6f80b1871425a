//! Lines over updates or epochs, with an optional band, linear or logarithmic.

use bouton::Result;
use plotters::prelude::*;

use super::Palette;
use super::chart::{AXIS, Chart, Drawn, Frame, GAP, SCALE, span};
use super::palette::Look;

/// Up to this many points every one gets a dot.
const DOTS: usize = 40;

/// A line chart.
#[derive(Debug, Clone, Default)]
pub struct LineChart {
    /// Written above.
    pub title: String,
    /// What the x axis counts, with unit.
    pub x_label: String,
    /// What the y axis measures, with unit.
    pub y_label: String,
    /// Logarithmic y axis; values that are not positive leave a gap.
    pub log_y: bool,
    /// The lines.
    pub series: Vec<Series>,
    /// Where a thin line crosses the chart from top to bottom.
    pub boundaries: Vec<f64>,
}

/// One line of a [`LineChart`].
#[derive(Debug, Clone, Default)]
pub struct Series {
    /// Its name in the legend.
    pub label: String,
    /// Points (x, y) in the order of x; a value that is not finite leaves a gap.
    pub points: Vec<(f64, f64)>,
    /// Lower and upper edge of a band, one for each point; empty for none.
    pub band: Vec<(f64, f64)>,
}

/// Draws a line chart as SVG, each series as `palette` has it.
///
/// # Errors
/// [`bouton::Error::Data`] if it cannot be drawn.
pub fn line_chart(chart: &LineChart, palette: &mut Palette) -> Result<String> {
    let looks: Vec<Look> = chart.series.iter().map(|series| palette.look(&series.label)).collect();
    let map = |y: f64| if chart.log_y { y.log10() } else { y };
    let all = || chart.series.iter().flat_map(|s| s.points.iter().map(|p| p.0).zip(values(s)));
    let lines: Vec<_> = chart.series.iter().map(|series| mapped(series, map)).collect();
    let drawn = all().map(|(_, y)| map(y));
    let edges = chart.series.iter().flat_map(|s| s.band.iter().flat_map(|b| [map(b.0), map(b.1)]));
    let frame = Frame {
        title: &chart.title,
        x_label: &chart.x_label,
        y_label: &chart.y_label,
        x: from_zero(span(all().map(|(x, _)| x), 0.0)),
        y: span(drawn.chain(edges), 0.04),
        log_y: chart.log_y,
        legend: chart.series.iter().map(|series| series.label.as_str()).zip(looks.iter().copied()).collect(),
    };
    frame.draw(|area| {
        for &x in &chart.boundaries {
            let line = [(x, frame.y.0), (x, frame.y.1)];
            area.draw_series(DashedLineSeries::new(
                line,
                GAP * SCALE,
                GAP * SCALE,
                AXIS.stroke_width(SCALE as u32),
            ))?;
        }
        for ((line, series), look) in lines.iter().zip(&chart.series).zip(&looks) {
            for run in line.split(|point| point.is_none()) {
                let run: Vec<_> = run.iter().flatten().copied().collect();
                draw_run(area, &run, *look, series.points.len() <= DOTS)?;
            }
        }
        Ok(())
    })
}

/// A range that begins near zero begins at zero.
fn from_zero((lo, hi): (f64, f64)) -> (f64, f64) {
    if lo > 0.0 && lo < 0.15 * hi { (0.0, hi) } else { (lo, hi) }
}

fn values(series: &Series) -> impl Iterator<Item = f64> {
    series.points.iter().map(|point| point.1)
}

/// A point with its band, ready to draw.
#[derive(Clone, Copy)]
struct Point {
    at: (f64, f64),
    band: Option<(f64, f64)>,
}

/// The points on the axes of the chart; `None` where there is a gap.
fn mapped(series: &Series, map: impl Fn(f64) -> f64) -> Vec<Option<Point>> {
    let point = |(i, &(x, y)): (usize, &(f64, f64))| {
        let y = Some(map(y)).filter(|y| y.is_finite() && x.is_finite())?;
        // A lower edge that has no logarithm ends at the line.
        let edge = |e: f64| if map(e).is_finite() { map(e) } else { y };
        Some(Point { at: (x, y), band: series.band.get(i).map(|b| (edge(b.0), edge(b.1))) })
    };
    series.points.iter().enumerate().map(point).collect()
}

fn draw_run(area: &mut Chart<'_, '_>, run: &[Point], look: Look, dots: bool) -> Drawn {
    let colour = look.colour;
    let upper = run.iter().filter_map(|p| Some((p.at.0, p.band?.1)));
    let lower = run.iter().rev().filter_map(|p| Some((p.at.0, p.band?.0)));
    let outline: Vec<_> = upper.chain(lower).collect();
    let places = run.iter().map(|point| point.at);
    if outline.len() > 2 {
        area.draw_series([Polygon::new(outline, colour.mix(0.18))])?;
    }
    let stroke = colour.stroke_width(2 * SCALE as u32);
    match look.dash.filter(|_| run.len() > 1) {
        Some(dash) => {
            area.draw_series(DashedLineSeries::new(places.clone(), dash * SCALE, GAP * SCALE, stroke))?;
        }
        None if run.len() > 1 => {
            area.draw_series(LineSeries::new(places.clone(), stroke))?;
        }
        None => {}
    }
    if dots || run.len() == 1 {
        area.draw_series(places.map(|at| Circle::new(at, 3 * SCALE, colour.filled())))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::check::{attributes, well_formed};
    use super::*;

    fn chart(log_y: bool, lines: &[&[f64]]) -> LineChart {
        let series = lines.iter().enumerate().map(|(i, ys)| Series {
            label: format!("line <{i}>"),
            points: ys.iter().enumerate().map(|(x, &y)| (x as f64, y)).collect(),
            band: Vec::new(),
        });
        LineChart { title: "a & b".into(), log_y, series: series.collect(), ..LineChart::default() }
    }

    fn drawn(chart: &LineChart) -> String {
        line_chart(chart, &mut Palette::default()).unwrap()
    }

    fn strokes(svg: &str, colour: &str) -> usize {
        attributes(svg, "polyline", "stroke").iter().filter(|stroke| *stroke == colour).count()
    }

    #[test]
    fn every_series_is_one_line_with_its_name() {
        let svg = drawn(&chart(false, &[&[1.0, 2.0], &[2.0, 1.0], &[0.0, 5.0, 1.0]]));
        well_formed(&svg);
        assert_eq!(["#0072B2", "#D55E00", "#009E73"].map(|colour| strokes(&svg, colour)), [1, 1, 1]);
        assert_eq!(attributes(&svg, "circle", "cx").len(), 7);
        assert!(svg.contains("line &lt;2&gt;") && svg.contains("a &amp; b"));
    }

    #[test]
    fn the_eighth_series_is_dashed() {
        let lines: Vec<&[f64]> = vec![&[1.0, 2.0]; 8];
        let svg = drawn(&chart(false, &lines));
        well_formed(&svg);
        assert!(
            strokes(&svg, "#0072B2") > 10 && strokes(&svg, "#D55E00") == 1,
            "{}",
            strokes(&svg, "#0072B2")
        );
    }

    #[test]
    fn a_series_looks_the_same_in_two_charts() {
        let (first, mut second) = (chart(false, &[&[1.0], &[2.0]]), chart(false, &[&[3.0]]));
        second.series[0].label = "line <1>".into();
        let mut palette = Palette::default();
        line_chart(&first, &mut palette).unwrap();
        let svg = line_chart(&second, &mut palette).unwrap();
        assert_eq!(attributes(&svg, "circle", "fill"), ["#D55E00"]);
    }

    #[test]
    fn higher_values_are_drawn_higher() {
        for log_y in [false, true] {
            let svg = drawn(&chart(log_y, &[&[1.0, 10.0, 100.0]]));
            let ys: Vec<f64> = attributes(&svg, "circle", "cy").iter().map(|y| y.parse().unwrap()).collect();
            assert!(ys[0] > ys[1] && ys[1] > ys[2], "{ys:?}");
            // On a logarithmic axis equal factors are equal distances.
            assert_eq!(((ys[0] - ys[1]) - (ys[1] - ys[2])).abs() < 3.0, log_y, "{ys:?}");
        }
    }

    #[test]
    fn what_is_not_finite_leaves_a_gap() {
        let svg = drawn(&chart(false, &[&[1.0, 2.0, f64::NAN, 3.0, 4.0, f64::INFINITY]]));
        well_formed(&svg);
        assert_eq!((strokes(&svg, "#0072B2"), attributes(&svg, "circle", "cx").len()), (2, 4));
        let svg = drawn(&chart(true, &[&[1.0, 0.0, -1.0, 10.0]]));
        well_formed(&svg);
        assert_eq!(attributes(&svg, "circle", "cx").len(), 2);
    }

    #[test]
    fn empty_and_constant_data_still_give_a_chart() {
        for lines in
            [&[][..], &[&[][..]], &[&[f64::NAN][..]], &[&[3.0][..]], &[&[0.0, 0.0][..]], &[&[1e-14; 3][..]]]
        {
            for log_y in [false, true] {
                well_formed(&drawn(&chart(log_y, lines)));
            }
        }
    }

    #[test]
    fn a_band_surrounds_its_line() {
        let mut chart = chart(true, &[&[1.0, 2.0, 4.0]]);
        chart.series[0].band = vec![(0.5, 1.5), (-1.0, 3.0), (2.0, 6.0)];
        let svg = drawn(&chart);
        well_formed(&svg);
        let [outline] = &attributes(&svg, "polygon", "points")[..] else { panic!("one band") };
        let outline: Vec<Vec<f64>> = outline
            .split_whitespace()
            .map(|point| point.split(',').map(|number| number.parse().unwrap()).collect())
            .collect();
        let ys: Vec<f64> = attributes(&svg, "circle", "cy").iter().map(|y| y.parse().unwrap()).collect();
        assert_eq!(outline.len(), 6);
        for i in 0..3 {
            assert!(outline[i][1] < ys[i] && ys[i] <= outline[5 - i][1], "{i}: {outline:?} {ys:?}");
        }
    }
}
