//! Backpropagation through time: the exact gradient through the sweeps of a settling network, of ℓ(s(T)), or through the steps of
//! units that move while their input moves.

use super::memory::MemoryBound;
use super::outcome::{accumulate_grads_objective, evaluate, free_phase, loss_and_error};
use super::sink::FactorBuffer;
use super::tape::{Adjoint, record};
use super::through_time::ThroughTime;
use super::{
    Batch, Credit, CreditMethod, CreditNeeds, GradSink, PhaseStates, Step, auxiliary, homeostasis, shards,
};
use crate::axis::{Cite, Place};
use crate::error::Result;
use crate::network::{Constant, ForwardCache, Network, Path, Role, State};
use crate::neuron::UnitDynamics;
use crate::objective::Objective;
use crate::rng::Key;
use crate::solver::Solver;
use bouton_kernels::add_scaled;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::ops::Range;

/// Backpropagation through time (`[credit.bptt]`).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct Bptt {
    /// Sweeps T from zero to the outcome of a settling network. Default: none; units that move in time take the steps of the data.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend(
        "minimum" = 1, "maximum" = 10_000_000,
        "x-hint" = "a phase needs sweeps; 20 free and 4 nudged ones are a start"
    ))]
    pub steps: Option<usize>,
    /// Last sweeps the gradient goes through ("truncated", TBP), or steps of the data in each section of a sequence, at whose
    /// beginning the gradient stops. Default: all.
    #[schemars(extend(
        "minimum" = 1, "maximum" = 10_000_000,
        "x-hint" = "leave it out to go through all steps"
    ))]
    pub truncate: Option<usize>,
    /// Keep the units' states only every so many steps of the data, and compute those between again on the way back: the same
    /// gradient from less memory; the root of the number of steps takes the least. Default: keep all.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend(
        "minimum" = 1, "maximum" = 10_000_000,
        "x-hint" = "the root of the number of steps takes the least memory"
    ))]
    pub checkpoint: Option<usize>,
    /// Memory for what a batch did, such as `"200 MB"` (B, kB, MB, GB): chooses `checkpoint`. Default: as much as it takes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory: Option<MemoryBound>,
}

impl Bptt {
    pub(super) fn rule(&self, solver: Solver, steps: usize) -> BpttRule {
        let recorded = self.truncate.unwrap_or(steps).min(steps);
        BpttRule { solver: solver.reversed(), free: steps - recorded, recorded, repeat: 1 }
    }

    fn through_time(&self) -> ThroughTime {
        let exact = self.truncate.is_none();
        ThroughTime { section: self.section(), exact, memory: self.memory, ..ThroughTime::whole(Path::BPTT) }
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
        let other = [("steps", self.steps), ("truncate", self.truncate), ("checkpoint", self.checkpoint)];
        let other = other.into_iter().find_map(|(key, value)| Some((key, value?)));
        if let (Some(memory), Some((key, value))) = (self.memory, other) {
            let need = format!("left out beside {key} = {value}");
            at.require(
                false,
                "memory",
                memory,
                &need,
                "memory chooses checkpoint itself, for units that move in time",
            )?;
        }
        if let (Some(checkpoint), Some(truncate)) = (self.checkpoint, self.truncate) {
            let need = format!("left out beside truncate = {truncate}");
            at.require(false, "checkpoint", checkpoint, &need, "a gradient that stops needs no checkpoints")?;
        }
        let Some(most) = self.steps else { return Ok(()) };
        let truncate = self.truncate.unwrap_or(most);
        let need = format!("from 1 to steps = {most}");
        at.require(truncate <= most, "truncate", truncate, &need, "leave it out to go through all steps")?;
        let checkpoint = self.checkpoint.unwrap_or(0);
        let need = "left out beside steps, whose sweeps are all kept";
        at.require(self.checkpoint.is_none(), "checkpoint", checkpoint, need, "use truncate")
    }

    fn cites(&self) -> Vec<Cite> {
        vec![Cite::of("werbos1990")]
    }

    fn needs(&self) -> CreditNeeds {
        match self.steps {
            Some(_) => CreditNeeds {
                fixed_steps: true,
                exact: self.truncate.is_none(),
                ..CreditNeeds::gradient(UnitDynamics::Settling)
            },
            None => CreditNeeds {
                exact: self.truncate.is_none(),
                ..CreditNeeds::gradient(UnitDynamics::Stepping)
            },
        }
    }

    fn steps_mut(&mut self) -> Vec<&mut usize> {
        match &mut self.steps {
            Some(steps) => std::iter::once(steps).chain(&mut self.truncate).collect(),
            None => Vec::new(),
        }
    }

    fn memory(&self) -> Option<u64> {
        self.memory.map(|memory| memory.0)
    }

    fn copies(&self) -> usize {
        4 + 2 * self.steps.map_or(0, |steps| self.truncate.unwrap_or(steps))
    }

    fn section(&self) -> Option<usize> {
        self.checkpoint.or(self.truncate)
    }

    fn examples() -> Vec<Self> {
        let of = |steps, truncate, checkpoint| Self { steps, truncate, checkpoint, memory: None };
        vec![
            of(Some(60), None, None),
            of(Some(60), Some(50), None),
            of(None, None, None),
            of(None, Some(3), None),
            of(None, None, Some(2)),
            Self { memory: Some(MemoryBound(1_000_000)), ..Self::default() },
        ]
    }

    fn build(&self, solver: Solver, _: &Network, _: usize) -> Box<dyn Credit> {
        match self.steps {
            Some(steps) => Box::new(self.rule(solver, steps)),
            None => Box::new(self.through_time()),
        }
    }
}
