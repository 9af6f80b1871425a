//! What learns: a network with its credit rule and updater, and the memory of its tasks.
//!
//! A [`Trainer`](super::Trainer) feeds it from data sets, a [`ByHand`](super::ByHand) with what a caller has: both learn by
//! the same lines.

use super::checkpoint::Checkpoint;
use super::task_history::TaskHistory;
use super::trainer::Trainer;
use crate::anchor::Importance;
use crate::credit::{Batch, Credit, Step, draws, measure};
use crate::error::{Error, Result};
use crate::network::{Grad, GradSink, Network, ParamId, Visitor};
use crate::objective::{Head, Heads, Objective};
use crate::optim::Updater;
use crate::recipe::Recipe;
use crate::rng::Key;
use crate::task::Outputs;
use bouton_kernels::Mat;
use std::collections::HashMap;
use std::ops::Range;

/// A loss per sample beyond this is called divergence: outputs in the thousands stand against targets of 1.
const DIVERGED: f64 = 1e8;

/// Everything that learning changes, and what it needs to change it.
#[derive(Debug)]
pub struct Learner {
    /// What is learned.
    pub recipe: Recipe,
    /// The network.
    pub network: Network,
    /// How much was forgotten.
    pub history: TaskHistory,
    /// How units learn what they should have done.
    pub credit: Box<dyn Credit>,
    /// What the output should be.
    pub objective: Box<dyn Objective>,
    pub(super) updater: Updater,
    pub(super) outputs: Option<Outputs>,
    pub(super) update: u64,
}

