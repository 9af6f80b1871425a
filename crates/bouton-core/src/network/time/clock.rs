//! How a network moves in time: what a recipe says of it, and what it comes to for the samples of a task.

use super::Reading;
use crate::encoder::{EncoderSpec, Steps};
use crate::network::Network;
use crate::rng::Key;
use bouton_kernels::{Mat, View};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How a network moves in time (`[time]`).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct Clock {
    /// Length of a step of the data, in the unit of the units' time constants. Default 1.
    #[schemars(extend("exclusiveMinimum" = 0, "maximum" = 1e9, "x-hint" = "1, with time constants in steps"))]
    pub dt: f64,
    /// Steps of the network in each step of the data, whose input stays as it is meanwhile. Default 1.
    #[schemars(extend("minimum" = 1, "maximum" = 10_000, "x-hint" = "1, or a few to refine the steps of rate units"))]
    pub substeps: usize,
    /// Which outputs are judged.
    pub reading: Reading,
    /// A penalty on the rates of hidden units. Default: none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rates: Option<Rates>,
}

/// A penalty on rates (`[time.rates]`): ½·cost·Σ (f − target)² over hidden units beside the loss of a sample, f being the mean output
/// of a unit over its steps (Bellec et al. 2018).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Rates {
    /// Strength.
    #[schemars(extend("minimum" = 0, "maximum" = 1e9, "x-hint" = "0.1 to 1 are usual, by the size of the loss"))]
    pub cost: f64,
    /// Wanted spikes per step. Default 0.01.
    #[serde(default = "hundredth")]
    #[schemars(extend("minimum" = 0, "maximum" = 1, "x-hint" = "0.01 is 10 Hz at steps of 1 ms"))]
    pub target: f64,
}

fn hundredth() -> f64 {
    0.01
}

impl Default for Clock {
    fn default() -> Self {
        Self { dt: 1.0, substeps: 1, reading: Reading::default(), rates: None }
    }
}

impl Clock {
    /// Length of a step of the network.
    pub fn step(&self) -> f64 {
        self.dt / self.substeps as f64
    }
}

/// The same for the samples of a task.
#[derive(Clone, Debug)]
pub struct Timing {
    /// What the recipe says.
    pub clock: Clock,
    /// What a network sees of a sample.
    pub encoder: EncoderSpec,
    /// Steps and columns of the samples themselves.
    pub own: Steps,
    /// Steps and columns that the network sees.
    pub shown: Steps,
    /// Whether samples have an answer at every step; otherwise one, and what is said at all steps is averaged for it.
    pub answers_every_step: bool,
    /// Random numbers of tests.
    pub key: Key,
}

impl Timing {
    /// Length of a step of the network.
    pub fn dt(&self) -> f64 {
        self.clock.step()
    }
}

impl Network {
    /// What it sees of samples, [steps · samples, columns], all samples of a step together. `ids` are the places of the samples in
    /// their data; `key` names the random numbers of training, and its absence means a test.
    pub fn seen(&self, time: &Timing, x: View<'_>, ids: &[usize], key: Option<&Key>) -> Mat {
        let mut seen = Mat::zeros(self.dtype, time.shown.steps * x.rows(), time.shown.columns);
        let of_all = key.unwrap_or(&time.key);
        let draws = |r: usize| of_all.of("encoder", ids[r] as u64);
        time.encoder.method().encode(time.own, x, &draws, seen.view_mut());
        seen
    }
}
