//! Activity of the samples of a batch (or of a shard of one): everything that has a batch dimension.

use super::{Network, PopId, Role};
use crate::neuron::Noise;
use crate::objective::Target;
use crate::rng::Key;
use bouton_kernels::{Complex, Mat, View};
use std::ops::Range;

/// States of all populations, one row per sample. Rows may be reordered during a relaxation (settled samples move to
/// the end); [`State::restore_order`] undoes that.
#[derive(Clone, Debug)]
pub struct State {
    /// Output of every population that is not clamped, [rows, units].
    pub out: Vec<Mat>,
    /// States beside the output, [rows, S·units], one state after the other.
    pub h: Vec<Mat>,
    /// Bias plus drive from the input, constant during a relaxation.
    pub constant: Vec<Mat>,
    /// What pooling chose, by connection, [rows, columns].
    pub pool_cache: Vec<Mat>,
    /// Room for activity before pooling, by connection.
    pub scratch: Vec<Mat>,
    /// Whether the first half of the rows holds real parts, the second half imaginary ones.
    pub is_complex: bool,
    /// Whether the choice of pooling of a connection is behind the presynaptic state.
    pub pool_cache_dirty: Vec<bool>,
    /// Drive of the last step, [rows, units].
    pub drive: Vec<Mat>,
    /// What each row should come to.
    pub target: Target,
    /// Place of each row's sample in the batch.
    pub samples: Vec<usize>,
    /// Nudge strength β of each row.
    pub beta: Vec<f64>,
    /// Constant part of the nudge of the nudged population, [rows, units].
    pub nudge_offset: Mat,
    /// Largest change of a unit in the last sweep, per row.
    pub change: Vec<f64>,
    /// Population whose output is held at its value.
    pub clamped_output: Option<PopId>,
    /// Random numbers of noisy units; none: they are quiet.
    pub noise: Option<Noise>,
    /// The state that a corrected nudged phase departs from.
    pub reference: Option<LinearisationPoint>,
    order: Vec<usize>,
}

/// A free state: around it, a corrected nudged phase follows the transposed network.
#[derive(Clone, Debug)]
pub struct LinearisationPoint {
    /// Outputs, [rows, units].
    pub out: Vec<Mat>,
    /// Drives at these outputs, [rows, units].
    pub drive: Vec<Mat>,
    /// What pooling chose at these outputs, by connection; complex rows repeat it.
    pub pool_cache: Vec<Mat>,
}

impl LinearisationPoint {
    /// Outputs of `pop` for some rows; for both halves of complex ones, the real part.
    pub(super) fn real(&self, pop: PopId, rows: Range<usize>, is_complex: bool) -> Mat {
        let half = if is_complex { rows.len() / 2 } else { rows.len() };
        repeat(&self.out[pop].rows_view(rows.start..rows.start + half).to_mat(), rows.len() / half.max(1))
    }
}

/// What the clamped input of a batch gives for a whole relaxation.
#[derive(Clone, Debug)]
pub struct Constant {
    /// Bias plus drive from the input, by population.
    pub drive: Vec<Mat>,
    /// What pooling chose of the drive from the input, by connection.
    pub pool_cache: Vec<Mat>,
}

