//! Holomorphic equilibrium propagation (Laborieux & Zenke 2022): the gradient is a Fourier coefficient of the response to a
//! nudge that turns in the complex plane.
//!
//! g = −(1/N) Σ_k ∂Φ/∂θ(s^{β_k})/β_k, β_k = β e^{2πik/N}: its error is O(β^N), whatever finite β is, as long as s^β is analytic
//! on the disc |β_k| ≤ β. States at conjugate nudges are conjugate, so half of the circle is settled: ±β in real numbers,
//! the points between them in complex ones, each with twice its real part. N = 1 is one-sided equilibrium propagation.
//!
//! Where a complex phase does not settle, β lies outside that disc: such a shard of the batch takes N = 2 and is counted.
//! The continuous version has no free phase: from rest, the nudge turns for some periods and the gradient is the mean on the
//! way.

use super::outcome::{accumulate_grads_objective, evaluate, free_phase, loss_and_error};
use super::sink::FactorBuffer;
use super::weighed::Weights;
use super::{
    Acts, Batch, Credit, CreditMethod, CreditNeeds, GradSink, PhaseStates, Step, homeostasis, shards,
};
use crate::axis::{Cite, Place};
use crate::error::Result;
use crate::network::{Constant, ForwardCache, Network, State, Term};
use crate::objective::Objective;
use crate::rng::Key;
use crate::solver::{RelaxationStats, Solver, readout_error};
use bouton_kernels::Complex;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::f64::consts::TAU;
use std::ops::Range;

/// Change per sweep above which a complex phase counts as lost (mean log₁₀ residual 0 in the published code).
const LOST: f64 = 1.0;

/// Holomorphic equilibrium propagation (`[credit.holomorphic-eq-prop]`).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct HolomorphicEqProp {
    /// Radius β > 0 of the circle of nudges.
    #[schemars(extend(
        "exclusiveMinimum" = 0, "maximum" = 1e6,
        "x-hint" = "without a nudge there is no gradient; 0.1 to 0.5 are usual, and `nudge` chooses the sign"
    ))]
    pub beta: f64,
    /// Points N on the circle: 1 or an even number. Default 2, which is symmetric equilibrium propagation.
    #[serde(default = "two")]
    #[schemars(extend("minimum" = 1, "maximum" = 1024, "x-hint" = "2 is symmetric EP; 4 to 10 are usual"))]
    pub points: usize,
    /// Most sweeps T of the free phase; in the continuous version only of evaluation.
    #[schemars(extend(
        "minimum" = 1, "maximum" = 10_000_000,
        "x-hint" = "a phase needs sweeps; 20 free and 4 nudged ones are a start"
    ))]
    pub free_steps: usize,
    /// Sweeps K at every point.
    #[schemars(extend(
        "minimum" = 1, "maximum" = 10_000_000,
        "x-hint" = "a phase needs sweeps; 20 free and 4 nudged ones are a start"
    ))]
    pub nudged_steps: usize,
    /// Whether nudged phases follow the transposed network around the free state: see `credit.eq-prop`. Default false.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub corrected: bool,
    /// Periods of the continuous version. Default: a free phase, and every point settled from it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend(
        "minimum" = 1, "maximum" = 100_000,
        "x-hint" = "3 is usual; leave it out for settled phases"
    ))]
    pub periods: Option<usize>,
}

fn two() -> usize {
    2
}

impl HolomorphicEqProp {
    pub(super) fn rule(&self, solver: Solver) -> Holomorphic {
        Holomorphic { spec: self.clone(), solver }
    }

    /// β_k for k = 0 … count − 1.
    fn circle(&self, count: usize) -> Vec<Complex<f64>> {
        let at = |k: usize| TAU * (k % self.points) as f64 / self.points as f64;
        (0..count).map(|k| Complex { re: self.beta * at(k).cos(), im: self.beta * at(k).sin() }).collect()
    }
}

/// The rule of [`HolomorphicEqProp`].
#[derive(Debug)]
pub(super) struct Holomorphic {
    spec: HolomorphicEqProp,
    solver: Solver,
}

fn real(re: f64) -> Complex<f64> {
    Complex { re, im: 0.0 }
}

