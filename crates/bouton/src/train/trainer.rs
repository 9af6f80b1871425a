//! A recipe brought to life: a learner and its data, one update at a time.

use super::checkpoint::{Checkpoint, Tensor, TensorData};
use super::flip_cost;
use super::flips::Flips;
use super::importance::{self, Profile};
use super::learner::Learner;
use super::task_history::TaskHistory;
use crate::anchor::{Fisher, Importance};
use crate::credit::{Step, draws};
use crate::error::{Error, Result};
use crate::network::{ConnId, Network, ParamId};
use crate::norm::NormSpec;
use crate::objective::{Head, Objective};
use crate::recipe::{NetworkPlan, Recipe, variant_name};
use crate::rng::Key;
use crate::task::stream::{self, Position, TaskStream, readable};
use bouton_kernels::{DType, Mat};
use std::collections::BTreeMap;
use std::ops::{Deref, DerefMut};
use std::path::Path;

const OTHER_RECIPE: &str = "use the recipe that the checkpoint was trained with";

/// A learner with the data of its recipe: everything a run changes, and what it needs to change it.
#[derive(Debug)]
pub struct Trainer {
    /// Training batches and test sets.
    pub task_stream: TaskStream,
    learner: Learner,
    flips: Flips,
}

impl Deref for Trainer {
    type Target = Learner;

    fn deref(&self) -> &Learner {
        &self.learner
    }
}

impl DerefMut for Trainer {
    fn deref_mut(&mut self) -> &mut Learner {
        &mut self.learner
    }
}

/// Refuses batches of one sample where the mean and variance of a batch normalise: whatever the weights, every output is
/// 0 then, and so is the gradient.
fn alone(recipe: &Recipe, task_stream: &TaskStream) -> Result<()> {
    recipe.norms().try_for_each(|(_, norm)| alone_with(norm, task_stream))
}

fn alone_with(norm: &NormSpec, task_stream: &TaskStream) -> Result<()> {
    let traits = norm.method().traits();
    let refused = |of: &str, hint: &str| {
        let norm = variant_name(norm);
        let message =
            format!("norm.{norm} takes mean and variance of a batch, but the last batch {of} has one sample");
        Err(Error::config(message).with_hint(hint))
    };
    if traits.needs_batch && task_stream.train.ends_alone() {
        return refused("of an epoch", "choose another batch size, or another number of training samples");
    }
    if traits.answers_by_batch
        && task_stream.tests.iter().chain(&task_stream.validations).any(stream::answers_alone)
    {
        return refused("of a test", "choose another number of test samples, or statistics = \"running\"");
    }
    Ok(())
}

impl Trainer {
    /// Builds everything that `recipe` names; data sets are looked for in `folder` (default: the user's data folder).
    pub fn new(recipe: &Recipe, folder: Option<&Path>) -> Result<Self> {
        recipe.check()?;
        recipe.memory()?.fits()?;
        let task_stream = stream::open(recipe, folder)?;
        alone(recipe, &task_stream)?;
        let mut learner = Learner::new(recipe, task_stream.train.samples())?;
        learner.begin()?;
        Ok(Self { flips: Flips::new(&learner.network, recipe)?, task_stream, learner })
    }

    /// Updates of the whole run.
    pub fn updates(&self) -> u64 {
        let all = self.task_stream.train.updates();
        self.recipe.run.updates.map_or(all, |limit| limit.min(all))
    }

    /// Where the last update was; where the first will be, before it.
    pub fn position(&self) -> Position {
        self.task_stream.train.position(self.update.saturating_sub(1))
    }

    /// Epochs completed so far, over all tasks.
    pub fn epoch(&self) -> u64 {
        let position = self.position();
        position.total_epoch + u64::from(self.update > 0 && position.ends_epoch)
    }

    /// Number of tasks.
    pub fn tasks(&self) -> usize {
        self.task_stream.tests.len()
    }

