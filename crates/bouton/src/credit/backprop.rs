//! Backpropagation through a feed-forward network (Rumelhart, Hinton & Williams 1986): BPTT of one forward sweep.

use super::bptt::Unroll;
use crate::network::Network;
use crate::solver::{Plan, Solver};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Backpropagation (`[credit.backprop]`). No parameters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Backprop {}

/// One sweep through the populations in order, recorded.
pub(super) fn rule(network: &Network) -> Unroll {
    let solver = Solver { plan: Plan::forward(network), omega: 1.0, tolerance: None };
    Unroll { solver, free: 0, recorded: 1, repeat: 1 }
}
