//! Axes of drawings: where their ends and ticks are.

use super::chart::{span, tick};

/// From this ratio of the largest to the smallest value on, an axis is logarithmic.
const LOG_RATIO: f64 = 30.0;
/// About so many ticks stand on an axis.
const TICKS: f64 = 5.0;

/// One axis: the numbers at its ends and where they stand on the page.
#[derive(Debug, Clone)]
pub(super) struct Axis {
    pub ends: (f64, f64),
    pub place: (f64, f64),
    /// Names of the places 0, 1, …, if these are no numbers.
    pub names: Vec<String>,
    /// Ends and numbers are decimal logarithms.
    pub log: bool,
}

impl Axis {
    /// An axis that shows `values`, widened by `margin` of their range, logarithmic if `log`.
    pub fn over(values: impl Iterator<Item = f64>, margin: f64, log: bool) -> Self {
        let ends = span(values.map(|v| if log { v.log10() } else { v }), margin);
        Self { ends, place: (0.0, 1.0), names: Vec::new(), log }
    }

    /// An axis with names in the places of 0, 1, ….
    pub fn named(names: Vec<String>) -> Self {
        let ends = (-0.5, names.len() as f64 - 0.5);
        Self { ends, place: (0.0, 1.0), names, log: false }
    }

    /// Where a number stands on the page; none for one that has no place.
    pub fn at(&self, v: f64) -> Option<f64> {
        let v = if self.log { v.log10() } else { v };
        let part = (v - self.ends.0) / (self.ends.1 - self.ends.0);
        Some(self.place.0 + part * (self.place.1 - self.place.0)).filter(|place| place.is_finite())
    }

    /// Places of ticks and what they say.
    pub fn ticks(&self) -> Vec<(f64, String)> {
        let named = self.names.iter().enumerate().map(|(i, name)| (i as f64, name.clone()));
        let ticks: Vec<_> = match (self.names.is_empty(), self.log) {
            (false, _) => named.collect(),
            (true, true) => decades(self.ends).into_iter().map(|v| (v, tick(v))).collect(),
            (true, false) => round(self.ends).into_iter().map(|v| (v, tick(v))).collect(),
        };
        ticks.into_iter().filter_map(|(v, text)| Some((self.at(v)?, text))).collect()
    }
}

/// Multiples of 1, 2 or 5 times a power of ten between these ends.
fn round((low, high): (f64, f64)) -> Vec<f64> {
    let rough = (high - low) / TICKS;
    let power = 10f64.powf(rough.log10().floor());
    let step = [1.0, 2.0, 5.0, 10.0].map(|m| m * power).into_iter().find(|step| *step >= rough * 0.999);
    let step = step.unwrap_or(rough);
    let (first, last) = ((low / step - 1e-9).ceil() as i64, (high / step + 1e-9).floor() as i64);
    (first..=last).map(|i| i as f64 * step).collect()
}

/// Powers of ten between these logarithms; also their doubles and fivefolds if there are few.
fn decades((low, high): (f64, f64)) -> Vec<f64> {
    let every = ((high - low) / (TICKS + 1.0)).ceil().max(1.0) as i32;
    let factors: &[f64] = if high - low < 2.5 { &[1.0, 2.0, 5.0] } else { &[1.0] };
    let powers = (low.floor() as i32..=high.ceil() as i32).filter(|power| power % every == 0);
    let all = powers.flat_map(|power| factors.iter().map(move |factor| factor * 10f64.powi(power)));
    all.filter(|v| (low - 1e-9..=high + 1e-9).contains(&v.log10())).collect()
}

/// Whether these values ask for a logarithmic axis.
pub(in crate::report) fn wants_log(values: impl Iterator<Item = f64>) -> bool {
    let finite = values.filter(|v| v.is_finite());
    let (low, high) =
        finite.fold((f64::INFINITY, 0.0), |(low, high): (f64, f64), v| (low.min(v), high.max(v)));
    low > 0.0 && high > LOG_RATIO * low
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_round_numbers_within_the_ends() {
        let rounded = |ends| round(ends).into_iter().map(tick).collect::<Vec<_>>();
        assert_eq!(rounded((0.0, 1.0)), ["0", "0.2", "0.4", "0.6", "0.8", "1"]);
        assert_eq!(rounded((0.36, 0.84)), ["0.4", "0.5", "0.6", "0.7", "0.8"]);
        assert_eq!(rounded((-3.0, 120.0)), ["0", "50", "100"]);
        let decade = |ends| decades(ends).into_iter().map(tick).collect::<Vec<_>>();
        assert_eq!(decade((-2.0, -0.5)), ["0.01", "0.02", "0.05", "0.1", "0.2"]);
        assert_eq!(decade((-12.0, 0.0)), ["1e-12", "1e-10", "1e-8", "1e-6", "1e-4", "0.01", "1"]);
    }

    #[test]
    fn equal_factors_are_equal_distances_on_a_logarithmic_axis() {
        let axis = Axis { place: (10.0, 110.0), ..Axis::over([1.0, 100.0].into_iter(), 0.0, true) };
        assert!((axis.at(10.0).unwrap() - 60.0).abs() < 1e-9);
        assert_eq!((axis.at(0.0), axis.at(f64::NAN)), (None, None));
    }
}
