//! Batch normalisation: d ← γ (d − μ)/√(σ² + ε) + b, with μ and σ² over the samples of a batch.
//!
//! Ioffe & Szegedy 2015. In training μ and σ² are the batch's; running means of them (the variance without bias, as in
//! PyTorch) are kept for evaluation. The bias b of the population stands behind the normalisation.

use crate::optim::add_columns;
use bouton_kernels::{DType, Elem, Mat, Operand, Real, ViewMut, dispatch, vectorize};
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

/// Batch normalisation (`[norm.batch]`).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct BatchNorm {
    /// ε added to the variance. Default 1e-5.
    pub eps: f64,
    /// Weight of a new batch in the running means. Default 0.1.
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

/// The normalisation of one population.
#[derive(Debug)]
pub struct Norm {
    /// Its numbers.
    pub spec: BatchNorm,
    /// γ, [1, units]; `None` if it is not learned.
    pub gain: Option<Operand>,
    /// Running mean, [1, units].
    pub mean: Mat,
    /// Running variance, [1, units].
    pub variance: Mat,
}

/// What the way back needs of a normalised batch.
#[derive(Clone, Debug)]
pub struct Normalised {
    /// (d − μ)/√(σ² + ε), [rows, units].
    pub values: Mat,
    /// 1/√(σ² + ε), [1, units].
    pub scale: Mat,
    mean: Mat,
    variance: Mat,
    /// Whether μ and σ² depend on the samples.
    moving: bool,
}

impl Norm {
    /// γ = 1, running mean 0 and variance 1.
    pub fn new(spec: BatchNorm, dtype: DType, units: usize) -> Self {
        let ones = || Mat::from_fn(dtype, 1, units, |_, _| 1.0);
        let gain = spec.affine.then(|| Operand::new(ones()));
        Self { spec, gain, mean: Mat::zeros(dtype, 1, units), variance: ones() }
    }

    /// Normalises `drive` with its own statistics, then scales it and adds `bias`.
    pub fn train(&self, drive: &mut Mat, bias: Option<&Mat>) -> Normalised {
        let (mean, variance) = moments(drive);
        let scale = self.normalise(drive, &mean, &variance);
        let values = drive.clone();
        self.affine(drive, bias);
        Normalised { values, scale, mean, variance, moving: true }
    }

    /// Normalises `drive` for evaluation; on the way back the statistics are constants.
    pub fn evaluate(&self, drive: &mut Mat, bias: Option<&Mat>) -> Normalised {
        let (mean, variance) = match self.spec.statistics {
            Statistics::Running => (self.mean.clone(), self.variance.clone()),
            Statistics::Batch => moments(drive),
        };
        let scale = self.normalise(drive, &mean, &variance);
        let values = drive.clone();
        self.affine(drive, bias);
        Normalised { values, scale, mean, variance, moving: false }
    }

    /// Takes the statistics of a training batch into the running means.
    pub fn observe(&mut self, batch: &Normalised) {
        let n = batch.values.rows() as f64;
        let (old, unbiased) = (1.0 - self.spec.momentum, self.spec.momentum * n / (n - 1.0).max(1.0));
        blend(&mut self.mean, old, &batch.mean, self.spec.momentum);
        blend(&mut self.variance, old, &batch.variance, unbiased);
    }

    /// From the gradient behind the normalisation to the one before it, in place; returns the rows whose column sums
    /// are the gradient of γ.
    pub fn pull(&self, batch: &Normalised, g: &mut Mat) -> Mat {
        let mut g_gain = g.clone();
        let (rows, units) = (g.rows(), g.cols());
        dispatch!(g.dtype(), T => {
            let (values, scale) = (batch.values.slice::<T>(), batch.scale.slice::<T>());
            multiply::<T>(g_gain.slice_mut(), values);
            let n = T::lit(if batch.moving { 1.0 / rows as f64 } else { 0.0 });
            let (sum, product) = (columns(g), columns(&g_gain));
            let gain = self.gain.as_ref().map(|w| w.mat().slice::<T>());
            for (g, values) in g.slice_mut::<T>().chunks_exact_mut(units).zip(values.chunks_exact(units)) {
                let (sum, product) = (sum.slice::<T>(), product.slice::<T>());
                vectorize(#[inline(always)] || for j in 0..units {
                    g[j] = scale[j] * (g[j] - n * sum[j] - values[j] * (n * product[j]));
                });
                if let Some(gain) = gain {
                    multiply::<T>(g, gain);
                }
            }
        });
        g_gain
    }

    /// (d − μ)/√(σ² + ε) in place; returns 1/√(σ² + ε).
    fn normalise(&self, drive: &mut Mat, mean: &Mat, variance: &Mat) -> Mat {
        let mut scale = variance.clone();
        let units = drive.cols();
        dispatch!(drive.dtype(), T => {
            let eps = T::lit(self.spec.eps);
            scale.slice_mut::<T>().iter_mut().for_each(|v| *v = T::lit(1.0) / (*v + eps).sqrt());
            let (mean, scale) = (mean.slice::<T>(), scale.slice::<T>());
            for d in drive.slice_mut::<T>().chunks_exact_mut(units) {
                vectorize(#[inline(always)] || for j in 0..units {
                    d[j] = (d[j] - mean[j]) * scale[j];
                });
            }
        });
        scale
    }

    fn affine(&self, drive: &mut Mat, bias: Option<&Mat>) {
        let units = drive.cols();
        dispatch!(drive.dtype(), T => for d in drive.slice_mut::<T>().chunks_exact_mut(units) {
            if let Some(gain) = &self.gain {
                multiply::<T>(d, gain.mat().slice());
            }
            if let Some(bias) = bias {
                let bias = bias.slice::<T>();
                vectorize(#[inline(always)] || for j in 0..units {
                    d[j] += bias[j];
                });
            }
        });
    }
}

