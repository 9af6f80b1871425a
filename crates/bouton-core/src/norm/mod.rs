//! Normalisation of a population's drive, before its units see it: d ← γ x̂ + b, where x̂ has mean zero and variance one
//! over the samples of a batch or over the units of a sample. The bias b of the population stands behind it.

mod affine;
mod batch;
mod layer;

pub use affine::Affine;
pub use batch::{Batch, BatchNorm, Statistics};
pub use layer::{Layer, LayerNorm};

use crate::axis::{Cite, axis};
use crate::shape::Shape;
use bouton_kernels::{DType, Elem, Mat, WeightMat, add_columns, dispatch, vectorize};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

axis! {
    /// The normalisation of a recipe: `[norm.<name>]`, for every population but the input.
    #[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
    #[serde(rename_all = "kebab-case", deny_unknown_fields)]
    pub enum NormSpec: NormMethod [
        /// Drives as they are.
        #[default]
        None = Nothing
    ] {
        /// Batch normalisation (Ioffe & Szegedy 2015).
        Batch(BatchNorm),
        /// Layer normalisation (Ba, Kiros & Hinton 2016).
        Layer(LayerNorm),
    }
}

/// What a recipe's normalisation says of itself, in its own file.
pub trait NormMethod: std::fmt::Debug {
    /// The publications that it comes from.
    fn cites(&self) -> Vec<Cite>;
    /// What the other axes may ask.
    fn traits(&self) -> NormTraits;
    /// Settings for the tests of every member, in which each word and each switch occurs.
    fn examples() -> Vec<Self>
    where
        Self: Sized;
    /// The normaliser of a population of this shape, and whether γ and b are learned; nothing for drives as they are.
    fn build(&self, dtype: DType, shape: Shape) -> Option<(Box<dyn Normaliser>, bool)>;
}

/// What the other axes may ask of a normalisation.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct NormTraits {
    /// Whether it changes drives: then a population is computed in one pass.
    pub acts: bool,
    /// Whether training takes several samples together.
    pub needs_batch: bool,
    /// Whether the answers of evaluation depend on the other samples of the batch.
    pub answers_by_batch: bool,
    /// Whether evaluation adds and multiplies by numbers that no longer change.
    pub fixed_in_evaluation: bool,
    /// ε of (d − μ)/√(σ² + ε) over the units of each sample, if it is that.
    pub by_sample: Option<f64>,
    /// Whether every task has a normalisation of its own.
    pub per_task: bool,
    /// The fewest units of a layer that leave something to learn.
    pub least_units: usize,
}

/// No normalisation.
#[derive(Debug)]
struct Nothing;

impl NormMethod for Nothing {
    fn cites(&self) -> Vec<Cite> {
        Vec::new()
    }

    fn traits(&self) -> NormTraits {
        NormTraits {
            acts: false,
            needs_batch: false,
            answers_by_batch: false,
            fixed_in_evaluation: false,
            by_sample: None,
            per_task: false,
            least_units: 1,
        }
    }

    fn examples() -> Vec<Self> {
        vec![Self]
    }

    fn build(&self, _: DType, _: Shape) -> Option<(Box<dyn Normaliser>, bool)> {
        None
    }
}

