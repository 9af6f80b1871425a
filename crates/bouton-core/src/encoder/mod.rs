//! From a sample to what a network sees of it step by step.
//!
//! A sample of a task is a row of numbers: an image, or a sequence with all of its steps behind each other. An encoder tells how many
//! steps a network sees and what it sees at each; without one, sequences are shown as they are and anything else for one step.

mod constant;
mod delta;
mod latency;
mod phase;
mod poisson;
mod population;
mod rows;
mod spans;
mod threshold;

pub use constant::Constant;
pub use delta::Delta;
pub use latency::Latency;
pub use phase::Phase;
pub use poisson::Poisson;
pub use population::{Code, Population};
pub use rows::Rows;
pub use spans::Spans;
pub use threshold::Threshold;

use crate::axis::{Cite, axis};
use crate::rng::Key;
use bouton_kernels::{Elem, View, ViewMut, dispatch};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

axis! {
    /// The encoder of a recipe: `[encoder.<name>]`.
    #[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
    #[serde(rename_all = "kebab-case", deny_unknown_fields)]
    pub enum EncoderSpec: EncoderMethod [
        /// Samples are shown as they are: sequences step by step, others for one step.
        #[default]
        None = AsItIs
    ] {
        /// A sample is cut into equal parts that are shown one after the other.
        Rows(Rows),
        /// The whole sample at every step.
        Constant(Constant),
        /// Spikes drawn at random, as often as values are large.
        Poisson(Poisson),
        /// One spike, the earlier the larger the value.
        Latency(Latency),
        /// Values spread over Gaussian receptive fields.
        Population(Population),
        /// The binary digits of a value, one a step.
        Phase(Phase),
        /// Events where a sequence has changed, up and down.
        Delta(Delta),
        /// Events where a sequence crosses thresholds, up and down.
        Threshold(Threshold),
    }
}

/// Steps and columns that a network sees of a sample.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Steps {
    /// Number of steps.
    pub steps: usize,
    /// Columns of each.
    pub columns: usize,
}

impl Steps {
    /// Columns of all steps.
    pub fn all(self) -> usize {
        self.steps * self.columns
    }
}

/// What a recipe's encoder says of itself, in its own file.
pub trait EncoderMethod: std::fmt::Debug {
    /// The publications that it comes from.
    fn cites(&self) -> Vec<Cite>;
    /// What a network sees of samples of the task's own steps; none if it cannot show them.
    fn shown(&self, own: Steps) -> Option<Steps>;
    /// How samples of the task's own steps are cut before anything is made of the parts. Default: they stay as they are.
    fn cut(&self, own: Steps) -> Steps {
        own
    }
    /// Whether each step that it shows is one step of the sample, and tells of no later one: samples may then end early. Default:
    /// they may not.
    fn keeps_steps(&self, _own: Steps) -> bool {
        false
    }
    /// Whether what it shows is mostly zero, of samples that are or are not.
    fn spikes(&self, samples: bool) -> bool;
    /// Replaces `out`, [steps · samples, columns], all samples of a step together, by what is seen of the samples `x`, one a row;
    /// `key` names the random numbers of a sample by its place in `x`.
    fn encode(&self, own: Steps, x: View<'_>, key: &dyn Fn(usize) -> Key, out: ViewMut<'_>);
    /// The adjoint of [`EncoderMethod::encode`] where it passes numbers on as they are: adds to `to`, [samples, all numbers of a sample], what
    /// is owed to what was seen of them, and says true. False, and nothing is added, where it makes something else of them.
    fn send_back(&self, own: Steps, g: View<'_>, to: ViewMut<'_>) -> bool;
    /// Settings for the tests of every member, in which each word and each switch occurs.
    fn examples() -> Vec<Self>
    where
        Self: Sized;
}

/// No encoder.
#[derive(Debug)]
struct AsItIs;

impl EncoderMethod for AsItIs {
    fn cites(&self) -> Vec<Cite> {
        Vec::new()
    }

    fn shown(&self, own: Steps) -> Option<Steps> {
        Some(own)
    }

    fn keeps_steps(&self, _: Steps) -> bool {
        true
    }

    fn spikes(&self, samples: bool) -> bool {
        samples
    }

    fn encode(&self, own: Steps, x: View<'_>, _: &dyn Fn(usize) -> Key, out: ViewMut<'_>) {
        parts(own, x, out);
    }

    fn send_back(&self, own: Steps, g: View<'_>, to: ViewMut<'_>) -> bool {
        parts_back(own, g, to);
        true
    }

