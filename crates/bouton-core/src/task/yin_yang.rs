//! Yin and yang: which part of the figure a point lies in (Kriener, Göltz & Petrovici 2022).
//!
//! The figure is a disc of radius R = ½ about (½, ½). Two half-discs of radius R/2, about (¼, ½) and (¾, ½), bend the border between
//! yin, above, and yang, below; in the middle of each is a dot of radius 0.1. Inputs are x, y, 1 − x, 1 − y; a class is drawn first,
//! then points until one is in it, so that classes are alike.

use super::drawn::drawn_samples;
use super::sequence::Following;
use super::spec::TaskMethod;
use super::{Answers, BatchSize, Dataset, Share};
use crate::axis::{Cite, Place};
use crate::error::Result;
use crate::objective::TargetKind;
use crate::rng::{Key, Stream};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// R, the radius of the figure; R about (R, R).
const BIG: f64 = 0.5;
/// The radius of a dot.
const SMALL: f64 = 0.1;

/// Points of a figure (`[task.yin-yang]`): 4 numbers, 3 classes. `encoder.latency` makes spikes of them, earlier for larger numbers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct YinYang {
    /// Training samples.
    #[schemars(extend("minimum" = 1, "maximum" = 10_000_000, "x-hint" = "5000 is usual"))]
    pub train: usize,
    /// Hold so much of them back to choose by, of each class alike: `best` and `run.patience` go by these. Default: nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub validation: Option<Share>,
    /// Test samples.
    #[schemars(extend("minimum" = 1, "maximum" = 10_000_000, "x-hint" = "1000 is usual"))]
    pub test: usize,
    /// Samples per batch, or `"all"`.
    pub batch: BatchSize,
    /// Passes over the training set.
    #[schemars(extend("minimum" = 1, "maximum" = 10_000_000, "x-hint" = "run.updates stops within an epoch"))]
    pub epochs: usize,
    /// Which samples. Default 0.
    #[serde(default)]
    #[schemars(extend("minimum" = 0, "maximum" = i64::MAX, "x-hint" = "a smaller number does as well"))]
    pub draw: u64,
}

/// The class of a point; none outside of the figure.
fn class(x: f64, y: f64) -> Option<u16> {
    let from = |centre: f64| (x - centre).hypot(y - BIG);
    let (left, right) = (from(0.5 * BIG), from(1.5 * BIG));
    match () {
        () if from(BIG) > BIG => None,
        () if left <= SMALL || right <= SMALL => Some(2),
        () => Some(u16::from(!(left <= 0.5 * BIG || y > BIG && right > 0.5 * BIG))),
    }
}

/// A point of this class.
fn point(wanted: u16, draws: &mut Stream) -> [f32; 2] {
    loop {
        // Rounded first: its class is that of what a network sees.
        let at = [2.0 * BIG * draws.uniform(), 2.0 * BIG * draws.uniform()].map(|x| x as f32);
        if class(f64::from(at[0]), f64::from(at[1])) == Some(wanted) {
            return at;
        }
    }
}

impl YinYang {
    /// `n` samples of one split.
    fn samples_of(&self, split: &str, n: usize) -> Result<Dataset> {
        let (mut inputs, mut labels) = (Vec::new(), Vec::new());
        for sample in 0..n {
            let mut draws = Key::new(self.draw).of("yin-yang", 0).of(split, sample as u64).stream();
            let wanted = draws.below(3) as u16;
            let [x, y] = point(wanted, &mut draws);
            inputs.extend([x, y, 1.0 - x, 1.0 - y]);
            labels.push(wanted);
        }
        let answers = Answers::Classes { classes: 3, labels };
        Dataset::of_numbers("yin-yang", self.shape().0, inputs, answers)
    }
}

impl TaskMethod for YinYang {
    drawn_samples!(YinYang);

    fn check(&self, _: &Place) -> Result<()> {
        Ok(())
    }

    fn cites(&self) -> Vec<Cite> {
        vec![Cite::of("kriener2022")]
    }

    fn shape(&self) -> ([usize; 3], usize) {
        ([1, 1, 4], 3)
    }

    fn targets(&self) -> TargetKind {
        TargetKind::Classes
    }

    fn names(&self) -> Vec<String> {
        ["yin", "yang", "dot"].map(String::from).to_vec()
    }

    fn examples() -> Vec<Self> {
        let (train, test, batch, epochs, draw) = (11, 7, BatchSize::Samples(3), 2, 1);
        vec![Self { train, validation: Some(Share(0.3)), test, batch, epochs, draw }]
    }

    fn bytes(&self, _: &[Following]) -> (u128, usize) {
        let samples = self.train + self.test;
        (4 * 4 * samples as u128, samples)
    }
}
