//! How classes are taken for each other, and how far probabilities can be trusted.
//!
//! Expected calibration error: Σ_b n_b/n · |accuracy_b − confidence_b| over 15 bins of equal width of the largest probability
//! (Guo, Pleiss, Sun & Weinberger 2017, *On Calibration of Modern Neural Networks*, ICML, equation 5).
//! Brier score: the mean of Σ_c (p_c − [y = c])² (Brier 1950, *Monthly Weather Review* 78).

use serde::Serialize;

/// Bins of the largest probability.
const BINS: usize = 15;

/// Samples by the class that they have and the class that they are taken for.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Confusion {
    /// Names of the classes.
    pub classes: Vec<String>,
    /// One row for each class that samples have, one column for each that they are taken for.
    pub counts: Vec<Vec<u64>>,
}

/// How probabilities agree with what is so.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Calibration {
    /// Mean of −log of the probability of the class that is so.
    pub nll: f64,
    /// Brier score.
    pub brier: f64,
    /// Expected calibration error.
    pub ece: f64,
}

impl Confusion {
    /// Counts samples of `labels` that are taken for `predictions`, places in `classes`.
    pub fn new(classes: Vec<String>, labels: &[usize], predictions: &[usize]) -> Self {
        let mut counts = vec![vec![0; classes.len()]; classes.len()];
        labels.iter().zip(predictions).for_each(|(&label, &prediction)| counts[label][prediction] += 1);
        Self { classes, counts }
    }

    /// Samples of class `class`.
    pub fn samples(&self, class: usize) -> u64 {
        self.counts[class].iter().sum()
    }

    /// Of the samples, those that are taken for what they are.
    pub fn accuracy(&self) -> f64 {
        let all: u64 = (0..self.counts.len()).map(|class| self.samples(class)).sum();
        let right: u64 = (0..self.counts.len()).map(|class| self.counts[class][class]).sum();
        right as f64 / all as f64
    }

    /// Of the samples of a class, those that are taken for it (recall); NaN if there are none.
    pub fn recall(&self, class: usize) -> f64 {
        self.counts[class][class] as f64 / self.samples(class) as f64
    }

    /// Of the samples that are taken for a class, those that are of it (precision); NaN if there are none.
    pub fn precision(&self, class: usize) -> f64 {
        let taken: u64 = self.counts.iter().map(|row| row[class]).sum();
        self.counts[class][class] as f64 / taken as f64
    }
}

impl Calibration {
    /// Of rows of probabilities for samples of `labels`, places in a row; none without samples.
    pub fn new<'a>(rows: impl Iterator<Item = &'a [f64]>, labels: &[usize]) -> Option<Self> {
        let (mut nll, mut brier, mut bins) = (0.0, 0.0, [(0.0, 0.0); BINS]);
        for (row, &label) in rows.zip(labels) {
            nll -= row[label].max(f64::MIN_POSITIVE).ln();
            let wrong = |(c, p): (usize, &f64)| (p - f64::from(u8::from(c == label))).powi(2);
            brier += row.iter().enumerate().map(wrong).sum::<f64>();
            let most = (0..row.len()).fold(0, |most, c| if row[c] > row[most] { c } else { most });
            // A bin has its upper end.
            let bin = ((row[most] * BINS as f64).ceil() as usize).clamp(1, BINS) - 1;
            bins[bin].0 += row[most];
            bins[bin].1 += f64::from(u8::from(most == label));
        }
        let n = labels.len() as f64;
        let ece = bins.iter().map(|(confidence, right)| (confidence - right).abs()).sum::<f64>() / n;
        (n > 0.0).then(|| Self { nll: nll / n, brier: brier / n, ece })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(a: f64, b: f64) -> bool {
        (a - b).abs() < 1e-12
    }

    #[test]
    fn rows_are_what_is_so_and_columns_what_is_said() {
        let classes = ["a", "b", "c"].map(String::from).to_vec();
        let confusion = Confusion::new(classes, &[0, 0, 0, 1, 2], &[0, 0, 1, 1, 1]);
        assert_eq!(confusion.counts, [[2, 1, 0], [0, 1, 0], [0, 1, 0]]);
        assert!(near(confusion.accuracy(), 0.6) && near(confusion.recall(0), 2.0 / 3.0));
        assert!(near(confusion.precision(1), 1.0 / 3.0) && confusion.precision(2).is_nan());
        assert!(confusion.recall(2) == 0.0 && confusion.samples(0) == 3);
    }

    /// By hand: two samples in one bin (0.6 and 0.62, one right), one alone (0.9, right).
    #[test]
    fn calibration_is_what_was_worked_out_by_hand() {
        let rows: [&[f64]; 3] = [&[0.61, 0.39], &[0.62, 0.38], &[0.1, 0.9]];
        let found = Calibration::new(rows.into_iter(), &[0, 1, 1]).unwrap();
        let ece = ((0.61 + 0.62 - 1.0_f64).abs() + (0.9 - 1.0_f64).abs()) / 3.0;
        let nll = -(0.61_f64.ln() + 0.38_f64.ln() + 0.9_f64.ln()) / 3.0;
        let brier = 2.0 * (0.39_f64.powi(2) + 0.62_f64.powi(2) + 0.1_f64.powi(2)) / 3.0;
        assert!(near(found.ece, ece) && near(found.nll, nll) && near(found.brier, brier), "{found:?}");
        let sure: [&[f64]; 1] = [&[0.0, 1.0]];
        let found = Calibration::new(sure.into_iter(), &[1]).unwrap();
        assert!(found.ece == 0.0 && found.brier == 0.0 && found.nll == 0.0);
        assert_eq!(Calibration::new(std::iter::empty(), &[]), None);
    }
}
