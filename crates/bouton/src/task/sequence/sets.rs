//! One data set after the other.

use super::{Permuted, SequenceMethod, SequenceSpec, SequenceTraits};
use crate::axis::variant_name;
use crate::axis::{Cite, Place};
use crate::error::{Error, Result};
use crate::task::{DATA, Dataset, KnownSet, Part, TaskSpec};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// Data sets one after the other (`[sequence.sets]`), the one of `[task]` first.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Sets {
    /// Names of the data sets that follow, of the same image shape and number of classes.
    pub then: Vec<String>,
}

/// The shape of an image of `set` beside those of `task`, which may ask for a border around every image.
fn padded(set: &KnownSet, task: &TaskSpec) -> [usize; 3] {
    let [_, height, width] = set.shape;
    // An image is never cut: a larger one keeps its shape, which does not fit then.
    let images = task.shown();
    let fits = images.size.is_some_and(|size| size >= height.max(width));
    if fits { images.shape(set.shape) } else { set.shape }
}

impl SequenceMethod for Sets {
    fn check(&self, at: &Place, task: &TaskSpec) -> Result<()> {
        at.require(!self.then.is_empty(), "then", "empty", "a list of data sets", "[\"fashion-mnist\"]")?;
        for (i, name) in self.then.iter().enumerate() {
            let known = DATA.iter().find(|set| set.name == *name);
            let Some(set) = known else {
                let names: Vec<_> = DATA.iter().map(|set| set.name).collect();
                return Err(Error::config(format!(
                    "sequence.sets.then names `{name}`, which is no data set"
                ))
                .with_hint(format!("one of {}", names.join(", "))));
            };
            let shape = padded(set, task);
            if (shape, set.classes) != task.shape() {
                return Err(Error::shape(format!(
                    "{name} has images of {:?} and {} classes, {} has {:?} and {}",
                    shape,
                    set.classes,
                    variant_name(task),
                    task.shape().0,
                    task.shape().1
                ))
                .with_hint("a sequence of data sets needs one shape and one number of classes"));
            }
            if self.then[..i].contains(name) || *name == variant_name(task) {
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

    fn sets(&self) -> &[String] {
        &self.then
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
