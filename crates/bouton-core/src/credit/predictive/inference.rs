//! Inference over the samples of a shard: x ← x − γ ∂F/∂x, until nothing moves or all steps are taken.

use super::{Moves, Predictive, Updates};
use crate::credit::outcome::loss_and_error;
use crate::credit::weighed::Weights;
use crate::credit::{Batch, GradSink, Phase, PhaseStates, Step};
use crate::error::{Error, Result};
use crate::network::{Constant, ForwardCache, Network, PopId, Role, State};
use crate::neuron::Ctx;
use crate::objective::{Objective, Targets};
use crate::solver::RelaxationStats;
use bouton_kernels::{Elem, Mat, add_scaled, dispatch, scale_all};
use std::ops::Range;

/// How far above its start an energy may come by rounding alone.
const RISE: f64 = 1e-3;

/// The samples of a shard in one phase.
#[derive(Clone, Debug)]
pub(super) struct Inference {
    pub rule: Predictive,
    rows: Range<usize>,
    phase: Phase,
    /// What units send and receive.
    pub state: State,
    /// What moves beside outputs: values before activations, or errors, [rows, units].
    pub x: Vec<Mat>,
    /// ∂F/∂x of hidden populations, [rows, units].
    pub slope: Vec<Mat>,
    /// ∂F/∂d, [rows, units].
    pub delta: Vec<Mat>,
    /// ∂F/∂ of the units' own numbers, [K·rows, units].
    own: Vec<Mat>,
    /// Where the output is drawn to in a nudged phase.
    drawn_to: Option<Mat>,
    /// What the pass came to.
    pub outcome: Step,
    /// The energy of each population now, and that of all before inference.
    pub energy: Vec<f64>,
    start: f64,
    /// Steps that each row took, and whether it has settled.
    taken: Vec<usize>,
    settled: Vec<bool>,
}

impl Inference {
    /// After the pass; nothing has moved yet.
    pub fn new(
        rule: Predictive,
        network: &Network,
        batch: &Batch,
        (constant, rows): (&Constant, Range<usize>),
        objective: &dyn Objective,
        phase: Phase,
    ) -> Self {
        let (n, pops) = (rows.len(), network.populations.len());
        let mut state = State::new(network, constant, rows.clone(), &batch.target);
        let (_, err, outcome) = loss_and_error(network, objective, &mut state);
        network.update_pool_caches(&mut state);
        let drawn_to = rule.nudge.is_some().then(|| {
            let mut to = state.out[network.output()].clone();
            add_scaled(&mut to, -phase.beta, err.view());
            to
        });
        let like = |mats: &[Mat]| mats.iter().map(|m| Mat::zeros(m.dtype(), m.rows(), m.cols())).collect();
        let x = match rule.moves {
            Moves::Values(super::Values::Drive) => state.drive.clone(),
            _ => like(&state.out),
        };
        Self {
            rule,
            rows,
            phase,
            x,
            slope: like(&state.out),
            delta: like(&state.drive),
            own: vec![Mat::zeros(network.dtype, 0, 0); pops],
            drawn_to,
            outcome,
            energy: vec![0.0; pops],
            start: f64::NAN,
            taken: vec![0; n],
            settled: vec![false; n],
            state,
        }
    }

    /// All steps, and the errors behind them.
    pub fn settle(&mut self, network: &Network, objective: &dyn Objective) -> Result<()> {
        let hidden: Vec<PopId> = hidden(network).collect();
        let steps = self.rule.steps.unwrap_or(hidden.len());
        let arrives = self.rule.updates == Updates::AsErrorsArrive;
        let pass = arrives.then(|| (self.state.out.clone(), self.state.pool_cache.clone()));
        let mut arrived = self.delta.clone();
        for t in 0..=steps {
            let last = t == steps || self.settled.iter().all(|settled| *settled);
            self.find_errors(network, objective, last);
            let nearest =
                if t == 0 { Some(network.output()) } else { hidden.iter().rev().nth(t - 1).copied() };
            nearest.filter(|_| arrives).into_iter().for_each(|pop| arrived[pop].clone_from(&self.delta[pop]));
            if last {
                break;
            }
            self.take_step(network);
        }
        if let Some(pass) = pass {
            // Below a population that an error has just reached everything is as it was in the pass.
            (self.state.out, self.state.pool_cache) = pass;
            self.delta = arrived;
            return Ok(());
        }
        self.check_energy(network)
    }

