//! Which outputs of a sequence are judged: y = Σ_t r_t s_t for most, the largest for `max`, all of them for `each`, and those of the
//! last steps, each by itself, for `each-of-last`: what a network answers after a cue (Bellec et al. 2020).

use crate::encoder::Spans;
use bouton_kernels::{Elem, Mat, View, add_scaled, dispatch};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Which outputs of a sequence are judged (`time.reading`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Reading {
    /// That of the last step.
    #[default]
    Last,
    /// Their mean.
    Mean,
    /// Their sum: spike counts.
    Sum,
    /// The largest of each unit; of equal ones the first.
    Max,
    /// Each one, by a target of its own, or by the one target of its sample.
    Each,
    /// The mean of the last so many steps.
    Window(
        #[schemars(extend("minimum" = 1, "maximum" = 10_000_000, "x-hint" = "as many as the answer lasts"))]
        usize,
    ),
    /// Each one of the last so many steps, by the one target of its sample.
    EachOfLast(
        #[schemars(extend("minimum" = 1, "maximum" = 10_000_000, "x-hint" = "as many as the answer lasts"))]
        usize,
    ),
}

impl Reading {
    /// The weight of step `t` of `steps` in a sum; none if it is no sum.
    fn weight(self, t: usize, steps: usize) -> Option<f64> {
        let among = |last: usize| if t + last >= steps { 1.0 / last.min(steps) as f64 } else { 0.0 };
        match self {
            Self::Last => Some(among(1)),
            Self::Mean => Some(among(steps)),
            Self::Sum => Some(1.0),
            Self::Window(last) => Some(among(last)),
            Self::Max | Self::Each | Self::EachOfLast(_) => None,
        }
    }

    /// Whether steps are judged one by one, and not a sample once.
    pub fn every_step(self) -> bool {
        matches!(self, Self::Each | Self::EachOfLast(_))
    }

    /// What gives one answer for a sample: where steps are judged one by one, their mean.
    #[must_use]
    pub fn of_sample(self) -> Self {
        match self {
            Self::Each => Self::Mean,
            Self::EachOfLast(last) => Self::Window(last),
            reading => reading,
        }
    }

    /// What is said of the steps of so many samples, those that are not judged among it.
    pub fn narrowed(self, spans: Option<Spans>, steps: usize, samples: usize) -> Option<Spans> {
        match self {
            Self::EachOfLast(last) => {
                Some(spans.unwrap_or_else(|| Spans::whole(steps, samples)).of_last(last))
            }
            _ => spans,
        }
    }

    /// Rows that there are to judge of so many steps.
    pub fn judged(self, steps: usize, samples: usize) -> usize {
        if self.every_step() { steps * samples } else { samples }
    }

    /// The outputs that are judged, of [steps · samples, outputs]; `lengths` are the steps of each sample's own, if they are not all.
    pub fn gather(self, out: View<'_>, samples: usize, lengths: Option<&[usize]>) -> Mat {
        let steps = out.rows() / samples.max(1);
        let at = |t: usize| out.rows_range(t * samples..(t + 1) * samples);
        match self {
            Self::Each | Self::EachOfLast(_) => out.to_mat(),
            Self::Max => largest(out, samples, lengths),
            _ if let Some(lengths) = lengths => self.gather_own(out, lengths),
            _ => {
                let mut sum = Mat::zeros(out.dtype(), samples, out.cols());
                for t in 0..steps {
                    let weight = self.weight(t, steps).unwrap_or(0.0);
                    if weight != 0.0 {
                        add_scaled(&mut sum, weight, at(t));
                    }
                }
                sum
            }
        }
    }

    /// A sum over the steps of each sample's own.
    fn gather_own(self, out: View<'_>, lengths: &[usize]) -> Mat {
        let (samples, mut sum) = (lengths.len(), Mat::zeros(out.dtype(), lengths.len(), out.cols()));
        dispatch!(out.dtype(), T => for row in 0..out.rows() {
            let (t, sample) = (row / samples, row % samples);
            if t < lengths[sample] {
                let weight = <T as Elem>::from_f64(self.weight(t, lengths[sample]).unwrap_or(0.0));
                let mut to = sum.view_mut();
                let to = to.row_mut::<T>(sample).iter_mut();
                to.zip(out.row::<T>(row)).for_each(|(to, &x)| *to += weight * x);
            }
        });
        sum
    }

    /// The adjoint of [`Reading::gather`] at `out`: the gradient with respect to all outputs.
    pub fn spread(self, err: Mat, out: View<'_>, samples: usize, lengths: Option<&[usize]>) -> Mat {
        let steps = out.rows() / samples.max(1);
        match self {
            Self::Each | Self::EachOfLast(_) => return err,
            Self::Max => return to_largest(&err, out, samples, lengths),
            _ => {}
        }
        let mut all = Mat::zeros(err.dtype(), out.rows(), err.cols());
        dispatch!(err.dtype(), T => for (row, to) in all.slice_mut::<T>().chunks_exact_mut(err.cols().max(1)).enumerate() {
            let (t, sample) = (row / samples, row % samples);
            let steps = lengths.map_or(steps, |lengths| lengths[sample]);
            let weight = if t < steps { self.weight(t, steps).unwrap_or(0.0) } else { 0.0 };
            let weight = <T as Elem>::from_f64(weight);
            to.iter_mut().zip(err.view().row::<T>(sample)).for_each(|(to, &err)| *to = weight * err);
        });
        all
    }
}

/// The largest of each unit over the steps of each sample.
fn largest(out: View<'_>, samples: usize, lengths: Option<&[usize]>) -> Mat {
    let mut most = out.rows_range(0..samples).to_mat();
    dispatch!(out.dtype(), T => for row in samples..out.rows() {
        let (t, sample) = (row / samples, row % samples);
        if lengths.is_none_or(|lengths| t < lengths[sample]) {
            let mut most = most.view_mut();
            let all = most.row_mut::<T>(sample).iter_mut().zip(out.row::<T>(row));
            all.for_each(|(most, &x)| *most = if x > *most { x } else { *most });
        }
    });
    most
}

/// Each gradient to the first step that has the largest value.
fn to_largest(err: &Mat, out: View<'_>, samples: usize, lengths: Option<&[usize]>) -> Mat {
    let most = largest(out, samples, lengths);
    let mut all = Mat::zeros(err.dtype(), out.rows(), err.cols());
    dispatch!(out.dtype(), T => {
        let err_cols = err.cols().max(1);
        let (size, most, err) = (err.slice::<T>().len().max(1), most.slice::<T>(), err.slice::<T>());
        let (out, all) = (out.slice::<T>(), all.slice_mut::<T>());
        for i in 0..err.len() {
            let steps = lengths.map_or(out.len() / size, |lengths| lengths[i / err_cols]);
            if let Some(t) = (0..steps).find(|t| out[t * size + i] == most[i]) {
                all[t * size + i] = err[i];
            }
        }
    });
    all
}

/// Rows of steps and samples, of rows of samples with all steps behind each other.
pub fn step_by_step(values: View<'_>, steps: usize) -> Mat {
    let (samples, outputs) = (values.rows(), values.cols() / steps);
    let mut all = Mat::zeros(values.dtype(), steps * samples, outputs);
    dispatch!(values.dtype(), T => for r in 0..samples {
        for (t, part) in values.row::<T>(r).chunks_exact(outputs).enumerate() {
            all.view_mut().row_mut::<T>(t * samples + r).copy_from_slice(part);
        }
    });
    all
}

/// The inverse of [`step_by_step`].
pub fn sample_by_sample(out: &Mat, samples: usize) -> Mat {
    let (steps, outputs) = (out.rows() / samples.max(1), out.cols());
    let mut all = Mat::zeros(out.dtype(), samples, steps * outputs);
    dispatch!(out.dtype(), T => for r in 0..samples {
        for (t, part) in all.view_mut().row_mut::<T>(r).chunks_exact_mut(outputs).enumerate() {
            part.copy_from_slice(out.view().row::<T>(t * samples + r));
        }
    });
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use bouton_kernels::DType;

    const ALL: [Reading; 7] = [
        Reading::Last,
        Reading::Mean,
        Reading::Sum,
        Reading::Max,
        Reading::Each,
        Reading::Window(2),
        Reading::EachOfLast(2),
    ];

    /// A reading of a padded sample is that of the sample alone.
    #[test]
    fn readings_end_with_their_sample() {
        let out = Mat::from_fn(DType::F64, 8, 2, |r, c| ((3 * r + 5 * c) % 7) as f64 - 1.0);
        let lengths = [4, 2];
        for reading in ALL.into_iter().filter(|reading| !reading.every_step()) {
            let all = reading.gather(out.view(), 2, Some(&lengths));
            let err = Mat::from_fn(DType::F64, 2, 2, |r, c| (r * 2 + c) as f64 + 0.5);
            let spread = reading.spread(err.clone(), out.view(), 2, Some(&lengths));
            for (sample, length) in lengths.into_iter().enumerate() {
                let alone = Mat::from_fn(DType::F64, length, 2, |t, c| out.get(2 * t + sample, c));
                let (read, err) =
                    (reading.gather(alone.view(), 1, None), err.rows_view(sample..sample + 1).to_mat());
                let back = reading.spread(err, alone.view(), 1, None);
                for c in 0..2 {
                    assert!((all.get(sample, c) - read.get(0, c)).abs() < 1e-14, "{reading:?}");
                    for t in 0..4 {
                        let wanted = if t < length { back.get(t, c) } else { 0.0 };
                        assert_eq!(spread.get(2 * t + sample, c), wanted, "{reading:?} {sample} {t}");
                    }
                }
            }
        }
    }

    #[test]
    fn readings_are_what_they_say_and_spread_is_the_adjoint() {
        let out =
            Mat::from_f64s(DType::F64, 6, 2, &[1.0, 9.0, 2.0, 5.0, 3.0, 4.0, 7.0, 8.0, 2.0, 6.0, 5.0, 8.0]);
        let read = |reading: Reading| reading.gather(out.view(), 2, None).to_f64s();
        assert_eq!(read(Reading::Last), [2.0, 6.0, 5.0, 8.0]);
        let mean = [2.0, 19.0 / 3.0, 14.0 / 3.0, 7.0];
        assert!(read(Reading::Mean).iter().zip(mean).all(|(a, b)| (a - b).abs() < 1e-14));
        assert_eq!(read(Reading::Sum), [6.0, 19.0, 14.0, 21.0]);
        assert_eq!(read(Reading::Max), [3.0, 9.0, 7.0, 8.0]);
        assert_eq!(read(Reading::Window(2)), [2.5, 5.0, 6.0, 8.0]);
        assert_eq!(read(Reading::Each), out.to_f64s());
        assert_eq!(read(Reading::EachOfLast(2).of_sample()), read(Reading::Window(2)));
        // ⟨err, gather(v)⟩ = ⟨spread(err), v⟩ for a linear reading; for `max` at v = out.
        for reading in ALL {
            let err = Mat::from_fn(DType::F64, reading.judged(3, 2), 2, |r, c| (r * 2 + c) as f64 + 0.5);
            let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
            let forth = dot(&err.to_f64s(), &read(reading));
            let back = dot(&reading.spread(err, out.view(), 2, None).to_f64s(), &out.to_f64s());
            assert!((forth - back).abs() < 1e-12, "{reading:?}: {forth} {back}");
        }
    }
}
