//! What a network from Python holds: a learner, and the arrays that it is given as batches.

use crate::arrays::{exactly, images, labels, samples, values};
use crate::errors::argument;
use crate::steps::{Sequence, answers, array_with, as_rows, sequences};
use bouton::credit::Batch;
use bouton::network::{Network as Net, Role, Shape};
use bouton::objective::{Given, Target, TargetKind};
use bouton::rng::Key;
use bouton::train::ByHand;
use bouton_kernels::Mat;
use pyo3::prelude::*;
use pyo3::types::PyDict;
use std::collections::HashMap;

/// How samples came, so that gradients go back alike.
#[derive(Clone, Copy)]
pub enum Came {
    /// Images of this shape.
    Images(Shape),
    /// A row each, or sequences of so many steps and numbers.
    Rows(Option<Sequence>),
}

impl Came {
    /// Rows of samples as they came.
    pub fn back(self, py: Python<'_>, mat: Mat) -> PyResult<Bound<'_, PyAny>> {
        match self {
            Self::Images(place) => images(py, mat, place),
            Self::Rows(steps) => array_with(py, mat, steps),
        }
    }
}

/// A learner fed by hand.
pub struct Inner {
    /// What learns.
    pub hand: ByHand,
    /// Training samples that a rule remembers states of, as asked for.
    pub samples: Option<usize>,
}

impl Inner {
    /// What the recipe names.
    pub fn new(recipe: &bouton::recipe::Recipe, samples: Option<usize>) -> bouton::Result<Self> {
        Ok(Self { hand: ByHand::new(recipe, samples)?, samples })
    }

    /// Its network.
    pub fn net(&self) -> &Net {
        &self.hand.learner.network
    }

    /// Units of the output.
    fn outputs(&self) -> usize {
        self.net().populations[self.net().output()].units
    }

    /// Numbers of an answer: outputs, of all steps that have one.
    fn answers(&self) -> usize {
        answers(self.net()).map_or(self.outputs(), |(steps, outputs)| steps * outputs)
    }

    /// Samples, and what they should come to if that is given.
    pub fn batch(&self, x: &Bound<'_, PyAny>, y: Option<&Bound<'_, PyAny>>) -> PyResult<Batch> {
        Ok(self.pictured(x, y)?.0)
    }

    /// What `samples` samples should come to: classes or values, as the recipe's task has them.
    fn target(&self, y: &Bound<'_, PyAny>, samples: usize) -> PyResult<Target> {
        match self.hand.learner.recipe.task.method().targets() {
            TargetKind::Classes => labels(y, samples, self.outputs()).map(Target::Classes),
            TargetKind::Values => {
                let (y, _) = as_rows(y, &answers(self.net()).into_iter().collect::<Vec<_>>())?;
                values(&y, self.net().dtype, samples, self.answers()).map(Target::Values)
            }
        }
    }

    /// A batch, and how its x came.
    fn pictured(&self, x: &Bound<'_, PyAny>, y: Option<&Bound<'_, PyAny>>) -> PyResult<(Batch, Came)> {
        let (x, came) = match x.cast::<PyDict>() {
            Ok(named) => (self.shown(named)?, Came::Rows(None)),
            Err(_) => {
                let (x, steps) = as_rows(x, &sequences(self.net()))?;
                let place = self.net().sample_shape();
                let (x, images) = samples(&x, self.net().dtype, place, "x")?;
                (x, if images { Came::Images(place) } else { Came::Rows(steps) })
            }
        };
        let target = y.map_or_else(|| Ok(Target::None(x.rows())), |y| self.target(y, x.rows()))?;
        Ok((Batch { ids: (0..x.rows()).collect(), x, target, spans: None }, came))
    }

    /// Samples put together from what clamped populations show, by their names.
    fn shown(&self, named: &Bound<'_, PyDict>) -> PyResult<Mat> {
        let (py, net) = (named.py(), self.net());
        let clamped: Vec<_> = net.with_role(Role::Clamped).map(|p| &net.populations[p]).collect();
        let names: Vec<&str> = clamped.iter().map(|p| &*p.name).collect();
        let hint = format!("pass a dict with {}", names.join(", "));
        for key in named.keys() {
            let key: String = key.extract()?;
            if !names.contains(&&*key) {
                return Err(argument(
                    py,
                    "DataError",
                    &format!("no population {key:?} shows the data"),
                    &hint,
                ));
            }
        }
        let mut whole: Option<Mat> = None;
        for node in clamped {
            let Some(x) = named.get_item(&node.name)? else {
                return Err(argument(
                    py,
                    "DataError",
                    &format!("x has nothing for population {}", node.name),
                    &hint,
                ));
            };
            let (part, _) = samples(&x, net.dtype, node.shape, &format!("x[{:?}]", node.name))?;
            let whole = whole.get_or_insert_with(|| Mat::zeros(net.dtype, part.rows(), net.features()));
            if part.rows() != whole.rows() {
                let message =
                    format!("x[{:?}] has {} samples, others have {}", node.name, part.rows(), whole.rows());
                return Err(argument(py, "ShapeError", &message, "pass as many of each"));
            }
            let columns = node.columns.clone();
            bouton_kernels::dispatch!(net.dtype, T => for r in 0..part.rows() {
                whole.view_mut().row_mut::<T>(r)[columns.clone()].copy_from_slice(part.view().row::<T>(r));
            });
        }
        whole.ok_or_else(|| argument(py, "DataError", "x is empty", &hint))
    }

    /// A task of the recipe's sequence.
    pub fn task(&self, py: Python<'_>, task: Option<i64>) -> PyResult<Option<usize>> {
        let tasks = self.hand.tasks();
        let number = |task: i64| {
            usize::try_from(task).ok().filter(|number| *number < tasks).ok_or_else(|| {
                let message = format!("there is no task {task}: the sequence of the recipe has {tasks}");
                argument(py, "DataError", &message, "tasks are counted from 0")
            })
        };
        task.map(number).transpose()
    }

    /// Names the random numbers of a training pass from outside.
    pub fn pass(&self, draw: u64) -> Key {
        Key::new(self.hand.learner.recipe.seed).of("pass", draw)
    }

    /// A batch with the gradient of a loss, summed over samples, with respect to its outputs.
    pub fn outside(&self, x: &Bound<'_, PyAny>, g: &Bound<'_, PyAny>) -> PyResult<(Batch, Given, Came)> {
        let (batch, came) = self.pictured(x, None)?;
        let n = batch.len();
        let (g, _) = as_rows(g, &answers(self.net()).into_iter().collect::<Vec<_>>())?;
        let mut gradient = exactly(&g, self.net().dtype, (n, self.answers()), "the gradient of the outputs")?;
        bouton_kernels::dispatch!(gradient.dtype(), T => {
            // Rules hand over the gradient of a mean.
            gradient.slice_mut::<T>().iter_mut().for_each(|x| *x *= n as T);
        });
        Ok((batch, Given { gradient }, came))
    }

    /// Refuses values that parameters cannot have, before any is written.
    pub fn accepts(&self, py: Python<'_>, new: &HashMap<String, Mat>) -> PyResult<()> {
        let refused =
            |e: bouton::Error| argument(py, "DataError", &e.to_string(), e.hint().unwrap_or_default());
        for (id, name, _) in self.net().parameters() {
            let Some(values) = new.get(&name) else { continue };
            self.net().accepts(id, &name, values).map_err(refused)?;
        }
        Ok(())
    }
}
