//! From one data set to a sequence of tasks.

mod following;
mod permuted;
mod rotated;
mod sets;
mod split;
mod subsets;

pub use following::Following;
pub use permuted::Permuted;
pub use rotated::Rotated;
pub use sets::Sets;
pub use split::{Classes, Split};
pub use subsets::Subsets;

use super::replay::ReplaySpec;
use super::spec::TaskSpec;
use super::{Dataset, Part};
use crate::axis::{Cite, Place, axis};
use crate::error::Result;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

axis! {
    /// The sequence of a recipe: `[sequence.<name>]`.
    #[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
    #[serde(rename_all = "kebab-case", deny_unknown_fields)]
    pub enum SequenceSpec: SequenceMethod [
        /// One task: the data set itself.
        #[default]
        Single = Nothing
    ] {
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
}

/// What a recipe's sequence says of itself, in its own file.
pub trait SequenceMethod: std::fmt::Debug {
    /// Refuses what `task` cannot be made a sequence of; the bounds of numbers are attributes of their fields.
    ///
    /// # Errors
    /// [`crate::Error`] with the key and a hint.
    fn check(&self, at: &Place, task: &TaskSpec) -> Result<()>;
    /// The publications that it comes from.
    fn cites(&self) -> Vec<Cite>;
    /// What others may ask.
    fn traits(&self) -> SequenceTraits;
    /// How many classes each task of a data set of `classes` classes tells apart; each has a test set of its own.
    fn widths(&self, classes: usize) -> Vec<usize>;
    /// Shape of an image as the network sees it.
    fn shape(&self, shape: [usize; 3]) -> [usize; 3];
    /// The data sets that follow the one of `[task]`. Default: none.
    fn sets(&self) -> &[Following] {
        &[]
    }
    /// The same, to change.
    fn sets_mut(&mut self) -> &mut [Following] {
        &mut []
    }
    /// The tasks over one split: `sets` is the set of `[task]`, then those that follow it.
    fn parts(&self, sets: &[Arc<Dataset>], seed: u64) -> Vec<Part>;
    /// Bytes of what is kept of orders and lists, for images of `pixels` pixels. Default: next to none.
    fn order_bytes(&self, _pixels: u128) -> u128 {
        0
    }
    /// The smallest sequence of the same kind, on made-up data.
    fn smoke(&self) -> SequenceSpec;
    /// Made-up samples that it needs. Default: two batches of two.
    fn smoke_samples(&self, _classes: usize) -> usize {
        4
    }
    /// Settings for the tests of every member, in which each word and each switch occurs.
    fn examples() -> Vec<Self>
    where
        Self: Sized;
}

/// What others may ask of a sequence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SequenceTraits {
    /// Whether there is more than the data set itself.
    pub several: bool,
    /// Whether tasks follow each other, so that one of them ends.
    pub ends: bool,
    /// Parts that the stream is cut into without a task's end; `None` if it is not cut.
    pub pieces: Option<usize>,
    /// Whether pixels keep their places.
    pub keeps_places: bool,
}

impl SequenceTraits {
    /// Tasks that follow each other, of images as they are.
    pub const TASKS: Self = Self { several: true, ends: true, pieces: None, keeps_places: true };
}

/// The data set itself.
#[derive(Debug)]
struct Nothing;

impl SequenceMethod for Nothing {
    fn check(&self, _: &Place, _: &TaskSpec) -> Result<()> {
        Ok(())
    }

    fn cites(&self) -> Vec<Cite> {
        Vec::new()
    }

    fn traits(&self) -> SequenceTraits {
        SequenceTraits { several: false, ends: false, ..SequenceTraits::TASKS }
    }

    fn widths(&self, classes: usize) -> Vec<usize> {
        vec![classes]
    }

    fn shape(&self, shape: [usize; 3]) -> [usize; 3] {
        shape
    }

    fn parts(&self, sets: &[Arc<Dataset>], _: u64) -> Vec<Part> {
        vec![Part::whole(sets[0].clone())]
    }

    fn smoke(&self) -> SequenceSpec {
        SequenceSpec::Single
    }

    fn examples() -> Vec<Self> {
        vec![Self]
    }
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
    pub joint: bool,
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
        self.method().widths(classes).len()
    }

    /// Where the outputs of each task begin, and where those of the last one end: all at the same place if tasks share outputs.
    pub fn borders(&self, classes: usize, scenario: Scenario) -> Vec<usize> {
        let widths = self.method().widths(classes);
        if scenario == Scenario::Domain {
            let widest = widths.iter().copied().max().unwrap_or(0);
            return std::iter::repeat_n(0, widths.len()).chain([widest]).collect();
        }
        let mut end = 0;
        let ends = widths.into_iter().map(|width| {
            end += width;
            end
        });
        std::iter::once(0).chain(ends).collect()
    }

    /// Shape of an image as the network sees it.
    pub fn shape(&self, shape: [usize; 3]) -> [usize; 3] {
        self.method().shape(shape)
    }

    /// Pixels and outputs of a network for `task` in this sequence.
    pub fn sides(&self, task: &TaskSpec, scenario: Scenario) -> (usize, usize) {
        let (shape, classes) = task.shape();
        let outputs = self.borders(classes, scenario).last().copied().unwrap_or(classes);
        (self.shape(shape).iter().product(), outputs)
    }
}
