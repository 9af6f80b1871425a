//! From a recipe to a network with freshly drawn weights.

use super::plan::{ConnectionKind, ConnectionPlan, NetworkPlan};
use super::{Memory, Precision, Recipe, variant_name};
use crate::error::{Error, Result};
use crate::network::{
    Carries, Connection, Draw, Feedback, Layer, Network, Node, OwnParam, PopId, Role, Shape, Signs, Timing,
};
use crate::neuron::linear;
use crate::norm::Norm;
use crate::optim::Updater;
use crate::own::Own;
use crate::rng::Key;
use crate::synapse::{ElementwiseSynapse, Plain, Site, Synapse};
use crate::wiring::{BiasInit, ConvWiring, DenseWiring, Ends, FeedbackSpec, Form, Identity, Pool, Wiring};
use bouton_kernels::{ConvShape, DType, Mat, PoolShape, WeightMat};

impl From<Precision> for DType {
    fn from(precision: Precision) -> Self {
        match precision {
            Precision::F32 => Self::F32,
            Precision::F64 => Self::F64,
        }
    }
}

impl Recipe {
    /// Its network, weights drawn from its seed.
    ///
    /// # Errors
    /// [`Error::Shape`] or [`Error::Config`] if parts do not fit, or if there is no memory for them.
    pub fn build(&self) -> Result<Network> {
        let plan = NetworkPlan::new(self)?;
        if plan.connections.is_empty() {
            return Err(Error::shape("network.layers needs an input and an output"));
        }
        Memory { learning: 0, checkpoint: 0, states: 0, data: 0, ..self.memory()? }.fits()?;
        let dtype = self.precision.into();
        let key = Key::new(self.seed).of("init", 0);
        let builder = Builder { recipe: self, plan: &plan, key, dtype };
        let populations: Vec<Node> = (0..plan.populations.len()).map(|p| builder.node(p)).collect();
        let connections = plan.connections.iter().map(|c| builder.connection(&populations, c));
        let connections = connections.collect::<Result<_>>()?;
        let mut network = Network::new(dtype, populations, connections);
        let own = self.objective.method().own();
        let draw = |own: &Own| OwnParam::new(own, dtype, 1, &mut builder.key.of(own.name, 0).stream());
        network.objective = own.iter().map(draw).collect();
        network.time = builder.timing()?;
        Ok(network)
    }

    /// What changes the weights of its `network`, with the optimisers that it names and without an anchor.
    ///
    /// # Errors
    /// Those of [`NetworkPlan::new`].
    pub fn updater(&self, network: &Network) -> Result<Updater> {
        let mut updater = Updater::new(network, self.optim.build()).seeded(self.seed).told(self.update);
        for (id, c) in NetworkPlan::new(self)?.connections.iter().enumerate() {
            if let Some(optim) = c.optim {
                updater.choose(network, id, &|| optim.build());
            }
        }
        Ok(updater)
    }
}

/// Draws the parts of a plan.
struct Builder<'a> {
    recipe: &'a Recipe,
    plan: &'a NetworkPlan<'a>,
    key: Key,
    dtype: DType,
}

