//! Slopes of curves on logarithmic axes.

/// `points` (at least 2) values from `from` to `to`, evenly spread in the logarithm.
pub fn log_spaced(from: f64, to: f64, points: usize) -> impl Iterator<Item = f64> {
    (0..points).map(move |i| from * (to / from).powf(i as f64 / (points - 1) as f64))
}

/// Slope of the least-squares line through (ln x, ln y) of the `curve`.
pub fn log_log_slope(curve: impl Iterator<Item = (f64, f64)>) -> f64 {
    let points: Vec<(f64, f64)> = curve.map(|(x, y)| (x.ln(), y.ln())).collect();
    let n = points.len() as f64;
    let (x, y) = points.iter().fold((0.0, 0.0), |(x, y), p| (x + p.0 / n, y + p.1 / n));
    let products = points.iter().map(|p| ((p.0 - x) * (p.1 - y), (p.0 - x) * (p.0 - x)));
    let (xy, xx) = products.fold((0.0, 0.0), |sum, p| (sum.0 + p.0, sum.1 + p.1));
    xy / xx
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn power_laws() {
        let slope = log_log_slope(log_spaced(2.0, 3e4, 40).map(|x| (x, 7.0 * x.powf(-0.3))));
        assert!((slope + 0.3).abs() < 1e-13, "{slope}");
        let ends: Vec<f64> = log_spaced(2.0, 32.0, 5).collect();
        assert!(ends.iter().zip([2.0, 4.0, 8.0, 16.0, 32.0]).all(|(a, b)| (a - b).abs() < 1e-12));
    }
}
