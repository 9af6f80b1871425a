//! `importance.json`: how important binary weights are when a run ends, by the size of their hidden weight.
//!
//! The claim behind metaplasticity is that |W^h| is importance (Laborieux et al. 2021, who flip weights of one range of
//! |W^h| and measure the loss). Here the importance of a weight is its empirical Fisher information F = E[(∂ℓ/∂w)²] over
//! samples of the last task, averaged over the weights of each fifteenth of the range of |W^h|.

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
}

impl Profile {
    /// Sorts weights of hidden size `hidden` and importance `fisher` into ranges.
    pub(super) fn new(connection: &str, hidden: &Mat, fisher: &Mat) -> Self {
        let (hidden, fisher) = (hidden.to_f64s(), fisher.to_f64s());
        let largest = hidden.iter().fold(0.0, |m: f64, h| m.max(h.abs()));
        let (mut weights, mut sums) = (vec![0; BINS], vec![0.0; BINS]);
        for (h, f) in hidden.iter().zip(fisher) {
            let bin = (h.abs() / largest.max(f64::MIN_POSITIVE) * BINS as f64) as usize;
            weights[bin.min(BINS - 1)] += 1;
            sums[bin.min(BINS - 1)] += f;
        }
        let mean = |(&n, sum): (&usize, f64)| (n > 0).then(|| sum / n as f64);
        let importance = weights.iter().zip(sums).map(mean).collect();
        Self { connection: connection.into(), largest, weights, importance }
    }
}

/// Writes the file of a run.
pub(super) fn write(dir: &RunDir, profiles: &[Profile]) -> Result<()> {
    let value = serde_json::json!({
        "importance": "mean over weights of E[(dl/dw)^2], true labels, training samples of the last task",
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
        let p = Profile::new("a-b", &row(&[0.0, -1.5, 0.05, 1.5, -0.75]), &row(&[1.0, 8.0, 3.0, 4.0, 5.0]));
        assert_eq!((p.largest, p.weights[0], p.weights[7], p.weights[14]), (1.5, 2, 1, 2));
        assert_eq!((p.importance[0], p.importance[7], p.importance[14]), (Some(2.0), Some(5.0), Some(6.0)));
        assert_eq!(p.weights.iter().sum::<usize>(), 5);
        assert_eq!(p.importance[1], None);
        assert_eq!(Profile::new("a-b", &row(&[0.0]), &row(&[1.0])).weights[0], 1);
    }
}
