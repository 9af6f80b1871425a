//! A recipe: everything that determines a run, as one TOML file.

mod bounds;
pub(crate) mod build;
mod cells;
mod cite;
mod combos;
pub mod describe;
pub(crate) mod embed;
#[cfg(test)]
mod extremes;
mod flat;
mod imperfections;
mod inspect;
mod leaves;
mod load;
mod memory;
mod migrate;
mod names;
mod overrides;
mod places;
mod plan;
mod resolve;
mod schema;
mod signs;
mod start;
mod tables;
mod validate;
mod words;

pub use crate::axis::variant_name;
pub use cells::{Cell, combinations, combinations_with};
pub use cite::{Reference, bibliography};
pub use combos::compatible;
pub(crate) use flat::flat;
pub use imperfections::Imperfection;
pub use inspect::nearest;
pub use memory::Memory;
pub use plan::{ConnectionKind, ConnectionPlan, NetworkPlan, PopulationPlan};
pub use schema::schema;
pub use signs::Signs;
pub use start::{KnownStart, Start};
pub use tables::{ConnectionSpec, PopulationSpec};
pub use words::values;

use crate::anchor::AnchorSpec;
use crate::credit::CreditSpec;
use crate::encoder::{EncoderSpec, Steps};
use crate::network::Clock;
use crate::network::NetworkSpec;
use crate::neuron::{NeuronSpec, UnitDynamics};
use crate::norm::NormSpec;
use crate::objective::ObjectiveSpec;
use crate::optim::{OptimSpec, ScheduleSpec, UpdateSpec};
use crate::solver::SolverSpec;
use crate::synapse::SynapseSpec;
use crate::task::{All, BatchSize, ContinualSpec, Curriculum, SequenceSpec, TaskSpec};
use crate::wiring::WiringSpec;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Number type of states and weights.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Precision {
    /// 32 bits: training.
    #[default]
    F32,
    /// 64 bits: checks.
    F64,
}

/// A complete, resolved experiment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Recipe {
    /// Name of runs; default: the recipe's file name.
    #[serde(default)]
    pub name: String,
    /// One line on what this is.
    #[serde(default)]
    pub about: String,
    /// Citation keys of what is reproduced or used.
    #[serde(default)]
    pub cite: Vec<String>,
    /// Seed of everything random. Default 1.
    #[serde(default = "one")]
    #[schemars(extend(
        "minimum" = 0, "maximum" = i64::MAX,
        "x-hint" = "a smaller number does as well"
    ))]
    pub seed: u64,
    /// Number type of states and weights.
    #[serde(default)]
    pub precision: Precision,
    /// Whose sign conventions a binary network follows: stands for keys of `neuron.sign` and of the synapse. Default:
    /// those keys.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signs: Option<Signs>,
    /// Stopping and checkpoints.
    #[serde(default)]
    pub run: RunSpec,
    /// Which data, in which batches.
    pub task: TaskSpec,
    /// From one data set to a sequence of tasks.
    #[serde(default)]
    pub sequence: SequenceSpec,
    /// How a sequence of tasks is learned.
    #[serde(default)]
    pub continual: ContinualSpec,
    /// What a network sees of a sample step by step.
    #[serde(default, skip_serializing_if = "shows_as_is")]
    pub encoder: EncoderSpec,
    /// How a network moves in time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time: Option<Clock>,
    /// Layers.
    pub network: NetworkSpec,
    /// Populations by name: choices of their own.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(extend("propertyNames" = names::schema()))]
    pub population: BTreeMap<String, PopulationSpec>,
    /// Connections by name: choices of their own, and connections beside the chain.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(extend("propertyNames" = names::schema()))]
    pub connection: BTreeMap<String, ConnectionSpec>,
    /// How units move.
    pub neuron: NeuronSpec,
    /// How drives are normalised.
    #[serde(default)]
    pub norm: NormSpec,
    /// How layers are joined.
    #[serde(default)]
    pub wiring: WiringSpec,
    /// How weights take updates.
    #[serde(default)]
    pub synapse: SynapseSpec,
    /// What holds weights that earlier tasks needed.
    #[serde(default)]
    pub anchor: AnchorSpec,
    /// What the output should be.
    #[serde(default)]
    pub objective: ObjectiveSpec,
    /// How units learn what they should have done.
    pub credit: CreditSpec,
    /// How settling networks reach their fixed point.
    #[serde(default)]
    pub solver: SolverSpec,
    /// From a gradient to a proposal.
    pub optim: OptimSpec,
    /// Learning rate over epochs.
    #[serde(default)]
    pub schedule: ScheduleSpec,
    /// How gradients become an update.
    #[serde(default, skip_serializing_if = "is_plain")]
    pub update: UpdateSpec,
}

impl<'a> From<&'a Recipe> for Curriculum<'a> {
    fn from(recipe: &'a Recipe) -> Self {
        let Recipe { task, sequence, continual, seed, .. } = recipe;
        Self { task, sequence, continual, accumulate: recipe.update.batches(), seed: *seed }
    }
}

