//! Learning-rate schedules: a factor on every rate of the optimiser, by epoch. Synapses with step sizes of their own have no
//! such rate, and are refused together with a schedule.

use crate::axis::axis;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

axis! {
    /// The schedule of a recipe: `[schedule.<name>]`.
    #[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
    #[serde(rename_all = "kebab-case", deny_unknown_fields)]
    pub enum ScheduleSpec: ScheduleMethod [
        /// Factor 1 throughout.
        #[default]
        Constant = Nothing
    ] {
        /// factor^⌊epoch/every⌋.
        Step(Step),
        /// min + (1 − min)(1 + cos(π·epoch/epochs))/2, flat afterwards.
        Cosine(Cosine),
        /// factor^epoch.
        Exponential(Exponential),
    }
}

/// What a recipe's schedule says of itself.
pub trait ScheduleMethod: std::fmt::Debug {
    /// Whether the factor is 1 throughout.
    fn is_constant(&self) -> bool;
    /// The factor on every learning rate during `epoch` (counted from 0).
    fn factor(&self, epoch: usize) -> f64;
    /// Settings for the tests of every member.
    fn examples() -> Vec<Self>
    where
        Self: Sized;
}

/// No schedule.
#[derive(Debug)]
struct Nothing;

impl ScheduleMethod for Nothing {
    fn is_constant(&self) -> bool {
        true
    }

    fn factor(&self, _: usize) -> f64 {
        1.0
    }

    fn examples() -> Vec<Self> {
        vec![Self]
    }
}

/// A drop every few epochs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Step {
    /// Epochs between two drops.
    #[schemars(extend("minimum" = 1, "maximum" = 1_000_000, "x-hint" = "epochs between two drops"))]
    pub every: usize,
    /// Factor of each drop.
    #[schemars(extend("exclusiveMinimum" = 0, "maximum" = 1000, "x-hint" = "0.99 shrinks the rate by 1 %"))]
    pub factor: f64,
}

/// Half a cosine.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Cosine {
    /// Epochs until the minimum.
    #[schemars(extend("minimum" = 1, "maximum" = 1_000_000, "x-hint" = "the number of epochs of the task"))]
    pub epochs: usize,
    /// Smallest factor. Default 0.
    #[serde(default)]
    #[schemars(extend("minimum" = 0, "maximum" = 1, "x-hint" = "0 is the default"))]
    pub min: f64,
}

/// A constant factor per epoch.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Exponential {
    /// Factor per epoch.
    #[schemars(extend("exclusiveMinimum" = 0, "maximum" = 1000, "x-hint" = "0.99 shrinks the rate by 1 %"))]
    pub factor: f64,
}

impl ScheduleSpec {
    /// The factor on every learning rate during `epoch` (counted from 0).
    pub fn factor(&self, epoch: usize) -> f64 {
        self.method().factor(epoch)
    }
}

impl ScheduleMethod for Step {
    fn is_constant(&self) -> bool {
        false
    }

    fn factor(&self, epoch: usize) -> f64 {
        self.factor.powi((epoch / self.every.max(1)) as i32)
    }

    fn examples() -> Vec<Self> {
        vec![Self { every: 2, factor: 0.5 }]
    }
}

impl ScheduleMethod for Cosine {
    fn is_constant(&self) -> bool {
        false
    }

    fn factor(&self, epoch: usize) -> f64 {
        let x = epoch.min(self.epochs) as f64 / self.epochs.max(1) as f64;
        self.min + (1.0 - self.min) * 0.5 * (1.0 + (std::f64::consts::PI * x).cos())
    }

    fn examples() -> Vec<Self> {
        vec![Self { epochs: 5, min: 0.1 }]
    }
}

impl ScheduleMethod for Exponential {
    fn is_constant(&self) -> bool {
        false
    }

    fn factor(&self, epoch: usize) -> f64 {
        self.factor.powi(epoch as i32)
    }

    fn examples() -> Vec<Self> {
        vec![Self { factor: 0.9 }]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn factors_at_known_epochs() {
        assert_eq!(ScheduleSpec::Step(Step { every: 10, factor: 0.5 }).factor(19), 0.5);
        let cosine = ScheduleSpec::Cosine(Cosine { epochs: 100, min: 0.0 });
        assert_eq!(cosine.factor(0), 1.0);
        assert!((cosine.factor(50) - 0.5).abs() < 1e-12);
        assert!(cosine.factor(120).abs() < 1e-12);
        assert!((ScheduleSpec::Exponential(Exponential { factor: 0.99 }).factor(2) - 0.9801).abs() < 1e-12);
    }
}
