//! Continual equilibrium propagation (Ernoult et al. 2020): θ ← θ + (η/β)·[∂Φ/∂θ(s_{t+1}) − ∂Φ/∂θ(s_t)] at every
//! nudged step t, so that the weights move while the network settles and no state has to be stored.

use super::outcome::{accumulate_grads_objective, evaluate, free_phase, loss_and_error};
use super::weighed::Weights;
use super::{Acts, Batch, Credit, CreditMethod, CreditNeeds, GradSink, Nudge, PhaseStates, Step};
use crate::axis::{Cite, Place};
use crate::error::{Error, Result};
use crate::network::{ForwardCache, Network, State, Term};
use crate::objective::Objective;
use crate::rng::Key;
use crate::solver::{Nudging, RelaxationStats, Solver};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Continual equilibrium propagation (`[credit.continual-eq-prop]`).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct ContinualEqProp {
    /// Strength β > 0 of the nudge.
    #[schemars(extend(
        "exclusiveMinimum" = 0, "maximum" = 1e6,
        "x-hint" = "without a nudge there is no gradient; 0.1 to 0.5 are usual, and `nudge` chooses the sign"
    ))]
    pub beta: f64,
    /// Sign of the nudge; `symmetric` is not possible, because the weights move during the phase. Default positive.
    #[serde(default = "positive")]
    pub nudge: Nudge,
    /// Sweeps T of the free phase.
    #[schemars(extend(
        "minimum" = 1, "maximum" = 10_000_000,
        "x-hint" = "a phase needs sweeps; 20 free and 4 nudged ones are a start"
    ))]
    pub free_steps: usize,
    /// Sweeps K of the nudged phase, each followed by an update.
    #[schemars(extend(
        "minimum" = 1, "maximum" = 10_000_000,
        "x-hint" = "a phase needs sweeps; 20 free and 4 nudged ones are a start"
    ))]
    pub nudged_steps: usize,
}

fn positive() -> Nudge {
    Nudge::Positive
}

impl ContinualEqProp {
    pub(super) fn rule(&self, solver: Solver) -> Continual {
        Continual { spec: self.clone(), solver }
    }
}

/// The rule of [`ContinualEqProp`].
#[derive(Debug)]
pub(super) struct Continual {
    spec: ContinualEqProp,
    solver: Solver,
}

impl Continual {
    /// One nudged sweep and the update of its increment.
    fn sweep(
        &self,
        network: &mut Network,
        batch: &Batch,
        state: &mut State,
        objective: &dyn Objective,
        coefficient: f64,
        sink: &mut dyn GradSink,
    ) -> Result<()> {
        let (rows, x) = (0..state.rows(), batch.x.view());
        network.update_pool_caches(state);
        let before = state.clone();
        state.change.fill(0.0);
        let mut nudge = Nudging::new(network, objective, state);
        for block in &self.solver.plan.0 {
            self.solver.advance(network, state, block, Some(&mut nudge), rows.clone());
        }
        network.update_pool_caches(state);
        let terms = [Term::real(state, rows.clone(), -coefficient), Term::real(&before, rows, coefficient)];
        network.contrast(x, &terms, &before, sink);
        sink.step(network)?;
        let constant = network.constant_drive(x);
        state.set_constant(network, constant);
        Ok(())
    }
}

impl Credit for Continual {
    fn learn(
        &mut self,
        network: &mut Network,
        batch: &Batch,
        objective: &dyn Objective,
        sink: &mut dyn GradSink,
        key: &Key,
    ) -> Result<Step> {
        let samples = batch.len();
        let weights = Weights::of(objective);
        let objective = weights.objective(objective);
        let sink = &mut weights.sink(0..samples, sink);
        let constant = network.constant_drive(batch.x.view());
        let mut state = State::new(network, &constant, 0..samples, &batch.target);
        state.noise(key);
        let free = self.solver.relax(network, &mut state, None, self.spec.free_steps, "free")?;
        let (_, error, step) = loss_and_error(network, objective, &mut state);
        if network.nudged() != Some(network.output()) {
            // The readout is not part of the dynamics: its exact gradient goes with the first update.
            let scale = 1.0 / samples as f64;
            let cache = ForwardCache { x: batch.x.view(), out: &state.out, pool_cache: &state.pool_cache };
            network.accumulate_grads(network.output(), error.view(), cache, scale, sink);
        }
        accumulate_grads_objective(network, &step, sink);
        let (coefficient, phases) = self.spec.nudge.phases(self.spec.beta, key);
        state.beta.fill(phases[0].beta);
        for _ in 0..self.spec.nudged_steps {
            self.sweep(network, batch, &mut state, objective, coefficient / samples as f64, sink)?;
        }
        let nudged = RelaxationStats {
            sweeps: (samples * self.spec.nudged_steps) as u64,
            samples: samples as u64,
            residual: state.change.iter().copied().fold(0.0, f64::max),
            unsettled: 0,
        };
        Ok(Step { free, nudged, ..step })
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

impl CreditMethod for ContinualEqProp {
    fn check(&self, _: &Place) -> Result<()> {
        if self.nudge == Nudge::Symmetric {
            return Err(Error::incompatible(
                "continual-eq-prop moves the weights during the nudged phase, so there is no second phase to contrast",
                "use nudge = \"positive\" or \"random-sign\", or credit.eq-prop",
            ));
        }
        Ok(())
    }

    fn cites(&self) -> Vec<Cite> {
        vec![Cite::of("ernoult2020")]
    }

    fn needs(&self) -> CreditNeeds {
        let pushes = (self.nudge != Nudge::Positive).then_some(self.beta);
        CreditNeeds { pushes, fixed_steps: true, online: true, ..CreditNeeds::phases(Acts::Nudge) }
    }

    fn steps_mut(&mut self) -> Vec<&mut usize> {
        vec![&mut self.free_steps, &mut self.nudged_steps]
    }

    fn copies(&self) -> usize {
        8
    }

    fn examples() -> Vec<Self> {
        let of = |nudge| Self { beta: 1e-4, nudge, free_steps: 300, nudged_steps: 300 };
        [Nudge::Positive, Nudge::Negative, Nudge::RandomSign].map(of).to_vec()
    }

    fn build(&self, solver: Solver, _: &Network, _: usize) -> Box<dyn Credit> {
        Box::new(self.rule(solver))
    }
}