    /// Errors at the present values, and what they ask of values and weights; `last`, if nothing moves any more.
    pub fn find_errors(&mut self, network: &Network, objective: &dyn Objective, last: bool) {
        match self.rule.moves {
            Moves::Values(values) => self.errors_of_values(network, objective, values),
            Moves::Frozen => self.errors_of_frozen(network, objective),
            Moves::Errors => self.errors_of_errors(network, objective, last),
        }
        if self.start.is_nan() {
            self.start = self.energy.iter().sum();
        }
    }

    /// Moves what moves, of all samples that have not settled.
    pub fn take_step(&mut self, network: &Network) {
        let mut steps: Vec<(PopId, Mat)> = Vec::new();
        for pop in hidden(network) {
            let mut step = std::mem::replace(&mut self.slope[pop], Mat::zeros(network.dtype, 0, 0));
            scale_all(&mut step, -self.rule.rate);
            steps.push((pop, step));
        }
        self.state.change.fill(0.0);
        for (_, step) in &mut steps {
            for (r, change) in self.state.change.iter_mut().enumerate() {
                if self.settled[r] {
                    step.rows_view_mut(r..r + 1).fill(0.0);
                }
                *change = change.max(largest(step, r));
            }
        }
        for (pop, step) in steps {
            self.take_up(network, pop, &step);
            self.slope[pop] = step;
        }
        self.state.invalidate_pool_caches(network, |_| true);
        for (r, settled) in self.settled.iter_mut().enumerate() {
            self.taken[r] += usize::from(!*settled);
            *settled |= self.rule.tolerance.is_some_and(|tolerance| self.state.change[r] <= tolerance);
        }
    }

    fn take_up(&mut self, network: &Network, pop: PopId, step: &Mat) {
        match self.rule.moves {
            Moves::Values(super::Values::Output) => add_scaled(&mut self.state.out[pop], 1.0, step.view()),
            Moves::Values(super::Values::Drive) => {
                add_scaled(&mut self.x[pop], 1.0, step.view());
                let x = std::mem::replace(&mut self.x[pop], Mat::zeros(network.dtype, 0, 0));
                self.state.out[pop] = activated(network, pop, &x);
                self.x[pop] = x;
            }
            Moves::Frozen | Moves::Errors => add_scaled(&mut self.x[pop], 1.0, step.view()),
        }
    }

    /// The output at its drive, what pulls at it, and its energy.
    pub fn errors_of_output(&mut self, network: &Network, objective: &dyn Objective) {
        let (pop, n) = (network.output(), self.rows.len());
        self.state.out[pop] = activated(network, pop, &self.state.drive[pop]);
        let out = &self.state.out[pop];
        let (mut err, mut losses) = (Mat::zeros(out.dtype(), n, out.cols()), vec![0.0; n]);
        if let Some(to) = &self.drawn_to {
            err.copy_from(out.view());
            add_scaled(&mut err, -1.0, to.view());
            losses = squares(&err).into_iter().map(|square| 0.5 * square).collect();
        } else {
            let own = network.objective_values();
            let rows = self.state.target.view(0..n);
            let targets = Targets { rows, samples: &self.state.samples, own: &own };
            objective.error(out.view(), targets, err.view_mut(), &mut losses);
        }
        let precision = self.rule.precision[1];
        scale_all(&mut err, precision);
        self.energy[pop] = precision * losses.iter().sum::<f64>();
        self.back_through_units(network, pop, &err);
    }

    /// ∂F/∂d of a population from ∂F/∂s.
    pub fn back_through_units(&mut self, network: &Network, pop: PopId, g: &Mat) {
        let drive = self.state.drive[pop].view();
        let mut unused = g.clone();
        let node = &network.populations[pop];
        let delta = self.delta[pop].view_mut();
        self.own[pop] = node.backward(&Ctx::default(), drive, drive, g.view(), unused.view_mut(), delta);
    }

    /// Adds what the errors of a population ask of those that predict it.
    pub fn send(&mut self, network: &Network, pop: PopId, to: &mut [Mat]) {
        let State { pool_cache, scratch, .. } = &mut self.state;
        network.send_errors(pop, self.delta[pop].view(), pool_cache, scratch, to);
    }

