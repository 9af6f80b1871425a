//! The engine of every contrastive rule: a free phase, nudged phases from it, and their weighted difference.
//!
//! g = Σ_k c_k ∂Φ/∂θ(s^{β_k}), with the free phase as β = 0. The algorithms that Scellier et al. (2023) compare are rows
//! of one table of strengths, coefficients and clamps:
//!
//! | rule                         | phases (β: c)                 | output        |
//! |------------------------------|-------------------------------|---------------|
//! | positive EP / coupled        | 0: 1/β,  +β: −1/β             | nudged / held |
//! | negative EP / coupled        | −β: 1/β,  0: −1/β             | nudged / held |
//! | symmetric (centred)          | −β: 1/2β, +β: −1/2β           | nudged / held |
//! | contrastive learning         | 0: 1,  1: −1                  | held          |
//!
//! Φ is maximised by the dynamics, hence the signs: a positive β lowers the loss at the output.

use super::outcome::{accumulate_grads_objective, evaluate, free_phase, loss_and_error};
use super::warm_start::WarmStart;
use super::weighed::Weights;
use super::{Batch, Credit, GradSink, Nudge, PhaseStates, Step, homeostasis, shards};
use crate::error::Result;
use crate::network::{Constant, ForwardCache, Network, State, Term, Visitor};
use crate::objective::Objective;
use crate::rng::Key;
use crate::solver::Solver;
use bouton_kernels::{Mat, Real, dispatch};
use std::ops::Range;

/// One state of a contrast.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Phase {
    /// Strength β of the nudge or clamp.
    pub beta: f64,
    /// Coefficient of ∂Φ/∂θ in the gradient.
    pub coefficient: f64,
}

/// A contrastive rule.
#[derive(Debug)]
pub struct Contrast {
    /// Which states are contrasted.
    pub phases: Box<dyn Phases>,
    /// Hold the output at s* − β ∂ℓ/∂s instead of nudging it.
    pub clamp: bool,
    /// Let nudged phases follow the transposed network around the free state.
    pub corrected: bool,
    /// Most sweeps of the free phase.
    pub free_steps: usize,
    /// Most sweeps of a nudged phase.
    pub nudged_steps: usize,
    /// How states settle.
    pub solver: Solver,
    /// Where free phases start.
    pub(super) warm_start: WarmStart,
}

/// Which states a rule contrasts.
pub trait Phases: Send + Sync + std::fmt::Debug {
    /// The coefficient of the free phase and the nudged phases, for one mini-batch.
    fn of(&self, key: &Key) -> (f64, Vec<Phase>);
}

/// A word and the strength β.
impl Phases for (Nudge, f64) {
    fn of(&self, key: &Key) -> (f64, Vec<Phase>) {
        self.0.phases(self.1, key)
    }
}

impl Nudge {
    /// The coefficient of the free phase and the nudged phases, for one mini-batch.
    pub fn phases(self, beta: f64, key: &Key) -> (f64, Vec<Phase>) {
        let one_sided = |beta: f64| (1.0 / beta, vec![Phase { beta, coefficient: -1.0 / beta }]);
        match self {
            Self::Positive => one_sided(beta),
            Self::Negative => one_sided(-beta),
            Self::RandomSign => {
                let sign = if key.of("nudge", 0).stream().uniform() < 0.5 { -1.0 } else { 1.0 };
                one_sided(sign * beta)
            }
            Self::Symmetric => {
                let c = 0.5 / beta;
                (0.0, vec![Phase { beta, coefficient: -c }, Phase { beta: -beta, coefficient: c }])
            }
        }
    }
}

/// The states of one shard after all phases.
struct Shard {
    rows: Range<usize>,
    free: State,
    free_residual: Vec<f64>,
    nudged: State,
    readout: Mat,
    step: Step,
}

impl Contrast {
    fn settle(
        &self,
        network: &Network,
        batch: &Batch,
        constant: &Constant,
        objective: &dyn Objective,
        phases: &[Phase],
        rows: Range<usize>,
        key: &Key,
    ) -> Result<Shard> {
        let mut free = State::new(network, constant, rows.clone(), &batch.target);
        free.noise(key);
        self.warm_start.recall(&mut free, &batch.ids[rows.clone()], rows.clone());
        let free_phase = self.solver.relax(network, &mut free, None, self.free_steps, "free")?;
        let free_residual = free.change.clone();
        let (g, readout, step) = loss_and_error(network, objective, &mut free);
        if self.corrected {
            free.set_reference(network);
        }
        let mut nudged = free.tile(phases.len());
        free.reference = None;
        for (k, phase) in phases.iter().enumerate() {
            nudged.beta[k * rows.len()..(k + 1) * rows.len()].fill(phase.beta);
        }
        let nudged_phase = if self.clamp {
            hold_output(network, &mut nudged, &g);
            self.solver.relax(network, &mut nudged, None, self.nudged_steps, "clamped")?
        } else {
            self.solver.relax(network, &mut nudged, Some(objective), self.nudged_steps, "nudged")?
        };
        network.update_pool_caches(&mut free);
        network.update_pool_caches(&mut nudged);
        let step = Step { free: free_phase, nudged: nudged_phase, ..step };
        Ok(Shard { rows, free, free_residual, nudged, readout, step })
    }

