//! Backwards through recorded sweeps, from local Jacobians.
//!
//! A frame is one block of populations moving once. With λ = ∂ℓ/∂s after it, the step's Jacobian D gives the drive
//! gradient D·λ, whose adjoint through the wirings adds to λ before the step. No tape of operations: Jacobians are
//! recomputed from dual numbers.

use super::GradSink;
use crate::network::{ForwardCache, Network, Node, PopId, Role, State};
use crate::neuron::Ctx;
use crate::solver::Solver;
use bouton_kernels::{Elem, Mat, View, dispatch};

/// One block step: the states before it and the drives it saw.
#[derive(Clone, Debug)]
pub struct Frame {
    /// Populations that moved.
    pub block: Vec<PopId>,
    /// Outputs before the step.
    pub out: Vec<Mat>,
    /// States before the step.
    pub h: Vec<Mat>,
    /// Drives of the step, by population.
    pub drive: Vec<Mat>,
    /// Choices of pooling at the states before the step, by connection.
    pub pool_cache: Vec<Mat>,
}

impl Frame {
    /// The activity that the drives of the step were computed from.
    pub fn forward_cache<'a>(&'a self, x: View<'a>) -> ForwardCache<'a> {
        ForwardCache { x, out: &self.out, pool_cache: &self.pool_cache }
    }
}

/// Runs `steps` free sweeps of `solver` and records every block.
pub fn record(network: &Network, solver: &Solver, state: &mut State, steps: usize) -> Vec<Frame> {
    let rows = 0..state.rows();
    let mut frames = Vec::new();
    for _ in 0..steps {
        state.change.fill(0.0);
        for block in &solver.plan.0 {
            let (out, h) = (state.out.clone(), state.h.clone());
            solver.advance(network, state, block, None, rows.clone());
            let drive = |p: usize| {
                if block.contains(&p) { state.drive[p].clone() } else { Mat::zeros(network.dtype, 0, 0) }
            };
            let drive = (0..network.populations.len()).map(drive).collect();
            frames.push(Frame { block: block.clone(), out, h, drive, pool_cache: state.pool_cache.clone() });
        }
    }
    frames
}

/// Gradients on the way back.
#[derive(Clone, Debug)]
pub struct Adjoint {
    /// ∂ℓ/∂(output) of every population.
    pub g_out: Vec<Mat>,
    g_h: Vec<Mat>,
    /// Drive gradients summed over steps, for the weights from the clamped input and the biases.
    total: Vec<Mat>,
    /// Gradients of the units' own numbers, summed over steps, [K·rows, units].
    own: Vec<Mat>,
    omega: f64,
}

impl Adjoint {
    /// Starts from ∂ℓ/∂s = `g` of population `pop`.
    pub fn new(network: &Network, solver: &Solver, pop: PopId, g: &Mat) -> Self {
        let moving = |p: &Node| if p.role == Role::Clamped { 0 } else { g.rows() };
        let zeros = |rows: &dyn Fn(&Node) -> usize, cols: &dyn Fn(&Node) -> usize| -> Vec<Mat> {
            network.populations.iter().map(|p| Mat::zeros(network.dtype, rows(p), cols(p))).collect()
        };
        let one = |p: &Node| p.units;
        let mut g_out = zeros(&moving, &one);
        g_out[pop] = g.clone();
        Self {
            g_out,
            g_h: zeros(&moving, &|p| p.num_states() * p.units),
            total: zeros(&moving, &one),
            own: zeros(&|p| p.own.len() * moving(p), &one),
            omega: solver.omega,
        }
    }

    /// Back through one frame. Gradients of weights between moving populations go to `sink`; returns the drive gradients
    /// of the block.
    pub fn step(
        &mut self,
        network: &Network,
        x: View<'_>,
        frame: &Frame,
        scale: f64,
        sink: &mut dyn GradSink,
    ) -> Vec<Mat> {
        let cache = frame.forward_cache(x);
        let mut g_drives = Vec::with_capacity(frame.block.len());
        for &pop in &frame.block {
            g_drives.push(self.through_units(network, frame, pop));
        }
        for (&pop, g_drive) in frame.block.iter().zip(&g_drives) {
            network.backward(pop, g_drive.view(), cache, &mut self.g_out);
            network.accumulate_grads_recurrent(pop, g_drive.view(), cache, scale, sink);
            add(&mut self.total[pop], g_drive.view());
        }
        g_drives
    }

    fn through_units(&mut self, network: &Network, frame: &Frame, pop: PopId) -> Mat {
        let node = &network.populations[pop];
        let g_out = std::mem::replace(&mut self.g_out[pop], frame.drive[pop].clone());
        let mut g_drive = Mat::zeros(network.dtype, g_out.rows(), g_out.cols());
        let ctx = Ctx { step: self.omega };
        let drive = frame.drive[pop].view();
        let g_own = if node.num_states() > 0 {
            let g_h = self.g_h[pop].view_mut();
            let own = node.backward(&ctx, drive, frame.h[pop].view(), g_out.view(), g_h, g_drive.view_mut());
            self.g_out[pop].fill(0.0);
            own
        } else {
            let g = self.g_out[pop].view_mut();
            node.backward(&ctx, drive, frame.out[pop].view(), g_out.view(), g, g_drive.view_mut())
        };
        add(&mut self.own[pop], g_own.view());
        g_drive
    }

    /// Hands over the gradients that need only the sums over steps.
    pub fn finish(&self, network: &Network, cache: ForwardCache<'_>, scale: f64, sink: &mut dyn GradSink) {
        for pop in (0..self.total.len()).filter(|&p| self.total[p].rows() > 0) {
            network.accumulate_grads_static(pop, self.total[pop].view(), cache, scale, sink);
            network.accumulate_grads_own(pop, &self.own[pop], scale, sink);
        }
    }
}

fn add(to: &mut Mat, from: View<'_>) {
    dispatch!(from.dtype(), T => for (to, &x) in to.slice_mut::<T>().iter_mut().zip(from.slice::<T>()) {
        *to = add_one(*to, x);
    });
}

fn add_one<T: Elem>(a: T, b: T) -> T {
    a + b
}
