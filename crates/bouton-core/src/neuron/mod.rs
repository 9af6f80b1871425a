//! How a unit moves in time.
//!
//! One enum lists every neuron model; each sibling file is one model, written as a scalar step over any number type.
//! [`ElementwisePopulation`] turns such a step into a [`Population`]: it sweeps over the units of many samples and, with dual
//! numbers, sends gradients back through the same step, without a tape.

pub(crate) mod activation;
mod adaptive;
mod adlif;
mod alif;
mod ct_rnn;
mod cuba_lif;
mod gate;
mod r#if;
mod in_time;
mod leaky;
mod lif;
mod ltc;
mod membrane;
mod noise;
mod population;
mod rate;
mod relu;
mod settle;
mod sign;
mod spike;

pub use activation::{Activation, ActivationFn};
pub use adaptive::{Adaptive, AdaptiveUnit};
pub use adlif::{Adlif, Order};
pub use alif::Alif;
pub use ct_rnn::CtRnn;
pub use cuba_lif::CubaLif;
pub use gate::Gate;
pub use r#if::If;
pub use in_time::StepGradients;
pub use leaky::Leaky;
pub use lif::Lif;
pub use ltc::Ltc;
pub use membrane::{Integration, Reset};
pub use noise::Noise;
pub use population::{Ctx, ElementwisePopulation, Gradients, Inputs, Population};
pub use rate::Rate;
pub use relu::{Rectified, Relu, linear};
pub use settle::{Dynamics, EnergyUnit, NudgePosition, PrototypicalUnit, Settle};
pub use sign::{Sign, Surrogate};
pub use spike::{Comparison, SpikeSurrogate};

use crate::Result;
use crate::axis::{Cite, Place, axis};
use crate::own::Own;
use crate::synapse::SignOfZero;
use bouton_kernels::{Analytic, Real};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

axis! {
    /// The neuron axis of a recipe: `[neuron.<name>]`.
    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
    #[serde(rename_all = "kebab-case", deny_unknown_fields)]
    pub enum NeuronSpec: NeuronMethod {
        /// Settling rate units: relax to a fixed point of an energy.
        Settle(Settle),
        /// Settling rate units with an adaptation of their own.
        Adaptive(Adaptive),
        /// Rectified linear units of a feed-forward network.
        Relu(Relu),
        /// Rate units of a feed-forward network, with any activation.
        Rate(Rate),
        /// Sign units of a feed-forward network.
        Sign(Sign),
        /// Units of a feed-forward network that are on where the drive is large, whatever its sign.
        Gate(Gate),
        /// Leaky integrators that move in time, without spikes: readouts.
        Leaky(Leaky),
        /// Integrate-and-fire units without a leak.
        If(If),
        /// Leaky integrate-and-fire units.
        Lif(Lif),
        /// Leaky integrate-and-fire units whose threshold rises with their spikes.
        Alif(Alif),
        /// Leaky integrate-and-fire units whose membrane swings with a slow current.
        Adlif(Adlif),
        /// Leaky integrate-and-fire units with a synaptic current.
        CubaLif(CubaLif),
        /// Rate units in continuous time.
        CtRnn(CtRnn),
        /// Liquid time-constant units.
        Ltc(Ltc),
    }
}

/// What a recipe's unit says of itself, in its own file.
pub trait NeuronMethod: std::fmt::Debug {
    /// Refuses settings that cannot be meant together, and those that steps of length `dt` (of units that move in time) do not
    /// follow; the bounds of numbers are attributes of their fields.
    ///
    /// # Errors
    /// [`crate::Error`] with the key and a hint.
    fn check(&self, at: &Place, dt: f64) -> Result<()>;
    /// The publications that it comes from.
    fn cites(&self) -> Vec<Cite>;
    /// What the other axes may ask.
    fn traits(&self) -> UnitTraits;
    /// The settings that the sign conventions of other libraries stand for: the output at a drive of zero and the slope.
    fn sign_keys(&mut self) -> Option<(&mut SignOfZero, &mut Surrogate)>;
    /// Which map hidden units are, in the words of other programs; none if they have no word for it.
    fn form(&self) -> Option<UnitForm>;
    /// Lets units that jump send the primitive of the slope that stands in for theirs, so that gradients can be checked; whether they
    /// can, or do not jump.
    fn smoothen(&mut self) -> bool;
    /// Settings for the tests of every member, in which each word and each switch occurs.
    fn examples() -> Vec<Self>
    where
        Self: Sized;
    /// A population of hidden or, with `output`, of output units.
    fn population(&self, output: bool) -> Box<dyn Population>;
}

/// The map of a hidden unit, in the words of other programs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum UnitForm {
    /// s = max(0, d).
    Rectified,
    /// s = tanh(d).
    Tanh,
    /// s = 1/(1 + e^{−d}).
    Sigmoid,
    /// s = sign(d), of this at zero.
    Sign(SignOfZero),
    /// s = [|d| > θ].
    Gate(f64),
}

