//! How a unit learns what it should have done.

mod backprop;
mod bptt;
mod continual;
mod contrastive;
mod coupled;
mod eqprop;
mod recurrent;

pub use backprop::Backprop;
pub use bptt::Bptt;
pub use continual::ContinualEqProp;
pub use contrastive::ContrastiveLearning;
pub use coupled::CoupledLearning;
pub use eqprop::{EqProp, Nudge, Start};
pub use recurrent::RecurrentBackprop;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The credit axis of a recipe: `[credit.<name>]`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum CreditSpec {
    /// Backpropagation through a feed-forward network.
    Backprop(Backprop),
    /// Backpropagation through time, whole or truncated.
    Bptt(Bptt),
    /// Recurrent backpropagation: the adjoint's fixed point.
    RecurrentBackprop(RecurrentBackprop),
    /// Equilibrium propagation.
    EqProp(EqProp),
    /// Continual equilibrium propagation: weights move during the nudged phase.
    ContinualEqProp(ContinualEqProp),
    /// Coupled learning: the output is clamped a little closer to the target.
    CoupledLearning(CoupledLearning),
    /// Contrastive learning: the output is clamped to the target.
    ContrastiveLearning(ContrastiveLearning),
}
