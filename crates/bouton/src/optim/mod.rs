//! From a gradient to a proposal.

mod adam;
mod schedule;
mod sgd;

pub use adam::{Adam, AdamW};
pub use schedule::{Cosine, Exponential, ScheduleSpec, Step};
pub use sgd::{Decay, Sgd};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The optimiser of a recipe: `[optim.<name>]`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum OptimSpec {
    /// Stochastic gradient descent.
    Sgd(Sgd),
    /// Adam (Kingma & Ba 2015).
    Adam(Adam),
    /// Adam with decoupled weight decay (Loshchilov & Hutter 2019).
    #[serde(rename = "adamw")]
    AdamW(AdamW),
}
