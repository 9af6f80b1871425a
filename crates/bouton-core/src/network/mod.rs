//! Populations joined by connections: everything that is learned, nothing that has a batch dimension.
//!
//! - [`Network`]: the parts, and their parameters by name (this file).
//! - [`Connection`]: wiring, pooling, weight and synapses between two populations.
//! - `verbs`: what credit rules and solvers do with a network: drive, backward, contrast.
//! - [`State`]: activity of a batch.

#[cfg(test)]
pub(crate) mod by_hand;
mod connection;
mod grad;
mod node;
mod operations;
mod params;
mod signs;
mod spec;
mod state;
mod summary;
mod time;
mod verbs;

pub use crate::shape::Shape;
pub use crate::wiring::{PoolSpec, SoftPool};
pub use connection::{Carries, Connection, Feedback};
pub(crate) use grad::add_at;
pub use grad::{Grad, GradSink};
pub use node::Node;
pub use operations::{Activations, Conveyed, Operations};
pub use params::{OwnParam, Owner, ParamId};
pub use signs::{Back, Draw, Signs};
pub use spec::{ConvLayer, ImageLayer, Kernel, Layer, NetworkSpec, Skip};
pub use state::{Constant, LinearisationPoint, State};
pub use time::{
    Carry, Clock, Directions, LastSteps, Path, Rates, Reading, Sent, Slope, Tangent, Timing, Trace,
    sample_by_sample, step_by_step,
};
pub use verbs::{ForwardCache, Term};

use params::{BIAS, GAIN, OWN, WEIGHT};

use crate::error::{Error, Result};
use crate::neuron::Population;
use crate::norm::Norm;
use crate::rng::Key;
use crate::synapse::{ElementwiseSynapse, Plain, Synapse};
use crate::wiring::{Identity, Wiring};
use bouton_kernels::{DType, Mat, WeightMat, dispatch};

/// Index of a population.
pub type PopId = usize;
/// Index of a connection.
pub type ConnId = usize;
/// Sees every persistent matrix under its name; may replace its contents.
pub type Visitor<'a> = dyn FnMut(&str, &mut Mat) -> Result<()> + 'a;

/// What decides the output of a population.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// The data.
    Clamped,
    /// Its own dynamics, until a fixed point.
    Settling,
    /// One step after the populations before it: feed-forward nets and readouts.
    Forward,
    /// A step whenever the data make one.
    Stepping,
}

/// A parameter to change and what decides how. Learning goes by [`crate::optim::Updater`]; differences of a loss move it by hand.
#[derive(Debug)]
pub struct Parameter<'a> {
    /// Its value.
    pub value: &'a mut WeightMat,
    /// The wiring that it belongs to; that of vectors of units is the identity.
    pub wiring: &'a dyn Wiring,
    /// How it takes a proposal.
    pub synapse: &'a dyn Synapse,
    /// The states of its synapses, as large as the value.
    pub states: &'a mut [Mat],
}

/// Populations joined by connections.
#[derive(Debug)]
pub struct Network {
    /// Number type of states and weights.
    pub dtype: DType,
    /// Clamped ones first; feed-forward populations stand after what drives them, and the output last.
    pub populations: Vec<Node>,
    /// In the order of the layer chain, then skips.
    pub connections: Vec<Connection>,
    /// Learned numbers of the objective's own, [1, 1] each.
    pub objective: Vec<OwnParam>,
    /// How it moves while its input moves; none if a sample is seen once.
    pub time: Option<Timing>,
    plain: Box<dyn Synapse>,
}

impl Network {
    /// A network of these parts.
    pub fn new(dtype: DType, populations: Vec<Node>, connections: Vec<Connection>) -> Self {
        let plain = Box::new(ElementwiseSynapse(Plain {}));
        Self { dtype, populations, connections, objective: Vec::new(), time: None, plain }
    }

    /// Puts other units in the place of those of `pop`, with numbers of their own drawn by `key`.
    pub fn set_model(&mut self, pop: PopId, model: Box<dyn Population>, key: &Key) {
        let node = &mut self.populations[pop];
        node.own = OwnParam::all(&*model, self.dtype, node.shape.channels, key);
        node.model = model;
    }

    /// Tells every synapse that a task ended.
    pub fn on_task_end(&mut self) {
        for c in &mut self.connections {
            let mut states: Vec<_> = c.states.iter_mut().map(Mat::view_mut).collect();
            c.weight.update(|w| c.synapse.on_task_end(w, &mut states));
        }
    }

