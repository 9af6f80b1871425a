//! Batch normalisation: x̂ = (d − μ)/√(σ² + ε), with μ and σ² over the samples of a batch, channel by channel.
//!
//! Ioffe & Szegedy 2015. In training μ and σ² are the batch's; running means of them (the variance without bias, as in
//! PyTorch) are kept for evaluation, where the way back takes them for constants.

use super::{NormMethod, NormTraits, Normalised, Normaliser, columns};
use crate::axis::Cite;
use crate::shape::Shape;
use bouton_kernels::{DType, Mat, Real, ViewMut, dispatch, vectorize};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What evaluation normalises with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Statistics {
    /// Running means of the training batches.
    #[default]
    Running,
    /// Those of the test batch: other test samples take part in every answer.
    Batch,
}

/// Batch normalisation (`[norm.batch]`). A batch of one sample has no variance: batch sizes that leave one at the end of an
/// epoch are refused.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct BatchNorm {
    /// ε added to the variance. Default 1e-5.
    #[schemars(extend("exclusiveMinimum" = 0, "maximum" = 1e6, "x-hint" = "1e-5 is usual"))]
    pub eps: f64,
    /// Weight of a new batch in the running means. Default 0.1.
    #[schemars(extend("exclusiveMinimum" = 0, "maximum" = 1, "x-hint" = "0.1 is usual"))]
    pub momentum: f64,
    /// Whether γ and b are learned; without them γ = 1 and b = 0. Default true.
    pub affine: bool,
    /// What evaluation normalises with.
    pub statistics: Statistics,
    /// Keep γ, b and the running means of every task and evaluate a task with its own: the task's identity is then
    /// known at test time. Default false.
    pub per_task: bool,
}

impl Default for BatchNorm {
    fn default() -> Self {
        Self { eps: 1e-5, momentum: 0.1, affine: true, statistics: Statistics::Running, per_task: false }
    }
}

/// Running means of one population.
#[derive(Debug)]
pub struct Batch {
    /// Its numbers.
    pub spec: BatchNorm,
    /// Running mean, [1, channels].
    pub mean: Mat,
    /// Running variance, [1, channels].
    pub variance: Mat,
}

impl Batch {
    /// Running mean 0 and variance 1.
    pub fn new(spec: BatchNorm, dtype: DType, channels: usize) -> Self {
        let variance = Mat::from_fn(dtype, 1, channels, |_, _| 1.0);
        Self { spec, mean: Mat::zeros(dtype, 1, channels), variance }
    }

    /// (d − μ)/√(σ² + ε) in place; returns 1/√(σ² + ε).
    fn normalise(&self, drive: &mut Mat, mean: &Mat, variance: &Mat) -> Mat {
        let mut scale = variance.clone();
        let units = drive.cols();
        dispatch!(drive.dtype(), T => {
            let eps = T::constant(self.spec.eps);
            scale.slice_mut::<T>().iter_mut().for_each(|v| *v = T::constant(1.0) / (*v + eps).sqrt());
            let (mean, scale) = (mean.slice::<T>(), scale.slice::<T>());
            for d in drive.slice_mut::<T>().chunks_exact_mut(units) {
                vectorize(#[inline(always)] || for j in 0..units {
                    d[j] = (d[j] - mean[j]) * scale[j];
                });
            }
        });
        scale
    }
}

impl Normaliser for Batch {
    fn train(&self, drive: &mut Mat) -> Normalised {
        let (mean, variance) = moments(drive);
        let scale = self.normalise(drive, &mean, &variance);
        Normalised { values: drive.clone(), scale, moments: Some([mean, variance]) }
    }

    fn evaluate(&self, drive: &mut Mat) -> Normalised {
        let (mean, variance) = match self.spec.statistics {
            Statistics::Running => (self.mean.clone(), self.variance.clone()),
            Statistics::Batch => moments(drive),
        };
        let scale = self.normalise(drive, &mean, &variance);
        Normalised { values: drive.clone(), scale, moments: None }
    }

    fn update_running_stats(&mut self, done: &Normalised) {
        let Some([mean, variance]) = &done.moments else { return };
        let n = done.values.rows() as f64;
        let (old, unbiased) = (1.0 - self.spec.momentum, self.spec.momentum * n / (n - 1.0).max(1.0));
        blend(&mut self.mean, old, mean, self.spec.momentum);
        blend(&mut self.variance, old, variance, unbiased);
    }

    fn statistics(&self) -> Vec<(&'static str, &Mat)> {
        vec![("mean", &self.mean), ("variance", &self.variance)]
    }

    fn statistics_mut(&mut self) -> Vec<(&'static str, &mut Mat)> {
        vec![("mean", &mut self.mean), ("variance", &mut self.variance)]
    }

