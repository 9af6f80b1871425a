//! How a unit moves in time.
//!
//! One enum lists every neuron model; each sibling file is one model, written as a scalar step over any number type.
//! [`Units`] turns such a step into a [`Population`]: it sweeps over the units of many samples and, with dual numbers,
//! pulls gradients back through the same step, without a tape.

pub(crate) mod activation;
mod gate;
mod noise;
mod population;
mod relu;
mod settle;
mod sign;

pub use activation::{Activation, ActivationFn};
pub use gate::Gate;
pub use noise::Noise;
pub use population::{Ctx, Inputs, Population, Units};
pub use relu::{Rectified, Relu, linear};
pub use settle::{Dynamics, EnergyUnit, NudgePosition, PrototypicalUnit, Settle};
pub use sign::{Sign, Surrogate};

use crate::synapse::SignOfZero;
use bouton_kernels::{Analytic, Real};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The neuron axis of a recipe: `[neuron.<name>]`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum NeuronSpec {
    /// Settling rate units: relax to a fixed point of an energy.
    Settle(Settle),
    /// Rectified linear units of a feed-forward network.
    Relu(Relu),
    /// Sign units of a feed-forward network.
    Sign(Sign),
    /// Units of a feed-forward network that are on where the drive is large, whatever its sign.
    Gate(Gate),
}

impl NeuronSpec {
    /// Whether hidden units are exactly ±1.
    pub fn signs(&self) -> bool {
        matches!(self, Self::Sign(sign) if sign.zero == SignOfZero::Plus)
    }
}

/// What reaches a unit in one step.
#[derive(Clone, Copy, Debug)]
pub struct Input<T> {
    /// Drive d: weighted sum of presynaptic activity, bias included.
    pub drive: T,
    /// Constant part f of a nudge f − k·s.
    pub force: T,
    /// Stiffness k of a nudge f − k·s.
    pub stiffness: T,
}

/// One unit as a branch-free scalar step with `C` constants per sweep and `S` state variables (0 or 1).
pub trait Neuron<const C: usize, const S: usize>: Copy + Send + Sync + std::fmt::Debug + 'static {
    /// Whether the output is the state itself: then no state is stored beside it.
    const SHARED: bool;
    /// The activation of a settling unit, for analysis.
    const ACTIVATION: Option<Activation> = None;
    /// Whether a step may run in complex numbers.
    const ANALYTIC: bool = false;
    /// A step without over-relaxation of a unit that keeps nothing but its output, in any analytic numbers.
    fn analytic<T: Analytic>(&self, input: Input<T>, _out: T) -> T {
        input.drive
    }
    /// Output of a unit whose state is zero.
    fn rest(&self) -> f64 {
        0.0
    }
    /// Constants of a sweep with over-relaxation `omega` (1 = none).
    fn prepare<T: Real>(&self, omega: T) -> [T; C];
    /// The state and the output after one step.
    fn step<T: Real>(&self, c: [T; C], input: Input<T>, h: [T; S]) -> ([T; S], T);
}
