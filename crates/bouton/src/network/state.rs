//! Activity of the samples of a batch (or of a shard of one): everything that has a batch dimension.

use super::{Network, PopId, Role};
use bouton_kernels::{Mat, View};
use std::ops::Range;

/// States of all populations, one row per sample. Rows may be reordered during a relaxation (settled samples move to
/// the end); [`State::restore_order`] undoes that.
#[derive(Clone, Debug)]
pub struct State {
    /// Output of every population that is not clamped, [rows, units].
    pub out: Vec<Mat>,
    /// State beside the output, for populations that have one.
    pub h: Vec<Mat>,
    /// Bias plus drive from the input, constant during a relaxation.
    pub constant: Vec<Mat>,
    /// What pooling chose, by connection, [rows, choices].
    pub choice: Vec<Mat>,
    /// Room for activity before pooling, by connection.
    pub room: Vec<Mat>,
    /// Whether the choice of a connection is behind the presynaptic state.
    pub stale: Vec<bool>,
    /// Drive of the last step, [rows, units].
    pub drive: Vec<Mat>,
    /// Class of each row.
    pub labels: Vec<u8>,
    /// Place of each row's sample in the batch.
    pub samples: Vec<usize>,
    /// Nudge strength β of each row.
    pub beta: Vec<f64>,
    /// Constant part of the nudge of the nudged population, [rows, units].
    pub force: Mat,
    /// Largest change of a unit in the last sweep, per row.
    pub change: Vec<f64>,
    /// Population whose output is held at its value.
    pub held: Option<PopId>,
    order: Vec<usize>,
}

/// What the clamped input of a batch gives for a whole relaxation.
#[derive(Clone, Debug)]
pub struct Constant {
    /// Bias plus drive from the input, by population.
    pub drive: Vec<Mat>,
    /// What pooling chose of the drive from the input, by connection.
    pub choice: Vec<Mat>,
}

impl State {
    /// Units at rest; of `constant`, which belongs to a whole batch, `rows` are taken.
    pub fn new(network: &Network, constant: &Constant, rows: Range<usize>, labels: &[u8]) -> Self {
        let n = rows.len();
        let free = |p: PopId| network.populations[p].role != Role::Clamped;
        let mat = |p: PopId, yes: bool| {
            Mat::zeros(network.dtype, if yes { n } else { 0 }, network.populations[p].units)
        };
        let all = 0..network.populations.len();
        let nudged = network.nudged().unwrap_or(network.output());
        let rest = |p: PopId| {
            let mut out = mat(p, free(p));
            out.fill(network.populations[p].model.rest());
            out
        };
        Self {
            out: all.clone().map(rest).collect(),
            h: all.clone().map(|p| mat(p, free(p) && network.populations[p].model.stored() > 0)).collect(),
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
            choice: constant.choice.iter().map(|c| c.rows_view(rows.clone()).to_mat()).collect(),
            room: network.connections.iter().map(|c| Mat::zeros(network.dtype, n, c.room())).collect(),
            stale: network.connections.iter().map(|c| c.pre != network.input()).collect(),
            drive: all.map(|p| mat(p, free(p))).collect(),
            labels: labels[rows.clone()].to_vec(),
            samples: rows.collect(),
            beta: vec![0.0; n],
            force: mat(nudged, true),
            change: vec![0.0; n],
            held: None,
            order: (0..n).collect(),
        }
    }

    /// Number of samples.
    pub fn rows(&self) -> usize {
        self.labels.len()
    }

    /// `copies` of every row below each other: the nudged phases of a contrast as one batch.
    pub fn tile(&self, copies: usize) -> Self {
        let stack = |mats: &[Mat]| mats.iter().map(|m| repeat(m, copies)).collect();
        Self {
            out: stack(&self.out),
            h: stack(&self.h),
            constant: stack(&self.constant),
            drive: stack(&self.drive),
            choice: stack(&self.choice),
            room: self.room.iter().map(|m| Mat::zeros(m.dtype(), m.rows() * copies, m.cols())).collect(),
            stale: self.stale.clone(),
            labels: self.labels.repeat(copies),
            samples: self.samples.repeat(copies),
            beta: self.beta.repeat(copies),
            force: repeat(&self.force, copies),
            change: self.change.repeat(copies),
            held: self.held,
            order: (0..self.rows() * copies).collect(),
        }
    }

    /// Takes another constant drive for all rows, as after a weight change.
    pub fn set_constant(&mut self, network: &Network, constant: Constant) {
        self.constant = constant.drive;
        for (id, _) in network.connections.iter().enumerate().filter(|(_, c)| c.pre == network.input()) {
            self.choice[id].copy_from(constant.choice[id].view());
        }
        self.moved(network, |_| true);
    }

    /// Notes that the outputs of some populations moved: choices at them are behind.
    pub fn moved(&mut self, network: &Network, which: impl Fn(PopId) -> bool) {
        for (stale, c) in self.stale.iter_mut().zip(&network.connections) {
            *stale |= c.pre != network.input() && which(c.pre);
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
        for mat in self.out.iter_mut().chain(&mut self.h).chain(&mut self.constant).chain(&mut self.choice) {
            if mat.rows() > 0 {
                mat.swap_rows(i, j);
            }
        }
        self.force.swap_rows(i, j);
        self.labels.swap(i, j);
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