    /// The weights that are samples of distributions.
    pub fn sampled_weights(&self) -> Vec<(ConnId, Mat)> {
        let sampled = self.connections.iter().enumerate().filter(|(_, c)| c.synapse.info().bayesian);
        sampled.map(|(id, c)| (id, c.weight.mat().clone())).collect()
    }

    /// Puts fresh samples, drawn by `key`, in the place of weights that are samples of distributions, or means without it.
    pub fn set_sampled_weights(&mut self, key: Option<&Key>) {
        for (id, c) in self.connections.iter_mut().enumerate().filter(|(_, c)| c.synapse.info().bayesian) {
            let key = key.map(|key| c.draws(key, "connection", id).number());
            let mut states: Vec<_> = c.states.iter_mut().map(Mat::view_mut).collect();
            c.weight.update(|w| c.synapse.sample_or_mean(key, w, &mut states));
        }
    }

    /// Puts back what [`Network::sampled_weights`] returned.
    pub fn restore_weights(&mut self, samples: &[(ConnId, Mat)]) {
        for (id, sample) in samples {
            self.connections[*id].weight.update(|mut w| w.copy_from(sample.view()));
        }
    }

    /// Flips the sign of some weights of connection `c`, by their indices, row by row; doing it twice changes nothing.
    pub fn flip(&mut self, c: ConnId, weights: &[usize]) {
        self.connections[c].weight.update(|mut w| {
            dispatch!(w.dtype(), T => {
                let values = w.slice_mut::<T>();
                weights.iter().for_each(|&i| values[i] = -values[i]);
            });
        });
    }

    /// Whether a population shows the data.
    pub fn is_clamped(&self, pop: PopId) -> bool {
        self.populations[pop].role == Role::Clamped
    }

    /// Whether a population moves in time.
    pub fn is_stepping(&self, pop: PopId) -> bool {
        self.populations[pop].role == Role::Stepping
    }

    /// Columns of a sample, which the clamped populations show; several may show the same ones, and steps of time follow each other.
    pub fn features(&self) -> usize {
        if let Some(time) = &self.time {
            return time.own.all();
        }
        self.with_role(Role::Clamped).map(|p| self.populations[p].columns.end).max().unwrap_or(0)
    }

    /// The shape of a sample: that of the first clamped population if it shows all of it, else of a row.
    pub fn sample_shape(&self) -> Shape {
        let whole = self.populations[self.input()].shape;
        if whole.units() == self.features() {
            whole
        } else {
            Shape { height: 1, width: 1, channels: self.features() }
        }
    }

    /// The first clamped population.
    pub fn input(&self) -> PopId {
        0
    }

    /// The population that is compared with the target: the last one.
    pub fn output(&self) -> PopId {
        self.populations.len() - 1
    }

    /// The settling population that a nudge acts on: the last one that settles.
    pub fn nudged(&self) -> Option<PopId> {
        self.with_role(Role::Settling).last()
    }

