//! Regression on a random teacher: numbers in, numbers out, and as many samples as one likes.
//!
//! Inputs are x ~ N(0, 1)^n. A committee (Saad & Solla 1995) answers y = Σ_k g(w_k·x/√n) with g(a) = erf(a/√2) and
//! w_k ~ N(0, 1)^n; a polynomial answers y = Σ_k He_d(u_k·x)/√(K·d!), He_d the Hermite polynomial of degree d and u_k random
//! of length 1, so that y has mean 0 and, for directions at right angles, variance 1. Noise of standard deviation σ is added
//! to the targets of training and test alike; no student can fall below σ²/2 of loss per output.

use super::drawn::drawn_samples;
use super::spec::{TaskMethod, TaskSpec};
use super::{Answers, BatchSize, Dataset, Following, Share};
use crate::axis::{Cite, Place};
use crate::error::Result;
use crate::objective::TargetKind;
use crate::rng::{Key, Stream};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What a teacher computes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Rule {
    /// y = Σ_k erf(w_k·x/√(2n)) over so many hidden units: the soft committee machine.
    Committee {
        /// Hidden units K.
        #[schemars(extend("minimum" = 1, "maximum" = 65_536, "x-hint" = "2 to 10 are usual"))]
        units: usize,
    },
    /// y = Σ_k He_d(u_k·x)/√(K·d!) over so many directions.
    Polynomial {
        /// Degree d.
        #[schemars(extend("minimum" = 1, "maximum" = 12, "x-hint" = "2 or 3 are hard enough"))]
        degree: u32,
        /// Directions K.
        #[schemars(extend("minimum" = 1, "maximum" = 65_536, "x-hint" = "1 to 10 are usual"))]
        directions: usize,
    },
}

/// A random teacher to be imitated (`[task.teacher]`).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Teacher {
    /// Numbers n of an input.
    #[schemars(extend("minimum" = 1, "maximum" = 10_000_000, "x-hint" = "20 to 500 are usual"))]
    pub inputs: usize,
    /// Numbers of a target; each output has a teacher of its own. Default 1.
    #[serde(default = "one")]
    #[schemars(extend("minimum" = 1, "maximum" = 65_536, "x-hint" = "1 is usual"))]
    pub outputs: usize,
    /// What it computes.
    pub rule: Rule,
    /// Standard deviation σ of the noise on targets. Default 0.
    #[serde(default)]
    #[schemars(extend("minimum" = 0, "maximum" = 1e6, "x-hint" = "0.1 is a tenth of what a polynomial's targets vary"))]
    pub noise: f64,
    /// Training samples.
    #[schemars(extend("minimum" = 1, "maximum" = 10_000_000, "x-hint" = "some 10 for every weight of the teacher"))]
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
    /// Which teacher and which samples; the seed of the run draws the student and the order of the samples. Default 0.
    #[serde(default)]
    #[schemars(extend(
        "minimum" = 0, "maximum" = i64::MAX,
        "x-hint" = "a smaller number does as well"
    ))]
    pub draw: u64,
}

fn one() -> usize {
    1
}

impl Teacher {
    /// `n` samples of one split.
    fn samples_of(&self, split: &str, n: usize) -> Result<Dataset> {
        let key = Key::new(self.draw).of("teacher", 0);
        let teachers: Vec<Vec<Vec<f64>>> = (0..self.outputs).map(|o| self.weights(&key, o)).collect();
        let (mut inputs, mut values) = (Vec::new(), Vec::new());
        let (mut draws, mut noise) = (key.of(split, 0).stream(), key.of(split, 1).stream());
        for _ in 0..n {
            // Rounded first: the teacher sees what the student sees.
            let x: Vec<f32> = (0..self.inputs).map(|_| draws.normal() as f32).collect();
            for teacher in &teachers {
                values.push((self.answer(teacher, &x) + self.noise * noise.normal()) as f32);
            }
            inputs.extend(x);
        }
        let answers = Answers::Values { outputs: self.outputs, values };
        Dataset::of_numbers("teacher", [1, 1, self.inputs], inputs, answers)
    }

    /// The weights of output `o`, one row a hidden unit or direction, with all factors on the input in them.
    fn weights(&self, key: &Key, o: usize) -> Vec<Vec<f64>> {
        let mut draws: Stream = key.of("weights", o as u64).stream();
        let (Rule::Committee { units: rows } | Rule::Polynomial { directions: rows, .. }) = self.rule;
        let row = |_| {
            let w: Vec<f64> = (0..self.inputs).map(|_| draws.normal()).collect();
            let length = match self.rule {
                Rule::Committee { .. } => (self.inputs as f64).sqrt(),
                Rule::Polynomial { .. } => w.iter().map(|w| w * w).sum::<f64>().sqrt(),
            };
            w.iter().map(|w| w / length).collect()
        };
        (0..rows).map(row).collect()
    }

    fn answer(&self, teacher: &[Vec<f64>], x: &[f32]) -> f64 {
        let fields = teacher.iter().map(|w| w.iter().zip(x).map(|(w, &x)| w * f64::from(x)).sum::<f64>());
        match self.rule {
            Rule::Committee { .. } => fields.map(|a| libm::erf(a * std::f64::consts::FRAC_1_SQRT_2)).sum(),
            Rule::Polynomial { degree, directions } => {
                let factorial = (1..=degree).map(f64::from).product::<f64>();
                fields.map(|a| hermite(degree, a)).sum::<f64>() / (directions as f64 * factorial).sqrt()
            }
        }
    }
}

