//! A run put to use: what its network answers to samples.

use super::checkpoint::Checkpoint;
use super::checkpoints::Checkpoints;
use super::learner::Learner;
use super::rundir::RunDir;
use super::task_history::TaskHistory;
use super::trainer::{Trainer, fill};
use crate::error::{Error, Result};
use crate::network::{Network, step_by_step};
use crate::objective::{Head, Sums, Target, TargetKind, predictions};
use crate::recipe::Recipe;
use crate::task::{Outputs, Unseen, outputs};
use bouton_kernels::Mat;
use std::collections::BTreeMap;
use std::ops::Range;
use std::path::PathBuf;

/// Which weights of a run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Weights {
    /// The best on samples held back to choose by; the last ones if there are none.
    #[default]
    Chosen,
    /// The best on those samples.
    Best,
    /// The last ones.
    Last,
    /// Those of a checkpoint of the run.
    File(PathBuf),
}

/// A network with the weights of a run.
#[derive(Debug)]
pub struct Trained {
    /// The file with its weights.
    pub path: PathBuf,
    /// Updates behind them.
    pub updates: u64,
    learner: Learner,
    /// The last segment that they learned.
    segment: usize,
    tasks: usize,
}

/// What a network answers.
#[derive(Clone, Debug)]
pub struct Answered {
    /// One row for each sample: probabilities where the objective has them, outputs where not.
    pub outputs: Mat,
    /// The outputs that count.
    pub active: Range<usize>,
    /// What each output stands for.
    pub names: Vec<String>,
    /// Whether outputs are classes, of which the largest is the answer, or values.
    pub targets: TargetKind,
    /// Whether the outputs that count are probabilities.
    pub probabilities: bool,
}

impl Answered {
    /// The class that each sample is taken for, as its output.
    pub fn predictions(&self) -> Vec<usize> {
        predictions(self.outputs.view(), |_| self.active.clone())
    }
}

impl Trained {
    /// The network of `run` with some of its weights.
    ///
    /// # Errors
    /// [`Error::Config`] if the run has no such weights, [`Error::Checkpoint`] if they are not those of its recipe.
    pub fn load(run: &RunDir, weights: &Weights) -> Result<Self> {
        let recipe = Recipe::load(run.recipe())?;
        let (path, checkpoint) = find(run, weights)?;
        let mut learner = Learner::new(&recipe, recipe.task.samples())?;
        Trainer::restore_network(&mut learner.network, &checkpoint).map_err(|e| e.context(path.display()))?;
        let tasks = recipe.sequence.tasks(recipe.task.shape().1);
        let accuracies = checkpoint.meta::<String>("accuracies")?;
        learner.history = TaskHistory::from_text(&accuracies, &learner.network, tasks)?;
        let mut history = std::mem::take(&mut learner.history);
        history.visit(&mut |name, mat| fill(mat, checkpoint.tensor(name)?))?;
        // Checkpoints of older versions tell it by the tasks that have ended.
        let segment = checkpoint.meta("segment").unwrap_or(history.rows.len().saturating_sub(1));
        learner.history = history;
        Ok(Self { path, updates: checkpoint.meta("step")?, learner, segment, tasks })
    }

    /// The file of the weights that are asked for.
    ///
    /// # Errors
    /// Those of [`Trained::load`].
    pub fn weights(run: &RunDir, weights: &Weights) -> Result<PathBuf> {
        find(run, weights).map(|(path, _)| path)
    }

    /// Its recipe.
    pub fn recipe(&self) -> &Recipe {
        &self.learner.recipe
    }

    /// Its network.
    pub fn network(&self) -> &Network {
        &self.learner.network
    }

    /// How many tasks the recipe has.
    pub fn tasks(&self) -> usize {
        self.tasks
    }

    /// The outputs that are compared with each other: those of every task where tasks have their own, else those that count for task
    /// `task`, from 0.
    pub fn heads(&self, task: usize) -> Vec<Range<usize>> {
        let units = self.network().populations[self.network().output()].units;
        let own = self.learner.outputs.as_ref().is_some_and(Outputs::own);
        let tasks = if own { 0..self.tasks } else { task..task + 1 };
        tasks.map(|task| self.learner.active(task, self.segment).unwrap_or(0..units)).collect()
    }