impl Builder<'_> {
    fn node(&self, p: PopId) -> Node {
        let plan = &self.plan.populations[p];
        let (shape, role, dtype) = (plan.shape, plan.role, self.dtype);
        let unit = plan.neuron.method();
        let readout = role == Role::Forward && unit.traits().settles();
        let model =
            if role == Role::Clamped || readout { linear() } else { unit.population(plan.reads_out()) };
        let norm = if role == Role::Clamped { None } else { Norm::new(plan.norm, dtype, shape) };
        let own = OwnParam::all(&*model, dtype, shape.channels, &self.draws("own", p));
        Node {
            name: plan.name.clone(),
            columns: plan.columns.clone(),
            units: shape.units(),
            bias: if model.ports() > 1 { None } else { self.bias(p, norm.as_ref()) },
            shape,
            role,
            model,
            own,
            norm,
            dropout: plan.dropout,
            objective: plan.objective.map(|(objective, weight)| (objective.build(), weight)),
            noise: if role == Role::Clamped || readout { 0.0 } else { unit.traits().noise },
        }
    }

    /// Whether what a population sends is mostly zero.
    fn spikes(&self, p: PopId) -> bool {
        let plan = &self.plan.populations[p];
        match plan.role {
            Role::Clamped => self.plan.in_time() && self.recipe.spikes_are_shown(),
            _ => plan.spikes(),
        }
    }

    fn joined(&self, c: &ConnectionPlan<'_>, pre: usize, post: usize) -> Box<dyn Wiring> {
        let autapses = self.recipe.connection.get(&c.name).is_none_or(|table| table.autapses);
        let key = self.connection_draws("wiring", c);
        let (spikes, ports) = (self.spikes(c.pre), self.plan.populations[c.post].ports());
        let ends = Ends { pre, post, ports, spikes, autapses, layer: c.layer, key: &key };
        c.wiring.method().join(ends)
    }

    /// How the network moves in time, if it does.
    fn timing(&self) -> Result<Option<Timing>> {
        if !self.plan.in_time() {
            return Ok(None);
        }
        let (clock, own) = (self.recipe.clock(), self.recipe.own_steps());
        let shown = self.recipe.shown_steps().ok_or_else(|| {
            Error::shape(format!("encoder.{} cannot show this task", variant_name(&self.recipe.encoder)))
        })?;
        let (key, encoder) = (Key::new(self.recipe.seed).of("test", 0), self.recipe.encoder.clone());
        let answers_every_step = self.recipe.task.method().answers_every_step();
        Ok(Some(Timing { clock, encoder, own, shown, answers_every_step, key }))
    }

    /// Steps of the network that a connection takes; in a loop what was sent arrives a step later at the earliest.
    fn delay(&self, c: &ConnectionPlan<'_>) -> usize {
        let steps = c.delay * self.recipe.clock().substeps;
        if self.plan.in_time() && c.pre == c.post { steps.max(1) } else { steps }
    }

    /// Random numbers of a population: by its place in the chain, or by its name beside it.
    fn draws(&self, purpose: &str, p: PopId) -> Key {
        let plan = &self.plan.populations[p];
        match plan.layer {
            Some(layer) => self.key.of(purpose, layer as u64),
            None => self.key.of(purpose, 0).of(&plan.name, 0),
        }
    }

    /// The bias of a population, by the wiring of the first connection that enters it.
    fn bias(&self, p: PopId, norm: Option<&Norm>) -> Option<WeightMat> {
        let entering = self.plan.connections.iter().find(|c| c.post == p && c.carries != Carries::Errors)?;
        let dense = entering.wiring.weights();
        let shifted = norm.is_none_or(Norm::is_affine);
        (shifted && dense.bias != BiasInit::None).then(|| {
            let mut stream = self.draws("bias", p).stream();
            let bound = match dense.bias {
                _ if norm.is_some() => 0.0,
                BiasInit::Zero | BiasInit::None => 0.0,
                BiasInit::UniformFanIn => {
                    dense.gain.at(entering.layer) / (self.fan_in(entering) as f64).sqrt()
                }
            };
            let channels = self.plan.populations[p].shape.channels;
            WeightMat::new(Mat::from_fn(self.dtype, 1, channels, |_, _| {
                bound * (2.0 * stream.uniform() - 1.0)
            }))
        })
    }

    /// Weights that enter a unit through a connection.
    fn fan_in(&self, c: &ConnectionPlan<'_>) -> usize {
        let pre = self.plan.populations[c.pre].shape;
        match c.kind {
            ConnectionKind::Chain(layer) => match self.recipe.network.layers[layer] {
                Layer::Conv(conv) => pre.channels * conv.kernel.sides().into_iter().product::<usize>(),
                _ => c.wiring.method().inputs(pre.units()),
            },
            _ => c.wiring.method().inputs(pre.units()),
        }
    }

    fn connection(&self, nodes: &[Node], c: &ConnectionPlan<'_>) -> Result<Connection> {
        let (pre, post) = (&nodes[c.pre], &nodes[c.post]);
        let exact = pre.role != Role::Clamped
            && self.plan.populations[c.pre].neuron.method().traits().exact_signs
            && c.synapse.method().traits().signs();
        match c.kind {
            ConnectionKind::Chain(layer) => {
                let layer = &self.recipe.network.layers[layer];
                let (wiring, pool) = match geometry(layer, pre.shape) {
                    None => (self.joined(c, pre.units, post.units), None),
                    Some(_) => wiring(layer, pre.shape, post.shape, exact),
                };
                self.learned(nodes, c, wiring, pool)
            }
            ConnectionKind::Skip(skip) => match skip.kernel {
                None => identity(pre, post, c, self.dtype),
                Some(kernel) => {
                    let shape =
                        convolution(pre.shape, post.shape.channels, [kernel; 2], skip.stride, skip.padding);
                    self.learned(nodes, c, Box::new(ConvWiring { shape, exact }), None)
                }
            },
            ConnectionKind::Dense => self.learned(nodes, c, self.joined(c, pre.units, post.units), None),
        }
    }

    /// Random numbers of a connection: by its place in the chain, or by its name beside it.
    fn connection_draws(&self, purpose: &str, c: &ConnectionPlan<'_>) -> Key {
        match c.kind {
            ConnectionKind::Dense => self.key.of(purpose, 0).of(&c.name, 0),
            _ => self.key.of(purpose, c.layer as u64 + 1),
        }
    }

    /// Weights between two populations, drawn for one purpose.
    fn drawn(
        &self,
        purpose: &str,
        [from, to]: [&Node; 2],
        c: &ConnectionPlan<'_>,
        wiring: &dyn Wiring,
    ) -> WeightMat {
        let mut stream = self.connection_draws(purpose, c).stream();
        if let Some(curved) = wiring.curved() {
            return WeightMat::new(curved.draw(self.dtype, &mut stream));
        }
        let (dense, (rows, cols)) = (c.wiring.weights(), wiring.weight_shape());
        let (fan_out, gain) = (self.fan_out([from, to], wiring), dense.gain.at(c.layer));
        WeightMat::new(dense.draw(self.dtype, [rows, cols], fan_out, gain, &mut stream))
    }

    /// Weights that lead away from a presynaptic unit.
    fn fan_out(&self, [from, to]: [&Node; 2], wiring: &dyn Wiring) -> usize {
        let (rows, cols) = wiring.weight_shape();
        match wiring.form() {
            // Units at different places share their weights: a filter's fan-out is its kernel's places.
            Some(Form::Conv(_)) => to.shape.channels * cols / from.shape.channels,
            _ => rows * cols / from.units,
        }
    }

    /// A connection with drawn weights.
    fn learned(
        &self,
        nodes: &[Node],
        c: &ConnectionPlan<'_>,
        wiring: Box<dyn Wiring>,
        pool: Option<Pool>,
    ) -> Result<Connection> {
        let (from, to, dense, layer) = (&nodes[c.pre], &nodes[c.post], c.wiring.weights(), c.layer);
        let draw = |purpose| self.drawn(purpose, [from, to], c, &*wiring);
        let both_settle = from.role == Role::Settling && to.role == Role::Settling;
        let errors = [Role::Forward, Role::Stepping].contains(&from.role) && c.carries != Carries::Errors;
        let weight = draw("weight");
        let settling: usize = nodes.iter().filter(|n| n.role == Role::Settling).map(|n| n.units).sum();
        let own = || dense.rotated(draw("feedback"), &weight);
        let signs = |alike, again: bool| {
            let by = || Draw {
                dense: dense.clone(),
                fan_out: self.fan_out([from, to], &*wiring),
                gain: dense.gain.at(layer),
            };
            Feedback::Signs(Signs::new(&draw("feedback"), alike, again.then(by)))
        };
        let feedback = match dense.feedback {
            FeedbackSpec::Tied if both_settle => Feedback::Tied,
            FeedbackSpec::Tied => Feedback::None,
            // A field is one of settling units alone.
            FeedbackSpec::VectorField if !both_settle => Feedback::None,
            _ if !both_settle && !errors => Feedback::None,
            FeedbackSpec::KolenPollack => Feedback::Own(own()),
            FeedbackSpec::VectorField => Feedback::Field(own()),
            FeedbackSpec::Fixed => Feedback::Fixed(own()),
            FeedbackSpec::Sign => signs(true, false),
            FeedbackSpec::SignFixed => signs(false, false),
            FeedbackSpec::SignRedrawn => signs(false, true),
        };
        let own = self.connection_draws("synapse", c).number();
        let synapse: Box<dyn Synapse> = match c.carries {
            // They never learn, and are as they are drawn.
            Carries::Errors => Box::new(ElementwiseSynapse(Plain {})),
            _ => c.synapse.method().build(Site { layer, key: own })?,
        };
        let (weight, states) = init_synapse(&*synapse, own, weight);
        Ok(Connection {
            name: c.name.clone(),
            pre: c.pre,
            post: c.post,
            layer,
            wiring,
            pool,
            weight,
            homeostasis: dense.homeostasis / settling.max(1) as f64,
            feedback,
            synapse,
            states,
            lr: c.lr,
            carries: c.carries,
            delay: self.delay(c),
            named: c.kind == ConnectionKind::Dense,
            learns: c.learns,
        })
    }
}

