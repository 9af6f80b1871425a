//! Samples that a trained network has not seen: files read as its task reads its own, and shown as it shows them.

use super::files::{Files, Wanted};
use super::images::Images;
use super::part::{self, Part};
use super::spec::{Curriculum, TaskSpec};
use super::stream;
use super::{Answers, Dataset};
use crate::credit::Batch;
use crate::error::{Error, Result};
use crate::objective::{Target, TargetKind};
use bouton_kernels::DType;
use std::sync::Arc;

/// Samples of a file or folder, for one task of a recipe.
#[derive(Debug)]
pub struct Unseen {
    part: Part,
    images: Images,
    names: Vec<String>,
}

impl Unseen {
    /// The samples of `path`, as task `task` of a recipe, from 0, sees them. `answers` says that they have some, in the file itself or
    /// in another.
    ///
    /// # Errors
    /// [`Error::DataMissing`] or [`Error::Data`] with the place if there are none, or none of this kind; [`Error::Config`] if there is
    /// no such task.
    pub fn open<'a>(
        recipe: impl Into<Curriculum<'a>>,
        path: &str,
        answers: Option<Option<&str>>,
        task: usize,
    ) -> Result<Self> {
        let recipe = recipe.into();
        let part = kind(&recipe, task)?;
        let (method, images) = (recipe.task.method(), recipe.task.shown());
        let names = method.names();
        let classes = if method.targets() == TargetKind::Classes { &names[..] } else { &[] };
        let wanted = Wanted {
            shape: method.set().map_or(method.shape().0, |set| set.shape),
            pixels: method.pixels(),
            answers: answers.map(|labels| (classes, labels)),
        };
        let (set, names) = method.reads().unwrap_or_else(|| Files::plain(None, false)).open(path, wanted)?;
        let set = if let Some(size) = images.size { set.padded(size)? } else { set };
        let set = if answers.is_none() { set.answered(&part.set, part.ids[0] as usize) } else { set };
        let ids: Arc<[u32]> = (0..set.len() as u32).collect();
        let names = if names.is_empty() { (1..=set.len()).map(|i| i.to_string()).collect() } else { names };
        let part = Part { ids, set: Arc::new(set), ..part };
        strangers(&part)?;
        Ok(Self { part, images, names })
    }

    /// Samples that are there already, shown as `task` shows them.
    pub fn of(part: Part, task: &TaskSpec) -> Self {
        let names = (1..=part.len()).map(|i| i.to_string()).collect();
        Self { part, images: task.shown(), names }
    }

    /// What they should come to.
    pub fn target(&self, dtype: DType) -> Target {
        self.part.target(&(0..self.len()).collect::<Vec<_>>(), dtype)
    }

    /// Number of samples.
    pub fn len(&self) -> usize {
        self.part.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.part.is_empty()
    }

    /// What samples are called: paths of images, else their numbers from 1.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// The samples in the order of the file.
    pub fn batches(&self, dtype: DType) -> impl Iterator<Item = Batch> {
        stream::in_order(&self.part, None, dtype, self.images.clone())
    }
}

/// Refuses labels that are none of the task's.
fn strangers(part: &Part) -> Result<()> {
    let Some(classes) = part.classes() else { return Ok(()) };
    match part.set.labels().iter().find(|label| !classes.contains(&usize::from(**label))) {
        None => Ok(()),
        Some(label) => {
            let message = format!("{}: class {label} is none of this task", part.set.name());
            Err(Error::data(message).with_hint(format!("its classes are {classes:?}; tasks count from 1")))
        }
    }
}

/// What each output of a recipe's network stands for, as task `task` sees it, from 0.
///
/// # Errors
/// [`Error::Config`] if there is no such task.
pub fn outputs<'a>(recipe: impl Into<Curriculum<'a>>, task: usize) -> Result<Vec<String>> {
    let recipe = recipe.into();
    let names = recipe.task.method().names();
    let own = kind(&recipe, task)?;
    let units = recipe.sequence.sides(recipe.task, recipe.continual.scenario).1;
    let mut outputs: Vec<String> = (0..units).map(|output| output.to_string()).collect();
    for part in kinds(&recipe)?.iter().chain([&own]) {
        let classes = part.classes().unwrap_or_else(|| (0..names.len()).collect());
        for (output, class) in outputs.iter_mut().skip(part.first_output).zip(classes) {
            output.clone_from(&names[class]);
        }
    }
    let method = recipe.task.method();
    if method.answers_every_step() {
        let at = |step: usize| outputs.iter().map(move |name| format!("{name} at step {step}"));
        return Ok((1..=method.steps()).flat_map(at).collect());
    }
    Ok(outputs)
}

/// How task `task` looks at samples: its part of made-up ones.
pub(super) fn kind(recipe: &Curriculum<'_>, task: usize) -> Result<Part> {
    let mut kinds = kinds(recipe)?;
    if task >= kinds.len() {
        return Err(Error::config(format!("there is no task {}", task + 1))
            .with_hint(format!("the recipe has {}, counted from 1", kinds.len())));
    }
    Ok(kinds.swap_remove(task))
}

/// The parts of a made-up set with one sample of every class.
fn kinds(recipe: &Curriculum<'_>) -> Result<Vec<Part>> {
    let Curriculum { task, sequence, continual, seed, .. } = *recipe;
    let (shape, outputs) = task.shape();
    let set = match task.method().targets() {
        TargetKind::Classes => Dataset::synthetic(shape, outputs, outputs, 0)?,
        TargetKind::Values => {
            let answers = Answers::Values { outputs, values: vec![0.0; outputs] };
            Dataset::of_numbers("", shape, vec![0.0; shape.iter().product()], answers)?
        }
    };
    let set = Arc::new(set);
    let sets: Vec<_> = (0..1 + sequence.method().sets().len()).map(|_| set.clone()).collect();
    Ok(part::tasks(sequence, continual, &sets, seed))
}
