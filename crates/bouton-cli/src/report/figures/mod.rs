//! Figures as SVG text, one function per kind; the same look for all of them.

mod axis;
mod bars;
mod chart;
mod dots;
mod drawing;
mod effects;
mod fields;
mod histogram;
mod line;
mod matrix;
mod palette;
mod pdf;
mod plot;
mod png;
mod raster;
mod spikes;
mod strokes;

pub(super) use axis::wants_log;
pub use bars::{Bar, bars};
pub use dots::{DotRow, dots};
pub use drawing::{Drawing, MILLIMETRE};
pub use effects::effects;
pub use fields::receptive_fields;
pub use histogram::histogram;
pub use line::{LineChart, Series, line_chart};
pub use matrix::matrix;
pub use palette::Palette;
pub use plot::Plot;
pub use spikes::{Raster, spike_raster};

/// Text between tags.
fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
pub(crate) mod check {
    /// Numbers of all attributes `name` of the elements `element` in an SVG text.
    pub(crate) fn attributes(svg: &str, element: &str, name: &str) -> Vec<String> {
        let begin = format!("<{element} ");
        let elements = svg.split(&begin).skip(1).map(|rest| rest.split('>').next().unwrap());
        let find = |text: &str| {
            let start = text.find(&format!("{name}=\""))? + name.len() + 2;
            Some(text[start..].split('"').next()?.to_string())
        };
        elements.filter_map(find).collect()
    }

    /// Asserts that the text is one SVG element with balanced tags and finite numbers.
    pub(crate) fn well_formed(svg: &str) {
        assert!(svg.starts_with("<svg ") && svg.trim_end().ends_with("</svg>"), "{svg:.200}");
        let mut open = Vec::new();
        for tag in svg.split('<').skip(1) {
            let (tag, text) = tag.split_once('>').expect("every tag is closed");
            assert!(!text.contains('>'), "unescaped text {text}");
            assert_eq!(tag.matches('"').count() % 2, 0, "{tag}");
            let name = tag.trim_start_matches('/').split([' ', '/']).next().unwrap().to_string();
            match (tag.starts_with('/'), tag.ends_with('/')) {
                (true, _) => assert_eq!(open.pop().as_ref(), Some(&name), "{tag}"),
                (false, false) => open.push(name),
                (false, true) => {}
            }
        }
        assert!(open.is_empty(), "{open:?}");
        for bad in ["NaN", "inf", "2147483647"] {
            assert!(!svg.contains(bad), "{bad}");
        }
    }
}