    /// Learns from the next batch.
    ///
    /// # Errors
    /// Those of [`Learner::learn`].
    pub fn learn(&mut self) -> Result<Step> {
        let position = self.task_stream.train.position(self.update);
        let batch = self.task_stream.train.batch(self.update, self.network.dtype);
        readable(self.task_stream.train.parts(position.segment))?;
        let factor = self.recipe.schedule.factor(position.epoch as usize);
        self.learner.learn(&batch, position.segment, factor)
    }

    /// Ends a segment, see [`Learner::end_segment`]. Call it once, after the segment's last update.
    ///
    /// # Errors
    /// Those of [`Learner::end_segment`].
    pub fn end_segment(&mut self) -> Result<()> {
        let (segment, stream, dtype) = (self.position().segment, &self.task_stream.train, self.network.dtype);
        let samples = self.importance_samples();
        let batches = stream.parts(segment).iter().flat_map(|p| stream.in_order(p, samples, dtype));
        self.learner.end_segment(segment, batches)
    }

    /// How many samples of each part importance is measured on; `None` for all.
    fn importance_samples(&self) -> Option<usize> {
        self.learner.importance().and_then(|(_, samples)| samples)
    }

    /// Importance of binary weights by the size of their hidden weight, for the last task, where there is a hidden weight
    /// and the credit rule gives gradients sample by sample.
    ///
    /// # Errors
    /// If a relaxation diverges; [`Error::Interrupted`] as soon as `interrupt` says so.
    pub fn importance(&mut self, interrupt: &dyn Fn() -> bool) -> Result<Vec<Profile>> {
        let sampled = self.recipe.credit.method().needs().per_sample
            && self.network.follows_gradient()
            && self.recipe.objective.method().traits().log_likelihood;
        let mixed = self.task_stream.train.parts(self.position().segment).len() > 1;
        let plan = NetworkPlan::new(&self.recipe)?;
        let hidden: Vec<bool> =
            plan.connections.iter().map(|c| c.synapse.method().traits().has_hidden_sign()).collect();
        if !sampled || mixed || !hidden.contains(&true) {
            return Ok(Vec::new());
        }
        let (segment, stream, dtype) = (self.position().segment, &self.task_stream.train, self.network.dtype);
        let samples = Some(importance::SAMPLES);
        let batches = stream.parts(segment).iter().flat_map(|p| stream.in_order(p, samples, dtype));
        let fisher = self.measure(Importance::Fisher(Fisher::Empirical, samples), segment, batches)?;
        let mut profiles = Vec::new();
        for c in 0..self.network.connections.len() {
            let Some(fisher) = fisher.get(&ParamId::weight(c)).filter(|_| hidden[c]) else { continue };
            let ranges = importance::ranges(self.network.anchored(ParamId::weight(c), true));
            let mut profile = Profile::new(&self.network.connections[c].name, &ranges, fisher);
            if let Some(draws) = self.recipe.run.flip_samples {
                profile.flip_cost = self.flip_cost(c, ranges.0, draws, interrupt)?;
            }
            profiles.push(profile);
        }
        Ok(profiles)
    }

    /// The cost of flipping weights of connection `c` in each of `ranges` by `n` draws, on samples of the present segment.
    fn flip_cost(
        &mut self,
        c: ConnId,
        ranges: Vec<Vec<usize>>,
        n: usize,
        interrupt: &dyn Fn() -> bool,
    ) -> Result<Vec<Option<f64>>> {
        let segment = self.position().segment;
        let (stream, dtype, seed) = (&self.task_stream.train, self.network.dtype, self.recipe.seed);
        let active = self.learner.active(segment, segment);
        let Learner { network, credit, objective, .. } = &mut self.learner;
        let head = active.map(|active| Head { objective: &**objective, active });
        let objective = head.as_ref().map_or(&**objective, |head| head as &dyn Objective);
        let samples = Some(importance::SAMPLES);
        let batches = || stream.parts(segment).iter().flat_map(|p| stream.in_order(p, samples, dtype));
        let loss = |network: &mut Network| {
            if interrupt() {
                return Err(Error::Interrupted);
            }
            Ok(draws::evaluate(&**credit, network, objective, batches, None)?.mean_loss())
        };
        let mut random = Key::new(seed).of("turn", c as u64).stream();
        flip_cost::costs(network, c, ranges, n, &mut random, loss)
    }

