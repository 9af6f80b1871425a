//! Populations and connections by name: choices that differ from those of the whole recipe, and what stands beside the chain of
//! `network.layers`.

use crate::network::Carries;
use crate::neuron::NeuronSpec;
use crate::norm::NormSpec;
use crate::objective::ObjectiveSpec;
use crate::optim::OptimSpec;
use crate::shape::MOST_UNITS;
use crate::synapse::SynapseSpec;
use crate::wiring::WiringSpec;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A population by its name (`[population.<name>]`): one of the chain (`input`, `hidden1`, …, `output`), or one beside it, which
/// needs `units`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct PopulationSpec {
    /// Number of units of a population beside the chain.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("minimum" = 1, "maximum" = MOST_UNITS, "x-hint" = "leave it out for populations of the chain"))]
    pub units: Option<usize>,
    /// Shows this input of the task, and nothing else. Default: what enters it decides.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub clamp: Option<String>,
    /// How its units move. Default: as `[neuron]` says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub neuron: Option<NeuronSpec>,
    /// How its drive is normalised. Default: as `[norm]` says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub norm: Option<NormSpec>,
    /// Probability that a unit is silent in a training step. Default: as `[network]` says.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("minimum" = 0, "exclusiveMaximum" = 1, "x-hint" = "0.5 is usual; leave it out for none"))]
    pub dropout: Option<f64>,
    /// An objective of its own, with the targets of the task. Default: none; that of the recipe is the output's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub objective: Option<ObjectiveSpec>,
    /// Weight of that objective beside the output's. Default 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("minimum" = 0, "maximum" = 1e6, "x-hint" = "0.3 is usual for auxiliary readouts"))]
    pub objective_weight: Option<f64>,
}

/// A connection by its name (`[connection.<name>]`): one of the chain (`input-hidden1`, …), or one beside it, which needs `from`
/// and `to`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct ConnectionSpec {
    /// Population that a connection beside the chain starts from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// Population that it leads to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
    /// How units are joined. Default: as `[wiring]` says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wiring: Option<WiringSpec>,
    /// How its weights take updates. Default: as `[synapse]` says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub synapse: Option<SynapseSpec>,
    /// Learning rate of its weights. Default: that of `[optim]`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("minimum" = 0, "maximum" = 1e9, "x-hint" = "leave it out for the rate of [optim]"))]
    pub lr: Option<f64>,
    /// Optimiser of its weights, learning rate and decay included. Default: as `[optim]` says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub optim: Option<OptimSpec>,
    /// What it carries: `both` activity and errors, `activity` alone, so that no error comes back here, or `errors` alone,
    /// from a later population straight to an earlier one, through weights that stay as they are drawn (direct feedback
    /// alignment, Nøkland 2016). Default `both`.
    #[serde(skip_serializing_if = "is_both")]
    pub carries: Carries,
    /// Steps of the data that activity takes from one end to the other, in networks that move in time. A loop needs one, but for
    /// that of a population with itself, which without a delay takes one step of the network. Default 0.
    #[serde(skip_serializing_if = "is_none")]
    #[schemars(extend("minimum" = 0, "maximum" = 1_000_000, "x-hint" = "1 for loops; 1 to 10 are usual"))]
    pub delay: usize,
    /// Whether its units are joined with themselves, of a connection that joins a population with itself. Default true.
    #[serde(skip_serializing_if = "is_true")]
    pub autapses: bool,
    /// Whether its weights learn. Default true.
    #[serde(skip_serializing_if = "is_true")]
    pub learn: bool,
}

impl Default for ConnectionSpec {
    fn default() -> Self {
        Self {
            from: None,
            to: None,
            wiring: None,
            synapse: None,
            lr: None,
            optim: None,
            carries: Carries::Both,
            delay: 0,
            autapses: true,
            learn: true,
        }
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it with a reference")]
fn is_true(yes: &bool) -> bool {
    *yes
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it with a reference")]
fn is_none(delay: &usize) -> bool {
    *delay == 0
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it with a reference")]
fn is_both(carries: &Carries) -> bool {
    *carries == Carries::Both
}