/// What brings the drives of one population to mean zero and variance one. Rows are places of samples, one column per channel.
pub trait Normaliser: Send + Sync + std::fmt::Debug {
    /// Normalises `drive` in training.
    fn train(&self, drive: &mut Mat) -> Normalised;
    /// Normalises `drive` for evaluation.
    fn evaluate(&self, drive: &mut Mat) -> Normalised;
    /// Takes what a training batch showed into running means, if there are any.
    fn update_running_stats(&mut self, done: &Normalised);
    /// Running means, where there are any: their names and values, [1, channels].
    fn statistics(&self) -> Vec<(&'static str, &Mat)>;
    /// [`Normaliser::statistics`], to change.
    fn statistics_mut(&mut self) -> Vec<(&'static str, &mut Mat)>;
    /// From the gradient behind γ to the one before the normalisation, in place; `products` is that gradient times x̂, and
    /// `times_gain` multiplies by γ.
    fn backward(&self, done: &Normalised, g: &mut Mat, products: &Mat, times_gain: &dyn Fn(&mut Mat));
}

/// The normalisation of one population.
#[derive(Debug)]
pub struct Norm {
    /// What brings drives to mean zero and variance one.
    pub normaliser: Box<dyn Normaliser>,
    /// What the other axes may ask.
    pub traits: NormTraits,
    /// γ, [1, channels]; `None` if it is not learned.
    pub gain: Option<WeightMat>,
}

/// What the way back needs of normalised drives.
#[derive(Clone, Debug)]
pub struct Normalised {
    /// x̂, of the shape of the drives.
    pub values: Mat,
    /// What drives were multiplied by: [1, channels] or [samples, 1].
    pub scale: Mat,
    /// Mean and variance of a training batch.
    moments: Option<[Mat; 2]>,
}

impl Norm {
    /// The normalisation of a population of this shape, with γ = 1.
    pub fn new(spec: &NormSpec, dtype: DType, shape: Shape) -> Option<Self> {
        let (normaliser, affine) = spec.method().build(dtype, shape)?;
        let ones = || WeightMat::new(Mat::from_fn(dtype, 1, shape.channels, |_, _| 1.0));
        Some(Self { normaliser, traits: spec.method().traits(), gain: affine.then(ones) })
    }

    /// Whether γ and b are learned.
    pub fn is_affine(&self) -> bool {
        self.gain.is_some()
    }

    /// Normalises `drive`, one row per place of a sample, in training; then scales it and adds `bias`.
    pub fn train(&self, drive: &mut Mat, bias: Option<&Mat>) -> Normalised {
        let done = self.normaliser.train(drive);
        self.affine(drive, bias);
        done
    }

    /// Normalises `drive` for evaluation.
    pub fn evaluate(&self, drive: &mut Mat, bias: Option<&Mat>) -> Normalised {
        let done = self.normaliser.evaluate(drive);
        self.affine(drive, bias);
        done
    }

    /// Takes the statistics of a training batch into the running means, if there are any.
    pub fn update_running_stats(&mut self, done: &Normalised) {
        self.normaliser.update_running_stats(done);
    }

    /// Running means, where there are any: their names and values.
    pub fn statistics(&self) -> Vec<(&'static str, &Mat)> {
        self.normaliser.statistics()
    }

    /// [`Norm::statistics`], to change.
    pub fn statistics_mut(&mut self) -> Vec<(&'static str, &mut Mat)> {
        self.normaliser.statistics_mut()
    }

    /// From the gradient behind the normalisation to the one before it, in place; returns the rows whose column sums
    /// are the gradient of γ.
    pub fn backward(&self, done: &Normalised, g: &mut Mat) -> Mat {
        let mut g_gain = g.clone();
        dispatch!(g.dtype(), T => multiply::<T>(g_gain.slice_mut(), done.values.slice()));
        self.normaliser.backward(done, g, &g_gain, &|g| self.times_gain(g));
        g_gain
    }

    fn times_gain(&self, to: &mut Mat) {
        let (Some(gain), units) = (&self.gain, to.cols()) else { return };
        dispatch!(to.dtype(), T => {
            to.slice_mut::<T>().chunks_exact_mut(units).for_each(|d| multiply::<T>(d, gain.mat().slice()));
        });
    }

    fn affine(&self, drive: &mut Mat, bias: Option<&Mat>) {
        self.times_gain(drive);
        let (Some(bias), units) = (bias, drive.cols()) else { return };
        dispatch!(drive.dtype(), T => for d in drive.slice_mut::<T>().chunks_exact_mut(units) {
            let bias = bias.slice::<T>();
            vectorize(#[inline(always)] || for j in 0..units {
                d[j] += bias[j];
            });
        });
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    const SHAPE: Shape = Shape { channels: 3, height: 1, width: 2 };

    /// Ten places of five samples.
    fn drives() -> Mat {
        Mat::from_fn(DType::F64, 10, 3, |r, c| {
            ((r * 7 + c * 3) % 5) as f64 * (1.0 + c as f64) - 2.0 + 0.1 * r as f64
        })
    }

    fn norms() -> [Norm; 2] {
        let specs = [
            NormSpec::Batch(BatchNorm::default()),
            NormSpec::Layer(LayerNorm { affine: true, ..LayerNorm::default() }),
        ];
        specs.map(|spec| Norm::new(&spec, DType::F64, SHAPE).unwrap())
    }

    /// ∂/∂d and ∂/∂γ of Σ a·y against central differences, a being arbitrary.
    #[test]
    fn the_way_back_is_the_gradient() {
        let a = Mat::from_fn(DType::F64, 10, 3, |r, c| ((r * 3 + c * 5) % 7) as f64 - 3.0);
        let gain = |norm: &mut Norm, j: usize, by: f64| {
            norm.gain.as_mut().unwrap().update(|mut w| w.slice_mut::<f64>()[j] += by);
        };
        let value = |norm: &Norm, d: &Mat| {
            let mut y = d.clone();
            norm.train(&mut y, None);
            y.to_f64s().iter().zip(a.to_f64s()).map(|(y, a)| y * a).sum::<f64>()
        };
        for mut norm in norms() {
            gain(&mut norm, 1, 0.5);
            let done = norm.train(&mut drives(), None);
            let mut g = a.clone();
            let g_gain = columns(&norm.backward(&done, &mut g)).to_f64s();
            for i in 0..30 {
                let (mut up, mut down) = (drives(), drives());
                up.slice_mut::<f64>()[i] += 1e-5;
                down.slice_mut::<f64>()[i] -= 1e-5;
                let slope = (value(&norm, &up) - value(&norm, &down)) / 2e-5;
                assert!((slope - g.slice::<f64>()[i]).abs() < 1e-8, "{:?} {i}: {slope}", norm.normaliser);
            }
            for (j, g_gain) in g_gain.iter().enumerate() {
                gain(&mut norm, j, 1e-5);
                let up = value(&norm, &drives());
                gain(&mut norm, j, -2e-5);
                let slope = (up - value(&norm, &drives())) / 2e-5;
                gain(&mut norm, j, 1e-5);
                assert!((slope - g_gain).abs() < 1e-8, "{:?} {j}: {slope}", norm.normaliser);
            }
        }
    }
}
