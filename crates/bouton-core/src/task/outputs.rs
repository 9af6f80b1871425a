//! Which outputs of a network count for which task.

use super::sequence::Scenario;
use super::spec::Curriculum;
use std::ops::Range;
use std::sync::Arc;

/// Outputs of tasks that do not all share the same ones.
#[derive(Clone, Debug)]
pub struct Outputs {
    /// Where the outputs of each task begin, and where those of the last one end.
    borders: Arc<[usize]>,
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
        let borders = recipe.sequence.borders(recipe.task.shape().1, continual.scenario).into();
        apart.then_some(Self { borders, own, mixed })
    }

    /// The outputs that count for task `task` after segment `segment`.
    pub fn active(&self, task: usize, segment: usize) -> Range<usize> {
        let border = |task: usize| self.borders[task.min(self.borders.len() - 1)];
        if self.own { border(task)..border(task + 1) } else { 0..border(segment.max(task) + 1) }
    }

    /// Where the outputs of each head begin, and where those of the last one end, if batches hold samples of several tasks that have
    /// heads of their own.
    pub fn mixed(&self) -> Option<Arc<[usize]>> {
        (self.own && self.mixed).then(|| self.borders.clone())
    }

    /// Whether every task has outputs of its own, so that an answer depends on the task.
    pub fn own(&self) -> bool {
        self.own
    }
}
