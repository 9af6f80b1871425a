//! One data set after the other.

use super::{Following, Permuted, SequenceMethod, SequenceSpec, SequenceTraits};
use crate::axis::{Cite, Place};
use crate::error::{Error, Result};
use crate::task::{Dataset, Part, TaskSpec};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// Data sets one after the other (`[sequence.sets]`), the one of `[task]` first.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Sets {
    /// Names of the data sets that follow, of the same image shape and number of classes.
    pub then: Vec<Following>,
}

impl SequenceMethod for Sets {
    fn check(&self, at: &Place, task: &TaskSpec) -> Result<()> {
        at.require(!self.then.is_empty(), "then", "empty", "a list of data sets", "[\"fashion-mnist\"]")?;
        let first = task.called();
        for (i, next) in self.then.iter().enumerate() {
            let ((shape, classes), name) = (next.shape(&task.shown())?, next.name());
            if (shape, classes) != task.shape() {
                return Err(Error::shape(format!(
                    "{name} has images of {shape:?} and {classes} classes, {first} has {:?} and {}",
                    task.shape().0,
                    task.shape().1
                ))
                .with_hint("a sequence of data sets needs one shape and one number of classes"));
            }
            if self.then[..i].iter().any(|earlier| earlier.name() == name) || name == first {
                return Err(Error::config(format!("sequence.sets repeats `{name}`"))
                    .with_hint("name every data set once; sequence.permuted repeats one set"));
            }
        }
        Ok(())
    }

    fn cites(&self) -> Vec<Cite> {
        vec![Cite::setting("vandeven2019", "scenarios of continual learning")]
    }

    fn traits(&self) -> SequenceTraits {
        SequenceTraits::TASKS
    }

    fn widths(&self, classes: usize) -> Vec<usize> {
        vec![classes; 1 + self.then.len()]
    }

    fn shape(&self, shape: [usize; 3]) -> [usize; 3] {
        shape
    }

    fn sets(&self) -> &[Following] {
        &self.then
    }

    fn sets_mut(&mut self) -> &mut [Following] {
        &mut self.then
    }

    fn parts(&self, sets: &[Arc<Dataset>], _: u64) -> Vec<Part> {
        sets.iter().map(|set| Part::whole(set.clone())).collect()
    }

    /// The data sets that follow would be needed; permutations are as many tasks of the same shape.
    fn smoke(&self) -> SequenceSpec {
        SequenceSpec::Permuted(Permuted { tasks: 1 + self.then.len(), pad: 0, first_identity: true })
    }

    fn examples() -> Vec<Self> {
        vec![Self { then: vec!["fashion-mini".into()] }]
    }
}