/// How a population comes to its outputs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UnitDynamics {
    /// In one pass, from what drives it.
    Feedforward,
    /// In many sweeps, to a fixed point that it shares with others.
    Settling,
    /// Step by step in time, while its input moves.
    Stepping,
}

/// What the other axes may ask of a unit.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct UnitTraits {
    /// How a population comes to its outputs.
    pub dynamics: UnitDynamics,
    /// Drives of a hidden unit.
    pub ports: usize,
    /// Whether hidden units are exactly ±1.
    pub exact_signs: bool,
    /// Whether the slope of a unit is a stand-in, because the unit jumps.
    pub surrogate: bool,
    /// Whether hidden units send spikes, mostly zero.
    pub spikes: bool,
    /// Whether nothing comes back through a unit that is off.
    pub rectifies: bool,
    /// Whether the outputs of hidden and of output units are bounded.
    pub bounded: [bool; 2],
    /// Whether the nudge of an output acts outside its activation.
    pub nudge_outside: bool,
    /// Whether a step leads to the minimum of the energy along the unit, given the others.
    pub minimises: bool,
    /// Whether the step of a population continues into the complex plane, apart from its activation.
    pub complex_step: bool,
    /// Whether the activations do.
    pub analytic: bool,
    /// The first activation without an energy in closed form, if there is one.
    pub without_energy: Option<Activation>,
    /// The first learned number of its own that fixed points depend on, if there is one: a rule that compares states has no
    /// gradient for it.
    pub moves_rest: Option<&'static str>,
    /// Standard deviation of the noise on a drive in training.
    pub noise: f64,
}

impl UnitTraits {
    /// Units computed in one pass, with a linear output.
    pub const FEEDFORWARD: Self = Self {
        dynamics: UnitDynamics::Feedforward,
        ports: 1,
        exact_signs: false,
        surrogate: false,
        spikes: false,
        rectifies: false,
        bounded: [false, false],
        nudge_outside: false,
        minimises: false,
        complex_step: false,
        analytic: false,
        without_energy: None,
        moves_rest: None,
        noise: 0.0,
    };

    /// Units that move step by step in time, unbounded as far as anybody knows.
    pub const STEPPING: Self = Self { dynamics: UnitDynamics::Stepping, ..Self::FEEDFORWARD };

    /// Whether populations settle.
    pub fn settles(&self) -> bool {
        self.dynamics == UnitDynamics::Settling
    }
}

/// What a step knows beside its inputs and the numbers of the unit's own.
#[derive(Clone, Copy, Debug)]
pub struct Now<T> {
    /// Over-relaxation ω of a relaxation, 1 is none; the length dt of a step in time.
    pub step: T,
    /// Gain k of a nudge f − k·s.
    pub nudge_gain: T,
}

/// What reaches a settling unit that keeps nothing but its output.
#[derive(Clone, Copy, Debug)]
pub struct Input<T> {
    /// Net input d: weighted sum of presynaptic activity, bias included.
    pub drive: T,
    /// Offset f of a nudge f − k·s.
    pub nudge_offset: T,
    /// Gain k of a nudge f − k·s.
    pub nudge_gain: T,
}

/// A state variable of a unit.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct StateVar {
    /// Its name.
    pub name: &'static str,
    /// Where it starts.
    pub start: f64,
}

/// One unit as a branch-free scalar step with `K` numbers of its own, `C` constants made of them, `P` ports and `S` state
/// variables. Port 0 is the drive; port 1 of a settling unit is the offset f of a nudge f − k·s, further ports of one that moves in
/// time are drives of their own.
pub trait Neuron<const K: usize, const C: usize, const P: usize, const S: usize>:
    Copy + Send + Sync + std::fmt::Debug + 'static
{
    /// Whether the one state is the output itself: then none is stored beside it.
    const OUTPUT_IS_STATE: bool;
    /// The activation of a settling unit, for analysis: of its drive, or of its first state if it stores one.
    const ACTIVATION: Option<Activation> = None;
    /// Whether units may move while their input moves: a step is one of time, and what it leads to is its output at that time.
    const IN_TIME: bool;
    /// Whether a step may run in complex numbers.
    const ANALYTIC: bool = false;
    /// A step without over-relaxation of a unit that keeps nothing but its output, in any analytic numbers.
    fn analytic<T: Analytic>(&self, input: Input<T>, _out: T) -> T {
        input.drive
    }
    /// Its states in order.
    fn states(&self) -> [StateVar; S];
    /// Numbers of its own in order.
    fn own(&self) -> [Own; K];
    /// Output before the first step.
    fn initial_output(&self) -> f64;
    /// Constants of a step: made once for all units, or for each if it has numbers of its own.
    fn prepare<T: Real>(&self, now: Now<T>, own: [T; K]) -> [T; C];
    /// The states and the output after one step.
    fn step<T: Real>(&self, c: [T; C], input: [T; P], h: [T; S]) -> ([T; S], T);
}
