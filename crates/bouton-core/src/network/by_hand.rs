//! Networks for tests, put together without a recipe.

use super::{Carries, Connection, Feedback, Network, Node, PopId, Role, Shape};
use crate::neuron::{Activation, NeuronMethod, Settle, linear};
use crate::rng::Key;
use crate::synapse::{ElementwiseSynapse, Plain};
use crate::wiring::{Pool, Wiring};
use bouton_kernels::{DType, Mat, WeightMat};

/// A clamped population, or with an activation a settling one, of so many rows, columns and channels.
pub(crate) fn node(
    name: &str,
    [height, width, channels]: [usize; 3],
    activation: Option<Activation>,
) -> Node {
    let shape = Shape { height, width, channels };
    let settle = |activation| Settle { activation, ..Settle::default() }.population(false);
    Node {
        name: name.into(),
        columns: if activation.is_none() { 0..shape.units() } else { 0..0 },
        units: shape.units(),
        role: if activation.is_none() { Role::Clamped } else { Role::Settling },
        model: activation.map_or_else(linear, settle),
        own: Vec::new(),
        shape,
        bias: activation.map(|_| WeightMat::new(Mat::zeros(DType::F64, 1, channels))),
        norm: None,
        dropout: 0.0,
        noise: 0.0,
        objective: None,
    }
}

/// Normal numbers of standard deviation `by`.
pub(crate) fn drawn(seed: u64, [rows, cols]: [usize; 2], by: f64) -> WeightMat {
    let mut stream = Key::new(seed).stream();
    WeightMat::new(Mat::from_fn(DType::F64, rows, cols, |_, _| by * stream.normal()))
}

/// A connection of plain synapses with drawn weights.
pub(crate) fn connection(
    [pre, post]: [PopId; 2],
    wiring: impl Wiring + 'static,
    pool: Option<Pool>,
    feedback: Feedback,
) -> Connection {
    let (rows, cols) = wiring.weight_shape();
    Connection {
        name: format!("{pre}-{post}"),
        pre,
        post,
        layer: pre,
        weight: drawn(pre as u64, [rows, cols], 1.0 / (cols as f64).sqrt()),
        wiring: Box::new(wiring),
        pool,
        feedback,
        carries: Carries::Both,
        delay: 0,
        named: false,
        homeostasis: 0.0,
        synapse: Box::new(ElementwiseSynapse(Plain {})),
        states: Vec::new(),
        lr: None,
        learns: true,
    }
}

/// Double precision throughout.
pub(crate) fn network(populations: Vec<Node>, connections: Vec<Connection>) -> Network {
    Network::new(DType::F64, populations, connections)
}