    /// The fraction of each connection's binary weights that flipped since this was last asked: `flips.<connection>`.
    pub fn flips(&mut self) -> BTreeMap<String, f64> {
        self.flips.take(&self.learner.network)
    }

    /// The outcome on the test set of task `task`.
    ///
    /// # Errors
    /// If a relaxation diverges.
    pub fn evaluate(&mut self, task: usize) -> Result<Step> {
        let (segment, stream, dtype) =
            (self.position().segment, &self.task_stream, self.learner.network.dtype);
        let step = self
            .learner
            .evaluate(task, segment, || stream.train.in_order(&stream.tests[task], None, dtype))?;
        readable([&stream.tests[task]]).map(|()| step)
    }

    /// The outcome on the samples to choose by of task `task`; there are as many as `task_stream.validations`.
    ///
    /// # Errors
    /// If a relaxation diverges.
    pub fn validate(&mut self, task: usize) -> Result<Step> {
        let (segment, stream, dtype) =
            (self.position().segment, &self.task_stream, self.learner.network.dtype);
        let held = &stream.validations[task];
        let step = self.learner.evaluate(task, segment, || stream.train.in_order(held, None, dtype))?;
        readable([held]).map(|()| step)
    }

    /// Everything needed to go on later.
    pub fn checkpoint(&mut self) -> Result<Checkpoint> {
        let mut checkpoint = Checkpoint::default();
        self.learner.visit(&mut |name, mat| {
            checkpoint.tensors.push(tensor(name, mat));
            Ok(())
        })?;
        checkpoint.tensors.extend(self.flips.tensors());
        let [updates, steps_at_reset] = self.optimiser_updates();
        let meta = [
            ("step", self.update.to_string()),
            ("segment", self.position().segment.to_string()),
            ("optimiser-step", updates.to_string()),
            ("optimiser-origin", steps_at_reset.to_string()),
            ("accuracies", self.history.to_text()),
            ("recipe", self.recipe.hash()),
            ("version", env!("CARGO_PKG_VERSION").to_owned()),
        ];
        checkpoint.meta.extend(meta.map(|(k, v)| (k.to_owned(), v)));
        Ok(checkpoint)
    }

    /// Takes the weights, biases and synapses of a checkpoint, whatever their number type, and ignores everything else in
    /// it.
    ///
    /// # Errors
    /// [`Error::Checkpoint`] if a tensor is missing or of another shape, or if it was written by another synapse.
    pub fn restore_network(network: &mut Network, checkpoint: &Checkpoint) -> Result<()> {
        same_synapse(network, checkpoint)?;
        network.visit(&mut |name, mat| {
            let tensor = checkpoint.tensor(name)?;
            if tensor.shape != [mat.rows(), mat.cols()] {
                return Err(Error::checkpoint(format!(
                    "tensor `{name}` has shape {:?}, the network needs [{}, {}]",
                    tensor.shape,
                    mat.rows(),
                    mat.cols()
                ))
                .with_hint(OTHER_RECIPE));
            }
            let values = match &tensor.data {
                TensorData::F32(values) => values.iter().map(|&x| f64::from(x)).collect(),
                TensorData::F64(values) => values.clone(),
                _ => return Err(Error::checkpoint(format!("tensor `{name}` does not hold real numbers"))),
            };
            *mat = Mat::from_f64s(mat.dtype(), mat.rows(), mat.cols(), &values);
            Ok(())
        })
    }

