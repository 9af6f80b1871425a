//! Who is connected to whom, with which three kernels: forward, backward to the input, backward to the weight.

mod conductance;
mod conv;
mod dense;
mod identity;
mod others;
mod pool;
mod procedural;
mod sparse;

pub use crate::axis::PerLayer;
pub use conductance::{Conductance, ConductanceWiring};
pub use conv::{Conv, ConvWiring};
pub use dense::{BiasInit, Dense, DenseWiring, FeedbackSpec, Init};
pub use identity::Identity;
pub use others::OthersWiring;
pub use pool::{Pool, PoolSpec, SoftPool};
pub use procedural::{Procedural, ProceduralWiring};
pub use sparse::{Sparse, SparseWiring};

use crate::axis::{Cite, axis};
use crate::rng::{Key, Stream};
use bouton_kernels::{ConvShape, DType, Mat, View, ViewMut, WeightMat};
use rayon::prelude::*;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::ops::Range;

axis! {
    /// The wiring axis of a recipe: `[wiring.<name>]`, used between successive layers.
    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
    #[serde(rename_all = "kebab-case", deny_unknown_fields)]
    pub enum WiringSpec: WiringMethod {
        /// Every unit to every unit.
        Dense(Dense),
        /// Convolutions where a layer has filters, every unit to every unit elsewhere.
        Conv(Conv),
        /// Every unit to a share of the units, drawn once.
        Sparse(Sparse),
        /// The same with weights that are drawn again whenever they are used: they are never stored, and do not learn.
        Procedural(Procedural),
        /// Conductances where units have ports for them, every unit to every unit elsewhere.
        Conductance(Conductance),
    }
}

/// What a recipe's wiring says of itself, in its own file.
pub trait WiringMethod: std::fmt::Debug {
    /// The publications that it comes from.
    fn cites(&self) -> Vec<Cite>;
    /// How weights are drawn and what flows back.
    fn weights(&self) -> &Dense;
    /// [`WiringMethod::weights`], to change.
    fn weights_mut(&mut self) -> &mut Dense;
    /// Whether layers may have filters.
    fn convolves(&self) -> bool;
    /// Whether there are weights that may learn.
    fn learns(&self) -> bool;
    /// How many of `pre` units lead to each unit.
    fn inputs(&self, pre: usize) -> usize;
    /// Numbers that it keeps of each pair of units, the second of which has so many ports; none if it does not fill them.
    fn numbers(&self, ports: usize) -> Option<usize>;
    /// What joins all units of two populations, where no layer says otherwise.
    fn join(&self, ends: Ends<'_>) -> Box<dyn Wiring>;
    /// Settings for the tests of every member, in which each word and each switch occurs.
    fn examples() -> Vec<Self>
    where
        Self: Sized;
}

/// Two populations that a wiring joins.
#[derive(Clone, Copy, Debug)]
pub struct Ends<'a> {
    /// Units of the presynaptic population.
    pub pre: usize,
    /// Units of the postsynaptic population.
    pub post: usize,
    /// Drives of each of them.
    pub ports: usize,
    /// Whether presynaptic activity is mostly zero, as spikes are.
    pub spikes: bool,
    /// Whether units are joined with themselves, of a population with itself.
    pub autapses: bool,
    /// Place in the layer chain: selects entries of per-layer lists.
    pub layer: usize,
    /// Random numbers of the connection's own.
    pub key: &'a Key,
}

impl Default for WiringSpec {
    fn default() -> Self {
        Self::Dense(Dense::default())
    }
}

impl WiringSpec {
    /// How weights are drawn and what flows back.
    pub fn weights(&self) -> &Dense {
        self.method().weights()
    }

    /// [`WiringSpec::weights`], to change.
    pub fn weights_mut(&mut self) -> &mut Dense {
        self.method_mut().expect("every wiring has settings").weights_mut()
    }
}

/// `kernel` for bands of the rows of `to`, one for each thread: each passes over all weights.
fn in_bands<'a>(to: ViewMut<'a>, kernel: impl Fn(Range<usize>, ViewMut<'a>) + Sync) {
    let band = to.rows().div_ceil(rayon::current_num_threads()).max(1);
    let parts: Vec<_> = to.chunks_mut(band).enumerate().collect();
    parts.into_par_iter().for_each(|(i, part)| kernel(i * band..i * band + part.rows(), part));
}

