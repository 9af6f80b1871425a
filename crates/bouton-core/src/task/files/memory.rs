//! What is kept of files in memory, asked before it is taken.

use crate::{Error, Result};

/// Most bytes of the numbers of a file or folder.
const MOST: usize = 16 << 30;

/// How many numbers samples of [samples, steps, features] are.
///
/// # Errors
/// [`Error::Data`] if they take more than 16 GiB in single precision.
pub(super) fn numbers(place: &str, [samples, steps, features]: [usize; 3]) -> Result<usize> {
    let all = samples.checked_mul(steps).and_then(|n| n.checked_mul(features));
    all.filter(|n| *n <= MOST / size_of::<f32>()).ok_or_else(|| {
        let gib =
            [samples, steps, features].map(|n| n as f64).iter().product::<f64>() * 4.0 / f64::from(1 << 30);
        let message =
            format!("{place}: {samples} samples of {steps} steps of {features} numbers take {gib:.0} GiB");
        Error::data(message).with_hint(
            "at most 16: take fewer or shorter samples, fewer steps, longer bins, or one polarity (merged)",
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn products_beyond_memory_or_beyond_numbers_are_refused() {
        assert_eq!(numbers("x", [2, 3, 4]).unwrap(), 24);
        assert_eq!(numbers("x", [1 << 16, 1 << 16, 1]).unwrap(), 1 << 32);
        for size in [[1 << 16, 1 << 16, 2], [1 << 40, 1 << 40, 1], [usize::MAX, 2, 3]] {
            assert!(numbers("x", size).unwrap_err().to_string().starts_with("x: "), "{size:?}");
        }
    }
}
