//! What a normalisation comes to in evaluation, unit by unit, and the counts at which it turns a sign: for networks of one bit a weight.

use super::Norm;
use bouton_kernels::{Elem, Mat, WeightMat, dispatch, vectorize};
use rayon::prelude::*;

/// What a normalisation does in evaluation, unit by unit: ((d − mean)·scale)·gain + bias, in this order.
#[derive(Debug)]
pub struct Affine {
    /// μ, [1, units], as the others.
    pub mean: Mat,
    /// 1/√(σ² + ε).
    pub scale: Mat,
    /// γ.
    pub gain: Mat,
    /// b.
    pub bias: Mat,
}

impl Affine {
    /// `None` if what a sample becomes depends on all of its units.
    pub fn of(norm: &Norm, bias: Option<&WeightMat>) -> Option<Self> {
        if !norm.traits.fixed_in_evaluation {
            return None;
        }
        let mean = norm.statistics().into_iter().find(|(name, _)| *name == "mean")?.1;
        let (dtype, units) = (mean.dtype(), mean.cols());
        let constant = |x: f64| Mat::from_fn(dtype, 1, units, |_, _| x);
        let mut none = Mat::zeros(dtype, 1, units);
        let scale = norm.evaluate(&mut none, None).scale;
        Some(Self {
            mean: mean.clone(),
            scale,
            gain: norm.gain.as_ref().map_or_else(|| constant(1.0), |g| g.mat().clone()),
            bias: bias.map_or_else(|| constant(0.0), |b| b.mat().clone()),
        })
    }

    /// What units make of counted drives, row by row.
    pub fn of_counts(&self, counts: &[i32]) -> Mat {
        let units = self.mean.cols();
        let mut out = Mat::zeros(self.mean.dtype(), counts.len() / units.max(1), units);
        dispatch!(out.dtype(), T => for (o, &count) in out.slice_mut::<T>().iter_mut().zip(counts) {
            *o = T::from_f64(f64::from(count));
        });
        self.apply(&mut out);
        out
    }

    /// What every unit of every row makes of its drive, at every place of an image.
    pub fn apply(&self, drive: &mut Mat) {
        let (cols, units) = (drive.cols(), self.mean.cols());
        dispatch!(drive.dtype(), T => {
            let of = |m: &'_ Mat| m.slice::<T>().to_vec();
            let [mean, scale, gain, bias] = [of(&self.mean), of(&self.scale), of(&self.gain), of(&self.bias)];
            drive.slice_mut::<T>().par_chunks_exact_mut(cols).for_each(|row| {
                let (mean, scale, gain, bias) = (&mean[..units], &scale[..units], &gain[..units], &bias[..units]);
                vectorize(#[inline(always)] || for row in row.chunks_exact_mut(units) {
                    for j in 0..units {
                        row[j] = (row[j] - mean[j]) * scale[j] * gain[j] + bias[j];
                    }
                });
            });
        });
    }

    fn at<T: Elem>(&self, j: usize, d: T) -> T {
        let of = |m: &Mat| m.slice::<T>()[j];
        (d - of(&self.mean)) * of(&self.scale) * of(&self.gain) + of(&self.bias)
    }

    /// The smallest (or, for a falling unit, largest) count of `n` inputs at which unit `j` answers +1, and whether it
    /// falls. Counts lie `step` apart: 2, or 1 where some inputs may be zeros beyond a border. `at` is monotone because
    /// every rounding is.
    pub fn threshold(&self, j: usize, n: i32, step: i32) -> (i32, bool) {
        let on = |d: i32| dispatch!(self.mean.dtype(), T => self.at::<T>(j, T::from_f64(f64::from(d))).to_f64() >= 0.0);
        let (low, high) = (on(-n), on(n));
        if low == high {
            return (if low { i32::MIN } else { i32::MAX }, false);
        }
        // `high` answers from the first count on at which the answer is that of the upper end.
        let (mut below, mut above) = (0, 2 * n / step);
        while above - below > 1 {
            let middle = below + (above - below) / 2;
            if on(step * middle - n) == high { above = middle } else { below = middle }
        }
        (step * above - n, low)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bouton_kernels::DType;

    #[test]
    fn thresholds_are_exact_at_ties() {
        let row = |values: [f64; 4]| Mat::from_f64s(DType::F32, 1, 4, &values);
        let affine = Affine {
            mean: row([1.0, 1.0, 0.0, 0.0]),
            scale: row([0.5; 4]),
            gain: row([2.0, -2.0, 0.0, 0.0]),
            bias: row([0.0, 0.0, 1.0, -1.0]),
        };
        // At d = 1 the expression is exactly 0, which counts as +1 whether it rises or falls.
        assert_eq!(affine.threshold(0, 5, 2), (1, false));
        assert_eq!(affine.threshold(1, 5, 2), (3, true));
        assert_eq!(affine.threshold(1, 5, 1), (2, true));
        assert_eq!(affine.threshold(2, 5, 2), (i32::MIN, false));
        assert_eq!(affine.threshold(3, 5, 1), (i32::MAX, false));
    }
}
