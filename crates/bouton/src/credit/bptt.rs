//! Backpropagation through time: the exact gradient of ℓ(s(T)) through the sweeps of a settling network.

use super::outcome::{accumulate_grads_objective, evaluate, free_phase, loss_and_error};
use super::sink::FactorBuffer;
use super::tape::{Adjoint, record};
use super::{
    Batch, Credit, CreditMethod, CreditNeeds, GradSink, PhaseStates, Step, auxiliary, homeostasis, shards,
};
use crate::axis::{Cite, Place};
use crate::error::Result;
use crate::network::{Constant, ForwardCache, Network, Role, State};
use crate::neuron::UnitDynamics;
use crate::objective::Objective;
use crate::rng::Key;
use crate::solver::Solver;
use bouton_kernels::add_scaled;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::ops::Range;

/// Backpropagation through time (`[credit.bptt]`).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Bptt {
    /// Sweeps T from zero to the outcome.
    #[schemars(extend(
        "minimum" = 1, "maximum" = 10_000_000,
        "x-hint" = "a phase needs sweeps; 20 free and 4 nudged ones are a start"
    ))]
    pub steps: usize,
    /// Last sweeps the gradient goes through ("truncated", TBP). Default: all.
    #[serde(default)]
    #[schemars(extend(
        "minimum" = 1, "maximum" = 10_000_000,
        "x-hint" = "leave it out to go through all steps"
    ))]
    pub truncate: Option<usize>,
}

impl Bptt {
    pub(super) fn rule(&self, solver: Solver) -> BpttRule {
        let recorded = self.truncate.unwrap_or(self.steps).min(self.steps);
        BpttRule { solver: solver.reversed(), free: self.steps - recorded, recorded, repeat: 1 }
    }
}

/// Unrolled sweeps: `free` without a record, `recorded` with, walked back `repeat` times.
#[derive(Debug)]
pub(super) struct BpttRule {
    pub solver: Solver,
    pub free: usize,
    pub recorded: usize,
    pub repeat: usize,
}

impl BpttRule {
    fn shard(
        &self,
        network: &Network,
        batch: &Batch,
        constant: &Constant,
        objective: &dyn Objective,
        rows: Range<usize>,
        key: &Key,
    ) -> Result<(Step, FactorBuffer)> {
        let scale = 1.0 / batch.len() as f64;
        let x = batch.x.rows_view(rows.clone());
        let mut state = State::new(network, constant, rows, &batch.target);
        state.noise(key);
        let free = self.solver.relax(network, &mut state, None, self.free, "free")?;
        let frames = record(network, &self.solver, &mut state, self.recorded);
        let (g, err, step) = loss_and_error(network, objective, &mut state);
        let mut sink = FactorBuffer::default();
        let start = network.nudged().unwrap_or(network.output());
        let mut adjoint = Adjoint::new(network, &self.solver, start, &g);
        let cache = ForwardCache { x, out: &state.out, pool_cache: &state.pool_cache };
        for (pop, err) in auxiliary::errors(network, &state.out, &state.target, &state.samples).0 {
            if network.populations[pop].role == Role::Settling {
                add_scaled(&mut adjoint.g_out[pop], 1.0, err.view());
                continue;
            }
            // A linear readout.
            network.accumulate_grads(pop, err.view(), cache, scale, &mut sink);
            network.backward(pop, err.view(), cache, &mut adjoint.g_out);
        }
        for _ in 0..self.repeat {
            for frame in frames.iter().rev() {
                adjoint.step(network, x, frame, scale, &mut sink);
            }
        }
        adjoint.finish(network, cache, scale, &mut sink);
        if start != network.output() {
            network.accumulate_grads(network.output(), err.view(), cache, scale, &mut sink);
        }
        homeostasis::accumulate_grads_shared(network, &state, scale, key, &mut sink);
        Ok((Step { free, ..step }, sink))
    }
}

impl Credit for BpttRule {
    fn learn(
        &mut self,
        network: &mut Network,
        batch: &Batch,
        objective: &dyn Objective,
        sink: &mut dyn GradSink,
        key: &Key,
    ) -> Result<Step> {
        let constant = network.constant_drive(batch.x.view());
        let shards =
            shards::each(batch.len(), |rows| self.shard(network, batch, &constant, objective, rows, key))?;
        for (_, factors) in &shards {
            factors.replay(network, sink);
        }
        homeostasis::accumulate_grads_dense(network, sink);
        let step = shards.iter().fold(Step::default(), |sum, (step, _)| sum.with(step));
        accumulate_grads_objective(network, &step, sink);
        sink.step(network)?;
        Ok(step)
    }

    fn evaluate(&self, network: &Network, batch: &Batch, objective: &dyn Objective) -> Result<Step> {
        evaluate(network, batch, objective, &self.solver, self.free + self.recorded)
    }

    fn free(&self, network: &Network, batch: &Batch, objective: &dyn Objective) -> Result<PhaseStates> {
        free_phase(network, batch, objective, &self.solver, self.free + self.recorded, None)
    }
}

impl CreditMethod for Bptt {
    fn check(&self, at: &Place) -> Result<()> {
        let (most, truncate) = (self.steps, self.truncate.unwrap_or(self.steps));
        let need = format!("from 1 to steps = {most}");
        at.require(truncate <= most, "truncate", truncate, &need, "leave it out to go through all steps")
    }

    fn cites(&self) -> Vec<Cite> {
        vec![Cite::of("werbos1990")]
    }

    fn needs(&self) -> CreditNeeds {
        CreditNeeds { fixed_steps: true, ..CreditNeeds::gradient(UnitDynamics::Settling) }
    }

    fn steps_mut(&mut self) -> Vec<&mut usize> {
        std::iter::once(&mut self.steps).chain(&mut self.truncate).collect()
    }

    fn copies(&self) -> usize {
        4 + 2 * self.truncate.unwrap_or(self.steps)
    }

    fn examples() -> Vec<Self> {
        vec![Self { steps: 60, truncate: None }, Self { steps: 60, truncate: Some(50) }]
    }

    fn build(&self, solver: Solver, _: &Network, _: usize) -> Box<dyn Credit> {
        Box::new(self.rule(solver))
    }
}