/// The kernels of the chain's connection that enters `layer`, of shape `post`; `exact`: see [`ConvWiring`].
pub(crate) fn wiring(layer: &Layer, pre: Shape, post: Shape, exact: bool) -> (Box<dyn Wiring>, Option<Pool>) {
    let Some((shape, pool)) = geometry(layer, pre) else {
        return (Box::new(DenseWiring { pre: pre.units(), post: post.units(), sparse: false }), None);
    };
    (Box::new(ConvWiring { shape, exact }), pool)
}

/// The convolution of a layer, and the pooling behind it.
pub(crate) fn geometry(layer: &Layer, pre: Shape) -> Option<(ConvShape, Option<Pool>)> {
    let Layer::Conv(conv) = layer else { return None };
    let shape = convolution(pre, conv.filters, conv.kernel.sides(), conv.stride, conv.padding);
    let pool = conv.pool.map(|spec| {
        let (height, width) = (shape.out_height(), shape.out_width());
        Pool { spec, shape: PoolShape { height, width, channels: conv.filters, size: spec.size() } }
    });
    Some((shape, pool))
}

fn convolution(from: Shape, filters: usize, kernel: [usize; 2], stride: usize, padding: usize) -> ConvShape {
    let Shape { height, width, channels } = from;
    ConvShape { height, width, channels, filters, kernel, stride, padding }
}