impl State {
    /// Units at rest; of `constant`, which belongs to a whole batch, `rows` are taken.
    pub fn new(network: &Network, constant: &Constant, rows: Range<usize>, target: &Target) -> Self {
        let n = rows.len();
        let free = |p: PopId| network.populations[p].role != Role::Clamped;
        let mat = |p: PopId, yes: bool| {
            Mat::zeros(network.dtype, if yes { n } else { 0 }, network.populations[p].units)
        };
        let all = 0..network.populations.len();
        let nudged = network.nudged().unwrap_or(network.output());
        let rest = |p: PopId| {
            let mut out = mat(p, free(p));
            out.fill(network.populations[p].model.initial_output());
            out
        };
        Self {
            out: all.clone().map(rest).collect(),
            h: all.clone().map(|p| network.populations[p].initial_states(&mat(p, free(p)))).collect(),
            constant: all
                .clone()
                .map(
                    |p| {
                        if free(p) {
                            constant.drive[p].rows_view(rows.clone()).to_mat()
                        } else {
                            mat(p, false)
                        }
                    },
                )
                .collect(),
            pool_cache: constant.pool_cache.iter().map(|c| c.rows_view(rows.clone()).to_mat()).collect(),
            scratch: network.connections.iter().map(|c| Mat::zeros(network.dtype, n, c.scratch())).collect(),
            pool_cache_dirty: network.connections.iter().map(|c| !network.is_clamped(c.pre)).collect(),
            is_complex: false,
            noise: None,
            reference: None,
            drive: all.map(|p| mat(p, free(p))).collect(),
            target: target.part(rows.clone()),
            samples: rows.collect(),
            beta: vec![0.0; n],
            nudge_offset: mat(nudged, true),
            change: vec![0.0; n],
            clamped_output: None,
            order: (0..n).collect(),
        }
    }

    /// Number of samples.
    pub fn rows(&self) -> usize {
        self.samples.len()
    }

    /// `copies` of every row below each other: the nudged phases of a contrast as one batch.
    pub fn tile(&self, copies: usize) -> Self {
        let stack = |mats: &[Mat]| mats.iter().map(|m| repeat(m, copies)).collect();
        Self {
            out: stack(&self.out),
            h: stack(&self.h),
            constant: stack(&self.constant),
            drive: stack(&self.drive),
            pool_cache: stack(&self.pool_cache),
            scratch: self
                .scratch
                .iter()
                .map(|m| Mat::zeros(m.dtype(), m.rows() * copies, m.cols()))
                .collect(),
            pool_cache_dirty: self.pool_cache_dirty.clone(),
            is_complex: self.is_complex,
            noise: self.noise.as_ref().map(|noise| noise.tile(copies)),
            reference: self.reference.as_ref().map(|b| LinearisationPoint {
                out: stack(&b.out),
                drive: stack(&b.drive),
                pool_cache: stack(&b.pool_cache),
            }),
            target: self.target.repeat(copies),
            samples: self.samples.repeat(copies),
            beta: self.beta.repeat(copies),
            nudge_offset: repeat(&self.nudge_offset, copies),
            change: self.change.repeat(copies),
            clamped_output: self.clamped_output,
            order: (0..self.rows() * copies).collect(),
        }
    }

    /// Takes another constant drive for all rows, as after a weight change.
    pub fn set_constant(&mut self, network: &Network, constant: Constant) {
        self.constant = constant.drive;
        for (id, _) in network.connections.iter().enumerate().filter(|(_, c)| network.is_clamped(c.pre)) {
            self.pool_cache[id].copy_from(constant.pool_cache[id].view());
        }
        self.invalidate_pool_caches(network, |_| true);
    }

    /// Notes that the outputs of some populations moved: choices of pooling at them are behind.
    pub fn invalidate_pool_caches(&mut self, network: &Network, which: impl Fn(PopId) -> bool) {
        for (pool_cache_dirty, c) in self.pool_cache_dirty.iter_mut().zip(&network.connections) {
            *pool_cache_dirty |= !network.is_clamped(c.pre) && which(c.pre);
        }
    }

    /// Takes the present state as the one that corrected nudged phases depart from.
    pub fn set_reference(&mut self, network: &Network) {
        let all: Vec<PopId> = network.with_role(Role::Settling).collect();
        network.drive(&all, self, 0..self.rows());
        self.reference = Some(LinearisationPoint {
            out: self.out.clone(),
            drive: self.drive.clone(),
            pool_cache: self.pool_cache.clone(),
        });
    }

    /// Lets units be as noisy as they are in this update.
    pub fn noise(&mut self, key: &Key) {
        self.noise = Some(Noise::new(key, &self.samples));
    }