    /// Hands over the gradient of the energy, for a batch.
    pub fn accumulate_grads(
        &self,
        network: &Network,
        batch: &Batch,
        weights: &Weights,
        sink: &mut dyn GradSink,
    ) {
        let mut sink = weights.sink(self.rows.clone(), sink);
        let x = batch.x.rows_view(self.rows.clone());
        let cache = ForwardCache { x, out: &self.state.out, pool_cache: &self.state.pool_cache };
        let scale = -self.phase.coefficient / batch.len() as f64;
        for pop in network.with_role(Role::Forward) {
            network.accumulate_grads(pop, self.delta[pop].view(), cache, scale, &mut sink);
            network.accumulate_grads_own(pop, &self.own[pop], scale, &mut sink);
        }
    }

    /// Refuses to go on where the energy has not come down.
    ///
    /// # Errors
    /// [`Error::Diverged`] with the population that has most of it.
    pub fn check_energy(&self, network: &Network) -> Result<()> {
        let now: f64 = self.energy.iter().sum();
        // Weights that move on the way move the energy too, and a loss from outside has no floor.
        let free = self.rule.updates == Updates::EveryStep || self.outcome.loss < 0.0;
        if now <= self.start + RISE * self.start.abs() || free && now.is_finite() {
            return Ok(());
        }
        let most = |&(_, a): &(usize, &f64), &(_, b): &(usize, &f64)| a.total_cmp(b);
        let (pop, _) = self.energy.iter().enumerate().max_by(most).unwrap_or((network.output(), &0.0));
        let step = self.taken.iter().max().unwrap_or(&0);
        let Predictive { name, rate, .. } = self.rule;
        Err(Error::Diverged {
            message: format!(
                "inference does not descend: the energy is {now:.4} after step {step} and was {:.4} before, most of it in population {}",
                self.start, network.populations[pop].name
            ),
            hint: Some(format!("lower credit.{name}.rate, which is {rate}, or start from smaller weights")),
        })
    }

    /// Takes another drive from the input, as after a change of weights.
    pub fn set_constant(&mut self, network: &Network, constant: &Constant) {
        let part = |m: &Mat| if m.rows() == 0 { m.clone() } else { m.rows_view(self.rows.clone()).to_mat() };
        let drive = constant.drive.iter().map(part).collect();
        let pool_cache = constant.pool_cache.iter().map(part).collect();
        self.state.set_constant(network, Constant { drive, pool_cache });
    }

    /// How inference went.
    pub fn done(&self) -> RelaxationStats {
        let tolerance = self.rule.tolerance;
        RelaxationStats {
            sweeps: self.taken.iter().sum::<usize>() as u64,
            samples: self.rows.len() as u64,
            residual: self.state.change.iter().copied().fold(0.0, f64::max),
            unsettled: self.settled.iter().filter(|settled| tolerance.is_some() && !**settled).count() as u64,
        }
    }

    /// Where values came to.
    pub fn into_states(self) -> PhaseStates {
        PhaseStates { beta: self.phase.beta, out: self.state.out, residual: self.state.change }
    }
}

/// Hidden populations, in order.
pub(super) fn hidden(network: &Network) -> impl DoubleEndedIterator<Item = PopId> + '_ {
    network.with_role(Role::Forward).filter(|&p| p != network.output())
}

/// σ of a drive.
pub(super) fn activated(network: &Network, pop: PopId, drive: &Mat) -> Mat {
    let mut out = Mat::zeros(drive.dtype(), drive.rows(), network.populations[pop].units);
    let (mut none, mut change) = (Mat::zeros(drive.dtype(), 0, drive.cols()), vec![0.0; drive.rows()]);
    let node = &network.populations[pop];
    node.advance(&Ctx::default(), drive.view(), None, none.view_mut(), out.view_mut(), &mut change);
    out
}

/// max |x| of a row.
fn largest(mat: &Mat, row: usize) -> f64 {
    dispatch!(mat.dtype(), T => {
        let row = mat.view().row::<T>(row);
        row.iter().fold(T::from_f64(0.0), |most, x| if x.abs() > most { x.abs() } else { most }).to_f64()
    })
}

/// Σ x² of each row.
pub(super) fn squares(mat: &Mat) -> Vec<f64> {
    let row = |r: usize| dispatch!(mat.dtype(), T => mat.view().row::<T>(r).iter().map(|x| x.to_f64() * x.to_f64()).sum::<f64>());
    (0..mat.rows()).map(row).collect()
}