impl Holomorphic {
    /// The gradient of one shard: a free phase, ±β, and the points between them.
    fn shard(
        &self,
        network: &Network,
        batch: &Batch,
        constant: &Constant,
        (objective, weights): (&dyn Objective, &Weights),
        rows: Range<usize>,
        key: &Key,
    ) -> Result<(Step, FactorBuffer)> {
        let HolomorphicEqProp { beta, points, free_steps, nudged_steps, .. } = self.spec;
        let (n, scale) = (rows.len(), 1.0 / batch.len() as f64);
        let x = batch.x.rows_view(rows.clone());
        let mut free = State::new(network, constant, rows.clone(), &batch.target);
        free.noise(key);
        let free_phase = self.solver.relax(network, &mut free, None, free_steps, "free")?;
        let (_, readout, step) = loss_and_error(network, objective, &mut free);
        let signs: &[f64] = if points == 1 { &[1.0] } else { &[1.0, -1.0] };
        if self.spec.corrected {
            free.set_reference(network);
        }
        let mut nudged = free.tile(signs.len());
        (0..nudged.rows()).for_each(|r| nudged.beta[r] = signs[r / n] * beta);
        let nudged_phase =
            self.solver.relax(network, &mut nudged, Some(objective), nudged_steps, "nudged")?;
        let between = self.between(network, objective, &free);
        free.reference = None;
        let settled = between.as_ref().is_none_or(|(_, change)| *change < LOST);
        let used = between.as_ref().map(|(state, _)| state).filter(|_| settled);

        network.update_pool_caches(&mut free);
        network.update_pool_caches(&mut nudged);
        let terms = self.terms(n, scale, &free, &nudged, used);
        let mut sink = FactorBuffer::default();
        let weighed = &mut weights.sink(rows, &mut sink);
        network.contrast(x, &terms, &free, weighed);
        if network.nudged() != Some(network.output()) {
            let cache = ForwardCache { x, out: &free.out, pool_cache: &free.pool_cache };
            network.accumulate_grads(network.output(), readout.view(), cache, scale, weighed);
        }
        homeostasis::accumulate_grads_shared(network, &free, scale, key, &mut sink);
        let fallback = if settled { 0 } else { n as u64 };
        Ok((Step { free: free_phase, nudged: nudged_phase, fallback, ..step }, sink))
    }

    /// −1/(Nβ_k) for the state at every β_k, conjugate ones together; N = 2 where only ±β can be used.
    fn terms<'a>(
        &self,
        n: usize,
        scale: f64,
        free: &'a State,
        nudged: &'a State,
        between: Option<&'a State>,
    ) -> Vec<Term<'a>> {
        let HolomorphicEqProp { beta, points, .. } = self.spec;
        let part = |k: usize| k * n..(k + 1) * n;
        if points == 1 {
            let share = scale / beta;
            return vec![Term::real(nudged, part(0), -share), Term::real(free, part(0), share)];
        }
        let share = scale / if between.is_some() { points as f64 } else { 2.0 };
        let ends =
            [(0, -share / beta), (1, share / beta)].map(|(k, scale)| Term::real(nudged, part(k), scale));
        let inner = between.into_iter().flat_map(|state| {
            let betas = self.spec.circle(points / 2).into_iter().skip(1).enumerate();
            betas.map(move |(k, beta)| Term { state, rows: part(k), scale: real(-2.0 * share) / beta })
        });
        ends.into_iter().chain(inner).collect()
    }

    /// The states at the points strictly between β and −β, and their largest change in the last sweep.
    fn between(&self, network: &Network, objective: &dyn Objective, free: &State) -> Option<(State, f64)> {
        let betas = self.spec.circle(self.spec.points / 2);
        let mut state = free.complex(betas.get(1..).filter(|b| !b.is_empty())?);
        let change = self.solver.relax_complex(network, &mut state, objective, self.spec.nudged_steps);
        network.update_pool_caches(&mut state);
        Some((state, change))
    }

    /// The gradient of one shard while the nudge turns, from rest. The outcome is judged at the real part of the last state.
    fn continuous_estimate(
        &self,
        network: &Network,
        batch: &Batch,
        constant: &Constant,
        (objective, weights): (&dyn Objective, &Weights),
        rows: Range<usize>,
        key: &Key,
        periods: usize,
    ) -> Result<(Step, FactorBuffer)> {
        let x = batch.x.rows_view(rows.clone());
        let mut rest = State::new(network, constant, rows.clone(), &batch.target);
        rest.noise(key);
        let mut state = rest.complex(&[real(0.0)]);
        let (n, betas) = (rows.len(), self.spec.circle(periods * self.spec.points));
        let scale = 1.0 / (batch.len() * betas.len()) as f64;
        let (mut sink, mut change) = (FactorBuffer::default(), 0.0);
        let mut weighed = weights.sink(rows, &mut sink);
        for &beta in &betas {
            state.set_complex_nudge(beta);
            change = self.solver.relax_complex(network, &mut state, objective, self.spec.nudged_steps);
            network.update_pool_caches(&mut state);
            let term = Term { state: &state, rows: 0..n, scale: real(-scale) / beta };
            network.contrast(x, &[term], &state.real_part(), &mut weighed);
            if network.nudged() != Some(network.output()) {
                let (_, err, _) = readout_error(network, objective, &mut state, 0..2 * n);
                network.accumulate_grads_real(network.output(), err.view(), &state, scale, &mut weighed);
            }
        }
        let step = loss_and_error(network, objective, &mut state.real_part()).2;
        let sweeps = (n * betas.len() * self.spec.nudged_steps) as u64;
        let nudged = RelaxationStats { sweeps, samples: n as u64, residual: change, unsettled: 0 };
        Ok((Step { nudged, ..step }, sink))
    }
}

