//! Relaxation: sweeps until every sample's fixed point, or a fixed number of them.
//!
//! Samples are independent, so a relaxation runs on one thread over a shard of a batch. A sample whose residual
//! max|Δs| falls below the tolerance is moved behind the active rows and costs nothing more.

use super::anderson::Anderson;
use super::{Plan, SolverSpec};
use crate::error::{Error, Result};
use crate::network::{ForwardCache, Network, PopId, Role, State};
use crate::neuron::{Ctx, Inputs};
use crate::objective::{Objective, Targets};
use bouton_kernels::{Mat, Real, dispatch, is_finite, scale_complex};
use std::ops::Range;

/// Residuals beyond this are called divergence: every activation of a settling unit but the linear one is bounded.
const DIVERGED: f64 = 1e6;

/// A plan with its numbers.
#[derive(Clone, Debug)]
pub struct Solver {
    /// Which populations move together.
    pub plan: Plan,
    /// Over-relaxation ω.
    pub omega: f64,
    /// Per-sample stop; `None` runs all steps.
    pub tolerance: Option<f64>,
    /// Sweeps that Anderson mixing looks back at in free phases; 0 is none.
    pub history: usize,
}

/// What a relaxation did.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct RelaxationStats {
    /// Sweeps, summed over samples.
    pub sweeps: u64,
    /// Samples.
    pub samples: u64,
    /// Largest last change of any sample.
    pub residual: f64,
    /// Samples that took all steps without reaching the tolerance.
    pub unsettled: u64,
}

impl RelaxationStats {
    /// This and another relaxation of the same phase.
    #[must_use]
    pub fn with(self, other: Self) -> Self {
        Self {
            sweeps: self.sweeps + other.sweeps,
            samples: self.samples + other.samples,
            residual: self.residual.max(other.residual),
            unsettled: self.unsettled + other.unsettled,
        }
    }

    /// Mean sweeps per sample.
    pub fn mean_sweeps(&self) -> f64 {
        self.sweeps as f64 / self.samples.max(1) as f64
    }
}

impl Solver {
    /// All steps of plain sweeps.
    pub fn plain(plan: Plan) -> Self {
        Self { plan, omega: 1.0, tolerance: None, history: 0 }
    }

    /// The solver of a recipe.
    pub fn new(spec: &SolverSpec, network: &Network) -> Result<Self> {
        Ok(spec.method().build(network))
    }

    /// The same sweeps with the blocks in reverse order. BPTT through even-odd sweeps mirrors EP: where a nudged sweep
    /// begins with the output's group, the sweep that is differentiated ends with it.
    #[must_use]
    pub fn reversed(&self) -> Self {
        let mut reversed = self.clone();
        reversed.plan.0.reverse();
        reversed
    }

    /// Relaxes `state` for at most `steps` sweeps, then restores the order of its rows. A nudge with
    /// strengths `state.beta` acts if `nudge` is given; `phase` names the phase in errors.
    pub fn relax(
        &self,
        network: &Network,
        state: &mut State,
        nudge: Option<&dyn Objective>,
        steps: usize,
        phase: &str,
    ) -> Result<RelaxationStats> {
        let nudge = nudge.map(|objective| Nudging::new(network, objective, state));
        let mixes = self.history > 0 && nudge.is_none() && state.clamped_output.is_none();
        let (mut done, active) = match &self.plan.0[..] {
            [output, other] if mixes => Anderson { solver: self, network, output, other }.relax(state, steps),
            _ => self.sweep(network, state, nudge, steps),
        };
        let last = state.change[..active].iter().copied().fold(0.0, f64::max);
        done.residual = done.residual.max(last);
        done.unsettled =
            self.tolerance.map_or(0, |t| state.change[..active].iter().filter(|&&c| c > t).count() as u64);
        state.restore_order();
        // Samples that stopped early have older choices of pooling.
        state.invalidate_pool_caches(network, |_| true);
        self.check(network, state, done.residual, steps, phase)?;
        Ok(done)
    }