    /// Populations of one role, in order.
    pub fn with_role(&self, role: Role) -> impl DoubleEndedIterator<Item = PopId> + '_ {
        (0..self.populations.len()).filter(move |&p| self.populations[p].role == role)
    }

    /// Every parameter with its name, forward weights first.
    pub fn parameters(&self) -> Vec<(ParamId, String, &Mat)> {
        let weights = self.connections.iter().enumerate().filter(|(_, c)| !c.weight.mat().is_empty());
        let forward =
            weights.clone().map(|(i, c)| (ParamId::weight(i), format!("{}.weight", c.name), c.weight.mat()));
        let back = weights.filter_map(|(i, c)| {
            Some((ParamId::feedback(i), format!("{}.feedback", c.name), c.feedback.own()?.mat()))
        });
        let biases = self.populations.iter().enumerate().filter_map(|(i, p)| {
            p.bias.as_ref().map(|b| (ParamId::bias(i), format!("{}.bias", p.name), b.mat()))
        });
        let gains = self.populations.iter().enumerate().filter_map(|(i, p)| {
            let gain = p.norm.as_ref()?.gain.as_ref()?;
            Some((ParamId::gain(i), format!("{}.gain", p.name), gain.mat()))
        });
        let own = self.populations.iter().enumerate().flat_map(|(i, p)| {
            let learned = p.own.iter().enumerate().filter(|(_, own)| own.learned);
            learned.map(move |(k, own)| {
                (ParamId::own(i, k), format!("{}.{}", p.name, own.name), own.value.mat())
            })
        });
        let of_objective = self.objective.iter().enumerate();
        let of_objective = of_objective
            .map(|(k, o)| (ParamId::objective(k), format!("objective.{}", o.name), o.value.mat()));
        forward.chain(back).chain(biases).chain(gains).chain(own).chain(of_objective).collect()
    }

    /// Number of weights, biases and other learned numbers.
    pub fn parameter_count(&self) -> usize {
        self.parameters().iter().map(|(_, _, m)| m.rows() * m.cols()).sum()
    }

    /// The values of a parameter; none if the network does not have it.
    pub fn value(&self, id: ParamId) -> Option<&Mat> {
        match (id.owner(), id.slot()) {
            (Owner::Connection(c), WEIGHT) => Some(self.connections[c].weight.mat()),
            (Owner::Connection(c), _) => self.connections[c].feedback.own().map(WeightMat::mat),
            (Owner::Population(p), BIAS) => self.populations[p].bias.as_ref().map(WeightMat::mat),
            (Owner::Population(p), GAIN) => {
                self.populations[p].norm.as_ref().and_then(|norm| norm.gain.as_ref()).map(WeightMat::mat)
            }
            _ => self.own(id).map(|own| own.value.mat()),
        }
    }

    /// Place in the layer chain that a parameter belongs to; one of units belongs to the connection that enters them, one of
    /// the objective to the last.
    pub fn layer_of(&self, id: ParamId) -> usize {
        let enters = |c: &Connection, p: PopId| c.post == p && c.carries_activity();
        let entering = |p| self.connections.iter().find(|c| enters(c, p)).map_or(0, |c| c.layer);
        match id.owner() {
            Owner::Connection(c) => self.connections[c].layer,
            Owner::Population(p) => entering(p),
            Owner::Objective => entering(self.output()),
        }
    }

    /// Whether a parameter moves.
    pub(crate) fn learns(&self, id: ParamId) -> bool {
        let Owner::Connection(c) = id.owner() else { return true };
        let connection = &self.connections[c];
        connection.learns && (id.slot() == WEIGHT || connection.feedback.learns())
    }

    /// Whether what an update moves is the gradient of a loss: no connection carries errors or activity alone, or sends errors back
    /// through other weights than its own.
    pub fn follows_gradient(&self) -> bool {
        let same =
            |c: &Connection| self.populations[c.pre].role == Role::Settling || c.feedback.own().is_none();
        self.connections.iter().all(|c| c.carries == Carries::Both && same(c))
    }

    /// Draws again what feedback has that is new for every batch.
    pub(crate) fn draw_feedback(&mut self, key: &Key) {
        for c in &mut self.connections {
            if let Feedback::Signs(signs) = &mut c.feedback {
                signs.draw_again(&key.of("feedback", 0).of(&c.name, 0));
            }
        }
    }

    /// The learning rate of a parameter's own, in the place of the optimiser's.
    pub(crate) fn rate_of(&self, id: ParamId) -> Option<f64> {
        if let Owner::Connection(c) = id.owner() { self.connections[c].lr } else { None }
    }

    /// What an anchor holds: the parameter, or the hidden weight of its synapses if it wants that and there is one.
    pub fn anchored(&self, id: ParamId, hidden: bool) -> &Mat {
        if let (Owner::Connection(c), WEIGHT) = (id.owner(), id.slot())
            && let Some(h) = self.connections[c].synapse.info().latent.filter(|_| hidden)
        {
            return &self.connections[c].states[h];
        }
        self.value(id).expect("the parameter is one of this network")
    }

    /// The wiring that a weight belongs to.
    pub(crate) fn wiring_of(&self, id: ParamId) -> &dyn Wiring {
        if let Owner::Connection(c) = id.owner() { &*self.connections[c].wiring } else { &Identity }
    }

    /// A parameter to change. Those of units are plain.
    pub fn parameter_mut(&mut self, id: ParamId) -> Parameter<'_> {
        let Self { populations, connections, plain, objective, .. } = self;
        let units = |value| Parameter { value, wiring: &Identity, synapse: &**plain, states: &mut [] };
        match (id.owner(), id.slot()) {
            (Owner::Connection(c), WEIGHT) => {
                let Connection { weight, synapse, wiring, states, .. } = &mut connections[c];
                Parameter { value: weight, wiring: &**wiring, synapse: &**synapse, states }
            }
            (Owner::Connection(c), _) => {
                let Connection { feedback, synapse, wiring, .. } = &mut connections[c];
                let value = feedback.own_mut().expect("parameters() lists it");
                Parameter { value, wiring: &**wiring, synapse: &**synapse, states: &mut [] }
            }
            (Owner::Population(p), BIAS) => {
                units(populations[p].bias.as_mut().expect("parameters() lists it"))
            }
            (Owner::Population(p), GAIN) => {
                let gain = populations[p].norm.as_mut().and_then(|n| n.gain.as_mut());
                units(gain.expect("parameters() lists it"))
            }
            (Owner::Population(p), k) => populations[p].own[k - OWN].parameter(),
            (Owner::Objective, k) => objective[k].parameter(),
        }
    }

    /// The values of the objective's own parameters.
    pub fn objective_values(&self) -> Vec<f64> {
        self.objective.iter().map(|own| own.value.mat().get(0, 0)).collect()
    }

    /// What belongs to the normalisations: γ, b and running means of every normalised population.
    pub fn norms(&self) -> Vec<Mat> {
        let of = |p: &Node| {
            let norm = p.norm.as_ref()?;
            let learned = [&norm.gain, &p.bias].into_iter().flatten().map(|w| w.mat().clone());
            let running = norm.statistics().into_iter().map(|(_, mat)| mat.clone());
            Some(learned.chain(running).collect::<Vec<_>>())
        };
        self.populations.iter().filter_map(of).flatten().collect()
    }

    /// Puts back what [`Network::norms`] returned.
    pub fn set_norms(&mut self, norms: &[Mat]) {
        let mut norms = norms.iter();
        for p in &mut self.populations {
            let Some(norm) = &mut p.norm else { continue };
            for operand in [&mut norm.gain, &mut p.bias].into_iter().flatten() {
                norms.next().into_iter().for_each(|mat| operand.update(|mut w| w.copy_from(mat.view())));
            }
            for (_, statistic) in norm.statistics_mut() {
                norms.next().into_iter().for_each(|mat| statistic.view_mut().copy_from(mat.view()));
            }
        }
    }

    /// A number of a unit's or of the objective's own; none for other parameters.
    fn own(&self, id: ParamId) -> Option<&OwnParam> {
        match id.owner() {
            Owner::Connection(_) => None,
            Owner::Population(p) => self.populations[p].own.get(id.slot().checked_sub(OWN)?),
            Owner::Objective => self.objective.get(id.slot()),
        }
    }

    /// Refuses what parameter `id`, called `name`, cannot become: values of another shape, or out of its range.
    ///
    /// # Errors
    /// [`Error::Shape`] or [`Error::Config`] with the name.
    pub fn accepts(&self, id: ParamId, name: &str, values: &Mat) -> Result<()> {
        let here = self.value(id).map(|here| (here.rows(), here.cols()));
        if here != Some((values.rows(), values.cols())) {
            return Err(Error::shape(format!("{name} changed its shape")));
        }
        self.own(id).map_or(Ok(()), |own| own.accepts(name, values))
    }

    /// Shows every parameter, the state of the synapses and running statistics to `visitor`, which may replace their
    /// contents.
    pub fn visit(&mut self, visitor: &mut Visitor<'_>) -> Result<()> {
        let names: Vec<_> = self.parameters().into_iter().map(|(id, name, _)| (id, name)).collect();
        for (id, name) in names {
            let mut copy = self.parameter_mut(id).value.mat().clone();
            visitor(&name, &mut copy)?;
            self.accepts(id, &name, &copy)?;
            let operand = self.parameter_mut(id).value;
            if &copy != operand.mat() {
                operand.update(|mut w| w.copy_from(copy.view()));
            }
        }
        for c in &mut self.connections {
            for (name, mat) in c.synapse.states().iter().zip(&mut c.states) {
                visitor(&format!("{}.{name}", c.name), mat)?;
            }
        }
        for p in &mut self.populations {
            for own in p.own.iter_mut().filter(|own| !own.learned) {
                let mut copy = own.value.mat().clone();
                let name = format!("{}.{}", p.name, own.name);
                visitor(&name, &mut copy)?;
                own.accepts(&name, &copy)?;
                own.value.update(|mut w| w.copy_from(copy.view()));
            }
            for (name, statistic) in p.norm.iter_mut().flat_map(Norm::statistics_mut) {
                visitor(&format!("{}.norm.{name}", p.name), statistic)?;
            }
        }
        Ok(())
    }
}
