//! A learner fed by hand: by a caller who has the samples, and who says where tasks begin and end.
//!
//! Fed with what a run sees, it learns what the run learns, to the bit. Which samples there are, in how many epochs, is the
//! caller's to decide; all else that a recipe says about learning is done here, or refused.

use super::learner::Learner;
use super::run_limits::RunLimits;
use super::{TaskHistory, continual};
use crate::credit::{Batch, Start, Step};
use crate::error::{Error, Result};
use crate::network::{ParamId, Visitor};
use crate::objective::Target;
use crate::recipe::Recipe;
use crate::task::order::permutation;
use crate::task::stream::EVALUATION;
use crate::task::{BatchSize, Kept};
use bouton_kernels::Mat;
use std::collections::HashMap;

/// Numbers of samples are below this.
const SAMPLES: usize = 1 << 32;

/// A learner, and where in its tasks it is.
#[derive(Debug)]
pub struct ByHand {
    /// What learns.
    pub learner: Learner,
    kept: Option<Kept>,
    /// Samples that the credit rule can remember the states of.
    remembered: usize,
    at: Position,
}

/// Where in its tasks a learner is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Position {
    /// Tasks that ended.
    ended: usize,
    /// Whether the next one has begun.
    begun: bool,
    /// Updates and epochs of the present task.
    updates: u64,
    epochs: u64,
    /// Epochs of all tasks.
    passes: u64,
    /// Samples of the present task, as far as they have been seen, and of all tasks before it.
    samples: usize,
    before: usize,
}

/// How one update is to be made.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// Epoch within the task, from 0, for schedules.
    pub epoch: Option<u64>,
    /// Factor on every learning rate, on top of the schedule's.
    pub rate: f64,
}

impl ByHand {
    /// Builds what `recipe` names; rules that remember a state of each training sample do so for `samples` of them,
    /// by default for those of the recipe's task.
    ///
    /// # Errors
    /// If the recipe makes no sense.
    pub fn new(recipe: &Recipe, samples: Option<usize>) -> Result<Self> {
        let remembered = samples.unwrap_or_else(|| recipe.task.samples());
        if remembered >= SAMPLES || start(recipe) != Start::Zero && !there_is_memory(recipe, remembered)? {
            return Err(Error::config(format!("there is no memory for states of {remembered} samples"))
                .with_hint("samples is the number of training samples"));
        }
        let kept = recipe.continual.replay.as_ref().map(|spec| Kept::new(spec, recipe.seed));
        let mut learner = Learner::new(recipe, remembered)?;
        learner.begin()?;
        Ok(Self { learner, kept, remembered, at: Position::default() })
    }

    /// The task that is learned, or was learned last, from 0.
    pub fn task(&self) -> usize {
        if self.at.begun { self.at.ended } else { self.at.ended.saturating_sub(1) }
    }

    /// Tasks that there can be: without a sequence, as many as the caller likes.
    pub fn tasks(&self) -> usize {
        let recipe = &self.learner.recipe;
        let traits = recipe.sequence.method().traits();
        match traits.pieces {
            _ if !traits.several => usize::MAX,
            Some(pieces) => pieces,
            None if recipe.continual.joint => 1,
            None => recipe.sequence.tasks(recipe.task.shape().1),
        }
    }

    /// Begins the next task; its number, from 0.
    ///
    /// # Errors
    /// If the task before has not ended, or if the sequence of the recipe has no further one.
    pub fn begin_task(&mut self) -> Result<usize> {
        if self.at.begun {
            return Err(Error::config(format!("task {} has not ended", self.at.ended))
                .with_hint("call end_task() first"));
        }
        let tasks = self.tasks();
        if self.at.ended >= tasks {
            return Err(Error::config(format!(
                "the sequence of the recipe has {tasks} tasks, no further one"
            ))
            .with_hint("give the [sequence] more tasks"));
        }
        if self.at.ended == 0 {
            // What a loaded network remembers belongs to another sequence.
            self.learner.history = TaskHistory::default();
        }
        self.at.begun = true;
        Ok(self.at.ended)
    }

