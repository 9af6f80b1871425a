//! The report of a fit: parameters, what the law leaves over, what it cannot say.

use super::figures::{DotRow, LineChart, Palette, Series, dots, histogram, line_chart};
use super::html::fill;
use crate::number::number;
use bouton::Result;
use bouton::device::fit::{Estimate, Fit, Residual, Spread};
use minijinja::context;

/// Ranges in which what is left over is averaged.
const RANGES: usize = 24;

/// The page of a fit called `name`.
///
/// # Errors
/// [`bouton::Error::Data`] if a figure cannot be drawn.
pub fn device_page(name: &str, fit: &Fit) -> Result<String> {
    let mut palette = Palette::default();
    let mut figures = vec![left_over(fit, &mut palette)?];
    let values: Vec<f64> = fit.residuals.iter().map(|r| r.value).collect();
    figures.push((
        "How large it is".to_owned(),
        histogram("Residuals", "standard deviations of the law", &values)?,
        "A law with the right noise leaves a mean of 0 and a standard deviation of 1.",
    ));
    for (k, p) in fit.parameters.iter().enumerate() {
        let row = |(device, all): &(String, Vec<Option<_>>)| {
            let e: &Estimate = all[k].as_ref()?;
            let interval = Some([e.value - 2.0 * e.error, e.value + 2.0 * e.error]);
            Some(DotRow { label: device.clone(), values: Vec::new(), mean: e.value, interval })
        };
        // More devices than a page can show in rows are told by the table.
        let rows: Vec<DotRow> = fit.devices.iter().filter_map(row).take(40).collect();
        let drawn = dots(p.name, p.unit, &rows, &mut Palette::default()).svg();
        figures.push((p.name.to_owned(), drawn, "Every device with two standard errors."));
    }
    let figures: Vec<_> = figures
        .into_iter()
        .map(|(title, svg, caption)| context! { title => title, svg => svg, caption => caption })
        .collect();
    let about: Vec<_> =
        fit.parameters.iter().map(|p| [vec![p.about.to_owned()], parameter_cells(p)].concat()).collect();
    fill(
        include_str!("device.html"),
        context! {
            name => name,
            law => fit.law.name(),
            equations => fit.law.equations(),
            notes => &fit.notes,
            doubts => &fit.doubts,
            parameters => about,
            figures => figures,
            file => fit.to_toml()?,
        },
    )
}

/// Means of the residuals over weights or pulses, by direction.
fn left_over(fit: &Fit, palette: &mut Palette) -> Result<(String, String, &'static str)> {
    let series = [(true, "pulses up"), (false, "pulses down")].into_iter().filter_map(|(up, label)| {
        let mut of: Vec<&Residual> = fit.residuals.iter().filter(|r| r.up == up).collect();
        of.sort_by(|a, b| a.at.total_cmp(&b.at));
        let mut series = Series { label: label.into(), ..Series::default() };
        for range in of.chunks(of.len().div_ceil(RANGES).max(1)) {
            let n = range.len() as f64;
            let (at, mean) = range.iter().fold((0.0, 0.0), |(x, y), r| (x + r.at / n, y + r.value / n));
            series.points.push((at, mean));
            series.band.push((mean - 2.0 / n.sqrt(), mean + 2.0 / n.sqrt()));
        }
        (!of.is_empty()).then_some(series)
    });
    let chart = LineChart {
        boundaries: Vec::new(),
        title: "What the law leaves over".into(),
        x_label: match fit.law {
            bouton::device::Law::SoftBounds => "weight before the pulse".into(),
            bouton::device::Law::WeakReset => "pulses since the SET".into(),
        },
        y_label: "mean residual (standard deviations)".into(),
        series: series.collect(),
        ..LineChart::default()
    };
    let caption = "Means over ranges of equally many pulses, with the two standard errors that a law without faults has.";
    Ok(("Residuals".to_owned(), line_chart(&chart, palette)?, caption))
}

/// A parameter in words: mean ± standard error, and so on.
pub(crate) fn parameter_cells(p: &Spread) -> Vec<String> {
    let estimate = |e: &Estimate| format!("{} ± {}", number(e.value), number(e.error));
    vec![
        p.name.into(),
        p.unit.into(),
        estimate(&p.mean),
        p.devices.as_ref().map_or_else(String::new, estimate),
        p.cycles.map_or_else(String::new, number),
        p.n.to_string(),
    ]
}