/// When a run stops and what it keeps (`[run]`).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct RunSpec {
    /// Begin with the weights of a checkpoint, a file; states of synapses come with them. Default: drawn ones.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<Start>,
    /// Stop after so many updates. Default: when the epochs are over.
    #[schemars(extend(
        "minimum" = 1, "maximum" = 1_000_000_000_000_i64,
        "x-hint" = "leave it out to train for all epochs"
    ))]
    pub updates: Option<u64>,
    /// Also checkpoint every so many updates, update 0 included. Default: at the end of every epoch only.
    #[schemars(extend(
        "minimum" = 1, "maximum" = 1_000_000_000_000_i64,
        "x-hint" = "leave it out to checkpoint once per epoch"
    ))]
    pub checkpoint_every: Option<u64>,
    /// Numbered checkpoints to keep, or `"all"`. Default 3.
    pub keep_checkpoints: Keep,
    /// Log training metrics every so many updates. Default 100.
    #[schemars(extend("minimum" = 1, "maximum" = 1_000_000_000_000_i64, "x-hint" = "100 is usual"))]
    pub log_every: u64,
    /// Evaluate on the test set every so many epochs. Default 1.
    #[schemars(extend("minimum" = 1, "maximum" = 1_000_000_000_000_i64, "x-hint" = "1 tests after every epoch"))]
    pub test_every: usize,
    /// End when so many tests in a row were no better on the samples held back by `task.…validation`. Default: do not.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("minimum" = 1, "maximum" = 1_000_000_000, "x-hint" = "5 to 20 are usual"))]
    pub patience: Option<u64>,
    /// Average the answers in tests over so many draws of weights that are distributions. Default: the mean weights
    /// answer.
    #[schemars(extend(
        "minimum" = 1, "maximum" = 100_000,
        "x-hint" = "leave it out for the answers of the mean weights"
    ))]
    pub test_draws: Option<usize>,
    /// Average the gradients of an update over so many draws of weights that are distributions. Default: one. Running
    /// means of batch normalisation move once with every draw.
    #[schemars(extend(
        "minimum" = 1, "maximum" = 100_000,
        "x-hint" = "leave it out for one sample of the weights"
    ))]
    pub train_draws: Option<usize>,
    /// When the run ends, measure what flipping binary weights costs on so many samples of weights in each range of the
    /// hidden weight; 100 is usual. Default: not measured.
    #[schemars(extend("minimum" = 1, "maximum" = 100_000, "x-hint" = "100 is usual"))]
    pub flip_samples: Option<usize>,
}

/// How many of a run's numbered checkpoints stay.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Keep {
    /// The newest so many.
    Newest(
        #[schemars(extend("minimum" = 1, "maximum" = 1_000_000_000, "x-hint" = "3 is usual; \"all\" keeps every one"))]
         usize,
    ),
    /// All of them (`"all"`).
    All(All),
}

impl Keep {
    /// How many; none for all.
    pub fn newest(self) -> Option<usize> {
        match self {
            Self::Newest(n) => Some(n),
            Self::All(_) => None,
        }
    }
}

impl Default for RunSpec {
    fn default() -> Self {
        Self {
            from: None,
            updates: None,
            checkpoint_every: None,
            keep_checkpoints: Keep::Newest(3),
            log_every: 100,
            test_every: 1,
            patience: None,
            test_draws: None,
            train_draws: None,
            flip_samples: None,
        }
    }
}

fn one() -> u64 {
    1
}

fn shows_as_is(encoder: &EncoderSpec) -> bool {
    *encoder == EncoderSpec::None
}

fn is_plain(update: &UpdateSpec) -> bool {
    *update == UpdateSpec::default()
}

impl Recipe {
    /// Samples that are learned from at once, where the gradients of several batches make one update.
    pub(crate) fn piece(&self) -> Option<usize> {
        match self.task.batch() {
            BatchSize::Samples(n) if self.update.batches() > 1 => Some(n),
            _ => None,
        }
    }

    /// Whether its network moves in time: any of its units does.
    pub(crate) fn moves_in_time(&self) -> bool {
        let stepping = |neuron: &NeuronSpec| neuron.method().traits().dynamics == UnitDynamics::Stepping;
        self.neurons().any(|(_, neuron)| stepping(neuron))
    }

    /// How its network moves in time, if it does.
    pub(crate) fn clock(&self) -> Clock {
        self.time.unwrap_or_default()
    }

    /// Steps and columns of the samples of its tasks, as they are.
    pub(crate) fn own_steps(&self) -> Steps {
        let steps = self.task.method().steps();
        Steps { steps, columns: self.seen_columns() / steps }
    }

    /// Numbers of a sample of its tasks.
    pub(crate) fn seen_columns(&self) -> usize {
        self.sequence.sides(&self.task, self.continual.scenario).0
    }

    /// Steps and columns that its network sees of a sample; none if the encoder cannot show its task.
    pub(crate) fn shown_steps(&self) -> Option<Steps> {
        self.encoder.method().shown(self.own_steps())
    }

    /// Whether what its network sees of a sample is mostly zero.
    pub(crate) fn spikes_are_shown(&self) -> bool {
        self.encoder.method().spikes(self.task.method().shows_spikes())
    }

    /// Columns that its network sees at once, and its outputs.
    pub(crate) fn seen_sides(&self) -> (usize, usize) {
        let (columns, outputs) = self.sequence.sides(&self.task, self.continual.scenario);
        (self.shown_steps().map_or(columns, |shown| shown.columns), outputs)
    }
}