    /// Hands over the gradient of one shard, for a batch of `samples`.
    fn accumulate_grads(
        &self,
        network: &Network,
        batch: &Batch,
        shard: &Shard,
        (free, phases): (f64, &[Phase]),
        weights: &Weights,
        key: &Key,
        sink: &mut dyn GradSink,
    ) {
        let mut weighed = weights.sink(shard.rows.clone(), sink);
        let (n, scale) = (shard.rows.len(), 1.0 / batch.len() as f64);
        let x = batch.x.rows_view(shard.rows.clone());
        let mut terms: Vec<Term<'_>> = phases
            .iter()
            .enumerate()
            .map(|(k, p)| Term::real(&shard.nudged, k * n..(k + 1) * n, p.coefficient * scale))
            .collect();
        if free != 0.0 {
            terms.push(Term::real(&shard.free, 0..n, free * scale));
        }
        network.contrast(x, &terms, &shard.free, &mut weighed);
        if network.nudged() != Some(network.output()) {
            let cache = ForwardCache { x, out: &shard.free.out, pool_cache: &shard.free.pool_cache };
            network.accumulate_grads(network.output(), shard.readout.view(), cache, scale, &mut weighed);
        }
        homeostasis::accumulate_grads_shared(network, &shard.free, scale, key, sink);
    }
}

/// Holds the output at s* − β ∂ℓ/∂s, s* its free state.
fn hold_output(network: &Network, state: &mut State, g: &Mat) {
    let output = network.output();
    let n = g.rows();
    dispatch!(g.dtype(), T => for r in 0..state.rows() {
        let beta = T::constant(state.beta[r]);
        let g = g.rows_view(r % n..r % n + 1);
        let mut held = state.out[output].rows_view_mut(r..r + 1);
        for (s, &g) in held.slice_mut::<T>().iter_mut().zip(g.slice::<T>()) {
            *s -= beta * g;
        }
    });
    state.clamped_output = Some(output);
}

impl Credit for Contrast {
    fn learn(
        &mut self,
        network: &mut Network,
        batch: &Batch,
        objective: &dyn Objective,
        sink: &mut dyn GradSink,
        key: &Key,
    ) -> Result<Step> {
        let (free, phases) = self.phases.of(key);
        let weights = Weights::of(objective);
        let objective = weights.objective(objective);
        let constant = network.constant_drive(batch.x.view());
        let shards = shards::each(batch.len(), |rows| {
            self.settle(network, batch, &constant, objective, &phases, rows, key)
        })?;
        for shard in &shards {
            self.warm_start.keep(&shard.free, &batch.ids[shard.rows.clone()], shard.rows.clone());
            self.accumulate_grads(network, batch, shard, (free, &phases), &weights, key, sink);
        }
        homeostasis::accumulate_grads_dense(network, sink);
        let step = shards.iter().fold(Step::default(), |sum, s| sum.with(&s.step));
        accumulate_grads_objective(network, &step, sink);
        sink.step(network)?;
        Ok(step)
    }

    fn evaluate(&self, network: &Network, batch: &Batch, objective: &dyn Objective) -> Result<Step> {
        evaluate(network, batch, objective, &self.solver, self.free_steps)
    }

    fn free(&self, network: &Network, batch: &Batch, objective: &dyn Objective) -> Result<PhaseStates> {
        free_phase(network, batch, objective, &self.solver, self.free_steps, None)
    }

    fn free_in_training(
        &self,
        network: &mut Network,
        batch: &Batch,
        objective: &dyn Objective,
        key: &Key,
    ) -> Result<PhaseStates> {
        free_phase(network, batch, objective, &self.solver, self.free_steps, Some(key))
    }

    fn phases(
        &self,
        network: &Network,
        batch: &Batch,
        objective: &dyn Objective,
        key: &Key,
    ) -> Result<Vec<PhaseStates>> {
        let (_, phases) = self.phases.of(key);
        let (n, constant) = (batch.len(), network.constant_drive(batch.x.view()));
        let shard = self.settle(network, batch, &constant, objective, &phases, 0..n, key)?;
        let mut all = vec![PhaseStates { beta: 0.0, out: shard.free.out, residual: shard.free_residual }];
        for (k, phase) in phases.iter().enumerate() {
            let rows = k * n..(k + 1) * n;
            let part = |m: &Mat| if m.rows() == 0 { m.clone() } else { m.rows_view(rows.clone()).to_mat() };
            let out = shard.nudged.out.iter().map(part).collect();
            all.push(PhaseStates { beta: phase.beta, out, residual: shard.nudged.change[rows].to_vec() });
        }
        Ok(all)
    }

    fn visit(&mut self, visitor: &mut Visitor<'_>) -> Result<()> {
        self.warm_start.visit(visitor)
    }
}
