//! Receptive fields: what every unit of the first layer looks for, as a grid of little images.
//!
//! One channel: negative weights blue, zero white, positive red; every unit has its own scale, its largest |w|.
//! Three channels: grey is zero. Plotted as one embedded image, because a rectangle a weight is megabytes.

use super::escape;
use bouton::{Error, Result};

use super::png::Image;

/// Units in a row, and at most shown.
const COLUMNS: usize = 13;
const UNITS: usize = 64;
/// Shown width in pixels.
const WIDTH: usize = 680;
const TOP: usize = 42;
const GAP: [u8; 3] = [255; 3];
const NOT_FINITE: [u8; 3] = [0; 3];

/// Draws the rows of `weights`, shape `[post, pre]` row-major, as images of the shape `[channels, height, width]`
/// (channels 1 or 3; `pre` is their product). The first 64 units are shown. Weights that are not finite are black.
///
/// # Errors
/// [`Error::Shape`] if the weights are no whole number of such images.
pub fn receptive_fields(title: &str, weights: &[f64], image: [usize; 3]) -> Result<String> {
    let [channels, height, width] = image;
    let pre: usize = image.iter().product();
    if !matches!(channels, 1 | 3) || pre == 0 || weights.is_empty() || !weights.len().is_multiple_of(pre) {
        let n = weights.len();
        return Err(Error::shape(format!("{n} weights are no images of {channels} x {height} x {width}")));
    }
    let units: Vec<_> = weights.chunks(pre).take(UNITS).collect();
    let shown = (WIDTH - 32).min(COLUMNS.min(units.len()) * 80);
    Ok(svg(title, &grid(&units, image), shown, channels))
}

/// All units side by side, one white pixel between them.
fn grid(units: &[&[f64]], [channels, height, width]: [usize; 3]) -> Image {
    let columns = COLUMNS.min(units.len());
    let rows = units.len().div_ceil(columns);
    let mut grid = Image::filled(columns * (width + 1) - 1, rows * (height + 1) - 1, GAP);
    for (u, unit) in units.iter().enumerate() {
        let largest = unit.iter().filter(|w| w.is_finite()).fold(0.0f64, |a, w| a.max(w.abs()));
        let (x0, y0) = (u % columns * (width + 1), u / columns * (height + 1));
        for pixel in 0..height * width {
            let place = (y0 + pixel / width) * grid.width + x0 + pixel % width;
            let scaled = |c: usize| unit[c * height * width + pixel] / largest.max(f64::MIN_POSITIVE);
            grid.pixels[place] =
                if channels == 1 { diverging(scaled(0)) } else { rgb([0, 1, 2].map(scaled)) };
        }
    }
    grid
}

/// −1 blue, 0 white, 1 red (the ends of the palette of all figures), linear in between.
fn diverging(v: f64) -> [u8; 3] {
    if !v.is_finite() {
        return NOT_FINITE;
    }
    let end = if v < 0.0 { [0.0, 90.0, 160.0] } else { [190.0, 40.0, 20.0] };
    end.map(|c| (255.0 + (c - 255.0) * v.abs().min(1.0)).round() as u8)
}

fn rgb(v: [f64; 3]) -> [u8; 3] {
    if v.iter().any(|v| !v.is_finite()) {
        return NOT_FINITE;
    }
    v.map(|v| (127.5 + 127.5 * v.clamp(-1.0, 1.0)).round() as u8)
}

