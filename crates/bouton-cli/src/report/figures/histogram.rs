//! How the weights of one connection are distributed.

use bouton::Result;
use plotters::prelude::*;

use super::chart::{Frame, span, tick};
use super::palette::Look;

const BINS: usize = 61;

/// Draws a histogram of `values` as SVG, its legend naming number, mean and standard deviation. Values that are
/// not finite are counted in the legend and not drawn.
///
/// # Errors
/// [`bouton::Error::Data`] if it cannot be drawn.
pub fn histogram(title: &str, x_label: &str, values: &[f64]) -> Result<String> {
    let finite: Vec<f64> = values.iter().copied().filter(|v| v.is_finite()).collect();
    let (lo, hi) = span(finite.iter().copied(), 0.0);
    let counts = counts(&finite, lo, hi);
    let highest = counts.iter().copied().max().unwrap_or(0).max(1);
    let legend = legend(&finite, values.len());
    let frame = Frame {
        title,
        x_label,
        y_label: "count",
        x: (lo, hi),
        y: (0.0, 1.05 * highest as f64),
        log_y: false,
        legend: vec![(legend.as_str(), Look::of(0))],
    };
    let width = (hi - lo) / BINS as f64;
    frame.draw(|area| {
        let filled = counts.iter().enumerate().filter(|(_, count)| **count > 0);
        area.draw_series(filled.map(|(i, &count)| {
            let corners = [(lo + i as f64 * width, 0.0), (lo + (i + 1) as f64 * width, count as f64)];
            Rectangle::new(corners, Look::of(0).colour.mix(0.85).filled())
        }))?;
        Ok(())
    })
}

fn counts(finite: &[f64], lo: f64, hi: f64) -> [usize; BINS] {
    let mut counts = [0; BINS];
    for v in finite {
        let bin = ((v - lo) / (hi - lo) * BINS as f64) as usize;
        counts[bin.min(BINS - 1)] += 1;
    }
    counts
}

fn legend(finite: &[f64], total: usize) -> String {
    let n = finite.len().max(1) as f64;
    let mean = finite.iter().sum::<f64>() / n;
    let deviation = (finite.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / n).sqrt();
    let lost = total - finite.len();
    let lost = if lost > 0 { format!(", {lost} not finite") } else { String::new() };
    format!("n = {total}, mean {}, standard deviation {}{lost}", tick(mean), tick(deviation))
}

#[cfg(test)]
mod tests {
    use super::super::check::{attributes, well_formed};
    use super::*;

    #[test]
    fn every_value_is_in_its_bin() {
        let (lo, hi) = (-1.0, 1.0);
        let counts = counts(&[-1.0, -1.0, 0.0, 1.0], lo, hi);
        assert_eq!((counts[0], counts[BINS / 2], counts[BINS - 1]), (2, 1, 1));
        assert_eq!(counts.iter().sum::<usize>(), 4);
    }

    #[test]
    fn a_bar_for_every_filled_bin() {
        let svg = histogram("w", "weight", &[-1.0, -1.0, 0.0, 1.0, f64::NAN]).unwrap();
        well_formed(&svg);
        let bars = attributes(&svg, "rect", "opacity").iter().filter(|opacity| *opacity == "0.85").count();
        assert_eq!(bars, 3);
        assert!(svg.contains("n = 5, mean -0.25, standard deviation 0.8292, 1 not finite"), "{svg}");
    }

    #[test]
    fn constant_and_empty_weights_still_give_a_chart() {
        for values in [&[][..], &[0.0; 9], &[f64::NAN]] {
            well_formed(&histogram("w", "weight", values).unwrap());
        }
    }
}
