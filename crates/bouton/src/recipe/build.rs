//! From a recipe to a network with freshly drawn weights.

use super::{Memory, Precision, Recipe};
use crate::error::{Error, Result};
use crate::network::{Connection, Feedback, Layer, Network, Node, OwnParam, Role, Shape, Skip};
use crate::neuron::linear;
use crate::norm::Norm;
use crate::objective::Outputs;
use crate::rng::{Key, Stream};
use crate::synapse::{ElementwiseSynapse, Plain, Site, Synapse};
use crate::wiring::{BiasInit, ConvWiring, Dense, DenseWiring, FeedbackSpec, Identity, Init, Pool, Wiring};
use bouton_kernels::{ConvShape, DType, Mat, Operand, PoolShape};

impl From<Precision> for DType {
    fn from(precision: Precision) -> Self {
        match precision {
            Precision::F32 => Self::F32,
            Precision::F64 => Self::F64,
        }
    }
}

impl Network {
    /// The network of `recipe`, weights drawn from its seed.
    ///
    /// # Errors
    /// [`Error::Shape`] if layers do not chain, [`Error::Config`] if there is no memory for them.
    pub fn build(recipe: &Recipe) -> Result<Self> {
        let shapes = recipe.network.shapes()?;
        if shapes.len() < 2 {
            return Err(Error::shape("network.layers needs an input and an output"));
        }
        Memory { learning: 0, checkpoint: 0, states: 0, data: 0, ..recipe.memory()? }.fits()?;
        let dtype = recipe.precision.into();
        let key = Key::new(recipe.seed).of("init", 0);
        let populations: Vec<Node> =
            (0..shapes.len()).map(|i| node(recipe, &shapes, &key, dtype, i)).collect();
        let mut connections = (1..shapes.len())
            .map(|i| connection(recipe, &key, dtype, &populations, i))
            .collect::<Result<Vec<Connection>>>()?;
        let mut weighted = connections.len();
        for skip in &recipe.network.skips {
            connections.push(beside(recipe, &key, dtype, &populations, skip, weighted)?);
            weighted += usize::from(skip.kernel.is_some());
        }
        let own = recipe.objective.method().own();
        let objective =
            own.iter().map(|own| OwnParam::new(own, dtype, 1, &mut key.of(own.name, 0).stream())).collect();
        let mut network = Self::new(dtype, populations, connections);
        network.objective = objective;
        Ok(network)
    }
}

fn node(recipe: &Recipe, shapes: &[Shape], key: &Key, dtype: DType, i: usize) -> Node {
    let (shape, dense) = (shapes[i], recipe.wiring.weights());
    let is_output = i + 1 == shapes.len();
    let name = match i {
        0 => "input".to_owned(),
        _ if is_output => "output".to_owned(),
        _ => format!("hidden{i}"),
    };
    let unit = recipe.neuron.method();
    let settles = unit.traits().settles();
    let readout = is_output && settles && recipe.objective.method().traits().outputs != Outputs::States;
    let (role, model) = match () {
        () if i == 0 => (Role::Clamped, linear()),
        () if readout => (Role::Forward, linear()),
        () if settles => (Role::Settling, unit.population(is_output)),
        () => (Role::Forward, unit.population(is_output)),
    };
    let norm = if i > 0 { Norm::new(&recipe.norm, dtype, shape) } else { None };
    let shifted = norm.as_ref().is_none_or(Norm::is_affine);
    let bias = (i > 0 && shifted && dense.bias != BiasInit::None).then(|| {
        let mut stream = key.of("bias", i as u64).stream();
        let bound = match dense.bias {
            _ if norm.is_some() => 0.0,
            BiasInit::Zero | BiasInit::None => 0.0,
            BiasInit::UniformFanIn => dense.gain.at(i - 1) / (fan_in(recipe, shapes, i) as f64).sqrt(),
        };
        Operand::new(Mat::from_fn(dtype, 1, shape.channels, |_, _| bound * (2.0 * stream.uniform() - 1.0)))
    });
    let dropout = match i {
        0 => recipe.network.input_dropout,
        _ if is_output => 0.0,
        _ => recipe.network.dropout,
    };
    let noise = if role == Role::Clamped || readout { 0.0 } else { unit.traits().noise };
    let own = OwnParam::all(&*model, dtype, shape.channels, &key.of("own", i as u64));
    Node { name, units: shape.units(), shape, role, model, own, bias, norm, dropout, noise }
}

