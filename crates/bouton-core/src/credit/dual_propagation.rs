//! Dual propagation (Høier, Staudt & Zach 2023): units in pairs, whose mean is what they send on and whose difference is the error.
//!
//!   s± = σ(d ± ½ Σ Wᵀ(s⁺ − s⁻)),   d = b + Σ W s̄,   s̄ = ½(s⁺ + s⁻);   output: s⁺ − s⁻ = −β ∂ℓ/∂d
//!   ∂ℓ/∂W ≈ −(1/β) (s⁺ − s⁻) s̄ᵀ
//!
//! over the populations that a unit drives. All of it is local, and errors need no phase of their own: a sweep goes down and up once.
//! At rest the gradient is that of the loss up to β², after a single sweep. Units that jump are never apart by little, so they are refused.

use super::backprop::BackpropRule;
use super::outcome::{accumulate_grads_objective, loss_and_error};
use super::through_time::goes_forth_by;
use super::weighed::Weights;
use super::{Batch, Credit, CreditMethod, CreditNeeds, GradSink, PhaseStates, Step, shards};
use crate::axis::{Cite, Place};
use crate::error::Result;
use crate::network::{Constant, ForwardCache, Network, PopId, Role, State};
use crate::neuron::Ctx;
use crate::objective::{Objective, Targets};
use crate::rng::Key;
use crate::solver::Solver;
use bouton_kernels::{Mat, add_scaled, scale_all};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::ops::Range;

/// Dual propagation (`[credit.dual-propagation]`).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct DualPropagation {
    /// β: how far the pair of the output is drawn apart. Default 0.1.
    #[schemars(extend("exclusiveMinimum" = 0, "maximum" = 1e3, "x-hint" = "0.01 to 1 are usual"))]
    pub beta: f64,
}

impl Default for DualPropagation {
    fn default() -> Self {
        Self { beta: 0.1 }
    }
}

/// The pairs of a shard.
#[derive(Debug)]
struct Pairs {
    rows: Range<usize>,
    /// Means s̄ and what they drive.
    state: State,
    /// s⁺ − s⁻, by population.
    apart: Vec<Mat>,
    outcome: Step,
}

impl Pairs {
    fn new(
        network: &Network,
        batch: &Batch,
        constant: &Constant,
        objective: &dyn Objective,
        rows: Range<usize>,
    ) -> Self {
        let mut state = State::new(network, constant, rows.clone(), &batch.target);
        let (_, _, outcome) = loss_and_error(network, objective, &mut state);
        let apart = state.out.iter().map(|m| Mat::zeros(m.dtype(), m.rows(), m.cols())).collect();
        Self { rows, state, apart, outcome }
    }

    /// Down from the output, which knows the target, then up again.
    fn sweep(&mut self, network: &Network, objective: &dyn Objective, beta: f64) {
        self.draw_output_apart(network, objective, beta);
        let hidden = || network.with_role(Role::Forward).filter(|&p| p != network.output());
        for pop in hidden().rev() {
            self.meet(network, pop);
        }
        for pop in hidden() {
            network.drive(&[pop], &mut self.state, 0..self.rows.len());
            self.meet(network, pop);
        }
        network.drive(&[network.output()], &mut self.state, 0..self.rows.len());
        let out = self.unit(network, network.output(), None, 0.0);
        self.state.out[network.output()] = out;
    }

    fn draw_output_apart(&mut self, network: &Network, objective: &dyn Objective, beta: f64) {
        let (pop, n) = (network.output(), self.rows.len());
        let out = self.state.out[pop].view();
        let (mut err, mut losses) = (Mat::zeros(network.dtype, n, out.cols()), vec![0.0; n]);
        let own = network.objective_values();
        let targets = Targets { rows: self.state.target.view(0..n), samples: &self.state.samples, own: &own };
        objective.error(out, targets, err.view_mut(), &mut losses);
        scale_all(&mut err, -beta);
        let (drive, mut unused) = (self.state.drive[pop].view(), err.clone());
        let (g, apart) = (err.view(), self.apart[pop].view_mut());
        network.populations[pop].backward(&Ctx::default(), drive, drive, g, unused.view_mut(), apart);
    }