/// He_d(a), by He_{d+1} = a·He_d − d·He_{d−1}.
fn hermite(degree: u32, a: f64) -> f64 {
    (0..degree).fold((0.0, 1.0), |(before, now), d| (now, a * now - f64::from(d) * before)).1
}

/// A task of so many samples of this shape, two at a time, once.
pub(super) fn smoke(inputs: usize, outputs: usize, samples: usize) -> TaskSpec {
    let (rule, batch) = (Rule::Polynomial { degree: 2, directions: 1 }, BatchSize::Samples(2));
    let (noise, train, test, epochs, draw) = (0.0, samples, samples, 1, 0);
    let validation = None;
    TaskSpec::Teacher(Teacher { inputs, outputs, rule, noise, train, validation, test, batch, epochs, draw })
}

impl TaskMethod for Teacher {
    drawn_samples!(Teacher);

    fn check(&self, _: &Place) -> Result<()> {
        Ok(())
    }

    fn cites(&self) -> Vec<Cite> {
        match self.rule {
            Rule::Committee { .. } => vec![Cite::setting("saad1995", "rule.committee")],
            Rule::Polynomial { .. } => Vec::new(),
        }
    }

    fn shape(&self) -> ([usize; 3], usize) {
        ([1, 1, self.inputs], self.outputs)
    }

    fn targets(&self) -> TargetKind {
        TargetKind::Values
    }

    fn examples() -> Vec<Self> {
        let of = |rule, outputs, noise| {
            let (batch, epochs) = (BatchSize::Samples(3), 2);
            let validation = Some(Share(0.2));
            Self { inputs: 6, outputs, rule, noise, train: 11, validation, test: 7, batch, epochs, draw: 1 }
        };
        vec![
            of(Rule::Committee { units: 3 }, 1, 0.0),
            of(Rule::Polynomial { degree: 2, directions: 2 }, 4, 0.5),
        ]
    }

    fn bytes(&self, _: &[Following]) -> (u128, usize) {
        let (Rule::Committee { units: rows } | Rule::Polynomial { directions: rows, .. }) = self.rule;
        let (n, outputs) = (self.inputs as u128, self.outputs as u128);
        let samples = self.train + self.test;
        (4 * samples as u128 * (n + outputs) + 8 * outputs * rows as u128 * n, samples)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn teacher(rule: Rule) -> Teacher {
        let (batch, inputs) = (BatchSize::Samples(10), 40);
        let validation = None;
        Teacher {
            inputs,
            outputs: 2,
            rule,
            noise: 0.0,
            train: 4000,
            validation,
            test: 5,
            batch,
            epochs: 1,
            draw: 3,
        }
    }

    fn values(teacher: &Teacher, split: &str) -> Vec<f64> {
        match teacher.samples_of(split, teacher.train).unwrap().answers() {
            Answers::Values { values, .. } => values.iter().map(|&y| f64::from(y)).collect(),
            other => panic!("{other:?}"),
        }
    }

    fn moments(y: &[f64]) -> (f64, f64) {
        let mean = y.iter().sum::<f64>() / y.len() as f64;
        (mean, y.iter().map(|y| (y - mean).powi(2)).sum::<f64>() / y.len() as f64)
    }

    /// E He_d² = d! for a standard normal a, whatever the direction.
    #[test]
    fn polynomials_have_mean_zero_and_variance_one() {
        for degree in 1..=3 {
            let (mean, variance) =
                moments(&values(&teacher(Rule::Polynomial { degree, directions: 1 }), "train"));
            assert!(mean.abs() < 0.05 && (variance - 1.0).abs() < 0.25, "{degree}: {mean} {variance}");
        }
        assert_eq!([0, 1, 2, 3].map(|d| hermite(d, 2.0)), [1.0, 2.0, 3.0, 2.0]);
    }

    /// E g(a)² = (2/π)·arcsin(q/(1 + q)) for a of variance q (Saad & Solla 1995), q being |w|²/n here.
    #[test]
    fn a_committee_of_one_varies_as_its_arcsine() {
        let t = teacher(Rule::Committee { units: 1 });
        let key = Key::new(t.draw).of("teacher", 0);
        let all = values(&t, "train");
        for o in 0..2 {
            let q: f64 = t.weights(&key, o)[0].iter().map(|w| w * w).sum();
            let own: Vec<f64> = all.iter().copied().skip(o).step_by(2).collect();
            let wanted = 2.0 / std::f64::consts::PI * (q / (1.0 + q)).asin();
            let (mean, variance) = moments(&own);
            assert!(mean.abs() < 0.03 && (variance / wanted - 1.0).abs() < 0.06, "{variance} {wanted}");
        }
    }

    #[test]
    fn noise_is_added_and_splits_and_draws_differ() {
        let t = teacher(Rule::Committee { units: 3 });
        let noisy = Teacher { noise: 0.5, ..t.clone() };
        let rest: Vec<f64> =
            values(&noisy, "train").iter().zip(values(&t, "train")).map(|(a, b)| a - b).collect();
        assert!((moments(&rest).1 - 0.25).abs() < 0.02);
        assert_ne!(values(&t, "train"), values(&t, "test"));
        assert_ne!(values(&t, "train"), values(&Teacher { draw: 4, ..t.clone() }, "train"));
        assert_eq!(values(&t, "train"), values(&t.clone(), "train"));
    }
}