/// Weights that enter a unit of layer `i`.
fn fan_in(recipe: &Recipe, shapes: &[Shape], i: usize) -> usize {
    match recipe.network.layers[i] {
        Layer::Conv(conv) => shapes[i - 1].channels * conv.kernel * conv.kernel,
        _ => shapes[i - 1].units(),
    }
}

/// The chain's connection that enters layer `i`.
fn connection(recipe: &Recipe, key: &Key, dtype: DType, nodes: &[Node], i: usize) -> Result<Connection> {
    let exact = counts(recipe, &nodes[i - 1]);
    let (wiring, pool) = wiring(&recipe.network.layers[i], nodes[i - 1].shape, nodes[i].shape, exact);
    learned(recipe, key, dtype, nodes, Edge { pre: i - 1, post: i, layer: i - 1, wiring, pool })
}

/// What joins two populations, before it has weights.
struct Edge {
    pre: usize,
    post: usize,
    /// Its place in lists of one value per connection.
    layer: usize,
    wiring: Box<dyn Wiring>,
    pool: Option<Pool>,
}

/// A connection with drawn weights.
fn learned(recipe: &Recipe, key: &Key, dtype: DType, nodes: &[Node], edge: Edge) -> Result<Connection> {
    let Edge { pre, post, layer, wiring, pool } = edge;
    let (from, to, dense) = (&nodes[pre], &nodes[post], recipe.wiring.weights());
    let named = layer as u64 + 1;
    let draw = |purpose| {
        let mut stream = key.of(purpose, named).stream();
        let (rows, cols) = wiring.weight_shape();
        // Units at different places share their weights: a filter's fan-out is its kernel's places.
        let fan_out = to.shape.channels * cols / from.shape.channels;
        let fan_out = if wiring.shares() { fan_out } else { rows };
        Operand::new(weights(dense, dtype, [rows, cols], fan_out, dense.gain.at(layer), &mut stream))
    };
    let both_settle = from.role == Role::Settling && to.role == Role::Settling;
    let weight = draw("weight");
    let settling: usize = nodes.iter().filter(|n| n.role == Role::Settling).map(|n| n.units).sum();
    let feedback = match dense.feedback {
        _ if !both_settle => Feedback::None,
        FeedbackSpec::Tied => Feedback::Tied,
        FeedbackSpec::KolenPollack => Feedback::Own(turned(draw("feedback"), &weight, dense.angle)),
        FeedbackSpec::VectorField => Feedback::Field(turned(draw("feedback"), &weight, dense.angle)),
    };
    let own = key.of("synapse", named).number();
    let synapse = recipe.synapse.method().build(Site { layer, key: own })?;
    let (weight, memory) = begin(&*synapse, own, weight);
    let beside = if layer + 1 < nodes.len() { "" } else { "-skip" };
    Ok(Connection {
        name: format!("{}-{}{beside}", from.name, to.name),
        pre,
        post,
        layer,
        wiring,
        pool,
        weight,
        homeostasis: dense.homeostasis / settling.max(1) as f64,
        feedback,
        synapse,
        memory,
    })
}

/// Whether the connections behind `pre` add up products of ±1, so that thresholds stand among whole numbers.
fn counts(recipe: &Recipe, pre: &Node) -> bool {
    pre.role != Role::Clamped
        && recipe.neuron.method().traits().exact_signs
        && recipe.synapse.method().traits().signs()
}

/// The kernels of the chain's connection that enters `layer`, of shape `post`; `exact`: see [`ConvWiring`].
pub(crate) fn wiring(layer: &Layer, pre: Shape, post: Shape, exact: bool) -> (Box<dyn Wiring>, Option<Pool>) {
    let Some((shape, pool)) = geometry(layer, pre) else {
        return (Box::new(DenseWiring { pre: pre.units(), post: post.units() }), None);
    };
    (Box::new(ConvWiring { shape, exact }), pool)
}

/// The convolution of a layer, and the pooling behind it.
pub(crate) fn geometry(layer: &Layer, pre: Shape) -> Option<(ConvShape, Option<Pool>)> {
    let Layer::Conv(conv) = layer else { return None };
    let shape = convolution(pre, conv.filters, conv.kernel, conv.stride, conv.padding);
    let pool = conv.pool.map(|spec| {
        let (height, width) = (shape.out_height(), shape.out_width());
        Pool { spec, shape: PoolShape { height, width, channels: conv.filters, size: spec.size() } }
    });
    Some((shape, pool))
}

