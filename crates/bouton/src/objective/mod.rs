//! What the outcome should have been.

mod squared_error;
mod xent;

pub use squared_error::SquaredError;
pub use xent::SoftmaxCrossEntropy;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The objective of a recipe: `[objective.<name>]`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum ObjectiveSpec {
    /// ½‖s − y‖² on the output population, which is part of the dynamics of a settling network.
    SquaredError(SquaredError),
    /// Cross-entropy of a softmax readout, which is not part of the dynamics of a settling network.
    SoftmaxCrossEntropy(SoftmaxCrossEntropy),
}

impl Default for ObjectiveSpec {
    fn default() -> Self {
        Self::SquaredError(SquaredError::default())
    }
}
