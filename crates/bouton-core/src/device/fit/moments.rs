//! From the numbers of single devices to a population: means, and how much of what differs is more than errors of the fits.
//!
//! s² = var(θ̂) − mean(error²): what differs between devices is what their estimates differ by beyond their errors.

/// A number that was estimated, with its standard error.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize)]
pub struct Estimate {
    /// The number.
    pub value: f64,
    /// Its standard error.
    pub error: f64,
}

/// A parameter over devices.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
pub struct Spread {
    /// What the file or the law calls it.
    pub name: &'static str,
    /// Its unit.
    pub unit: &'static str,
    /// What it is.
    pub about: &'static str,
    /// Mean over devices.
    pub mean: Estimate,
    /// Standard deviation between devices, errors of the fits taken off; none for a single device.
    pub devices: Option<Estimate>,
    /// Standard deviation between cycles of a device, errors taken off; none without cycles to compare.
    pub cycles: Option<f64>,
    /// Devices that tell of it.
    pub n: usize,
}

/// Mean and spread of estimates.
pub(super) fn over(all: &[Estimate]) -> (Estimate, Option<Estimate>) {
    let n = all.len() as f64;
    let mean = all.iter().map(|e| e.value).sum::<f64>() / n;
    let noise = all.iter().map(|e| e.error * e.error).sum::<f64>() / n;
    if all.len() < 2 {
        return (Estimate { value: mean, error: noise.sqrt() }, None);
    }
    let variance = all.iter().map(|e| (e.value - mean).powi(2)).sum::<f64>() / (n - 1.0);
    let own = (variance - noise).max(0.0).sqrt();
    // Of a normal law var(s²) = 2 s⁴/(n − 1); a spread of 0 is uncertain by the root of that.
    let of_square = variance * (2.0 / (n - 1.0)).sqrt();
    let error = if own * own > of_square { of_square / (2.0 * own) } else { (0.5 * of_square).sqrt() };
    (Estimate { value: mean, error: (variance / n).sqrt() }, Some(Estimate { value: own, error }))
}

/// Standard deviation within groups, errors taken off; none where no group has two.
pub(super) fn within(groups: &[Vec<Estimate>]) -> Option<f64> {
    let (mut squares, mut noise, mut freedom, mut n) = (0.0, 0.0, 0.0, 0.0);
    for group in groups.iter().filter(|group| group.len() > 1) {
        let mean = group.iter().map(|e| e.value).sum::<f64>() / group.len() as f64;
        squares += group.iter().map(|e| (e.value - mean).powi(2)).sum::<f64>();
        noise += group.iter().map(|e| e.error * e.error).sum::<f64>();
        freedom += group.len() as f64 - 1.0;
        n += group.len() as f64;
    }
    (freedom > 0.0).then(|| (squares / freedom - noise / n).max(0.0).sqrt())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn exact(values: &[f64]) -> Vec<Estimate> {
        values.iter().map(|&value| Estimate { value, error: 0.0 }).collect()
    }

    #[test]
    fn errors_are_taken_off_what_differs() {
        let (mean, spread) = over(&exact(&[1.0, 2.0, 3.0]));
        assert_eq!((mean.value, spread.unwrap().value), (2.0, 1.0));
        let noisy: Vec<Estimate> =
            exact(&[1.0, 2.0, 3.0]).into_iter().map(|e| Estimate { error: 0.6, ..e }).collect();
        assert!((over(&noisy).1.unwrap().value - 0.8).abs() < 1e-12, "1 − 0.36 = 0.64");
        assert_eq!(over(&exact(&[2.0])).1, None);
    }

    #[test]
    fn cycles_are_compared_within_their_device() {
        let groups = [exact(&[1.0, 3.0]), exact(&[101.0, 103.0]), exact(&[7.0])];
        assert!((within(&groups).unwrap() - 2f64.sqrt()).abs() < 1e-12);
        assert_eq!(within(&[exact(&[1.0])]), None);
    }
}