impl Credit for Holomorphic {
    fn learn(
        &mut self,
        network: &mut Network,
        batch: &Batch,
        objective: &dyn Objective,
        sink: &mut dyn GradSink,
        key: &Key,
    ) -> Result<Step> {
        let weights = Weights::of(objective);
        let nudge = (weights.objective(objective), &weights);
        let constant = network.constant_drive(batch.x.view());
        let shards = shards::each(batch.len(), |rows| match self.spec.periods {
            None => self.shard(network, batch, &constant, nudge, rows, key),
            Some(periods) => self.continuous_estimate(network, batch, &constant, nudge, rows, key, periods),
        })?;
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
        evaluate(network, batch, objective, &self.solver, self.spec.free_steps)
    }

    fn free(&self, network: &Network, batch: &Batch, objective: &dyn Objective) -> Result<PhaseStates> {
        free_phase(network, batch, objective, &self.solver, self.spec.free_steps, None)
    }

    fn free_in_training(
        &self,
        network: &mut Network,
        batch: &Batch,
        objective: &dyn Objective,
        key: &Key,
    ) -> Result<PhaseStates> {
        free_phase(network, batch, objective, &self.solver, self.spec.free_steps, Some(key))
    }
}

impl CreditMethod for HolomorphicEqProp {
    fn check(&self, at: &Place) -> Result<()> {
        let even = self.points == 1 || self.points.is_multiple_of(2);
        at.require(even, "points", self.points, "1 or even", "2 is symmetric EP; 4 to 10 are usual")
    }

    fn cites(&self) -> Vec<Cite> {
        vec![Cite::of("laborieux2022")]
    }

    fn needs(&self) -> CreditNeeds {
        let complex = self.points > 2 || self.periods.is_some();
        let pushes = (self.points > 1).then_some(self.beta);
        let (corrected, free_state) = (self.corrected, self.periods.is_none());
        CreditNeeds { pushes, corrected, free_state, ..CreditNeeds::phases(Acts::ComplexNudge { complex }) }
    }

    fn steps_mut(&mut self) -> Vec<&mut usize> {
        [&mut self.free_steps, &mut self.nudged_steps].into_iter().chain(&mut self.periods).collect()
    }

    fn copies(&self) -> usize {
        if self.periods.is_none() { 4 * (1 + self.points) } else { 8 }
    }

    fn examples() -> Vec<Self> {
        let of = |points, periods| {
            let (beta, corrected) = (1e-4, false);
            Self { beta, points, free_steps: 300, nudged_steps: 300, corrected, periods }
        };
        vec![of(2, None), of(6, None), Self { corrected: true, ..of(2, None) }, of(4, Some(3))]
    }

    fn build(&self, solver: Solver, _: &Network, _: usize) -> Box<dyn Credit> {
        Box::new(self.rule(solver))
    }
}
