//! From one data set to a sequence of tasks.

use super::replay::ReplaySpec;
use super::spec::TaskSpec;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The sequence of a recipe: `[sequence.<name>]`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum SequenceSpec {
    /// One task: the data set itself.
    #[default]
    Single,
    /// The same images with pixels in another order for every task.
    Permuted(Permuted),
    /// A few classes per task.
    Split(Split),
    /// The same images turned by another angle for every task.
    Rotated(Rotated),
    /// The training set cut into parts that are seen one after the other; one test set, no task boundaries.
    Subsets(Subsets),
    /// One data set after the other.
    Sets(Sets),
}

/// Permuted pixels (`[sequence.permuted]`).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Permuted {
    /// Number of tasks.
    #[schemars(extend("minimum" = 1, "maximum" = 100_000, "x-hint" = "10 is usual"))]
    pub tasks: usize,
    /// Rows and columns of zeros put around every image before its pixels are permuted. Default 0.
    #[serde(default)]
    #[schemars(extend("minimum" = 0, "maximum" = 64, "x-hint" = "2 turns 28×28 into 32×32"))]
    pub pad: usize,
    /// Leave the first task's pixels in place. Default false: every task is permuted.
    #[serde(default)]
    pub first_identity: bool,
}

/// A few classes per task (`[sequence.split]`).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Split {
    /// Classes of each task; the number of classes must be a multiple of it.
    #[schemars(extend("minimum" = 1, "maximum" = 65_536, "x-hint" = "2 is usual"))]
    pub classes: usize,
    /// Deal the classes out in a random order, another one for every seed. Default false: in the order of their labels.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub shuffle: bool,
}

/// Turned images (`[sequence.rotated]`).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Rotated {
    /// Angle of each task in degrees, counter-clockwise.
    #[schemars(extend("minimum" = -36_000, "maximum" = 36_000, "x-hint" = "angles are in degrees"))]
    pub degrees: Vec<f64>,
}

/// A training set in parts (`[sequence.subsets]`).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Subsets {
    /// Number of parts, of equal size, in file order.
    #[schemars(extend(
        "minimum" = 1, "maximum" = 1_000_000_000,
        "x-hint" = "60 parts of MNIST have 1,000 samples each"
    ))]
    pub parts: usize,
}

/// Data sets one after the other (`[sequence.sets]`), the one of `[task]` first.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Sets {
    /// Names of the data sets that follow, of the same image shape and number of classes.
    pub then: Vec<String>,
}

/// What the network is told about tasks (van de Ven & Tolias 2019).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Scenario {
    /// Nothing: the same outputs serve all tasks.
    #[default]
    Domain,
    /// The task, always: every task has outputs of its own, and only these count.
    Task,
    /// Nothing, and the task has to be told from the image: every class of every task has its own output.
    Class,
}

/// How a sequence of tasks is learned (`[continual]`).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct ContinualSpec {
    /// What the network is told about tasks.
    pub scenario: Scenario,
    /// Updates of each task, instead of the epochs of `[task]`.
    #[schemars(extend(
        "minimum" = 1, "maximum" = 1_000_000_000_000_i64,
        "x-hint" = "leave it out to learn each task for its epochs"
    ))]
    pub updates: Option<u64>,
    /// Mix the samples of all tasks from the start: the upper bound. Default false.
    pub interleaved: bool,
    /// Forget the optimiser's state when a task begins. Default false.
    pub reset_optimiser: bool,
    /// Test only so many of the newest tasks. Default: all of them, future ones too.
    #[schemars(extend("minimum" = 1, "maximum" = 100_000, "x-hint" = "leave it out to test all tasks"))]
    pub recent: Option<usize>,
    /// Keep samples of earlier tasks and mix them into the batches. Default: none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub replay: Option<ReplaySpec>,
}

impl SequenceSpec {
    /// Number of tasks of a data set of `classes` classes; each has a test set of its own.
    pub fn tasks(&self, classes: usize) -> usize {
        match self {
            Self::Single | Self::Subsets(_) => 1,
            Self::Permuted(p) => p.tasks,
            Self::Split(s) => classes / s.classes.max(1),
            Self::Rotated(r) => r.degrees.len(),
            Self::Sets(s) => 1 + s.then.len(),
        }
    }

    /// Classes that one task tells apart.
    pub fn classes(&self, classes: usize) -> usize {
        match self {
            Self::Split(s) => s.classes,
            _ => classes,
        }
    }

    /// Shape of an image as the network sees it.
    pub fn shape(&self, [c, h, w]: [usize; 3]) -> [usize; 3] {
        match self {
            Self::Permuted(p) => [c, h + 2 * p.pad, w + 2 * p.pad],
            _ => [c, h, w],
        }
    }

    /// Pixels and outputs of a network for `task` in this sequence.
    pub fn sides(&self, task: &TaskSpec, scenario: Scenario) -> (usize, usize) {
        let (shape, classes) = task.shape();
        let heads = if scenario == Scenario::Domain { 1 } else { self.tasks(classes) };
        (self.shape(shape).iter().product(), heads * self.classes(classes))
    }
}