/// Mean and variance (divided by n) of every column.
fn moments(x: &Mat) -> (Mat, Mat) {
    let mut mean = columns(x);
    let mut variance = Mat::zeros(x.dtype(), 1, x.cols());
    dispatch!(x.dtype(), T => {
        let n = T::lit(1.0 / x.rows() as f64);
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

/// Sums of the columns, [1, cols].
fn columns(x: &Mat) -> Mat {
    let mut sums = Mat::zeros(x.dtype(), 1, x.cols());
    add_columns(x.view(), 1.0, sums.view_mut());
    sums
}

fn multiply<T: Elem>(to: &mut [T], by: &[T]) {
    vectorize(
        #[inline(always)]
        || {
            for (x, &b) in to.iter_mut().zip(by) {
                *x *= b;
            }
        },
    );
}

fn blend(to: &mut Mat, keep: f64, new: &Mat, weight: f64) {
    dispatch!(new.dtype(), T => {
        let (keep, weight) = (T::lit(keep), T::lit(weight));
        let mut to: ViewMut<'_> = to.view_mut();
        for (to, &new) in to.slice_mut::<T>().iter_mut().zip(new.slice::<T>()) {
            *to = keep * *to + weight * new;
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    fn batch() -> Mat {
        Mat::from_fn(DType::F64, 5, 3, |r, c| ((r * 7 + c * 3) % 5) as f64 * (1.0 + c as f64) - 2.0)
    }

    #[test]
    fn columns_have_mean_zero_and_variance_one() {
        let norm = Norm::new(BatchNorm { eps: 0.0, ..BatchNorm::default() }, DType::F64, 3);
        let mut d = batch();
        norm.train(&mut d, None);
        let (mean, variance) = moments(&d);
        assert!(mean.to_f64s().iter().all(|m| m.abs() < 1e-15));
        assert!(variance.to_f64s().iter().all(|v| (v - 1.0).abs() < 1e-14));
    }

    /// ∂/∂d and ∂/∂γ of Σ a·y against central differences, a being arbitrary.
    #[test]
    fn the_way_back_is_the_gradient() {
        let mut norm = Norm::new(BatchNorm::default(), DType::F64, 3);
        let a = Mat::from_fn(DType::F64, 5, 3, |r, c| ((r * 3 + c * 5) % 7) as f64 - 3.0);
        let gain = |norm: &mut Norm, j: usize, by: f64| {
            norm.gain.as_mut().unwrap().update(|mut w| w.slice_mut::<f64>()[j] += by);
        };
        gain(&mut norm, 1, 0.5);
        let value = |norm: &Norm, d: &Mat| {
            let mut y = d.clone();
            norm.train(&mut y, None);
            y.to_f64s().iter().zip(a.to_f64s()).map(|(y, a)| y * a).sum::<f64>()
        };
        let mut y = batch();
        let trace = norm.train(&mut y, None);
        let mut g = a.clone();
        let g_gain = columns(&norm.pull(&trace, &mut g)).to_f64s();
        for i in 0..15 {
            let (mut up, mut down) = (batch(), batch());
            up.slice_mut::<f64>()[i] += 1e-5;
            down.slice_mut::<f64>()[i] -= 1e-5;
            let slope = (value(&norm, &up) - value(&norm, &down)) / 2e-5;
            assert!((slope - g.slice::<f64>()[i]).abs() < 1e-8, "{i}: {slope}");
        }
        for (j, g_gain) in g_gain.iter().enumerate() {
            gain(&mut norm, j, 1e-5);
            let up = value(&norm, &batch());
            gain(&mut norm, j, -2e-5);
            let slope = (up - value(&norm, &batch())) / 2e-5;
            gain(&mut norm, j, 1e-5);
            assert!((slope - g_gain).abs() < 1e-8, "{j}: {slope}");
        }
    }

    #[test]
    fn running_means_follow_the_batches() {
        let mut norm = Norm::new(BatchNorm { momentum: 0.25, ..BatchNorm::default() }, DType::F64, 3);
        let (mean, variance) = moments(&batch());
        let trace = norm.train(&mut batch(), None);
        norm.observe(&trace);
        for j in 0..3 {
            assert!((norm.mean.get(0, j) - 0.25 * mean.get(0, j)).abs() < 1e-15);
            let unbiased = variance.get(0, j) * 5.0 / 4.0;
            assert!((norm.variance.get(0, j) - (0.75 + 0.25 * unbiased)).abs() < 1e-14);
        }
        let mut d = batch();
        norm.evaluate(&mut d, None);
        let expected = (batch().get(2, 1) - norm.mean.get(0, 1)) / (norm.variance.get(0, 1) + 1e-5).sqrt();
        assert!((d.get(2, 1) - expected).abs() < 1e-14);
    }
}
