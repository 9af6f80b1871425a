//! Predictive coding: values of units move until they fit what predicts them, and weights then move towards the values.
//!
//!   F = Σ_p ½π‖ε_p‖² + π_out ℓ(s_out),   ẋ = −∂F/∂x,   ∂ℓ/∂W ≈ ∂F/∂W = Σ δ s_preᵀ,   δ = ∂F/∂d
//!
//! with ε_p = x_p − (what is predicted of x_p), and d the drives. All of it is local: a unit sees its own error and those of the units
//! that it predicts. The output has no value of its own: with squared errors that is the same as holding it at the target. Rules
//! differ in what moves ([`Moves`]) and in when weights do ([`Updates`]). Samples are independent, so each shard of a batch infers on
//! a thread of its own.

mod frozen;
mod inference;
mod perturbed;
mod values;

use super::backprop::BackpropRule;
use super::outcome::accumulate_grads_objective;
use super::through_time::goes_forth_by;
use super::weighed::Weights;
use super::{Batch, Credit, GradSink, Nudge, Phase, PhaseStates, Step, shards};
use crate::axis::Place;
use crate::error::Result;
use crate::network::{Constant, Network};
use crate::objective::Objective;
use crate::rng::Key;
use crate::solver::RelaxationStats;
use inference::Inference;
use rayon::prelude::*;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::ops::Range;

/// Which quantity of a unit is its value, and predicted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Values {
    /// Its output: x = s, predicted to be σ(d).
    #[default]
    Output,
    /// What stands before its activation: s = σ(x), x predicted to be d (Whittington & Bogacz 2017).
    Drive,
}

/// What moves during inference.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Moves {
    /// Values, and with them what they predict.
    Values(Values),
    /// Values, while predictions and slopes stay those of the pass.
    Frozen,
    /// Errors: each unit adds its own to what is predicted of it.
    Errors,
}

/// When weights move.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Updates {
    /// After inference.
    AtTheEnd,
    /// At every step of it.
    EveryStep,
    /// Those that enter a population when the error has just reached it.
    AsErrorsArrive,
}

/// Refuses steps that throw a value further than it is away from what is predicted of it.
///
/// # Errors
/// [`crate::Error::Config`] with the key and a hint.
pub(super) fn check_rate(at: &Place, rate: f64, precision: f64) -> Result<()> {
    let found = format!("{rate} with precision {precision}");
    let hint = format!("use less than {}", 2.0 / precision);
    at.require(
        rate * precision < 2.0,
        "rate",
        found,
        "rate · precision below 2, from where on errors grow",
        &hint,
    )
}

/// The rule.
#[derive(Clone, Copy, Debug)]
pub(super) struct Predictive {
    /// The rule as recipes spell it.
    pub name: &'static str,
    pub moves: Moves,
    pub updates: Updates,
    /// Most steps of inference; none: one for each hidden population.
    pub steps: Option<usize>,
    /// γ.
    pub rate: f64,
    /// π of hidden units and of the output.
    pub precision: [f64; 2],
    /// Largest step of a unit at which a sample has settled; none: all steps are taken.
    pub tolerance: Option<f64>,
    /// Where the output is drawn to; none: the loss itself acts on it.
    pub nudge: Option<(Nudge, f64)>,
}

impl Predictive {
    /// The phases of a batch, and what their states count for Φ = −F.
    fn contrast(&self, key: &Key) -> Vec<Phase> {
        let whole = Phase { beta: 0.0, coefficient: -1.0 };
        self.nudge.map_or_else(|| vec![whole], |(nudge, beta)| nudge.phases(beta, key).1)
    }

    fn pass(self) -> BackpropRule {
        BackpropRule
    }

    /// All phases of some samples, settled.
    fn settled(
        &self,
        network: &Network,
        (batch, constant): (&Batch, &Constant),
        objective: &dyn Objective,
        phases: &[Phase],
        rows: Range<usize>,
    ) -> Result<Vec<Inference>> {
        let of = |phase: &Phase| {
            let start = (constant, rows.clone());
            let mut inference = Inference::new(*self, network, batch, start, objective, *phase);
            inference.settle(network, objective)?;
            Ok(inference)
        };
        phases.iter().map(of).collect()
    }

    /// Weights move at every step of the values.
    fn learn_on_the_way(
        self,
        network: &mut Network,
        batch: &Batch,
        (weights, objective): (&Weights, &dyn Objective),
        sink: &mut dyn GradSink,
        key: &Key,
    ) -> Result<Step> {
        let phase = self.contrast(key)[0];
        let mut constant = network.constant_drive(batch.x.view());
        let new = |rows| Inference::new(self, network, batch, (&constant, rows), objective, phase);
        let mut shards: Vec<Inference> = shards::split(batch.len()).into_iter().map(new).collect();
        let step = shards.iter().fold(Step::default(), |sum, shard| sum.with(&shard.outcome));
        for t in 0..self.steps.unwrap_or_default() {
            let here: &Network = network;
            shards.par_iter_mut().for_each(|shard| shard.find_errors(here, objective, false));
            shards.iter().for_each(|shard| shard.accumulate_grads(here, batch, weights, sink));
            if t == 0 {
                accumulate_grads_objective(here, &step, sink);
            }
            shards.par_iter_mut().for_each(|shard| shard.take_step(here));
            shards.iter().try_for_each(|shard| shard.check_energy(here))?;
            sink.step(network)?;
            constant = network.constant_drive(batch.x.view());
            shards.iter_mut().for_each(|shard| shard.set_constant(network, &constant));
        }
        let nudged = shards.iter().fold(RelaxationStats::default(), |sum, shard| sum.with(shard.done()));
        Ok(Step { nudged, ..step })
    }
}

impl Credit for Predictive {
    fn learn(
        &mut self,
        network: &mut Network,
        batch: &Batch,
        objective: &dyn Objective,
        sink: &mut dyn GradSink,
        key: &Key,
    ) -> Result<Step> {
        network.draw_feedback(key);
        let weights = Weights::of(objective);
        let objective = weights.objective(objective);
        if self.updates == Updates::EveryStep {
            return self.learn_on_the_way(network, batch, (&weights, objective), sink, key);
        }
        let (here, phases): (&Network, _) = (network, self.contrast(key));
        let constant = here.constant_drive(batch.x.view());
        let shards = shards::each(batch.len(), |rows| {
            self.settled(here, (batch, &constant), objective, &phases, rows)
        })?;
        let mut step = Step::default();
        for phases in &shards {
            let nudged = phases.iter().fold(RelaxationStats::default(), |sum, phase| sum.with(phase.done()));
            step = step.with(&Step { nudged, ..phases[0].outcome.clone() });
            phases.iter().for_each(|phase| phase.accumulate_grads(here, batch, &weights, sink));
        }
        accumulate_grads_objective(here, &step, sink);
        sink.step(network)?;
        Ok(step)
    }

    goes_forth_by!(pass);

    /// The pass, then where each phase came to.
    fn phases(
        &self,
        network: &Network,
        batch: &Batch,
        objective: &dyn Objective,
        key: &Key,
    ) -> Result<Vec<PhaseStates>> {
        let mut all = vec![self.free(network, batch, objective)?];
        let constant = network.constant_drive(batch.x.view());
        let (phases, rows) = (self.contrast(key), 0..batch.len());
        let settled = self.settled(network, (batch, &constant), objective, &phases, rows)?;
        all.extend(settled.into_iter().map(Inference::into_states));
        Ok(all)
    }
}