    fn examples() -> Vec<Self> {
        vec![Self]
    }
}

/// A sample in `steps` equal parts, or in its own steps; none if it has not so many, or is no sequence.
fn sequence(own: Steps, steps: Option<usize>) -> Option<Steps> {
    let cut = in_steps(own, steps);
    (cut.steps > 1 && cut.all() == own.all()).then_some(cut)
}

/// [`sequence`] of what is one.
fn in_steps(own: Steps, steps: Option<usize>) -> Steps {
    let steps = steps.unwrap_or(own.steps);
    Steps { steps, columns: own.all() / steps }
}

/// Part t of every sample at step t.
fn parts(shown: Steps, x: View<'_>, mut out: ViewMut<'_>) {
    let samples = x.rows();
    dispatch!(x.dtype(), T => for r in 0..samples {
        for (t, part) in x.row::<T>(r).chunks_exact(shown.columns).enumerate().take(shown.steps) {
            out.row_mut::<T>(t * samples + r).copy_from_slice(part);
        }
    });
}

/// The adjoint of [`parts`].
fn parts_back(shown: Steps, g: View<'_>, mut to: ViewMut<'_>) {
    let samples = to.rows();
    dispatch!(g.dtype(), T => for r in 0..samples {
        for (t, part) in to.row_mut::<T>(r).chunks_exact_mut(shown.columns).enumerate().take(shown.steps) {
            part.iter_mut().zip(g.row::<T>(t * samples + r)).for_each(|(to, g)| *to += *g);
        }
    });
}

/// Row by row of `out`: what `value` makes of sample, step and each column's value.
fn fill<T: Elem>(x: View<'_>, mut out: ViewMut<'_>, mut value: impl FnMut(usize, usize, f64) -> f64) {
    let samples = x.rows();
    for row in 0..out.rows() {
        let (step, sample) = (row / samples, row % samples);
        for (to, &x) in out.row_mut::<T>(row).iter_mut().zip(x.row::<T>(sample)) {
            *to = T::from_f64(value(sample, step, x.to_f64()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bouton_kernels::{DType, Mat};

    fn seen(spec: &EncoderSpec, own: Steps, x: &Mat) -> Mat {
        let shown = spec.method().shown(own).unwrap();
        let mut out = Mat::zeros(x.dtype(), shown.steps * x.rows(), shown.columns);
        spec.method().encode(own, x.view(), &|r| Key::new(5).of("sample", r as u64), out.view_mut());
        out
    }

    #[test]
    fn steps_of_all_samples_stand_together() {
        let x = Mat::from_f64s(
            DType::F64,
            2,
            6,
            &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 10.0, 20.0, 30.0, 40.0, 50.0, 60.0],
        );
        let own = Steps { steps: 3, columns: 2 };
        let rows = [1.0, 2.0, 10.0, 20.0, 3.0, 4.0, 30.0, 40.0, 5.0, 6.0, 50.0, 60.0];
        assert_eq!(seen(&EncoderSpec::None, own, &x).to_f64s(), rows);
        let one = Steps { steps: 1, columns: 6 };
        assert_eq!(seen(&EncoderSpec::Rows(Rows { steps: 3 }), one, &x).to_f64s(), rows);
        assert_eq!(EncoderSpec::Rows(Rows { steps: 4 }).method().shown(one), None);
        let constant = seen(&EncoderSpec::Constant(Constant { steps: 2 }), one, &x);
        assert_eq!(constant.to_f64s(), [x.to_f64s(), x.to_f64s()].concat());
    }

    #[test]
    fn spikes_come_as_often_or_as_early_as_values_are_large() {
        let x = Mat::from_f64s(DType::F64, 1, 4, &[0.0, 0.25, 0.5, 1.0]);
        let one = Steps { steps: 1, columns: 4 };
        let drawn = seen(&EncoderSpec::Poisson(Poisson { steps: 4000, rate: 0.8 }), one, &x);
        for (c, wanted) in [0.0, 0.2, 0.4, 0.8].into_iter().enumerate() {
            let mean = (0..4000).map(|t| drawn.get(t, c)).sum::<f64>() / 4000.0;
            assert!((mean - wanted).abs() < 0.03, "{mean} {wanted}");
        }
        let first = seen(&EncoderSpec::Latency(Latency { steps: 5 }), one, &x);
        let at = |c| (0..5).filter(|&t| first.get(t, c) == 1.0).collect::<Vec<_>>();
        assert_eq!([at(0), at(1), at(2), at(3)], [vec![], vec![3], vec![2], vec![0]]);
    }
}