    /// Ends the task: what the recipe does at the end of a task is done. `samples` are those of the task, in their own
    /// order: the anchor measures on them what was important, and replay keeps some.
    ///
    /// # Errors
    /// If no task has begun, or if samples are needed and missing.
    pub fn end_task(&mut self, samples: Option<&Batch>) -> Result<()> {
        if !self.at.begun {
            return Err(Error::config("no task has begun").with_hint("call begin_task() first"));
        }
        let (importance, task) = (self.learner.importance(), self.at.ended);
        let keeps = self.kept.as_ref().is_some_and(|kept| !kept.is_online());
        if samples.is_none() && (importance.is_some() || keeps) {
            let who =
                if importance.is_some() { "the anchor measures importance" } else { "replay keeps some" };
            return Err(Error::data(format!("{who} on samples of the task, but there are none"))
                .with_hint("pass end_task the training samples of the task and their labels"));
        }
        if let Some(samples) = samples {
            self.fits(samples, task)?;
        }
        let most = importance.and_then(|(_, samples)| samples);
        let batches = samples.into_iter().flat_map(|samples| chunks(samples, most));
        self.learner.end_segment(task, batches)?;
        let size = self.at.samples.max(samples.map_or(0, Batch::len));
        if let (Some(kept), Some(samples), true) = (&mut self.kept, samples, keeps) {
            let ids = (0..samples.len()).map(|id| self.at.before + id).collect();
            kept.show(&Batch { ids, ..samples.clone() });
        }
        self.at = Position {
            ended: task + 1,
            passes: self.at.passes,
            before: self.at.before + size,
            ..Position::default()
        };
        Ok(())
    }

    /// Learns from the samples `x` of the present task. `ids` are their places in its training set; without, they are
    /// counted from 0 for every batch, and replay takes each for a new sample.
    ///
    /// # Errors
    /// If the recipe needs to know more than it is told, if samples do not fit, or if something diverges.
    pub fn learn(&mut self, x: Mat, target: Target, ids: Option<Vec<usize>>, pace: Pace) -> Result<Step> {
        let factor = self.factor(pace)?;
        self.whole()?;
        let batch = self.batch(x, target, ids)?;
        self.fits(&batch, self.at.ended)?;
        self.update(&batch, factor)
    }

    /// One update by gradients of some loss; parameters without one have gradient zero.
    ///
    /// # Errors
    /// Those of [`ByHand::learn`].
    pub fn apply(&mut self, gradients: &HashMap<ParamId, Mat>, pace: Pace) -> Result<()> {
        let factor = self.factor(pace)?;
        self.whole()?;
        if self.kept.is_some() {
            return Err(Error::incompatible(
                "continual.replay repeats samples with their labels, but here there are only gradients",
                "leave [continual.replay] out, or learn by step(), which is given labels",
            ));
        }
        self.learner.apply(gradients, factor)?;
        self.at.updates += 1;
        Ok(())
    }

    /// Learns from all `samples` of the present task once, in batches and in an order as the recipe says; what the
    /// epoch came to. It ends early where `continual.updates` or `run.updates` are used up.
    ///
    /// # Errors
    /// Those of [`ByHand::learn`]; [`Error::Interrupted`] between two updates as soon as `interrupt` says so.
    pub fn epoch(&mut self, samples: &Batch, rate: f64, interrupt: &dyn Fn() -> bool) -> Result<Step> {
        let pace = Pace { epoch: Some(self.at.epochs), rate };
        let factor = self.factor(pace)?;
        self.fits(samples, self.at.ended)?;
        let n = samples.len();
        let task = &self.learner.recipe.task;
        if RunLimits::of(&self.learner.recipe).augmented {
            return Err(Error::incompatible(
                "task.shift and task.flip vary images, but an epoch by hand shows them as they are",
                "vary the samples yourself, and leave both out of the recipe",
            ));
        }
        let batches = RunLimits::of(&self.learner.recipe).batches;
        let size = match task.batch() {
            BatchSize::Samples(size) => size.saturating_mul(batches).clamp(1, n),
            BatchSize::All(_) => n,
        };
        let order: Vec<usize> = match task.shown().shuffle {
            true => permutation(n, self.learner.recipe.seed, self.at.passes),
            false => (0..n).collect(),
        };
        let mut sum = Step::default();
        for ids in order.chunks(size) {
            if self.used_up().is_some() {
                break;
            }
            if interrupt() {
                return Err(Error::Interrupted);
            }
            let Batch { x, target, .. } = samples.take(ids);
            let batch = self.batch(x, target, Some(ids.to_vec()))?;
            sum = sum.with(&self.update(&batch, factor)?);
        }
        self.at.epochs += 1;
        self.at.passes += 1;
        Ok(sum)
    }

