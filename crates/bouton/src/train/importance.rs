//! `importance.json`: how important binary weights are when a run ends, by the size of their hidden weight.
//!
//! The claim behind metaplasticity is that |W^h| is importance. Two measures of importance, over samples of the last task,
//! for each fifteenth of the range of |W^h|: the mean of the empirical Fisher information F = E[(∂ℓ/∂w)²] and, if asked
//! for, what flipping a weight costs (`flip_cost`, as Laborieux et al. 2021 measure it).

use super::RunDir;
use super::atomic;
use crate::error::Result;
use bouton_kernels::Mat;
use serde::{Deserialize, Serialize};

/// Ranges of |W^h|.
const BINS: usize = 15;
/// Samples that importance is measured over, at most.
pub(super) const SAMPLES: usize = 1000;

/// Importance of the weights of one connection by the size of their hidden weight.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Profile {
    /// Name of the connection.
    pub connection: String,
    /// Largest |W^h|.
    pub largest: f64,
    /// Ranges of equal width from 0 to the largest: weights in it.
    pub weights: Vec<usize>,
    /// Mean Fisher information of the weights in each range; absent where there is none.
    pub importance: Vec<Option<f64>>,
    /// Rise of the mean loss for each flipped weight of a range, absent where there are too few; empty if not measured.
    #[serde(default, alias = "turned")]
    pub flip_cost: Vec<Option<f64>>,
}

/// The weights whose hidden weight lies in each range, by index, and the largest |W^h|.
pub(super) fn ranges(hidden: &Mat) -> (Vec<Vec<usize>>, f64) {
    let hidden = hidden.to_f64s();
    let largest = hidden.iter().fold(0.0, |m: f64, h| m.max(h.abs()));
    let mut ranges = vec![Vec::new(); BINS];
    for (i, h) in hidden.iter().enumerate() {
        let bin = (h.abs() / largest.max(f64::MIN_POSITIVE) * BINS as f64) as usize;
        ranges[bin.min(BINS - 1)].push(i);
    }
    (ranges, largest)
}

impl Profile {
    /// The profile of `connection`, whose weights fall into `ranges` and have the importance `fisher`.
    pub(super) fn new(connection: &str, (ranges, largest): &(Vec<Vec<usize>>, f64), fisher: &Mat) -> Self {
        let fisher = fisher.to_f64s();
        let mean = |range: &Vec<usize>| {
            let sum: f64 = range.iter().map(|&i| fisher[i]).sum();
            (!range.is_empty()).then(|| sum / range.len() as f64)
        };
        Self {
            connection: connection.into(),
            largest: *largest,
            weights: ranges.iter().map(Vec::len).collect(),
            importance: ranges.iter().map(mean).collect(),
            flip_cost: Vec::new(),
        }
    }
}

/// Writes the file of a run.
pub(super) fn write(dir: &RunDir, profiles: &[Profile]) -> Result<()> {
    let value = serde_json::json!({
        "importance": "mean over weights of E[(dl/dw)^2], true labels, training samples of the last task",
        "flip-cost": "rise of the mean loss for each flipped weight, on the same samples",
        "connections": profiles,
    });
    atomic::write(dir.importance(), format!("{value:#}\n"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use bouton_kernels::DType;

    #[test]
    fn weights_are_sorted_by_hidden_size() {
        let row = |v: &[f64]| Mat::from_f64s(DType::F64, 1, v.len(), v);
        let of = |hidden: &[f64], fisher: &[f64]| Profile::new("a-b", &ranges(&row(hidden)), &row(fisher));
        let p = of(&[0.0, -1.5, 0.05, 1.5, -0.75], &[1.0, 8.0, 3.0, 4.0, 5.0]);
        assert_eq!((p.largest, p.weights[0], p.weights[7], p.weights[14]), (1.5, 2, 1, 2));
        assert_eq!((p.importance[0], p.importance[7], p.importance[14]), (Some(2.0), Some(5.0), Some(6.0)));
        assert_eq!(p.weights.iter().sum::<usize>(), 5);
        assert_eq!(p.importance[1], None);
        assert_eq!(of(&[0.0], &[1.0]).weights[0], 1);
    }
}
