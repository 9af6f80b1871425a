//! Means with intervals of Student's t.
//!
//! For ν degrees of freedom, θ = atan(t/√ν) (Abramowitz & Stegun 26.7.3 and 26.7.4):
//! P(|T| < t) = 2/π (θ + sin θ (cos θ + 2/3 cos³θ + … + (2·4⋯(ν−3))/(3·5⋯(ν−2)) cos^(ν−2)θ)) for odd ν,
//! P(|T| < t) = sin θ (1 + 1/2 cos²θ + … + (1·3⋯(ν−3))/(2·4⋯(ν−2)) cos^(ν−2)θ) for even ν.

use bouton::claims::Sample;

/// The share of intervals that hold the true mean.
const CONFIDENCE: f64 = 0.95;

/// Half the width of the 95 % interval of a mean; none for a single value.
pub(crate) fn half_width(sample: &Sample) -> Option<f64> {
    Some(sample.sem()? * quantile(sample.n - 1))
}

/// t with P(|T| < t) = 0.95, by bisection.
fn quantile(freedom: usize) -> f64 {
    let (mut low, mut high) = (0.0, 16.0);
    for _ in 0..64 {
        let middle = 0.5 * (low + high);
        if within(middle, freedom) < CONFIDENCE { low = middle } else { high = middle }
    }
    high
}

/// P(|T| < t).
fn within(t: f64, freedom: usize) -> f64 {
    let theta = (t / (freedom as f64).sqrt()).atan();
    let (sine, cosine) = theta.sin_cos();
    let odd = freedom % 2 == 1;
    // The first term, and the power of the cosine in it.
    let (mut term, first) = if odd { (cosine, 1) } else { (1.0, 0) };
    let mut sum = 0.0;
    for power in (first..freedom.saturating_sub(1)).step_by(2) {
        sum += term;
        term *= cosine * cosine * (power + 1) as f64 / (power + 2) as f64;
    }
    if odd { (theta + sine * sum) * std::f64::consts::FRAC_2_PI } else { sine * sum }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// From printed tables.
    #[test]
    fn quantiles_are_those_of_tables() {
        let table = [
            (1, 12.706205),
            (2, 4.302653),
            (3, 3.182446),
            (4, 2.776445),
            (5, 2.570582),
            (6, 2.446912),
            (9, 2.262157),
            (10, 2.228139),
            (29, 2.045230),
            (30, 2.042272),
            (100, 1.983972),
            (1000, 1.962339),
        ];
        for (freedom, t) in table {
            assert!((quantile(freedom) - t).abs() < 1e-6, "{freedom}: {}", quantile(freedom));
        }
    }

    /// By hand: mean 2, SD 1, so 1/√3 · 4.302653.
    #[test]
    fn an_interval_by_hand() {
        let half = half_width(&Sample::of(&[1.0, 2.0, 3.0]).unwrap()).unwrap();
        assert!((half - 2.484138).abs() < 1e-5, "{half}");
        assert_eq!(half_width(&Sample::of(&[1.0]).unwrap()), None);
    }
}
