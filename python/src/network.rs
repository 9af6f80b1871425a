//! One network from Python: look, learn, and read or write what is learned.

use crate::arrays::{array_of, places};
use crate::errors::{argument, raise};
use crate::inner::Inner;
use crate::progress;
use crate::recipe::Recipe;
use crate::steps::{answers, array_with, shown, state_dict, state_of, timing};
use crate::tables::{checked, named, outcome};
use crate::threads::{compute, watch};
use bouton::Error;
use bouton::credit::{Batch, GradCollector, outside};
use bouton::network::Shape;
use bouton::train::{Checkpoints, Learner, Pace, RunDir, Trainer};
use bouton_kernels::Mat;
use pyo3::prelude::*;
use pyo3::sync::MutexExt;
use pyo3::types::{PyDict, PyList};
use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The network of a recipe with its credit rule and optimiser, fed by hand.
///
/// Fed with what a run sees, it learns what the run learns, to the bit. What `[task]` says about samples (which, how
/// varied, in how many epochs) and `[run]` about tests and files is the caller's to do; all else is done here, or refused
/// with an exception. Recipes that act where tasks end (anchors, replay, outputs or normalisation by task, schedules that
/// begin again, forgetting the optimiser) want to be told: `begin_task()`, some `epoch(x, y)`, `end_task(x, y)`.
///
/// Targets `y` are class numbers, (samples,), or, where the recipe's task is a regression, floating-point values,
/// (samples, outputs), of one output also (samples,).
///
/// `samples` is the number of training samples, for rules that remember a state of each; default: the recipe's.
#[pyclass(frozen, module = "bouton")]
pub struct Network {
    inner: Mutex<Inner>,
}

impl Network {
    /// Waits for other calls without keeping the interpreter, which they need to come to an end.
    fn lock(&self, py: Python<'_>) -> MutexGuard<'_, Inner> {
        // A panic while computing left plain numbers behind: still better than a network that can never be used.
        self.inner.lock_py_attached(py).unwrap_or_else(PoisonError::into_inner)
    }
}

#[pymethods]
impl Network {
    #[new]
    #[pyo3(signature = (recipe, samples=None))]
    fn new(py: Python<'_>, recipe: &Bound<'_, PyAny>, samples: Option<usize>) -> PyResult<Self> {
        let recipe = Recipe::new(recipe, None)?;
        let inner = compute(py, || Inner::new(&recipe.inner, samples))?.map_err(|e| raise(py, &e))?;
        Ok(Self { inner: Mutex::new(inner) })
    }

    /// The network of a run with the weights of its newest checkpoint; `recipe` in the place of the run's own, if given.
    #[staticmethod]
    #[pyo3(signature = (run, recipe=None))]
    fn load(py: Python<'_>, run: PathBuf, recipe: Option<&Recipe>) -> PyResult<Self> {
        let loaded = || -> bouton::Result<Inner> {
            let dir = RunDir::open(run)?;
            let own = bouton::recipe::Recipe::load(dir.recipe())?;
            let mut inner = Inner::new(recipe.map_or(&own, |r| &r.inner), None)?;
            let Some(found) = Checkpoints::new(dir.checkpoints(), None).newest()? else {
                let message = format!("{} has no checkpoint", dir.path().display());
                return Err(Error::checkpoint(message).with_hint("let it train for an epoch first"));
            };
            Trainer::restore_network(&mut inner.hand.learner.network, &found.checkpoint)?;
            Ok(inner)
        };
        Ok(Self { inner: Mutex::new(compute(py, loaded)?.map_err(|e| raise(py, &e))?) })
    }

    /// The recipe that it was made from.
    #[getter]
    fn recipe(&self, py: Python<'_>) -> Recipe {
        Recipe { inner: self.lock(py).hand.learner.recipe.clone() }
    }

    /// Updates made so far.
    #[getter]
    fn updates(&self, py: Python<'_>) -> u64 {
        self.lock(py).hand.learner.update()
    }

    /// Whether every synapse takes a proposed change as it is and keeps nothing beside its weight.
    #[getter]
    fn plain(&self, py: Python<'_>) -> bool {
        let inner = self.lock(py);
        inner
            .net()
            .connections
            .iter()
            .all(|c| c.synapse.states().is_empty() && !c.synapse.info().own_step_size)
    }

