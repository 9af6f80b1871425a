//! Which weights are the best, and when to stop looking for better ones: decided by samples that are held back for it
//! (validation), never by test samples.
//!
//! Scores of different segments are not compared: with every task of a sequence the question changes.

use super::checkpoint::Checkpoint;
use crate::error::Result;
use crate::objective::Metric;

/// The best score so far.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Choice {
    best: Option<f64>,
    /// The update after which it was reached.
    pub update: u64,
    /// The segment that it is about.
    segment: u64,
    /// Scores since.
    stale: u64,
}

impl Choice {
    /// Takes the score after an update of a segment; whether it is the best so far.
    pub fn judge(&mut self, (metric, score): (&Metric, f64), update: u64, segment: usize) -> bool {
        let segment = segment as u64;
        let best = self.best.filter(|_| self.segment == segment);
        let better = metric.improves(score, best);
        match better {
            true => *self = Self { best: Some(score), update, segment, stale: 0 },
            false => *self = Self { best, segment, stale: self.stale + 1, ..*self },
        }
        better
    }

    /// Whether so many scores in a row were no better.
    pub fn is_stale(&self, patience: Option<u64>) -> bool {
        patience.is_some_and(|patience| self.stale >= patience)
    }

    pub fn write_to(&self, checkpoint: &mut Checkpoint) {
        let meta = [
            ("best", format!("{:?}", self.best.unwrap_or(f64::NAN))),
            ("best-update", self.update.to_string()),
            ("best-segment", self.segment.to_string()),
            ("stale", self.stale.to_string()),
        ];
        checkpoint.meta.extend(meta.map(|(k, v)| (k.to_owned(), v)));
    }

    /// The inverse of [`Choice::write_to`]. Runs of older versions chose by test samples: that is forgotten.
    pub fn from(checkpoint: &Checkpoint) -> Result<Self> {
        if !checkpoint.meta.contains_key("stale") {
            return Ok(Self::default());
        }
        Ok(Self {
            best: Some(checkpoint.meta("best")?).filter(|best: &f64| !best.is_nan()),
            update: checkpoint.meta("best-update")?,
            segment: checkpoint.meta("best-segment")?,
            stale: checkpoint.meta("stale")?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    /// What a row of accuracies makes of a choice: which were the best so far, and how many are stale in the end.
    fn judged(scores: &[(f64, usize)]) -> (Vec<bool>, Choice) {
        let mut choice = Choice::default();
        let better = scores.iter().zip(1..).map(|(&(score, segment), update)| {
            let values = BTreeMap::from([("accuracy".to_owned(), score)]);
            choice.judge(Metric::score_in(&values).unwrap(), update, segment)
        });
        (better.collect(), choice)
    }

    #[test]
    fn the_first_of_the_best_is_kept_and_what_is_no_better_counts() {
        let (better, choice) = judged(&[(0.5, 0), (0.4, 0), (0.7, 0), (0.7, 0), (0.6, 0)]);
        assert_eq!(better, [true, false, true, false, false]);
        assert_eq!((choice.update, choice.stale), (3, 2));
        assert!(choice.is_stale(Some(2)) && !choice.is_stale(Some(3)) && !choice.is_stale(None));
        assert_eq!(judged(&[(0.5, 0), (f64::NAN, 0)]).0, [true, false]);
    }

    #[test]
    fn a_new_task_is_a_new_question() {
        let (better, choice) = judged(&[(0.9, 0), (0.2, 1), (0.1, 1), (0.3, 1)]);
        assert_eq!(better, [true, true, false, true]);
        assert_eq!((choice.update, choice.stale), (4, 0));
    }

    #[test]
    fn a_checkpoint_gives_back_what_it_was_given() {
        let (_, choice) = judged(&[(0.5, 0), (0.9, 2), (0.4, 2)]);
        let mut checkpoint = Checkpoint::default();
        assert_eq!(Choice::from(&checkpoint).unwrap(), Choice::default());
        choice.write_to(&mut checkpoint);
        assert_eq!(Choice::from(&checkpoint).unwrap(), choice);
    }
}