/// The map of a wiring, in the words of other programs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// post = pre.
    Identity,
    /// post = W pre.
    Dense,
    /// Filters, the rows of the weight in the order channel, height, width.
    Conv(ConvShape),
}

/// The three kernels of a connection. All accumulate into their last argument; `pre` and `post` matrices have one row
/// per sample.
pub trait Wiring: Send + Sync + std::fmt::Debug {
    /// Which map it is, in the words of other programs; none if they have no word for it.
    fn form(&self) -> Option<Form>;
    /// Rows and columns of the weight; (0, 0) without weights.
    fn weight_shape(&self) -> (usize, usize);
    /// post += W(pre).
    fn forward(&self, weight: &WeightMat, pre: View<'_>, post: ViewMut<'_>);
    /// pre += Wᵀ(g): the adjoint of `forward` in its input.
    fn backward_input(&self, weight: &WeightMat, g: View<'_>, pre: ViewMut<'_>);
    /// [`Wiring::backward_input`] where it is asked for again and again between two changes of the weight. Default: the same.
    fn backward_input_often(&self, weight: &WeightMat, g: View<'_>, pre: ViewMut<'_>) {
        self.backward_input(weight, g, pre);
    }
    /// The rows `band` of the adjoint of `forward` in its weight: g_w += ∂⟨g, W(pre)⟩/∂W.
    fn backward_weight(&self, pre: View<'_>, g: View<'_>, band: Range<usize>, g_w: ViewMut<'_>);
    /// How many weights lead on from each of `pre` units to `post` ones, of those that are 1 in a weight of 64 bits that is 0 elsewhere.
    /// Default: the adjoint at ones.
    fn fan_out(&self, there: &WeightMat, [pre, post]: [usize; 2]) -> Vec<f64> {
        let ones = Mat::from_fn(DType::F64, 1, post, |_, _| 1.0);
        let mut sums = Mat::zeros(DType::F64, 1, pre);
        self.backward_input(there, ones.view(), sums.view_mut());
        sums.to_f64s().into_iter().map(f64::round).collect()
    }
    /// Whether a sample's gradient is the product of its two factors, g·preᵀ; it is not where a weight is used at several
    /// places, or where units are joined with some units alone.
    fn factorises(&self) -> bool;
    /// Rows of the bands that `backward_weight` is best called for; `None`, the default: any.
    fn band(&self) -> Option<usize> {
        None
    }
    /// [`Wiring::backward_input`] on all threads, with the same result bit for bit.
    fn par_backward_input(&self, weight: &WeightMat, g: View<'_>, pre: ViewMut<'_>) {
        self.backward_input(weight, g, pre);
    }
    /// [`Wiring::forward`] on all threads, with the same result bit for bit.
    fn par_forward(&self, weight: &WeightMat, pre: View<'_>, post: ViewMut<'_>) {
        self.forward(weight, pre, post);
    }
    /// How it goes back if it is not linear in activity and weight: then `backward_input` and `backward_weight` have no meaning.
    /// Default: it is linear.
    fn curved(&self) -> Option<&dyn Curved> {
        None
    }
}

/// A wiring that is not linear, and goes back from the activity that it stands at. It fills all ports of a unit, and gradients `g` are
/// those of all of them. Both ways back accumulate into their last argument.
pub trait Curved {
    /// First weights.
    fn draw(&self, dtype: DType, stream: &mut Stream) -> Mat;
    /// The weight of a population with itself, where each unit hears itself alone.
    fn alone(&self, weight: &WeightMat) -> WeightMat;
    /// to += the adjoint of the derivative of `forward` in its input, at `pre`.
    fn backward_input(&self, weight: &WeightMat, pre: View<'_>, g: View<'_>, to: ViewMut<'_>);
    /// g_w += the adjoint of the derivative of `forward` in its weight, at `pre`.
    fn backward_weight(&self, weight: &WeightMat, pre: View<'_>, g: View<'_>, g_w: ViewMut<'_>);
}