fn convolution(from: Shape, filters: usize, kernel: usize, stride: usize, padding: usize) -> ConvShape {
    let Shape { height, width, channels } = from;
    ConvShape { height, width, channels, filters, kernel: [kernel; 2], stride, padding }
}

/// The connection of a skip, the `layer`-th one if it has weights.
fn beside(
    recipe: &Recipe,
    key: &Key,
    dtype: DType,
    nodes: &[Node],
    skip: &Skip,
    layer: usize,
) -> Result<Connection> {
    let (Some(pre), Some(post)) = (nodes.get(skip.from), nodes.get(skip.to)) else {
        let (from, to) = (skip.from, skip.to);
        let message = format!("network.skips joins layer {from} to {to}, but there are {}", nodes.len());
        return Err(Error::shape(message));
    };
    let Some(kernel) = skip.kernel else { return identity(pre, post, skip, dtype) };
    let shape = convolution(pre.shape, post.shape.channels, kernel, skip.stride, skip.padding);
    let wiring = Box::new(ConvWiring { shape, exact: counts(recipe, pre) });
    learned(recipe, key, dtype, nodes, Edge { pre: skip.from, post: skip.to, layer, wiring, pool: None })
}

/// sin α · drawn + cos α · forward.
fn turned(drawn: Operand, forward: &Operand, angle: f64) -> Operand {
    let (sin, cos) = angle.to_radians().sin_cos();
    // At a right angle nothing of the forward weight is left, to the last bit.
    let cos = if angle == 90.0 { 0.0 } else { cos };
    let mat = drawn.mat();
    let mixed = |r, c| sin * mat.get(r, c) + cos * forward.mat().get(r, c);
    Operand::new(Mat::from_fn(mat.dtype(), mat.rows(), mat.cols(), mixed))
}

/// Lets the synapses turn drawn numbers into weights.
fn begin(synapse: &dyn Synapse, key: u64, mut weight: Operand) -> (Operand, Vec<Mat>) {
    let (dtype, rows, cols) = (weight.mat().dtype(), weight.mat().rows(), weight.mat().cols());
    let mut memory: Vec<Mat> = synapse.states().iter().map(|_| Mat::zeros(dtype, rows, cols)).collect();
    weight.update(|w| synapse.init(key, w, &mut memory.iter_mut().map(Mat::view_mut).collect::<Vec<_>>()));
    (weight, memory)
}

fn weights(
    dense: &Dense,
    dtype: DType,
    [rows, cols]: [usize; 2],
    fan_out: usize,
    gain: f64,
    stream: &mut Stream,
) -> Mat {
    let fan_in = cols as f64;
    Mat::from_fn(dtype, rows, cols, |_, _| match dense.init {
        Init::UniformFanIn => gain / fan_in.sqrt() * (2.0 * stream.uniform() - 1.0),
        Init::GlorotUniform => {
            gain * (6.0 / (fan_in + fan_out as f64)).sqrt() * (2.0 * stream.uniform() - 1.0)
        }
        Init::Uniform => 0.5 * gain * (2.0 * stream.uniform() - 1.0),
        Init::Normal => gain * stream.normal(),
        Init::TruncatedNormal => gain / fan_in.sqrt() * truncated_normal(stream),
    })
}

/// A standard normal redrawn until it lies within two standard deviations.
fn truncated_normal(stream: &mut Stream) -> f64 {
    loop {
        let x = stream.normal();
        if x.abs() <= 2.0 {
            return x;
        }
    }
}

fn identity(pre: &Node, post: &Node, skip: &Skip, dtype: DType) -> Result<Connection> {
    let &Skip { from, to, .. } = skip;
    if from >= to || pre.units != post.units {
        return Err(Error::shape(format!(
            "network.skips joins layer {from} ({} units) to layer {to} ({} units)",
            pre.units, post.units
        ))
        .with_hint("an identity skip leads forwards, between layers of equal size"));
    }
    let both_settle = pre.role == Role::Settling && post.role == Role::Settling;
    let wiring: Box<dyn Wiring> = Box::new(Identity);
    Ok(Connection {
        name: format!("{}-{}-skip", pre.name, post.name),
        pre: from,
        post: to,
        layer: to - 1,
        wiring,
        pool: None,
        homeostasis: 0.0,
        weight: Operand::new(Mat::zeros(dtype, 0, 0)),
        feedback: if both_settle { Feedback::Tied } else { Feedback::None },
        synapse: Box::new(ElementwiseSynapse(Plain {})),
        memory: Vec::new(),
    })
}