    /// A pair at its drive, pulled apart by the pairs above it.
    fn meet(&mut self, network: &Network, pop: PopId) {
        network.update_pool_caches(&mut self.state);
        let mut asked: Vec<Mat> =
            self.state.out.iter().map(|m| Mat::zeros(m.dtype(), m.rows(), m.cols())).collect();
        for above in network.with_role(Role::Forward).filter(|&p| p > pop) {
            let State { pool_cache, scratch, .. } = &mut self.state;
            network.send_errors(above, self.apart[above].view(), pool_cache, scratch, &mut asked);
        }
        let [up, down] = [0.5, -0.5].map(|by| self.unit(network, pop, Some(&asked[pop]), by));
        let mut mean = up.clone();
        add_scaled(&mut mean, 1.0, down.view());
        scale_all(&mut mean, 0.5);
        self.state.out[pop] = mean;
        self.state.invalidate_pool_caches(network, |p| p == pop);
        self.apart[pop] = up;
        add_scaled(&mut self.apart[pop], -1.0, down.view());
    }

    /// σ(d + by · pull).
    fn unit(&self, network: &Network, pop: PopId, pull: Option<&Mat>, by: f64) -> Mat {
        let mut drive = self.state.drive[pop].clone();
        pull.into_iter().for_each(|pull| add_scaled(&mut drive, by, pull.view()));
        let mut out = Mat::zeros(drive.dtype(), drive.rows(), drive.cols());
        let (mut none, mut change) = (Mat::zeros(drive.dtype(), 0, drive.cols()), vec![0.0; drive.rows()]);
        let node = &network.populations[pop];
        node.advance(&Ctx::default(), drive.view(), None, none.view_mut(), out.view_mut(), &mut change);
        out
    }

    fn accumulate_grads(
        &mut self,
        network: &Network,
        batch: &Batch,
        beta: f64,
        weights: &Weights,
        sink: &mut dyn GradSink,
    ) {
        network.update_pool_caches(&mut self.state);
        let mut sink = weights.sink(self.rows.clone(), sink);
        let x = batch.x.rows_view(self.rows.clone());
        let cache = ForwardCache { x, out: &self.state.out, pool_cache: &self.state.pool_cache };
        let scale = -1.0 / (beta * batch.len() as f64);
        for pop in network.with_role(Role::Forward) {
            network.accumulate_grads(pop, self.apart[pop].view(), cache, scale, &mut sink);
        }
    }
}

impl DualPropagation {
    fn pass(self) -> BackpropRule {
        BackpropRule
    }
}

impl Credit for DualPropagation {
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
        let here: &Network = network;
        let constant = here.constant_drive(batch.x.view());
        let shards = shards::each(batch.len(), |rows| {
            let mut pairs = Pairs::new(here, batch, &constant, objective, rows);
            pairs.sweep(here, objective, self.beta);
            Ok(pairs)
        })?;
        let step = shards.iter().fold(Step::default(), |sum, shard| sum.with(&shard.outcome));
        for mut shard in shards {
            shard.accumulate_grads(here, batch, self.beta, &weights, sink);
        }
        accumulate_grads_objective(here, &step, sink);
        sink.step(network)?;
        Ok(step)
    }

    goes_forth_by!(pass);
}

impl CreditMethod for DualPropagation {
    fn check(&self, _: &Place) -> Result<()> {
        Ok(())
    }

    fn cites(&self) -> Vec<Cite> {
        vec![Cite::of("hoier2023")]
    }

    fn needs(&self) -> CreditNeeds {
        CreditNeeds { smooth: true, ..CreditNeeds::inference() }
    }

    fn steps_mut(&mut self) -> Vec<&mut usize> {
        Vec::new()
    }

    fn copies(&self) -> usize {
        8
    }

    fn examples() -> Vec<Self> {
        vec![Self { beta: 1e-3 }, Self { beta: 0.01 }]
    }

    fn build(&self, _: Solver, _: &Network, _: usize) -> Box<dyn Credit> {
        Box::new(*self)
    }
}
