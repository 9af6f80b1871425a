//! Layer normalisation: x̂ = (d − μ)/√(σ² + ε), with μ and σ² over all units of a sample.
//!
//! Ba, Kiros & Hinton 2016. A sample is normalised alike in training and in evaluation, whatever its batch holds: with one
//! sample at a time it is the normalisation that works. Through a convolution all channels and places of an image are taken
//! together, and γ and b belong to channels.

use super::{NormMethod, NormTraits, Normalised, Normaliser};
use crate::axis::Cite;
use crate::shape::Shape;
use bouton_kernels::{DType, Elem, Mat, Real, dispatch, vectorize};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Layer normalisation (`[norm.layer]`).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct LayerNorm {
    /// ε added to the variance. Default 1e-5.
    #[schemars(extend("exclusiveMinimum" = 0, "maximum" = 1e6, "x-hint" = "1e-5 is usual"))]
    pub eps: f64,
    /// Whether γ and b are learned; without them γ = 1 and b = 0. Default true.
    pub affine: bool,
}

impl Default for LayerNorm {
    fn default() -> Self {
        Self { eps: 1e-5, affine: true }
    }
}

/// The layer normalisation of one population.
#[derive(Clone, Copy, Debug)]
pub struct Layer {
    /// Its numbers.
    pub spec: LayerNorm,
    /// Units of a sample.
    pub units: usize,
}

impl Normaliser for Layer {
    fn train(&self, drive: &mut Mat) -> Normalised {
        let samples = drive.rows() * drive.cols() / self.units;
        let mut scale = Mat::zeros(drive.dtype(), samples, 1);
        dispatch!(drive.dtype(), T => {
            let scales = scale.slice_mut::<T>();
            for (d, scale) in drive.slice_mut::<T>().chunks_exact_mut(self.units).zip(scales) {
                *scale = vectorize(#[inline(always)] || {
                    let mean = mean_of(d, d, #[inline(always)] |d, _| d);
                    let variance = mean_of(d, d, #[inline(always)] |d, _| (d - mean) * (d - mean));
                    let scale = T::constant(1.0) / (variance + T::constant(self.spec.eps)).sqrt();
                    d.iter_mut().for_each(|d| *d = (*d - mean) * scale);
                    scale
                });
            }
        });
        Normalised { values: drive.clone(), scale, moments: None }
    }

    fn evaluate(&self, drive: &mut Mat) -> Normalised {
        self.train(drive)
    }

    fn update_running_stats(&mut self, _: &Normalised) {}

    fn statistics(&self) -> Vec<(&'static str, &Mat)> {
        Vec::new()
    }

    fn statistics_mut(&mut self) -> Vec<(&'static str, &mut Mat)> {
        Vec::new()
    }

    fn backward(&self, done: &Normalised, g: &mut Mat, _: &Mat, times_gain: &dyn Fn(&mut Mat)) {
        times_gain(g);
        dispatch!(g.dtype(), T => {
            let samples = done.values.slice::<T>().chunks_exact(self.units).zip(done.scale.slice::<T>());
            for (g, (values, &scale)) in g.slice_mut::<T>().chunks_exact_mut(self.units).zip(samples) {
                vectorize(#[inline(always)] || {
                    let mean = mean_of(g, values, #[inline(always)] |g, _| g);
                    let product = mean_of(g, values, #[inline(always)] |g, x| g * x);
                    g.iter_mut().zip(values).for_each(|(g, &x)| *g = scale * (*g - mean - x * product));
                });
            }
        });
    }
}

/// The mean of `f` over the pairs, in an order that depends on their number alone.
#[inline(always)]
pub(super) fn mean_of<T: Elem>(a: &[T], b: &[T], f: impl Fn(T, T) -> T) -> T {
    let mut lanes = [T::constant(0.0); 16];
    let (whole, last) = (a.chunks_exact(16).zip(b.chunks_exact(16)), a.len() / 16 * 16);
    for (a, b) in whole {
        for i in 0..16 {
            lanes[i] += f(a[i], b[i]);
        }
    }
    let rest = a[last..].iter().zip(&b[last..]).fold(T::constant(0.0), |sum, (&a, &b)| sum + f(a, b));
    lanes.into_iter().fold(rest, |sum, x| sum + x) * T::constant(1.0 / a.len() as f64)
}

impl NormMethod for LayerNorm {
    fn cites(&self) -> Vec<Cite> {
        vec![Cite::of("ba2016")]
    }

    fn traits(&self) -> NormTraits {
        NormTraits {
            acts: true,
            needs_batch: false,
            answers_by_batch: false,
            fixed_in_evaluation: false,
            by_sample: Some(self.eps),
            per_task: false,
            // One unit becomes 0 and two become ±1, whatever the weights.
            least_units: 3,
        }
    }

    fn examples() -> Vec<Self> {
        vec![Self::default(), Self { affine: false, ..Self::default() }]
    }

    fn build(&self, _: DType, shape: Shape) -> Option<(Box<dyn Normaliser>, bool)> {
        Some((Box::new(Layer { spec: *self, units: shape.units() }), self.affine))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bouton_kernels::DType;

    #[test]
    fn every_sample_has_mean_zero_and_variance_one_whatever_stands_beside_it() {
        let layer = Layer { spec: LayerNorm { eps: 0.0, affine: false }, units: 6 };
        let drive = Mat::from_fn(DType::F64, 4, 3, |r, c| ((r * 7 + c * 3) % 5) as f64 + 0.25 * c as f64);
        let mut whole = drive.clone();
        layer.train(&mut whole);
        for (sample, values) in whole.to_f64s().chunks(6).enumerate() {
            let mean = values.iter().sum::<f64>() / 6.0;
            let variance = values.iter().map(|x| x * x).sum::<f64>() / 6.0;
            assert!(mean.abs() < 1e-15 && (variance - 1.0).abs() < 1e-14);
            let mut alone = drive.rows_view(2 * sample..2 * sample + 2).to_mat();
            layer.train(&mut alone);
            assert_eq!(alone.to_f64s(), values);
        }
    }
}