    /// What `ask` finds in the network as it answers to task `task`, from 0: with the normalisation that the task was left with, and
    /// with the means of weights that are distributions.
    pub fn as_answering<R>(&mut self, task: usize, ask: impl FnOnce(&Network) -> R) -> R {
        self.learner.as_after(task, |learner| {
            let own = learner.network.sampled_weights();
            learner.network.set_sampled_weights(None);
            let found = ask(&learner.network);
            learner.network.restore_weights(&own);
            found
        })
    }

    /// The task that samples belong to, from 0, if `task` counts it from 1.
    ///
    /// # Errors
    /// [`Error::Config`] if there is no such task, or if tasks are told apart and none is given.
    pub fn task(&self, task: Option<usize>) -> Result<usize> {
        match task {
            None if self.tasks > 1 => Err(Error::config(format!("the network learned {} tasks", self.tasks))
                .with_hint("say which of them the samples belong to: --task 1 is the first")),
            None => Ok(0),
            Some(task) if (1..=self.tasks).contains(&task) => Ok(task - 1),
            Some(task) => Err(Error::config(format!("there is no task {task}"))
                .with_hint(format!("there are {}, counted from 1", self.tasks))),
        }
    }

    /// What it answers to samples of task `task`, from 0.
    ///
    /// # Errors
    /// If a relaxation diverges.
    pub fn answer(&mut self, samples: &Unseen, task: usize) -> Result<Answered> {
        let dtype = self.learner.network.dtype;
        let answers = self.learner.answers(task, self.segment, || samples.batches(dtype))?;
        self.answered(&answers, task)
    }

    fn answered(&self, answers: &[Mat], task: usize) -> Result<Answered> {
        let recipe = self.recipe();
        let (dtype, units) = (self.learner.network.dtype, answers.first().map_or(0, Mat::cols));
        let values: Vec<f64> = answers.iter().flat_map(Mat::to_f64s).collect();
        Ok(Answered {
            outputs: Mat::from_f64s(dtype, values.len() / units.max(1), units, &values),
            active: self.learner.active(task, self.segment).unwrap_or(0..units),
            names: outputs(recipe, task)?,
            targets: recipe.task.method().targets(),
            probabilities: recipe.objective.method().traits().log_likelihood,
        })
    }

    /// What is said of answers to samples that should come to `target`.
    pub fn metrics(&self, answered: &Answered, target: &Target) -> BTreeMap<String, f64> {
        // On the outputs that count: the others may be larger.
        let head = Head { objective: &*self.learner.objective, active: answered.active.clone() };
        let steps = self.network().time.as_ref().filter(|time| time.answers_every_step);
        let (out, target) = match (steps, target) {
            (Some(time), Target::Values(values)) => {
                let rows = |mat: &Mat| step_by_step(mat.view(), time.shown.steps);
                (rows(&answered.outputs), Target::Values(rows(values)))
            }
            _ => (answered.outputs.clone(), target.clone()),
        };
        let sums = Sums::of_outputs(&head, out.view(), target.view(0..target.rows()));
        sums.metrics(target.rows() as u64).map(|(metric, value)| (metric.name.to_owned(), value)).collect()
    }
}

/// The checkpoint of a run that is asked for, and its file.
fn find(run: &RunDir, weights: &Weights) -> Result<(PathBuf, Checkpoint)> {
    let checkpoints = Checkpoints::new(run.checkpoints(), None);
    let load = |path: PathBuf| Ok((path.clone(), Checkpoint::load(&path)?));
    let place = run.path().display();
    match weights {
        Weights::File(path) => load(path.clone()),
        Weights::Best if !checkpoints.best().exists() => {
            Err(Error::config(format!("{place} has no best checkpoint")).with_hint(
                "validation = 0.1 in the table of the task holds samples back to choose it by; the last weights are there",
            ))
        }
        Weights::Best => load(checkpoints.best()),
        Weights::Chosen if checkpoints.best().exists() => load(checkpoints.best()),
        Weights::Chosen | Weights::Last => match checkpoints.newest()? {
            Some(found) => Ok((found.path, found.checkpoint)),
            None => Err(Error::config(format!("{place} has no checkpoint yet"))
                .with_hint("the first one is written when the first epoch ends")),
        },
    }
}