/// Lets the synapses turn drawn numbers into weights.
fn init_synapse(synapse: &dyn Synapse, key: u64, mut weight: WeightMat) -> (WeightMat, Vec<Mat>) {
    let (dtype, rows, cols) = (weight.mat().dtype(), weight.mat().rows(), weight.mat().cols());
    let mut states: Vec<Mat> = synapse.states().iter().map(|_| Mat::zeros(dtype, rows, cols)).collect();
    weight.update(|w| synapse.init(key, w, &mut states.iter_mut().map(Mat::view_mut).collect::<Vec<_>>()));
    (weight, states)
}

fn identity(pre: &Node, post: &Node, c: &ConnectionPlan<'_>, dtype: DType) -> Result<Connection> {
    if pre.units != post.units {
        let message = format!("{} joins {} units to {}", c.name, pre.units, post.units);
        return Err(Error::shape(message).with_hint("an identity leads between populations of equal size"));
    }
    let both_settle = pre.role == Role::Settling && post.role == Role::Settling;
    let wiring: Box<dyn Wiring> = Box::new(Identity);
    Ok(Connection {
        name: c.name.clone(),
        pre: c.pre,
        post: c.post,
        layer: c.layer,
        wiring,
        pool: None,
        homeostasis: 0.0,
        weight: WeightMat::new(Mat::zeros(dtype, 0, 0)),
        feedback: if both_settle { Feedback::Tied } else { Feedback::None },
        synapse: Box::new(ElementwiseSynapse(Plain {})),
        states: Vec::new(),
        lr: None,
        carries: c.carries,
        delay: 0,
        named: false,
        learns: true,
    })
}
