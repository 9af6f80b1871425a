//! Which outputs of a network count for which task.

use super::sequence::Scenario;
use super::spec::Curriculum;
use std::ops::Range;

/// Outputs of tasks that do not all share the same ones.
#[derive(Clone, Copy, Debug)]
pub struct Outputs {
    classes: usize,
    /// Whether a task has outputs of its own.
    own: bool,
    /// Whether a batch may hold samples of several tasks.
    mixed: bool,
}

impl Outputs {
    /// Those of the tasks of `recipe`; `None` if all outputs count always.
    pub fn of<'a>(recipe: impl Into<Curriculum<'a>>) -> Option<Self> {
        let recipe = recipe.into();
        let continual = recipe.continual;
        let own = continual.scenario == Scenario::Task;
        // Tasks that are mixed from the start have all been seen.
        let apart = own || continual.scenario == Scenario::Class && !continual.joint;
        let mixed = continual.joint || continual.replay.is_some();
        let classes = recipe.sequence.classes(recipe.task.shape().1);
        apart.then_some(Self { classes, own, mixed })
    }

    /// The outputs that count for task `task` after segment `segment`.
    pub fn active(&self, task: usize, segment: usize) -> Range<usize> {
        let seen = segment.max(task) + 1;
        if self.own { task * self.classes..(task + 1) * self.classes } else { 0..seen * self.classes }
    }

    /// Outputs of each head if batches hold samples of several tasks that have heads of their own.
    pub fn mixed(&self) -> Option<usize> {
        (self.own && self.mixed).then_some(self.classes)
    }

    /// Whether every task has outputs of its own, so that an answer depends on the task.
    pub fn own(&self) -> bool {
        self.own
    }
}
