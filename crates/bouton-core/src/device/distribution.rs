//! Truncated distributions of device parameters, drawn by inverting the distribution function:
//!
//! x = F⁻¹(F(low) + p (F(high) − F(low))),  p uniform in [0, 1]

use super::normal;
use super::preset::require;
use crate::Result;
use serde::{Deserialize, Serialize};

/// A distribution truncated to [low, high].
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "law", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Distribution {
    /// F(x) = 1 − exp(−(x − location)/scale), x ≥ location.
    ShiftedExponential {
        /// Least value.
        location: f64,
        /// Mean distance from it.
        scale: f64,
        /// Truncated from here.
        low: f64,
        /// Truncated to here.
        high: f64,
    },
    /// F(x) = Φ(ln(x/scale)/shape), x > 0.
    LogNormal {
        /// Standard deviation of ln x.
        shape: f64,
        /// Median.
        scale: f64,
        /// Truncated from here.
        low: f64,
        /// Truncated to here.
        high: f64,
    },
    /// F(x) = Φ((x − mean)/sd).
    Normal {
        /// Mean.
        mean: f64,
        /// Standard deviation.
        sd: f64,
        /// Truncated from here.
        low: f64,
        /// Truncated to here.
        high: f64,
    },
}

impl Distribution {
    /// The interval it is truncated to.
    pub fn bounds(&self) -> (f64, f64) {
        match *self {
            Self::ShiftedExponential { low, high, .. }
            | Self::LogNormal { low, high, .. }
            | Self::Normal { low, high, .. } => (low, high),
        }
    }

    /// Value below which a fraction `p` of the truncated distribution lies: with p uniform in [0, 1], a draw.
    pub fn quantile(&self, p: f64) -> f64 {
        let (low, high) = self.bounds();
        let (from, to) = (self.standard(low), self.standard(high));
        match *self {
            Self::ShiftedExponential { location, scale, .. } => {
                let (from, to) = (-(-from).exp_m1(), -(-to).exp_m1());
                location - scale * (-(from + p * (to - from))).ln_1p()
            }
            Self::LogNormal { shape, scale, .. } => scale * (shape * between(from, to, p)).exp(),
            Self::Normal { mean, sd, .. } => mean + sd * between(from, to, p),
        }
        .clamp(low, high)
    }

    /// Mean of the truncated distribution.
    pub fn mean(&self) -> f64 {
        let (low, high) = self.bounds();
        let (a, b) = (self.standard(low), self.standard(high));
        let mass = |shift: f64| normal::cdf(b - shift) - normal::cdf(a - shift);
        match *self {
            Self::ShiftedExponential { location, scale, .. } => {
                let tail = |z: f64| (1.0 + z) * (-z).exp();
                location + scale * (tail(a) - tail(b)) / ((-a).exp() - (-b).exp())
            }
            Self::LogNormal { shape, scale, .. } => {
                scale * (0.5 * shape * shape).exp() * mass(shape) / mass(0.0)
            }
            Self::Normal { mean, sd, .. } => {
                mean + sd * (normal::density(a) - normal::density(b)) / mass(0.0)
            }
        }
        .clamp(low, high)
    }

    /// `x` in units of the law: distances from its centre, at least 0 for the exponential.
    fn standard(&self, x: f64) -> f64 {
        match *self {
            Self::ShiftedExponential { location, scale, .. } => ((x - location) / scale).max(0.0),
            Self::LogNormal { shape, scale, .. } => (x / scale).ln() / shape,
            Self::Normal { mean, sd, .. } => (x - mean) / sd,
        }
    }

    /// Refuses parameters that are not finite, scales that are not positive, intervals that are empty or reach out of
    /// [`least`, `most`], and those in which the law has no mass that could be told from 0.
    pub(super) fn check(&self, key: &str, [least, most]: [f64; 2]) -> Result<()> {
        let inside = |name: &str| format!("{key}.{name}");
        let positive = |name, value: f64| require(value > 0.0, &inside(name), value, "positive");
        let (low, high) = self.bounds();
        let start = match *self {
            Self::ShiftedExponential { location, scale, .. } => {
                positive("scale", scale)?;
                require(true, &inside("location"), location, "finite")?;
                low.max(location)
            }
            Self::LogNormal { shape, scale, .. } => {
                positive("shape", shape)?;
                positive("scale", scale)?;
                positive("low", low)?;
                low
            }
            Self::Normal { mean, sd, .. } => {
                positive("sd", sd)?;
                require(true, &inside("mean"), mean, "finite")?;
                low
            }
        };
        require(low >= least, &inside("low"), low, &format!("at least {least}"))?;
        require(high > start, &inside("high"), high, &format!("above {start}"))?;
        require(high <= most, &inside("high"), high, &format!("at most {most}"))?;
        let drawn = [self.quantile(0.0), self.quantile(0.5), self.quantile(1.0), self.mean()];
        let rule = format!("where the law has draws, which it has none up to {high}");
        require(drawn.iter().all(|x| x.is_finite()), &inside("low"), low, &rule)
    }
}

/// Quantile of the standard normal distribution truncated to [from, to].
fn between(from: f64, to: f64, p: f64) -> f64 {
    let (from, to) = (normal::cdf(from), normal::cdf(to));
    normal::quantile(from + p * (to - from))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn exponential(location: f64, low: f64) -> Distribution {
        Distribution::ShiftedExponential { location, scale: 2.0, low, high: 9.0 }
    }

    fn all() -> [Distribution; 4] {
        [
            exponential(1.0, 0.5),
            exponential(-1.0, 0.5),
            Distribution::LogNormal { shape: 0.8, scale: 3.0, low: 0.5, high: 9.0 },
            Distribution::Normal { mean: 4.0, sd: 2.5, low: 0.5, high: 9.0 },
        ]
    }

    /// Untruncated distribution functions, written out once more.
    fn cdf(d: &Distribution, x: f64) -> f64 {
        match *d {
            Distribution::ShiftedExponential { location, scale, .. } => {
                1.0 - (-(x - location).max(0.0) / scale).exp()
            }
            Distribution::LogNormal { shape, scale, .. } => {
                0.5 * libm::erfc((scale / x).ln() / shape / 2f64.sqrt())
            }
            Distribution::Normal { mean, sd, .. } => 0.5 * libm::erfc((mean - x) / sd / 2f64.sqrt()),
        }
    }

    #[test]
    fn quantiles_invert_the_truncated_distribution() {
        for d in all() {
            for i in 0..=100 {
                let p = f64::from(i) / 100.0;
                let x = d.quantile(p);
                let found = (cdf(&d, x) - cdf(&d, 0.5)) / (cdf(&d, 9.0) - cdf(&d, 0.5));
                assert!((found - p).abs() < 1e-13 && (0.5..=9.0).contains(&x), "{d:?} {p} {x}");
            }
        }
    }

    #[test]
    fn mean_is_the_integral_of_the_quantiles() {
        let points = 20_000;
        for d in all() {
            let middle = |i: u32| d.quantile((f64::from(i) + 0.5) / f64::from(points));
            let integral = (0..points).map(middle).sum::<f64>() / f64::from(points);
            assert!((d.mean() - integral).abs() < 1e-6, "{d:?} {} {integral}", d.mean());
        }
    }
}