    /// Goes on from a checkpoint of the same recipe.
    ///
    /// # Errors
    /// [`Error::Checkpoint`] if its tensors are not those of this trainer, or if its recipe has other numbers.
    pub fn restore(&mut self, checkpoint: &Checkpoint) -> Result<()> {
        same_synapse(&self.network, checkpoint)?;
        let accuracies = checkpoint.meta::<String>("accuracies")?;
        self.history = TaskHistory::from_text(&accuracies, &self.network, self.tasks())?;
        let mut wanted: Vec<(String, Vec<usize>)> = Vec::new();
        self.visit(&mut |name, mat| {
            wanted.push((name.to_owned(), vec![mat.rows(), mat.cols()]));
            Ok(())
        })?;
        wanted.extend(self.flips.wanted(checkpoint));
        checkpoint.expect(wanted.iter().map(|(n, s)| (n.as_str(), s.as_slice())))?;
        // Levels of a cascade are in no tensor's shape: that the same tensors mean the same is known by the recipe alone.
        if checkpoint.meta::<String>("recipe")? != self.recipe.hash() {
            return Err(
                Error::checkpoint("the checkpoint was written by another recipe").with_hint(OTHER_RECIPE)
            );
        }
        self.visit(&mut |name, mat| fill(mat, checkpoint.tensor(name)?))?;
        self.flips.restore(&self.learner.network, checkpoint);
        let optimiser = [checkpoint.meta("optimiser-step")?, checkpoint.meta("optimiser-origin")?];
        self.learner.set_updates(checkpoint.meta("step")?, optimiser);
        Ok(())
    }
}

/// Refuses a checkpoint whose connections have other states beside their weights than the synapses of `network`.
fn same_synapse(network: &Network, checkpoint: &Checkpoint) -> Result<()> {
    for c in &network.connections {
        // Connections without weights keep nothing.
        let known = &c.synapse.states()[..c.states.len()];
        // States are named `<connection>.<synapse>.<state>`; weights have no second dot.
        let of = |t: &'_ Tensor| Some(t.name.strip_prefix(&c.name)?.strip_prefix('.')?.to_owned());
        let found: Vec<String> =
            checkpoint.tensors.iter().filter_map(of).filter(|s| s.contains('.')).collect();
        let missing = known.iter().find(|s| !found.iter().any(|f| f == *s));
        let extra = found.iter().find(|f| !known.contains(f));
        let message = match (missing, extra) {
            (Some(name), _) => {
                format!("the synapses of {} need `{name}`, which the checkpoint lacks", c.name)
            }
            (None, Some(name)) => {
                format!("the checkpoint has `{name}` of {}, which its synapses do not know", c.name)
            }
            (None, None) => continue,
        };
        return Err(Error::checkpoint(message).with_hint(OTHER_RECIPE));
    }
    Ok(())
}

fn tensor(name: &str, mat: &Mat) -> Tensor {
    let data = match mat.dtype() {
        DType::F32 => TensorData::F32(mat.slice::<f32>().to_vec()),
        DType::F64 => TensorData::F64(mat.slice::<f64>().to_vec()),
    };
    Tensor { name: name.to_owned(), shape: vec![mat.rows(), mat.cols()], data }
}

pub(super) fn fill(mat: &mut Mat, tensor: &Tensor) -> Result<()> {
    match (&tensor.data, mat.dtype()) {
        (TensorData::F32(values), DType::F32) => mat.slice_mut::<f32>().copy_from_slice(values),
        (TensorData::F64(values), DType::F64) => mat.slice_mut::<f64>().copy_from_slice(values),
        _ => {
            return Err(Error::checkpoint(format!(
                "tensor `{}` has another number type than the network",
                tensor.name
            ))
            .with_hint(OTHER_RECIPE));
        }
    }
    Ok(())
}