    /// Complex copies of a real state, one for each strength of a nudge.
    pub fn complex(&self, betas: &[Complex<f64>]) -> Self {
        let (n, half) = (self.rows(), self.rows() * betas.len());
        let mut state = self.tile(2 * betas.len());
        state.is_complex = true;
        let reference = state.reference.iter_mut().flat_map(|b| b.out.iter_mut().chain(&mut b.drive));
        let mats = state.out.iter_mut().chain(&mut state.constant).chain(&mut state.pool_cache);
        for mat in mats.chain(reference) {
            let imaginary = half.min(mat.rows())..mat.rows();
            mat.rows_view_mut(imaginary).fill(0.0);
        }
        state.pool_cache_dirty.iter_mut().for_each(|s| *s = true);
        for (k, beta) in betas.iter().enumerate() {
            state.beta[k * n..(k + 1) * n].fill(beta.re);
            state.beta[half + k * n..half + (k + 1) * n].fill(beta.im);
        }
        state
    }

    /// Another strength of the nudge for all rows of a complex state.
    pub fn set_complex_nudge(&mut self, beta: Complex<f64>) {
        let half = self.rows() / 2;
        self.beta[..half].fill(beta.re);
        self.beta[half..].fill(beta.im);
    }

    /// The real part of a complex state, without a nudge.
    pub fn real_part(&self) -> Self {
        self.top(self.rows() / 2)
    }

    /// The first sample alone, without a nudge.
    pub fn first(&self) -> Self {
        self.top(1)
    }

    /// The first rows as a real state.
    fn top(&self, rows: usize) -> Self {
        let top = |mats: &[Mat]| -> Vec<Mat> {
            mats.iter().map(|m| m.rows_view(0..rows.min(m.rows())).to_mat()).collect()
        };
        Self {
            out: top(&self.out),
            h: top(&self.h),
            constant: top(&self.constant),
            pool_cache: top(&self.pool_cache),
            scratch: top(&self.scratch),
            drive: top(&self.drive),
            pool_cache_dirty: vec![true; self.pool_cache_dirty.len()],
            is_complex: false,
            target: self.target.part(0..rows),
            samples: self.samples[..rows].to_vec(),
            beta: vec![0.0; rows],
            nudge_offset: self.nudge_offset.rows_view(0..rows).to_mat(),
            change: self.change[..rows].to_vec(),
            clamped_output: self.clamped_output,
            order: (0..rows).collect(),
            noise: None,
            reference: None,
        }
    }

    /// Output of `pop` for some rows.
    pub fn output(&self, pop: PopId, rows: Range<usize>) -> View<'_> {
        self.out[pop].rows_view(rows)
    }

    /// Exchanges two rows of everything.
    pub fn swap_rows(&mut self, i: usize, j: usize) {
        if i == j {
            return;
        }
        let reference = self
            .reference
            .iter_mut()
            .flat_map(|b| b.out.iter_mut().chain(&mut b.drive).chain(&mut b.pool_cache));
        let mats =
            self.out.iter_mut().chain(&mut self.h).chain(&mut self.constant).chain(&mut self.pool_cache);
        for mat in mats.chain(reference) {
            if mat.rows() > 0 {
                mat.swap_rows(i, j);
            }
        }
        if let Some(noise) = &mut self.noise {
            noise.swap_rows(i, j);
        }
        self.nudge_offset.swap_rows(i, j);
        self.target.swap(i, j);
        self.samples.swap(i, j);
        self.beta.swap(i, j);
        self.change.swap(i, j);
        self.order.swap(i, j);
    }

    /// Brings every row back to where it was.
    pub fn restore_order(&mut self) {
        for i in 0..self.order.len() {
            while self.order[i] != i {
                self.swap_rows(i, self.order[i]);
            }
        }
    }
}

fn repeat(mat: &Mat, copies: usize) -> Mat {
    let mut tall = Mat::zeros(mat.dtype(), mat.rows() * copies, mat.cols());
    for k in 0..copies {
        tall.rows_view_mut(k * mat.rows()..(k + 1) * mat.rows()).copy_from(mat.view());
    }
    tall
}
