//! The shape of a network in a recipe.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The network of a recipe (`[network]`).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct NetworkSpec {
    /// Units of each layer: the input (features of the data), hidden layers, the output (classes).
    pub layers: Vec<usize>,
    /// Identity connections beside the layer chain. Default: none.
    #[serde(default)]
    pub skips: Vec<Skip>,
    /// Probability that a hidden unit is silent in a training step; the others are scaled up. Default 0.
    #[serde(default)]
    pub dropout: f64,
    /// The same for input units. Default 0.
    #[serde(default)]
    pub input_dropout: f64,
}

/// An identity connection between two layers of equal size.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Skip {
    /// Layer it starts from (0 = input).
    pub from: usize,
    /// Layer it ends at.
    pub to: usize,
}
