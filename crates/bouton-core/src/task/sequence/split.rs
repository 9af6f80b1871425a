//! A few classes per task.

use super::{SequenceMethod, SequenceSpec, SequenceTraits};
use crate::axis::variant_name;
use crate::axis::{Cite, Place};
use crate::error::{Error, Result};
use crate::rng::Key;
use crate::task::part::order;
use crate::task::{Dataset, Part, TaskSpec};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::sync::Arc;

/// A few classes per task (`[sequence.split]`).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Split {
    /// Classes of each task: how many, in the order of their labels, or which, such as `[[0, 1], [4, 2, 3]]`.
    pub classes: Classes,
    /// Deal the classes out in a random order, another one for every seed. Default false: in the order of their labels.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub shuffle: bool,
}

/// Which classes each task has.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Classes {
    /// So many each; the number of classes must be a multiple of it.
    Each(
        #[schemars(extend("minimum" = 1, "maximum" = 65_536, "x-hint" = "2 is usual, or lists of classes: [[0, 1], [2, 3, 4]]"))]
         usize,
    ),
    /// These, task by task; classes that none of them has take no part.
    Lists(
        #[schemars(extend("minimum" = 0, "maximum" = 65_535, "x-hint" = "classes count from 0, in the order of their names"))]
         Vec<Vec<usize>>,
    ),
}

impl Split {
    /// Refuses lists that no sequence of tasks is made of.
    fn check_lists(lists: &[Vec<usize>], at: &Place, task: &TaskSpec) -> Result<()> {
        let (classes, mut seen) = (task.shape().1, BTreeSet::new());
        let refused = |message: String| {
            let hint = "every task is a list of classes, such as [[0, 1], [2, 3, 4]]; classes count from 0";
            Err(Error::config(format!("{}.classes {message}", at.table)).with_hint(hint))
        };
        if lists.len() < 2 || lists.iter().any(Vec::is_empty) {
            return refused(format!("has {} tasks, or one without classes", lists.len()));
        }
        for class in lists.iter().flatten() {
            if *class >= classes {
                return refused(format!("names class {class}, but {} has {classes}", variant_name(task)));
            }
            if !seen.insert(class) {
                return refused(format!("names class {class} twice"));
            }
        }
        Ok(())
    }

    /// The classes of every task of a set of `classes` classes, before they are shuffled.
    fn lists(&self, classes: usize) -> Vec<Vec<usize>> {
        match &self.classes {
            Classes::Each(n) => {
                let all: Vec<usize> = (0..classes).collect();
                all.chunks((*n).max(1)).map(<[usize]>::to_vec).collect()
            }
            Classes::Lists(lists) => lists.clone(),
        }
    }
}

impl SequenceMethod for Split {
    fn check(&self, at: &Place, task: &TaskSpec) -> Result<()> {
        let each = match &self.classes {
            Classes::Lists(_) if self.shuffle => {
                return Err(Error::config(format!("{}.shuffle would change the lists of classes", at.table))
                    .with_hint("leave it out, or say how many classes each task has: classes = 2"));
            }
            Classes::Lists(lists) => return Self::check_lists(lists, at, task),
            Classes::Each(each) => *each,
        };
        let classes = task.shape().1;
        let fits = each < classes && classes.is_multiple_of(each);
        let need = format!("a divisor of the {classes} classes of {}", variant_name(task));
        at.require(fits, "classes", each, &need, "2 is usual, or lists: [[0, 1], [2, 3, 4]]")
    }

    fn cites(&self) -> Vec<Cite> {
        vec![Cite::setting("vandeven2019", "scenarios of continual learning")]
    }

    fn traits(&self) -> SequenceTraits {
        SequenceTraits::TASKS
    }

    fn widths(&self, classes: usize) -> Vec<usize> {
        self.lists(classes).iter().map(Vec::len).collect()
    }

    fn shape(&self, shape: [usize; 3]) -> [usize; 3] {
        shape
    }

    fn parts(&self, sets: &[Arc<Dataset>], seed: u64) -> Vec<Part> {
        let classes = sets[0].classes();
        let lists = self.lists(classes);
        // Where each class stands in the row of all tasks; those that take no part stand behind it.
        let places = match self.classes {
            Classes::Each(_) if !self.shuffle => None,
            Classes::Each(_) => Some(order(classes, &Key::new(seed).of("classes", 0))),
            Classes::Lists(_) => {
                let row: Vec<usize> = lists.iter().flatten().copied().collect();
                let mut places = vec![classes as u32; classes];
                row.iter().zip(0..).for_each(|(&class, place)| places[class] = place);
                Some(places)
            }
        };
        let dealt = Part { places: places.map(Arc::new), ..Part::whole(sets[0].clone()) };
        let mut from = 0;
        let part = |list: &Vec<usize>| {
            from += list.len();
            dealt.of_classes(from - list.len()..from)
        };
        lists.iter().map(part).collect()
    }

    fn smoke(&self) -> SequenceSpec {
        SequenceSpec::Split(self.clone())
    }

    /// Every task of a split needs a sample.
    fn smoke_samples(&self, classes: usize) -> usize {
        2 * classes
    }

    fn examples() -> Vec<Self> {
        let lists = Classes::Lists(vec![vec![2, 0], vec![1]]);
        vec![
            Self { classes: Classes::Each(2), shuffle: false },
            Self { classes: Classes::Each(1), shuffle: true },
            Self { classes: lists, shuffle: false },
        ]
    }
}
