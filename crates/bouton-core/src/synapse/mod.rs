//! How a weight takes an update.
//!
//! A synapse is one file: equation, settings, what the other axes may ask of it, and how it is built. Most are scalar functions
//! ([`UpdateRule`]); [`crate::optim::Updater`] is the only caller of what is built.

mod bayesbinn;
mod beakers;
mod bimu;
mod binary;
mod binary_beakers;
mod bop;
mod cascade;
mod draw;
mod elementwise;
mod mesu;
mod metaplastic;
mod pair;
mod plain;
mod ranged;
mod rram;
mod rram_device;
mod soft_bounds;
mod uniform;

pub use bayesbinn::BayesBiNn;
pub use beakers::BennaFusi;
pub use bimu::BiMu;
pub use binary::{Binary, SignOfZero};
pub use binary_beakers::BinaryBennaFusi;
pub use bop::Bop;
pub use cascade::Cascade;
pub use draw::Draw;
pub use elementwise::{ElementwiseSynapse, UpdateRule};
pub use mesu::Mesu;
pub use metaplastic::Metaplastic;
pub use pair::Pair;
pub use plain::Plain;
pub use ranged::Ranged;
pub use rram::{RRAM_STATES, Rram, log_ratio};
pub use soft_bounds::SoftBoundsSynapse;
pub use uniform::{UniformRule, UniformSynapse};

use crate::Result;
use crate::axis::{Cite, Place, axis};
use bouton_kernels::{View, ViewMut};
use elementwise::{array, owned, values};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

axis! {
    /// The synapse axis of a recipe: `[synapse.<name>]`.
    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
    #[serde(rename_all = "kebab-case", deny_unknown_fields)]
    pub enum SynapseSpec: SynapseMethod {
        /// A real number that takes every proposal as it is.
        Plain(Plain),
        /// The sign of a hidden weight.
        Binary(Binary),
        /// The sign of a hidden weight that is the harder to flip the larger it is.
        Metaplastic(Metaplastic),
        /// A sign without hidden weight that flips when its gradients agree.
        Bop(Bop),
        /// A real number that shares its changes with a chain of ever slower variables.
        Beakers(BennaFusi),
        /// A sign with ever more stable levels.
        Cascade(Cascade),
        /// A sign drawn from a distribution that the last tasks leave behind.
        #[serde(rename = "bayesbinn")]
        BayesBiNn(BayesBiNn),
        /// A sign drawn from a distribution whose variance sets the step; relaxed in training.
        #[serde(rename = "bimu")]
        BiMu(BiMu),
        /// A real number drawn from a normal distribution whose variance sets the step.
        Mesu(Mesu),
        /// The sign of a hidden weight that leads a chain of ever slower variables.
        BinaryBeakers(BinaryBennaFusi),
        /// The sign of the difference of two resistive devices.
        Rram(Rram),
        /// An analog resistive device with bounds.
        SoftBounds(SoftBoundsSynapse),
        /// The sign of the difference of two devices of any law.
        Pair(Pair),
    }
}

impl Default for SynapseSpec {
    fn default() -> Self {
        Self::Plain(Plain::default())
    }
}

/// What a recipe's synapse says of itself, in its own file.
pub trait SynapseMethod: std::fmt::Debug {
    /// Refuses numbers that cannot be meant together; the bounds of each are attributes of its field.
    ///
    /// # Errors
    /// [`crate::Error::Config`] with the key and a hint.
    fn check(&self, at: &Place) -> Result<()>;
    /// The publications that it comes from.
    fn cites(&self) -> Vec<Cite>;
    /// What the other axes may ask.
    fn traits(&self) -> WeightTraits;
    /// The settings that the sign conventions of other libraries stand for.
    fn sign_keys(&mut self) -> Option<SignKeys<'_>>;
    /// The population of its devices: the name of a preset, a file, or the text of one; nothing if it has no devices.
    fn device(&mut self) -> Option<&mut Option<String>>;
    /// Its switches for what devices do other than an ideal one: `true` is as the device is. Default: none.
    fn imperfections(&self) -> &'static [&'static str] {
        &[]
    }
    /// Settings for the tests of every member, in which each word and each switch occurs.
    fn examples() -> Vec<Self>
    where
        Self: Sized;
    /// The synapse of one connection.
    ///
    /// # Errors
    /// If a device preset cannot be read.
    fn build(&self, site: Site) -> Result<Box<dyn Synapse>>;
}

/// The connection that a synapse is built for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Site {
    /// Place of the connection in the chain of layers, from 0 at the input.
    pub layer: usize,
    /// Draws what its devices keep for good.
    pub key: u64,
}