/// The objective on the outputs that count.
enum MaskedObjective<'a> {
    All(&'a dyn Objective),
    One(Head<'a>),
    Each(Heads<'a>),
}

impl<'a> MaskedObjective<'a> {
    fn new(objective: &'a dyn Objective, active: Option<Range<usize>>) -> Self {
        active.map_or(Self::All(objective), |active| Self::One(Head { objective, active }))
    }

    fn objective(&self) -> &dyn Objective {
        match self {
            Self::All(objective) => *objective,
            Self::One(head) => head,
            Self::Each(heads) => heads,
        }
    }
}

impl Learner {
    /// Builds what `recipe` names, for a training set of `samples` samples.
    ///
    /// # Errors
    /// If the recipe makes no sense.
    pub fn new(recipe: &Recipe, samples: usize) -> Result<Self> {
        recipe.check()?;
        let network = recipe.build()?;
        let credit = recipe.credit.build(&recipe.solver, &network, samples)?;
        // Parameters that every task has of its own need no anchor.
        let units = !per_task(recipe);
        let updater = recipe.updater(&network)?;
        let updater = updater.anchored(&network, recipe.anchor.build(), units);
        Ok(Self {
            recipe: recipe.clone(),
            objective: recipe.objective.build(),
            outputs: Outputs::of(recipe),
            network,
            history: TaskHistory::default(),
            credit,
            updater,
            update: 0,
        })
    }

    /// Takes the weights that the recipe begins with, if it names some.
    ///
    /// # Errors
    /// [`Error::DataMissing`] if there is no such file, [`Error::Checkpoint`] if they are not those of such a network.
    pub(super) fn begin(&mut self) -> Result<()> {
        let Some(start) = &self.recipe.run.from else { return Ok(()) };
        let checkpoint = Checkpoint::parse(&start.read()?, start.path())?;
        Trainer::restore_network(&mut self.network, &checkpoint)
            .map_err(|e| e.context(format!("run.from: {}", start.path())))
    }

    /// Updates made so far.
    pub fn update(&self) -> u64 {
        self.update
    }

    /// The key of the next update's random numbers.
    pub fn key(&self) -> Key {
        Key::new(self.recipe.seed).of("update", self.update)
    }

    /// The outputs that count for task `task` after segment `segment`, if not all do.
    pub fn active(&self, task: usize, segment: usize) -> Option<Range<usize>> {
        self.outputs.as_ref().map(|outputs| outputs.active(task, segment))
    }

    /// Learns from a batch of segment `segment`, piece by piece if the recipe gathers the gradients of several batches, with
    /// `factor` on every learning rate.
    ///
    /// # Errors
    /// [`Error::Diverged`] if a relaxation, the loss or a weight leaves its range.
    pub fn learn(&mut self, batch: &Batch, segment: usize, factor: f64) -> Result<Step> {
        let active = self.active(segment, segment);
        let masked = match self.outputs.as_ref().and_then(Outputs::mixed) {
            Some(borders) => MaskedObjective::Each(Heads { objective: &*self.objective, borders }),
            None => MaskedObjective::new(&*self.objective, active),
        };
        self.updater.set_factor(factor);
        self.updater.set_draws(self.recipe.run.train_draws.unwrap_or(1));
        self.updater.set_piece(self.recipe.piece());
        let key = Key::new(self.recipe.seed).of("update", self.update);
        let step = self.updater.update(&mut *self.credit, &mut self.network, batch, masked.objective(), &key);
        let step = step.map_err(|e| e.context(format!("update {}", self.update + 1)))?;
        if step.mean_loss().is_nan() || step.mean_loss() > DIVERGED {
            return Err(Error::Diverged {
                message: format!("update {}: the loss is {:e}", self.update + 1, step.mean_loss()),
                hint: Some("lower the learning rate, or the gain of the initial weights".into()),
            });
        }
        self.update += 1;
        Ok(step)
    }

    /// One update by gradients, from one draw of the weights; parameters without one have gradient zero.
    ///
    /// # Errors
    /// [`Error::Diverged`] if a weight leaves its range.
    pub fn apply(&mut self, gradients: &HashMap<ParamId, Mat>, factor: f64) -> Result<()> {
        self.updater.set_factor(factor);
        self.updater.set_draws(1);
        gradients.iter().for_each(|(&id, g)| self.updater.add(&self.network, id, Grad::whole(g, 1.0)));
        self.updater.step(&mut self.network)?;
        self.update += 1;
        Ok(())
    }

    /// How importance is measured on samples of a task that ends, and on how many of them; `None` if it needs none.
    pub fn importance(&self) -> Option<(Importance, Option<usize>)> {
        let bounded = self.recipe.sequence.method().traits().pieces.is_none();
        let importance = self.updater.importance().filter(|_| bounded)?;
        match importance {
            Importance::Path(_) => None,
            Importance::Fisher(_, samples) | Importance::Sensitivity(samples) => Some((importance, samples)),
        }
    }

    /// How important every parameter is to `batches` of segment `segment`.
    ///
    /// # Errors
    /// If the credit rule has no gradient sample by sample.
    pub fn measure(
        &self,
        importance: Importance,
        segment: usize,
        batches: impl Iterator<Item = Batch>,
    ) -> Result<HashMap<ParamId, Mat>> {
        let active = self.active(segment, segment);
        let key = self.importance_key(segment);
        measure(&*self.credit, &self.network, importance, &*self.objective, active, batches, &key)
    }

    fn importance_key(&self, segment: usize) -> Key {
        Key::new(self.recipe.seed).of("importance", segment as u64)
    }

    /// Ends a segment, whose samples are `batches`: measures what was important in it, tells the synapses, keeps its
    /// normalisation and forgets the optimiser's state, as far as the recipe wants that. Call it once, after the
    /// segment's last update.
    ///
    /// # Errors
    /// If the credit rule has no gradient sample by sample and the anchor needs it.
    pub fn end_segment(&mut self, segment: usize, batches: impl Iterator<Item = Batch>) -> Result<()> {
        let measured = match self.importance() {
            Some((importance, _)) => self.measure(importance, segment, batches)?,
            None => HashMap::new(),
        };
        if self.recipe.sequence.method().traits().pieces.is_none() {
            let key = self.importance_key(segment);
            self.updater.consolidate(&self.network, &measured, &key);
            self.network.on_task_end();
        }
        if per_task(&self.recipe) {
            self.history.norms.push(self.network.norms());
        }
        if self.recipe.continual.reset_optimiser {
            self.updater.reset();
        }
        Ok(())
    }

    /// The outcome on `batches` of task `task` after segment `segment`, without learning.
    ///
    /// # Errors
    /// If a relaxation diverges.
    pub fn evaluate<I: Iterator<Item = Batch>>(
        &mut self,
        task: usize,
        segment: usize,
        batches: impl Fn() -> I,
    ) -> Result<Step> {
        let active = self.active(task, segment);
        let key = Key::new(self.recipe.seed).of("answer", task as u64);
        let drawn = self.recipe.run.test_draws.map(|n| (n, &key));
        self.as_after(task, |learner| {
            let masked = MaskedObjective::new(&*learner.objective, active);
            draws::evaluate(&*learner.credit, &mut learner.network, masked.objective(), batches, drawn)
        })
    }

    /// The answers to `batches` of task `task` after segment `segment`: probabilities where the objective has them, outputs where not.
    ///
    /// # Errors
    /// If a relaxation diverges.
    pub fn answers<I: Iterator<Item = Batch>>(
        &mut self,
        task: usize,
        segment: usize,
        batches: impl Fn() -> I,
    ) -> Result<Vec<Mat>> {
        let active = self.active(task, segment);
        let key = Key::new(self.recipe.seed).of("answer", task as u64);
        let drawn = self.recipe.run.test_draws.map(|n| (n, &key));
        self.as_after(task, |learner| {
            let masked = MaskedObjective::new(&*learner.objective, active);
            draws::answers(&*learner.credit, &mut learner.network, masked.objective(), batches, drawn)
        })
    }

    /// What `ask` finds with the normalisation that task `task` was left with, where tasks have their own.
    pub fn as_after<R>(&mut self, task: usize, ask: impl FnOnce(&mut Self) -> R) -> R {
        let Some(own) = self.history.norms.get(task).cloned() else { return ask(self) };
        let present = self.network.norms();
        self.network.set_norms(&own);
        let answer = ask(self);
        self.network.set_norms(&present);
        answer
    }

    /// Whether an answer depends on the task that is asked about.
    pub fn depends_on_task(&self) -> bool {
        per_task(&self.recipe) || self.outputs.as_ref().is_some_and(Outputs::own)
    }

    /// Updates behind the optimiser's state: all of them, and those before it was last forgotten.
    pub fn optimiser_updates(&self) -> [u64; 2] {
        [self.updater.updates(), self.updater.steps_at_reset()]
    }

    /// Goes on after so many updates, with those of the optimiser as [`Learner::optimiser_updates`] gave them.
    pub fn set_updates(&mut self, update: u64, [updates, steps_at_reset]: [u64; 2]) {
        self.update = update;
        self.updater.set_updates(updates, steps_at_reset);
    }

    /// Makes room for what `ended` tasks left behind, to be filled; what was remembered before.
    pub fn expect(&mut self, ended: usize) -> TaskHistory {
        let norms = if per_task(&self.recipe) { vec![self.network.norms(); ended] } else { Vec::new() };
        std::mem::replace(&mut self.history, TaskHistory { norms, ..TaskHistory::default() })
    }

    /// Shows every persistent matrix to `visitor`.
    ///
    /// # Errors
    /// Those of `visitor`.
    pub fn visit(&mut self, visitor: &mut Visitor<'_>) -> Result<()> {
        self.network.visit(visitor)?;
        self.updater.visit(visitor)?;
        self.history.visit(visitor)?;
        self.credit.visit(visitor)
    }
}

/// Whether every task has a normalisation of its own.
fn per_task(recipe: &Recipe) -> bool {
    recipe.norms().any(|(_, norm)| norm.method().traits().per_task)
}
