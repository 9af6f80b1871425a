//! Two inputs that mean something only together: the class is the cluster of the first, shifted by the context that the second
//! shows, y = (c(x) + k) mod C. Either input alone leaves every class equally likely.

use super::drawn::drawn_samples;
use super::spec::TaskMethod;
use super::{Answers, BatchSize, Dataset, Following, Share};
use crate::axis::{Cite, Place};
use crate::error::Result;
use crate::objective::TargetKind;
use crate::rng::Key;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Classes that depend on a context (`[task.context]`), with the inputs `input` (numbers x = m_c + σ·noise around the centre of
/// their cluster) and `context` (1 for the context, 0 for the others).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Context {
    /// Numbers of `input`.
    #[schemars(extend("minimum" = 1, "maximum" = 1_000_000, "x-hint" = "20 is usual"))]
    pub features: usize,
    /// Contexts, the numbers of `context`.
    #[schemars(extend("minimum" = 1, "maximum" = 65_536, "x-hint" = "2 to 10 are usual"))]
    pub contexts: usize,
    /// Clusters, which are as many as classes C.
    #[schemars(extend("minimum" = 2, "maximum" = 65_536, "x-hint" = "2 to 10 are usual"))]
    pub classes: usize,
    /// Standard deviation σ within a cluster; centres have one of 1. Default 0.5.
    #[serde(default = "half")]
    #[schemars(extend("minimum" = 0, "maximum" = 1e6, "x-hint" = "0.5 is usual"))]
    pub noise: f64,
    /// Training samples.
    #[schemars(extend("minimum" = 1, "maximum" = 10_000_000, "x-hint" = "1000 is usual"))]
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
    /// Which clusters and which samples; the seed of the run draws the network and the order of the samples. Default 0.
    #[serde(default)]
    #[schemars(extend("minimum" = 0, "maximum" = i64::MAX, "x-hint" = "a smaller number does as well"))]
    pub draw: u64,
}

fn half() -> f64 {
    0.5
}

impl Context {
    /// `n` samples of one split.
    fn samples_of(&self, split: &str, n: usize) -> Result<Dataset> {
        let key = Key::new(self.draw).of("context", 0);
        let mut draws = key.of("centres", 0).stream();
        let centres: Vec<f64> = (0..self.classes * self.features).map(|_| draws.normal()).collect();
        let (mut inputs, mut labels) = (Vec::new(), Vec::new());
        let mut draws = key.of(split, 0).stream();
        for _ in 0..n {
            let [cluster, context] = [self.classes, self.contexts].map(|n| draws.below(n as u64) as usize);
            let centre = &centres[cluster * self.features..(cluster + 1) * self.features];
            inputs.extend(centre.iter().map(|m| (m + self.noise * draws.normal()) as f32));
            inputs.extend((0..self.contexts).map(|k| f32::from(u8::from(k == context))));
            labels.push(((cluster + context) % self.classes) as u16);
        }
        let answers = Answers::Classes { classes: self.classes, labels };
        Dataset::of_numbers("context", [1, 1, self.features + self.contexts], inputs, answers)
    }
}

impl TaskMethod for Context {
    drawn_samples!(Context);

    fn check(&self, _: &Place) -> Result<()> {
        Ok(())
    }

    fn cites(&self) -> Vec<Cite> {
        Vec::new()
    }

    fn shape(&self) -> ([usize; 3], usize) {
        ([1, 1, self.features + self.contexts], self.classes)
    }

    fn inputs(&self) -> Vec<(&'static str, usize)> {
        vec![("input", self.features), ("context", self.contexts)]
    }

    fn targets(&self) -> TargetKind {
        TargetKind::Classes
    }

    fn examples() -> Vec<Self> {
        let (batch, epochs, noise, validation) = (BatchSize::Samples(3), 2, 0.25, Some(Share(0.3)));
        let (features, contexts, classes, train, test) = (4, 2, 3, 11, 7);
        vec![Self { features, contexts, classes, noise, train, validation, test, batch, epochs, draw: 1 }]
    }

    fn bytes(&self, _: &[Following]) -> (u128, usize) {
        let (n, samples) = ((self.features + self.contexts) as u128, self.train + self.test);
        (4 * samples as u128 * (n + 1) + 8 * (self.classes * self.features) as u128, samples)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Clusters without noise tell themselves apart: every pair of cluster and context has one class, all of them equally often.
    #[test]
    fn the_class_is_the_cluster_shifted_by_the_context() {
        let (batch, epochs) = (BatchSize::Samples(10), 1);
        let task = Context {
            features: 3,
            contexts: 2,
            classes: 3,
            noise: 0.0,
            train: 6000,
            validation: None,
            test: 5,
            batch,
            epochs,
            draw: 3,
        };
        let set = task.samples_of("train", task.train).unwrap();
        let Answers::Classes { labels, .. } = set.answers() else { panic!("classes") };
        let mut seen = std::collections::BTreeMap::<(Vec<u64>, usize), [usize; 3]>::new();
        for (i, label) in labels.iter().enumerate() {
            let x = set.numbers(i).unwrap();
            let context = usize::from(x[4] == 1.0);
            assert_eq!(x[3] + x[4], 1.0);
            let cluster = x[..3].iter().map(|x| u64::from(x.to_bits())).collect();
            seen.entry((cluster, context)).or_default()[usize::from(*label)] += 1;
        }
        assert_eq!(seen.len(), 6);
        for counts in seen.values() {
            assert_eq!(counts.iter().filter(|n| **n > 0).count(), 1, "{counts:?}");
            assert!(counts.iter().all(|n| *n == 0 || (850..1150).contains(n)), "{counts:?}");
        }
        let shifts =
            |context: usize| seen.iter().filter(move |((_, k), _)| *k == context).map(|(_, counts)| counts);
        let classes = |counts: &[usize; 3]| counts.iter().position(|n| *n > 0).unwrap();
        // In the order of clusters, the second context is one class further.
        assert!(shifts(0).zip(shifts(1)).all(|(a, b)| (classes(a) + 1) % 3 == classes(b)));
    }
}