/// What the updater has to know of a synapse.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Info {
    /// The state that plays the weight's part for the optimiser's decay and for anchors on hidden weights; `None`: the weight
    /// itself.
    pub latent: Option<usize>,
    /// Whether it has its own step sizes: then it takes minus the gradient, and no optimiser proposes.
    pub own_step_size: bool,
    /// Whether an update uses random numbers.
    pub stochastic: bool,
    /// Whether the weight is a sample of a distribution.
    pub bayesian: bool,
    /// Whether the end of a task changes it.
    pub changes_at_task_end: bool,
}

impl Info {
    /// A weight that takes an optimiser's proposals, the same each time, and nothing else.
    pub const PLAIN: Self = Self {
        latent: None,
        own_step_size: false,
        stochastic: false,
        bayesian: false,
        changes_at_task_end: false,
    };
}

/// What the other axes may ask of a synapse before it is built.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct WeightTraits {
    /// Size of weights that have two values, ±scale; `None` for real numbers.
    pub scale: Option<f64>,
    /// Whether a weight of two values keeps its sign until an update flips it: drawn signs flip by themselves.
    pub keeps_sign: bool,
    /// Whether a weight of two values can also be exactly zero.
    pub zero: bool,
    /// Whether what is kept of a weight is kept for one direction only: feedback weights of their own have no part in it.
    pub own_state: bool,
    /// What the updater has to know.
    pub info: Info,
}

impl WeightTraits {
    /// Real numbers.
    pub fn real(info: Info, own_state: bool) -> Self {
        Self { scale: None, keeps_sign: false, zero: false, own_state, info }
    }

    /// Weights of ±`scale` that keep their sign until an update flips it; with the third value `zero`, if it is one.
    pub fn bits(info: Info, scale: f64, zero: SignOfZero) -> Self {
        Self { scale: Some(scale), keeps_sign: true, zero: zero == SignOfZero::Zero, own_state: true, info }
    }

    /// Weights of ±`scale` that are drawn.
    pub fn drawn_bits(info: Info, scale: f64) -> Self {
        Self { scale: Some(scale), keeps_sign: false, zero: false, own_state: true, info }
    }

    /// Whether weights have two values and keep theirs until an update flips it.
    pub fn binary(&self) -> bool {
        self.scale.is_some() && self.keeps_sign
    }

    /// Whether weights are exactly ±1 and keep their sign until an update flips it.
    pub fn signs(&self) -> bool {
        self.binary() && self.scale == Some(1.0) && !self.zero
    }

    /// Whether weights are the signs of hidden weights.
    pub fn has_hidden_sign(&self) -> bool {
        self.binary() && self.info.latent.is_some()
    }
}

/// Settings of a synapse that the sign conventions of other libraries stand for.
#[derive(Debug)]
pub struct SignKeys<'a> {
    /// The weight of a hidden weight of zero.
    pub zero: &'a mut SignOfZero,
    /// The bound of the hidden weights that learn, if there can be one.
    pub window: Option<&'a mut Option<f64>>,
    /// The bound of all hidden weights, if there can be one.
    pub clip: Option<&'a mut Option<f64>>,
}

/// A synapse as the network sees it: elementwise over a tile of a weight matrix.
pub trait Synapse: Send + Sync + std::fmt::Debug {
    /// Names of the state matrices beside the weight, each of its shape.
    fn states(&self) -> Vec<String>;
    /// What the updater has to know.
    fn info(&self) -> Info;
    /// Turns drawn numbers into the first weights and states.
    fn init(&self, key: u64, weight: ViewMut<'_>, state: &mut [ViewMut<'_>]);
    /// Changes `weight` and its state by the proposal `delta`; the tile's first weight is number `at` of its matrix.
    fn update(&self, key: u64, at: usize, delta: View<'_>, weight: ViewMut<'_>, state: &mut [ViewMut<'_>]);
    /// Keeps `delta`, the part of one of several draws in a proposal, for [`Synapse::update`], and draws weights anew, tile by
    /// tile as there. Asked of Bayesian synapses only.
    fn accumulate(
        &self,
        _key: u64,
        _at: usize,
        _delta: View<'_>,
        _weight: ViewMut<'_>,
        _state: &mut [ViewMut<'_>],
    ) {
    }
    /// Tells a whole matrix of weights that a task ended. Asked of synapses that change there.
    fn on_task_end(&self, _weight: ViewMut<'_>, _state: &mut [ViewMut<'_>]) {}
    /// Overwrites a whole matrix of weights with samples of their distributions, drawn by `key`, or with their means
    /// without one. Asked of Bayesian synapses only.
    fn sample_or_mean(&self, _key: Option<u64>, _weight: ViewMut<'_>, _state: &mut [ViewMut<'_>]) {}
}

/// What an unstable chain has to be.
const STABLE: &str = "smaller: a beaker would lose all it has in one update";