    /// The outcome on `samples` of task `task` (default: the present one), without learning.
    ///
    /// # Errors
    /// If answers depend on the task and none is given, or if labels are not among its outputs.
    pub fn evaluate(&mut self, samples: &Batch, task: Option<usize>) -> Result<Step> {
        if task.is_none() && self.learner.depends_on_task() {
            return Err(
                Error::config("answers depend on the task").with_hint("say which: task=0 is the first")
            );
        }
        let (segment, task) = (self.task(), task.unwrap_or_else(|| self.task()));
        if self.learner.outputs.is_some() {
            self.fits_outputs(samples, task, segment)?;
        }
        self.learner.evaluate(task, segment, || chunks(samples, None))
    }

    /// Refuses single batches that would have to wait for others before weights change.
    fn whole(&self) -> Result<()> {
        match RunLimits::of(&self.learner.recipe).batches {
            1 => Ok(()),
            n => Err(Error::incompatible(
                format!(
                    "update.accumulate gathers {n} batches for an update, but each of these is an update"
                ),
                "leave it out and pass larger batches or summed gradients, or learn by epoch()",
            )),
        }
    }

    /// One update with what the recipe adds to a batch.
    fn update(&mut self, batch: &Batch, factor: f64) -> Result<Step> {
        let mixed = self.kept.as_ref().map(|kept| kept.mixed(batch, self.learner.update()));
        let step = self.learner.learn(mixed.as_ref().unwrap_or(batch), self.at.ended, factor)?;
        self.at.updates += 1;
        if let Some(kept) = self.kept.as_mut().filter(|kept| kept.is_online()) {
            kept.show(batch);
        }
        let own = batch.ids.iter().map(|id| id + 1 - if self.kept.is_some() { self.at.before } else { 0 });
        self.at.samples = self.at.samples.max(own.max().unwrap_or(0));
        Ok(step)
    }

    /// The factor on learning rates, if an update is possible now.
    fn factor(&self, Pace { epoch, rate }: Pace) -> Result<f64> {
        let recipe = &self.learner.recipe;
        let told = continual::task_information(recipe).training();
        if let Some(why) = told.first().filter(|_| !self.at.begun) {
            return Err(Error::incompatible(
                format!("tasks have to be told apart, because {why}"),
                "call begin_task() before learning from a task and end_task() after it",
            ));
        }
        if let Some((key, n)) = self.used_up() {
            return Err(Error::config(format!("the {n} updates of {key} are made"))
                .with_hint(format!("leave {key} out of the recipe to go on")));
        }
        if !(rate >= 0.0 && rate.is_finite()) {
            return Err(Error::config(format!("rate is {rate}")).with_hint("pass a factor from 0 up"));
        }
        match epoch {
            Some(epoch) => Ok(recipe.schedule.factor(epoch as usize) * rate),
            None if recipe.schedule.method().is_constant() => Ok(rate),
            None => Err(Error::config("the schedule of learning rates needs to know the epoch")
                .with_hint("pass epoch=0, 1, … (within the task), or learn by epoch()")),
        }
    }

    /// The limit on updates that is reached, with its key.
    fn used_up(&self) -> Option<(&'static str, u64)> {
        let RunLimits { run, task, .. } = RunLimits::of(&self.learner.recipe);
        let limits =
            [("run.updates", run, self.learner.update()), ("continual.updates", task, self.at.updates)];
        limits.into_iter().find_map(|(key, most, made)| most.filter(|most| made >= *most).map(|n| (key, n)))
    }

    /// Samples with their numbers.
    fn batch(&self, x: Mat, target: Target, ids: Option<Vec<usize>>) -> Result<Batch> {
        let first = if self.kept.is_some() { self.at.before } else { 0 };
        let start = start(&self.learner.recipe);
        let ids = match ids {
            Some(ids) => ids,
            None if start == Start::Persistent => {
                return Err(Error::data("start = \"persistent\" goes on from the state of each sample")
                    .with_hint("pass ids, the place of every row in the training set"));
            }
            None if self.kept.is_some() => (self.at.samples..).take(target.rows()).collect(),
            None => (0..target.rows()).collect(),
        };
        if let Some(id) = ids.iter().find(|id| **id >= SAMPLES) {
            return Err(Error::data(format!("there is no sample {id}")).with_hint("ids count from 0"));
        }
        let batch = Batch { x, target, ids: ids.into_iter().map(|id| first + id).collect(), spans: None };
        self.check_remembered(&batch)?;
        Ok(batch)
    }