    /// At most `steps` sweeps; samples that reach the tolerance stop and move behind the others, whose number is returned.
    fn sweep(
        &self,
        network: &Network,
        state: &mut State,
        mut nudge: Option<Nudging<'_>>,
        steps: usize,
    ) -> (RelaxationStats, usize) {
        let rows = state.rows();
        let mut active = rows;
        let mut done = RelaxationStats { samples: rows as u64, ..RelaxationStats::default() };
        for sweep in 1..=steps {
            state.change[..active].fill(0.0);
            for block in &self.plan.0 {
                self.advance(network, state, block, nudge.as_mut(), 0..active);
            }
            done.sweeps += active as u64;
            let Some(tolerance) = self.tolerance else { continue };
            for row in (0..active).rev().filter(|_| sweep < steps) {
                if state.change[row] <= tolerance {
                    done.residual = done.residual.max(state.change[row]);
                    active -= 1;
                    state.swap_rows(row, active);
                }
            }
            if active == 0 {
                break;
            }
        }
        (done, active)
    }

    /// One block: all drives from the present states, then all steps.
    pub fn advance(
        &self,
        network: &Network,
        state: &mut State,
        block: &[PopId],
        nudge: Option<&mut Nudging<'_>>,
        rows: Range<usize>,
    ) {
        let nudged = nudge.map(|n| {
            if block.contains(&n.pop) {
                n.refresh(network, state, rows.clone());
            }
            (n.pop, n.objective.is_squared_error())
        });
        let clamped_output = state.clamped_output;
        let moves = |p: &PopId| network.populations[*p].role != Role::Clamped && Some(*p) != clamped_output;
        let moving: Vec<PopId> = block.iter().copied().filter(moves).collect();
        network.drive(&moving, state, rows.clone());
        add_noise(network, state, &moving, rows.clone());
        let zeros = [0.0; 0];
        for &pop in &moving {
            let nudge = nudged.filter(|n| n.0 == pop).map(|(_, squared)| {
                let nudge_gain = if squared { &state.beta[rows.clone()] } else { &zeros[..] };
                (state.nudge_offset.rows_view(rows.clone()), nudge_gain)
            });
            let node = &network.populations[pop];
            let drive = state.drive[pop].rows_view(rows.clone());
            if state.is_complex && node.role == Role::Settling {
                let half = rows.len() / 2;
                let (out, change) = (state.out[pop].rows_view_mut(rows.clone()), &mut state.change[..half]);
                let own = Mat::zeros(network.dtype, 0, node.units);
                node.model.advance_complex(Inputs { own: own.view(), drive, nudge }, out, change);
                continue;
            }
            let state_rows = if state.h[pop].rows() > 0 { rows.clone() } else { 0..0 };
            node.advance(
                &Ctx { step: self.omega },
                drive,
                nudge,
                state.h[pop].rows_view_mut(state_rows),
                state.out[pop].rows_view_mut(rows.clone()),
                &mut state.change[rows.clone()],
            );
        }
        state.invalidate_pool_caches(network, |p| moving.contains(&p));
    }

    fn check(
        &self,
        network: &Network,
        state: &State,
        residual: f64,
        steps: usize,
        phase: &str,
    ) -> Result<()> {
        let bad = |p: &PopId| !is_finite(state.out[*p].view());
        let Some(pop) =
            network.with_role(Role::Settling).find(bad).or((residual > DIVERGED).then(|| network.output()))
        else {
            return Ok(());
        };
        Err(Error::Diverged {
            message: format!(
                "{} left every bound in the {phase} phase (within {steps} sweeps, residual {residual:.1e})",
                network.populations[pop].name
            ),
            hint: Some(
                "lower beta, the learning rate or the gain, or use a bounded output activation".into(),
            ),
        })
    }
}

/// Noise of the populations in `block`; on the real parts of complex rows.
fn add_noise(network: &Network, state: &mut State, block: &[PopId], rows: Range<usize>) {
    let State { noise: Some(noise), drive, is_complex, .. } = state else { return };
    let rows = if *is_complex { rows.start..rows.start + rows.len() / 2 } else { rows };
    for &pop in block.iter().filter(|&&p| network.populations[p].noise > 0.0) {
        noise.add(pop, network.populations[pop].noise, rows.clone(), drive[pop].rows_view_mut(rows.clone()));
    }
    noise.advance();
}