    /// Names and sizes of the populations, the input first.
    #[getter]
    fn populations(&self, py: Python<'_>) -> Vec<(String, usize)> {
        self.lock(py).net().populations.iter().map(|p| (p.name.clone(), p.units)).collect()
    }

    /// Channels, height and width of every population by name; units without places are channels of one pixel.
    ///
    /// Rows of states are in the order height, width, channel.
    #[getter]
    fn shapes<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let inner = self.lock(py);
        let d = PyDict::new(py);
        for population in &inner.net().populations {
            let Shape { height, width, channels } = population.shape;
            d.set_item(&population.name, (channels, height, width))?;
        }
        Ok(d)
    }

    /// Begins the next task of the recipe's sequence; returns its number, from 0. What a recipe does where tasks end
    /// (anchors, replay, outputs and normalisation by task, schedules, forgetting the optimiser) needs to know.
    fn begin_task(&self, py: Python<'_>) -> PyResult<usize> {
        self.lock(py).hand.begin_task().map_err(|e| raise(py, &e))
    }

    /// Ends the task. Its training samples, in their own order, serve anchors that measure what was important, and
    /// balanced replay, which keeps some; other recipes need none.
    #[pyo3(signature = (x=None, y=None))]
    fn end_task(
        &self,
        py: Python<'_>,
        x: Option<&Bound<'_, PyAny>>,
        y: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<()> {
        let mut inner = self.lock(py);
        let batch = match (x, y) {
            (Some(x), Some(y)) => Some(inner.batch(x, Some(y))?),
            (None, None) => None,
            _ => {
                return Err(argument(
                    py,
                    "DataError",
                    "samples without targets",
                    "pass both x and y, or neither",
                ));
            }
        };
        let hand = &mut inner.hand;
        compute(py, || hand.end_task(batch.as_ref()))?.map_err(|e| raise(py, &e))
    }

    /// Learns from all samples of the present task once, in batches and an order as the recipe says (`task.<set>.batch`,
    /// `shuffle`), at the schedule's rate of this epoch; returns what the epoch came to. Ctrl-C stops it between updates.
    #[pyo3(signature = (x, y, rate=1.0))]
    fn epoch<'py>(
        &self,
        py: Python<'py>,
        x: &Bound<'py, PyAny>,
        y: &Bound<'py, PyAny>,
        rate: f64,
    ) -> PyResult<Bound<'py, PyDict>> {
        let mut inner = self.lock(py);
        let batch = inner.batch(x, Some(y))?;
        let hand = &mut inner.hand;
        let step = watch(py, |stop| hand.epoch(&batch, rate, stop))?;
        outcome(py, &step.map_err(|e| raise(py, &e))?)
    }

    /// Outputs after the free phase, (samples, outputs); with the normalisation of `task`, if tasks have their own. With
    /// `draw`, as training pass number `draw` answers: with its dropout and noise, normalised by the batch, which running
    /// statistics take in.
    #[pyo3(signature = (x, task=None, draw=None))]
    fn forward<'py>(
        &self,
        py: Python<'py>,
        x: &Bound<'py, PyAny>,
        task: Option<i64>,
        draw: Option<u64>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let mut inner = self.lock(py);
        let task = inner.task(py, task)?;
        let batch = inner.batch(x, None)?;
        let key = draw.map(|draw| inner.pass(draw));
        let learner = &mut inner.hand.learner;
        let out = compute(py, || {
            let answer = |l: &mut Learner| {
                outside::forward(&*l.credit, &mut l.network, &batch, &*l.objective, key.as_ref())
            };
            match task {
                Some(task) => learner.as_after(task, answer),
                None => answer(learner),
            }
        })?;
        array_with(py, out.map_err(|e| raise(py, &e))?, answers(inner.net()))
    }

    /// Every phase of the credit rule: strength, states and residuals. Free phases start from zero.
    fn relax<'py>(
        &self,
        py: Python<'py>,
        x: &Bound<'py, PyAny>,
        y: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyList>> {
        let inner = self.lock(py);
        let batch = inner.batch(x, Some(y))?;
        let Learner { recipe, network: net, objective, .. } = &inner.hand.learner;
        let key = inner.hand.learner.key();
        let phases = compute(py, || {
            // A rule of its own: the learning one may remember states of other samples.
            let credit = recipe.credit.build(&recipe.solver, net, batch.len())?;
            credit.phases(net, &batch, &**objective, &key)
        })?;
        let list = PyList::empty(py);
        for phase in phases.map_err(|e| raise(py, &e))? {
            let states = PyDict::new(py);
            for (node, out) in net.populations.iter().zip(phase.out).filter(|(_, out)| out.rows() > 0) {
                states.set_item(&node.name, array_of(py, out)?)?;
            }
            let d = PyDict::new(py);
            d.set_item("beta", phase.beta)?;
            d.set_item("states", states)?;
            d.set_item("residual", numpy::PyArray1::from_vec(py, phase.residual))?;
            list.append(d)?;
        }
        Ok(list)
    }

    /// The gradient of the mean loss with respect to every parameter; nothing changes.
    fn gradients<'py>(
        &self,
        py: Python<'py>,
        x: &Bound<'py, PyAny>,
        y: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyDict>> {
        let mut inner = self.lock(py);
        let batch = inner.batch(x, Some(y))?;
        let key = inner.hand.learner.key();
        let Learner { recipe, network: net, objective, .. } = &mut inner.hand.learner;
        let collected = compute(py, || -> bouton::Result<GradCollector> {
            // A rule of its own: the remembered states of the learning one stay as they are.
            let mut credit = recipe.credit.build(&recipe.solver, net, batch.len())?;
            let mut sink = GradCollector::default();
            let norms = net.norms();
            let learned = credit.learn(net, &batch, &**objective, &mut sink, &key);
            // Running statistics saw the batch.
            net.set_norms(&norms);
            learned.map(|_| sink)
        })?;
        named(py, net, collected.map_err(|e| raise(py, &e))?)
    }

    /// For a gradient `g` of some loss with respect to the outputs of `forward(x, draw=draw)`: the gradients of the
    /// parameters, summed over samples, and of the input; zeros for what the recipe's objective learns, and no gradient of the input
    /// where an encoder makes spikes or events of its numbers.
    #[pyo3(signature = (x, g, draw=None))]
    fn backward<'py>(
        &self,
        py: Python<'py>,
        x: &Bound<'py, PyAny>,
        g: &Bound<'py, PyAny>,
        draw: Option<u64>,
    ) -> PyResult<(Bound<'py, PyDict>, Option<Bound<'py, PyAny>>)> {
        let mut inner = self.lock(py);
        let (batch, given, came) = inner.outside(x, g)?;
        let key = draw.map_or_else(|| inner.hand.learner.key(), |draw| inner.pass(draw));
        let Learner { recipe, network: net, .. } = &mut inner.hand.learner;
        let found = compute(py, || -> bouton::Result<(GradCollector, Option<Mat>)> {
            // A rule of its own: the remembered states of the learning one stay as they are.
            let mut credit = recipe.credit.build(&recipe.solver, net, batch.len())?;
            outside::gradients(&mut *credit, net, &batch, &given, &key, draw.is_some())
        });
        let (parameters, input) = found?.map_err(|e| raise(py, &e))?;
        Ok((named(py, net, parameters)?, input.map(|input| came.back(py, input)).transpose()?))
    }

    /// One update of the network's own optimiser and synapses by these gradients of some loss; parameters without one have
    /// gradient zero. Of weights that are distributions they belong to the one draw that `forward` showed. `rate` and `epoch`
    /// as in `step`.
    #[pyo3(signature = (gradients, rate=1.0, epoch=None))]
    fn apply(
        &self,
        py: Python<'_>,
        gradients: &Bound<'_, PyDict>,
        rate: f64,
        epoch: Option<u64>,
    ) -> PyResult<()> {
        let mut inner = self.lock(py);
        let all = inner.net().parameters();
        let shapes = all.iter().map(|(_, name, m)| (name.clone(), (m.rows(), m.cols()))).collect();
        let ids: HashMap<String, _> = all.into_iter().map(|(id, name, _)| (name, id)).collect();
        let gradients = checked(py, gradients, &shapes, inner.net().dtype)?;
        let gradients = gradients.into_iter().map(|(name, g)| (ids[&name], g)).collect();
        let hand = &mut inner.hand;
        compute(py, || hand.apply(&gradients, Pace { epoch, rate }))?.map_err(|e| raise(py, &e))
    }

    /// Learns from one batch, averaged over `run.train-draws`; returns what the batch came to before the update: its mean
    /// loss, accuracy and error of classes, or mse, mae and r2 of values, and what the phases of the rule needed.
    ///
    /// `ids` are the places of the samples in the training set of the task, for rules that remember them; `rate` is a
    /// factor on the learning rates; `epoch`, within the task, is for schedules.
    #[pyo3(signature = (x, y, ids=None, rate=1.0, epoch=None))]
    fn step<'py>(
        &self,
        py: Python<'py>,
        x: &Bound<'py, PyAny>,
        y: &Bound<'py, PyAny>,
        ids: Option<&Bound<'py, PyAny>>,
        rate: f64,
        epoch: Option<u64>,
    ) -> PyResult<Bound<'py, PyDict>> {
        let mut inner = self.lock(py);
        let Batch { x, target, .. } = inner.batch(x, Some(y))?;
        let ids = ids.map(|ids| places(ids, target.rows())).transpose()?;
        let hand = &mut inner.hand;
        let step = compute(py, || hand.learn(x, target, ids, Pace { epoch, rate }))?;
        outcome(py, &step.map_err(|e| raise(py, &e))?)
    }

    /// What a batch comes to, without learning: by the mean weights where weights are distributions, or by
    /// `run.test-draws` of them; as task `task` is tested, if tasks differ.
    #[pyo3(signature = (x, y, task=None))]
    fn evaluate<'py>(
        &self,
        py: Python<'py>,
        x: &Bound<'py, PyAny>,
        y: &Bound<'py, PyAny>,
        task: Option<i64>,
    ) -> PyResult<Bound<'py, PyDict>> {
        let mut inner = self.lock(py);
        let task = inner.task(py, task)?;
        let batch = inner.batch(x, Some(y))?;
        let hand = &mut inner.hand;
        let step = compute(py, || hand.evaluate(&batch, task))?;
        outcome(py, &step.map_err(|e| raise(py, &e))?)
    }

    /// Where `samples` sequences are before their first step, for `stream`: a dict of arrays.
    fn start<'py>(&self, py: Python<'py>, samples: usize) -> PyResult<Bound<'py, PyDict>> {
        let inner = self.lock(py);
        let net = inner.net();
        state_dict(py, net, &net.at_rest(timing(py, net)?, samples))
    }

    /// The next step of some sequences, x (samples, numbers), or the next steps, x (steps, samples, numbers), behind any encoder, from
    /// `state` on: the outputs of every step, and the state after them. A call for all steps or one for each come to the same
    /// bits; nothing learns, and `state` stays as it is.
    fn stream<'py>(
        &self,
        py: Python<'py>,
        x: &Bound<'py, PyAny>,
        state: &Bound<'py, PyDict>,
    ) -> PyResult<(Bound<'py, PyAny>, Bound<'py, PyDict>)> {
        let inner = self.lock(py);
        let net = inner.net();
        let (time, (x, steps)) = (timing(py, net)?, shown(net, x)?);
        let state = state_of(net, state, x.rows() / steps.unwrap_or(1))?;
        let moved = compute(py, || net.stream(time, x.view(), &state))?;
        let (out, next) = moved.map_err(|e| raise(py, &e))?;
        let shape = steps.map(|steps| (steps, x.rows() / steps, out.cols()));
        let out = array_of(py, out)?;
        let out = shape.map_or(Ok(out.clone()), |shape| out.call_method1("reshape", shape))?;
        Ok((out, state_dict(py, net, &next)?))
    }

    /// Weights, biases and other learned numbers by name, such as `objective.temperature`, (1, 1).
    #[getter]
    fn weights<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let inner = self.lock(py);
        let d = PyDict::new(py);
        for (_, name, mat) in inner.net().parameters() {
            d.set_item(name, array_of(py, mat.clone())?)?;
        }
        Ok(d)
    }

    /// Replaces the named weights, biases, other learned numbers, running statistics and states of synapses, all or none.
    fn set_weights(&self, py: Python<'_>, weights: &Bound<'_, PyDict>) -> PyResult<()> {
        let mut inner = self.lock(py);
        let mut shapes = HashMap::new();
        let see = &mut |name: &str, mat: &mut Mat| {
            shapes.insert(name.to_owned(), (mat.rows(), mat.cols()));
            Ok(())
        };
        inner.hand.learner.network.visit(see).map_err(|e| raise(py, &e))?;
        let new = checked(py, weights, &shapes, inner.net().dtype)?;
        inner.accepts(py, &new)?;
        let put = |name: &str, mat: &mut Mat| {
            if let Some(values) = new.get(name) {
                mat.copy_from(values.view());
            }
            Ok(())
        };
        inner.hand.learner.network.visit(&mut { put }).map_err(|e| raise(py, &e))
    }

    /// Weights, biases, optimiser state and remembered states by their names in checkpoints.
    fn state_dict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let mut inner = self.lock(py);
        let mut found = Vec::new();
        inner
            .hand
            .visit(&mut |name, mat| {
                found.push((name.to_owned(), mat.clone()));
                Ok(())
            })
            .map_err(|e| raise(py, &e))?;
        let d = PyDict::new(py);
        for (name, mat) in found {
            d.set_item(name, array_of(py, mat)?)?;
        }
        d.set_item("updates", inner.hand.learner.update())?;
        progress::save(&mut inner.hand, &d)?;
        Ok(d)
    }

    /// Goes back to a [`Network::state_dict`], or stays as it is if the state does not fit.
    fn load_state_dict(&self, py: Python<'_>, state: &Bound<'_, PyDict>) -> PyResult<()> {
        let mut inner = self.lock(py);
        let tensors = state.copy()?;
        let wrong = |name: &str| {
            let hint = "pass the state of a network of the same recipe, as state_dict() gave it";
            argument(py, "CheckpointError", &format!("the state has no `{name}`"), hint)
        };
        let updates: u64 = tensors.get_item("updates")?.ok_or_else(|| wrong("updates"))?.extract()?;
        tensors.del_item("updates")?;
        let progress = progress::read(&inner.hand, &tensors)?;
        let before = inner.hand.learner.expect(progress.ended());
        let mut shapes = HashMap::new();
        let known = inner.hand.visit(&mut |name, mat| {
            shapes.insert(name.to_owned(), (mat.rows(), mat.cols()));
            Ok(())
        });
        let dtype = inner.net().dtype;
        let new = known.map_err(|e| raise(py, &e)).and_then(|()| checked(py, &tensors, &shapes, dtype));
        let missing = |new: &HashMap<String, Mat>| shapes.keys().find(|name| !new.contains_key(*name));
        let new = new.and_then(|new| missing(&new).map_or(Ok(()), |name| Err(wrong(name))).map(|()| new));
        let new = new.and_then(|new| inner.accepts(py, &new).map(|()| new));
        let new = new.inspect_err(|_| inner.hand.learner.history = before)?;
        let filled = inner.hand.visit(&mut |name, mat| {
            mat.copy_from(new[name].view());
            Ok(())
        });
        progress.set(&mut inner.hand, updates);
        filled.map_err(|e| raise(py, &e))
    }

    /// Pickled and copied networks go on bit for bit.
    fn __reduce__<'py>(slf: &Bound<'py, Self>) -> PyResult<Reduced<'py>> {
        let (py, this) = (slf.py(), slf.get());
        let samples = this.lock(py).samples;
        Ok((slf.get_type().into_any(), (this.recipe(py), samples), this.state_dict(py)?))
    }

    fn __setstate__(&self, py: Python<'_>, state: &Bound<'_, PyDict>) -> PyResult<()> {
        self.load_state_dict(py, state)
    }

    fn __repr__(&self, py: Python<'_>) -> String {
        let inner = self.lock(py);
        let learner = &inner.hand.learner;
        let layers: Vec<String> = learner.network.populations.iter().map(|p| p.units.to_string()).collect();
        format!(
            "<bouton.Network {} {} after {} updates>",
            learner.recipe.name,
            layers.join("-"),
            learner.update()
        )
    }
}

/// How to make a network again: its class, what to call that with, and its state.
type Reduced<'py> = (Bound<'py, PyAny>, (Recipe, Option<usize>), Bound<'py, PyDict>);
