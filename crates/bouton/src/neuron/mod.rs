//! How a unit moves in time.
//!
//! One enum lists every neuron model; each sibling file is one model, written as a scalar step.

mod activation;
mod relu;
mod settle;

pub use activation::Activation;
pub use relu::Relu;
pub use settle::{Dynamics, NudgePosition, Settle};

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
}
