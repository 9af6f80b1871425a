//! A few classes per task.

use super::{SequenceMethod, SequenceSpec, SequenceTraits};
use crate::axis::variant_name;
use crate::axis::{Cite, Place};
use crate::error::Result;
use crate::rng::Key;
use crate::task::part::order;
use crate::task::{Dataset, Part, TaskSpec};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

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

impl SequenceMethod for Split {
    fn check(&self, at: &Place, task: &TaskSpec) -> Result<()> {
        let classes = task.shape().1;
        let fits = self.classes < classes && classes.is_multiple_of(self.classes);
        let need = format!("a divisor of the {classes} classes of {}", variant_name(task));
        at.require(fits, "classes", self.classes, &need, "2 is usual")
    }

    fn cites(&self) -> Vec<Cite> {
        vec![Cite::setting("vandeven2019", "scenarios of continual learning")]
    }

    fn traits(&self) -> SequenceTraits {
        SequenceTraits::TASKS
    }

    fn tasks(&self, classes: usize) -> usize {
        classes / self.classes.max(1)
    }

    fn classes(&self, _: usize) -> usize {
        self.classes
    }

    fn shape(&self, shape: [usize; 3]) -> [usize; 3] {
        shape
    }

    fn parts(&self, sets: &[Arc<Dataset>], seed: u64) -> Vec<Part> {
        let classes = sets[0].classes();
        let places = self.shuffle.then(|| Arc::new(order(classes, &Key::new(seed).of("classes", 0))));
        let dealt = Part { places, ..Part::whole(sets[0].clone()) };
        (0..classes).step_by(self.classes).map(|c| dealt.of_classes(c..c + self.classes)).collect()
    }

    fn smoke(&self) -> SequenceSpec {
        SequenceSpec::Split(self.clone())
    }

    /// Every task of a split needs a sample.
    fn smoke_samples(&self, classes: usize) -> usize {
        2 * classes
    }

    fn examples() -> Vec<Self> {
        vec![Self { classes: 2, shuffle: false }, Self { classes: 1, shuffle: true }]
    }
}