fn svg(title: &str, grid: &Image, shown: usize, channels: usize) -> String {
    let height = shown * grid.height / grid.width;
    let total = TOP + height + 34;
    let scale = match channels {
        1 => {
            let mut bar = Image::filled(101, 1, GAP);
            (0..101).for_each(|i| bar.pixels[i] = diverging(i as f64 / 50.0 - 1.0));
            let y = TOP + height + 12;
            format!(
                "<text x=\"16\" y=\"{0}\" font-size=\"12\">−max |w|</text>\n\
                 <image x=\"82\" y=\"{y}\" width=\"160\" height=\"12\" preserveAspectRatio=\"none\" href=\"{1}\"/>\n\
                 <text x=\"252\" y=\"{0}\" font-size=\"12\">+max |w| of each unit</text>\n",
                y + 11,
                bar.data_url(),
            )
        }
        _ => String::new(),
    };
    format!(
        "<svg width=\"{WIDTH}\" height=\"{total}\" viewBox=\"0 0 {WIDTH} {total}\" \
         xmlns=\"http://www.w3.org/2000/svg\" font-family=\"sans-serif\" fill=\"#262A30\">\n\
         <rect width=\"{WIDTH}\" height=\"{total}\" fill=\"#FFFFFF\"/>\n\
         <text x=\"16\" y=\"24\" font-size=\"15\" font-weight=\"bold\">{}</text>\n\
         <image x=\"16\" y=\"{TOP}\" width=\"{shown}\" height=\"{height}\" preserveAspectRatio=\"none\" \
         style=\"image-rendering:pixelated\" href=\"{}\"/>\n{scale}</svg>\n",
        escape(title),
        grid.data_url(),
    )
}

#[cfg(test)]
mod tests {
    use super::super::check::{attributes, well_formed};
    use super::*;

    #[test]
    fn every_weight_is_at_its_place() {
        let mut weights = vec![0.5; 70 * 12];
        // Unit 14 is the second of the second row; its weight 5 is at row 1, column 1 of its 3 x 4 image.
        weights[14 * 12 + 5] = -1.0;
        let units: Vec<_> = weights.chunks(12).take(UNITS).collect();
        let grid = grid(&units, [1, 3, 4]);
        assert_eq!((grid.width, grid.height), (13 * 5 - 1, 5 * 4 - 1));
        let at = |x: usize, y: usize| grid.pixels[y * grid.width + x];
        assert_eq!(at(5 + 1, 4 + 1), diverging(-1.0));
        assert_eq!(at(5 + 2, 4 + 1), diverging(0.5));
        assert_eq!((at(0, 0), at(4, 0), at(0, 3)), (diverging(1.0), GAP, GAP));

        let colours: Vec<f64> = (0..12).map(|i| if i == 4 + 2 { 1.0 } else { 0.0 }).collect();
        let grid = super::grid(&[&colours], [3, 2, 2]);
        assert_eq!(grid.pixels[2], [128, 255, 128]);
        assert_eq!(grid.pixels[0], [128; 3]);
    }

    #[test]
    fn one_channel_has_a_scale_and_escaped_title() {
        let svg = receptive_fields("a <b>", &[0.5; 70 * 12], [1, 3, 4]).unwrap();
        well_formed(&svg);
        assert!(svg.contains("a &lt;b&gt;"));
        assert_eq!(attributes(&svg, "image", "href").len(), 2);
    }

    #[test]
    fn three_channels_need_no_scale_and_odd_shapes_are_refused() {
        let svg = receptive_fields("rgb", &[f64::NAN; 2 * 12], [3, 2, 2]).unwrap();
        well_formed(&svg);
        assert_eq!(attributes(&svg, "image", "href").len(), 1);
        for (weights, image) in [(25, [3, 2, 2]), (0, [1, 2, 2]), (8, [2, 2, 2]), (8, [1, 0, 2])] {
            let error = receptive_fields("x", &vec![0.0; weights], image).unwrap_err();
            assert!(matches!(error, Error::Shape { .. }), "{error}");
        }
    }

    #[test]
    fn colours_diverge_from_white() {
        assert_eq!(diverging(0.0), [255, 255, 255]);
        assert_eq!(diverging(-1.0), [0, 90, 160]);
        assert_eq!(diverging(1.0), [190, 40, 20]);
        assert_eq!(diverging(f64::NAN), [0; 3]);
        assert_eq!(rgb([-1.0, 0.0, 1.0]), [0, 128, 255]);
    }
}