    fn backward(&self, done: &Normalised, g: &mut Mat, products: &Mat, times_gain: &dyn Fn(&mut Mat)) {
        let (rows, units) = (g.rows(), g.cols());
        dispatch!(g.dtype(), T => {
            let (values, scale) = (done.values.slice::<T>(), done.scale.slice::<T>());
            // Where the statistics depend on the samples.
            let n = T::constant(if done.moments.is_some() { 1.0 / rows as f64 } else { 0.0 });
            let (sum, product) = (columns(g), columns(products));
            for (g, values) in g.slice_mut::<T>().chunks_exact_mut(units).zip(values.chunks_exact(units)) {
                let (sum, product) = (sum.slice::<T>(), product.slice::<T>());
                vectorize(#[inline(always)] || for j in 0..units {
                    g[j] = scale[j] * (g[j] - n * sum[j] - values[j] * (n * product[j]));
                });
            }
        });
        times_gain(g);
    }
}

/// Mean and variance (divided by n) of every column.
fn moments(x: &Mat) -> (Mat, Mat) {
    let mut mean = columns(x);
    let mut variance = Mat::zeros(x.dtype(), 1, x.cols());
    dispatch!(x.dtype(), T => {
        let n = T::constant(1.0 / x.rows() as f64);
        mean.slice_mut::<T>().iter_mut().for_each(|m| *m *= n);
        let (mean, variance) = (mean.slice::<T>(), variance.slice_mut::<T>());
        for row in x.slice::<T>().chunks_exact(x.cols()) {
            vectorize(#[inline(always)] || for ((v, &x), &m) in variance.iter_mut().zip(row).zip(mean) {
                *v += (x - m) * (x - m);
            });
        }
        variance.iter_mut().for_each(|v| *v *= n);
    });
    (mean, variance)
}

fn blend(to: &mut Mat, keep: f64, new: &Mat, weight: f64) {
    dispatch!(new.dtype(), T => {
        let (keep, weight) = (T::constant(keep), T::constant(weight));
        let mut to: ViewMut<'_> = to.view_mut();
        for (to, &new) in to.slice_mut::<T>().iter_mut().zip(new.slice::<T>()) {
            *to = keep * *to + weight * new;
        }
    });
}

impl NormMethod for BatchNorm {
    fn cites(&self) -> Vec<Cite> {
        vec![Cite::of("ioffe2015")]
    }

    fn traits(&self) -> NormTraits {
        let by_batch = self.statistics == Statistics::Batch;
        NormTraits {
            acts: true,
            needs_batch: true,
            answers_by_batch: by_batch,
            fixed_in_evaluation: !by_batch && !self.per_task,
            by_sample: None,
            per_task: self.per_task,
            least_units: 1,
        }
    }

    fn examples() -> Vec<Self> {
        let plain = Self { affine: false, statistics: Statistics::Batch, ..Self::default() };
        vec![Self::default(), plain, Self { per_task: true, ..Self::default() }]
    }

    fn build(&self, dtype: DType, shape: Shape) -> Option<(Box<dyn Normaliser>, bool)> {
        Some((Box::new(Batch::new(*self, dtype, shape.channels)), self.affine))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drives() -> Mat {
        Mat::from_fn(DType::F64, 5, 3, |r, c| ((r * 7 + c * 3) % 5) as f64 * (1.0 + c as f64) - 2.0)
    }

    #[test]
    fn columns_have_mean_zero_and_variance_one() {
        let norm = Batch::new(BatchNorm { eps: 0.0, ..BatchNorm::default() }, DType::F64, 3);
        let mut d = drives();
        norm.train(&mut d);
        let (mean, variance) = moments(&d);
        assert!(mean.to_f64s().iter().all(|m| m.abs() < 1e-15));
        assert!(variance.to_f64s().iter().all(|v| (v - 1.0).abs() < 1e-14));
    }

    #[test]
    fn running_means_follow_the_batches() {
        let mut norm = Batch::new(BatchNorm { momentum: 0.25, ..BatchNorm::default() }, DType::F64, 3);
        let (mean, variance) = moments(&drives());
        let done = norm.train(&mut drives());
        norm.update_running_stats(&done);
        for j in 0..3 {
            assert!((norm.mean.get(0, j) - 0.25 * mean.get(0, j)).abs() < 1e-15);
            let unbiased = variance.get(0, j) * 5.0 / 4.0;
            assert!((norm.variance.get(0, j) - (0.75 + 0.25 * unbiased)).abs() < 1e-14);
        }
        let mut d = drives();
        norm.evaluate(&mut d);
        let expected = (drives().get(2, 1) - norm.mean.get(0, 1)) / (norm.variance.get(0, 1) + 1e-5).sqrt();
        assert!((d.get(2, 1) - expected).abs() < 1e-14);
    }
}