    /// Whether the credit rule can remember the states of these samples.
    fn check_remembered(&self, batch: &Batch) -> Result<()> {
        let needed = match start(&self.learner.recipe) {
            Start::Zero => 0,
            Start::PreviousBatch => batch.len(),
            Start::Persistent => batch.ids.iter().max().map_or(0, |id| id + 1),
        };
        if needed > self.remembered {
            let message =
                format!("states of {} samples are remembered, {needed} are needed", self.remembered);
            return Err(Error::data(message).with_hint(format!("make the network with samples={needed}")));
        }
        Ok(())
    }

    /// Whether labels are among the outputs that count in task `task`.
    fn fits(&self, batch: &Batch, task: usize) -> Result<()> {
        if batch.is_empty() {
            return Err(Error::data("there are no samples").with_hint("pass at least one"));
        }
        self.fits_outputs(batch, task, task)
    }

    fn fits_outputs(&self, batch: &Batch, task: usize, segment: usize) -> Result<()> {
        let network = &self.learner.network;
        let units = network.populations[network.output()].units;
        let Some(active) = self.learner.active(task, segment) else { return Ok(()) };
        if active.end > units {
            return Err(Error::config(format!("there is no task {task}"))
                .with_hint("tasks count from 0 and have outputs of their own"));
        }
        let mixed = self.learner.outputs.as_ref().is_some_and(|outputs| outputs.mixed().is_some());
        let strange = batch
            .target
            .classes()
            .unwrap_or_default()
            .iter()
            .find(|label| !active.contains(&usize::from(**label)));
        match strange.filter(|_| !mixed || self.kept.is_some()) {
            Some(label) => {
                let message = format!(
                    "label {label} is not among the outputs of task {task}, {} to {}",
                    active.start,
                    active.end - 1
                );
                Err(Error::data(message).with_hint("labels count over the outputs of all tasks"))
            }
            None => Ok(()),
        }
    }

    /// Where it is, for [`ByHand::set_position`].
    pub fn position(&self) -> [u64; 9] {
        let Position { ended, begun, updates, epochs, passes, samples, before } = self.at;
        let [made, steps_at_reset] = self.learner.optimiser_updates();
        [
            ended as u64,
            begun.into(),
            updates,
            epochs,
            passes,
            samples as u64,
            before as u64,
            made,
            steps_at_reset,
        ]
    }

    /// Goes to a [`ByHand::position`] after so many updates; matrices that the tasks so far left behind wait to be
    /// filled.
    pub fn set_position(&mut self, update: u64, position: [u64; 9]) {
        let [ended, begun, updates, epochs, passes, samples, before, made, steps_at_reset] = position;
        let [ended, samples, before] = [ended, samples, before].map(|n| n as usize);
        self.at = Position { ended, begun: begun > 0, updates, epochs, passes, samples, before };
        self.learner.set_updates(update, [made, steps_at_reset]);
    }

    /// Samples kept for replay, if the recipe has it.
    pub fn kept(&mut self) -> Option<&mut Kept> {
        self.kept.as_mut()
    }

    /// Shows every persistent matrix to `visitor`.
    ///
    /// # Errors
    /// Those of `visitor`.
    pub fn visit(&mut self, visitor: &mut Visitor<'_>) -> Result<()> {
        self.learner.visit(visitor)
    }
}

/// Where free phases start.
fn start(recipe: &Recipe) -> Start {
    recipe.credit.method().needs().start
}

/// Whether the system would give memory for two numbers of every unit, for so many samples.
fn there_is_memory(recipe: &Recipe, samples: usize) -> Result<bool> {
    let units: usize = recipe.network.units()?.iter().sum();
    let bytes = units.checked_mul(16).and_then(|each| each.checked_mul(samples));
    Ok(bytes.is_some_and(|bytes| Vec::<u8>::new().try_reserve_exact(bytes).is_ok()))
}

/// Samples in batches for evaluation, at most `most` of them.
fn chunks(samples: &Batch, most: Option<usize>) -> impl Iterator<Item = Batch> {
    let n = most.unwrap_or(usize::MAX).min(samples.len());
    (0..n).step_by(EVALUATION).map(move |at| {
        let ids = at..n.min(at + EVALUATION);
        let (x, target) = (samples.x.rows_view(ids.clone()).to_mat(), samples.target.part(ids.clone()));
        Batch { x, target, ids: ids.collect(), spans: None }
    })
}