/// The nudge of a relaxation: −β ∂ℓ/∂s of the nudged population, as offset and gain.
pub struct Nudging<'a> {
    objective: &'a dyn Objective,
    pop: PopId,
}

impl<'a> Nudging<'a> {
    /// Prepares the nudge: a spring towards the target has the constant offset β·y.
    pub fn new(network: &Network, objective: &'a dyn Objective, state: &mut State) -> Self {
        let pop = network.nudged().unwrap_or(network.output());
        if objective.is_squared_error() {
            state.target.view(0..state.rows()).write_to(state.nudge_offset.view_mut());
            scale_rows(&mut state.nudge_offset, &state.beta, 1.0);
        }
        Self { objective, pop }
    }

    /// Brings the offset of another objective up to date with the present state.
    fn refresh(&self, network: &Network, state: &mut State, rows: Range<usize>) {
        if self.objective.is_squared_error() {
            return;
        }
        let mut g = readout_error(network, self.objective, state, rows.clone()).0;
        if state.is_complex {
            scale_complex(&mut g, &state.beta, -1.0);
        } else {
            scale_rows(&mut g, &state.beta[rows.clone()], -1.0);
        }
        state.nudge_offset.rows_view_mut(rows).copy_from(g.view());
    }
}

/// ∂ℓ/∂s of the nudged population through the feed-forward readout, the error ∂ℓ/∂output, and ℓ of each row. Brings
/// the readout's state up to date.
pub fn readout_error(
    network: &Network,
    objective: &dyn Objective,
    state: &mut State,
    rows: Range<usize>,
) -> (Mat, Mat, Vec<f64>) {
    let free = Solver::plain(Plan::forward(network));
    for block in &free.plan.0 {
        free.advance(network, state, block, None, rows.clone());
    }
    let (output, own) = (network.output(), network.objective_values());
    let mut err = Mat::zeros(network.dtype, rows.len(), network.populations[output].units);
    let mut loss = vec![0.0; rows.len()];
    let out = state.output(output, rows.clone());
    if state.is_complex {
        let half = rows.start..rows.start + rows.len() / 2;
        let targets =
            Targets { rows: state.target.view(half.clone()), samples: &state.samples[half], own: &own };
        let analytic = objective.error_complex(out, targets, err.view_mut());
        debug_assert!(analytic, "combinations of complex nudges are refused before");
    } else {
        let targets = Targets {
            rows: state.target.view(rows.clone()),
            samples: &state.samples[rows.clone()],
            own: &own,
        };
        objective.error(out, targets, err.view_mut(), &mut loss);
    }
    let nudged = network.nudged().unwrap_or(output);
    if nudged == output {
        return (err.clone(), err, loss);
    }
    let mut g_out: Vec<Mat> =
        network.populations.iter().map(|p| Mat::zeros(network.dtype, rows.len(), p.units)).collect();
    g_out[output] = err.clone();
    // Nothing asks for what goes back to the clamped input.
    let cache = ForwardCache { x: err.view(), out: &state.out, pool_cache: &state.pool_cache };
    for pop in network.with_role(Role::Forward).rev() {
        let g = g_out[pop].clone();
        let mut g_state = g.clone();
        let mut g_drive = Mat::zeros(network.dtype, rows.len(), network.populations[pop].units);
        let drive = state.drive[pop].rows_view(rows.clone());
        network.populations[pop].backward(
            &Ctx::default(),
            drive,
            drive,
            g.view(),
            g_state.view_mut(),
            g_drive.view_mut(),
        );
        network.backward(pop, g_drive.view(), cache, &mut g_out);
    }
    (g_out.swap_remove(nudged), err, loss)
}

fn scale_rows(mat: &mut Mat, by: &[f64], sign: f64) {
    dispatch!(mat.dtype(), T => for (r, &b) in by.iter().enumerate() {
        let b = T::constant(sign * b);
        mat.view_mut().row_mut::<T>(r).iter_mut().for_each(|x| *x *= b);
    });
}
