//! Forward in time along directions: J_t = D_t J_{t−1} + F_t, with D the Jacobian of a step and F what parameters do within it.
//!
//! A row is a direction in the space of states: a parameter of which all states are differentiated, or a mixture of them.

use super::Trace;
use super::slopes::{Slope, add_product};
use crate::network::{Connection, Network, PopId};
use bouton_kernels::{Mat, View, dispatch};
use std::collections::VecDeque;

/// Derivatives of states and outputs of one sequence, a row for each direction.
#[derive(Clone, Debug)]
pub struct Tangent {
    /// Of the states, by population, [directions, S·units].
    pub h: Vec<Mat>,
    /// Of the outputs, by population, of the last step and the ones before it as far as delays reach, [directions, units] each.
    pub out: Vec<VecDeque<Mat>>,
}

/// What changes the tangents of a step beside those of the step before.
pub trait Directions {
    /// Adds what the directions do to the drive of a population, [directions, units].
    fn drive(&self, pop: PopId, to: &mut Mat);
    /// Adds what they do to the output (`variable` 0), or to a state, by way of the units' own numbers.
    fn own(&self, pop: PopId, variable: usize, to: &mut Mat);
    /// What a population keeps of what came along a loop or a delay, factors of 0 or 1, [directions, units]; none: everything.
    fn kept(&self, pop: PopId) -> Option<&Mat>;
}

impl Tangent {
    /// Of states that do not depend on anything yet.
    pub fn zeros(network: &Network, directions: usize) -> Self {
        let zeros = |p: usize, each: usize| {
            let node = &network.populations[p];
            Mat::zeros(network.dtype, if network.is_stepping(p) { directions } else { 0 }, each * node.units)
        };
        let all = 0..network.populations.len();
        let outs = |p: usize| (0..=network.past()).map(|_| zeros(p, 1)).collect();
        Self {
            h: all.clone().map(|p| zeros(p, network.populations[p].num_states())).collect(),
            out: all.map(outs).collect(),
        }
    }

    /// All of it as one list of matrices.
    pub fn parts_mut(&mut self) -> impl Iterator<Item = &mut Mat> {
        self.h.iter_mut().chain(self.out.iter_mut().flatten())
    }
}

impl Network {
    /// Goes along step `t` of the network in the trace of one sequence; `slopes` are those of each population there.
    pub fn follow(
        &self,
        trace: &Trace,
        t: usize,
        slopes: &[Vec<Slope>],
        tangent: &mut Tangent,
        directions: &dyn Directions,
    ) {
        for out in &mut tangent.out {
            let oldest = out.pop_back().expect("at least one step is kept");
            out.push_front(oldest);
        }
        for pop in (0..self.populations.len()).filter(|&p| self.is_stepping(p)) {
            let mut drive = self.arriving(pop, trace, t, tangent, directions.kept(pop));
            directions.drive(pop, &mut drive);
            let before = std::mem::replace(&mut tangent.h[pop], Mat::zeros(self.dtype, 0, 0));
            let mut after = Mat::zeros(self.dtype, before.rows(), before.cols());
            let units = self.populations[pop].units;
            for (variable, slope) in slopes[pop].iter().enumerate() {
                let mut to = along(slope, &drive, &before, units);
                directions.own(pop, variable, &mut to);
                match variable.checked_sub(1) {
                    None => tangent.out[pop][0] = to,
                    Some(state) => {
                        if let Some(kept) = directions.kept(pop) {
                            let all = std::mem::replace(&mut to, Mat::zeros(self.dtype, drive.rows(), units));
                            add_product(to.view_mut(), kept.view(), all.view());
                        }
                        put_columns(&mut after, &to, state * units);
                    }
                }
            }
            tangent.h[pop] = after;
        }
    }

    /// What connections bring to the drive of a population.
    fn arriving(&self, pop: PopId, trace: &Trace, t: usize, tangent: &Tangent, kept: Option<&Mat>) -> Mat {
        let rows = tangent.out[pop][0].rows();
        let mut drive = Mat::zeros(self.dtype, rows, self.populations[pop].units);
        let mut later = Mat::zeros(self.dtype, rows, drive.cols());
        for (id, c) in self.entering(pop).filter(|(_, c)| !self.is_clamped(c.pre)) {
            let choice = trace.pool_cache[id].rows_view(if c.pool.is_some() { trace.at(t) } else { 0..0 });
            let choice = repeated(choice, rows);
            let to = if c.delay == 0 { &mut drive } else { &mut later };
            c.jvp(&c.weight, choice.view(), tangent.out[c.pre][c.delay].view(), to.view_mut());
        }
        match kept {
            None => bouton_kernels::add_rows(drive.view_mut(), later.view()),
            Some(kept) => add_product(drive.view_mut(), kept.view(), later.view()),
        }
        drive
    }

    /// Which units each one reaches along connections with at most `hops` of them, itself included, [stepping units, stepping units];
    /// units of all populations behind each other. Weights that are zero join nobody.
    pub fn reach(&self, hops: usize) -> Vec<Vec<bool>> {
        let first = self.first_units();
        let all: usize = first.last().copied().unwrap_or(0);
        let joined = self.joined(&first, all);
        let mut reached: Vec<Vec<bool>> = (0..all).map(|i| (0..all).map(|k| i == k).collect()).collect();
        for _ in 0..hops {
            for from in &mut reached {
                let next: Vec<bool> =
                    (0..all).map(|k| from[k] || (0..all).any(|via| from[via] && joined[via][k])).collect();
                *from = next;
            }
        }
        reached
    }

    /// Where the units of each population begin among those of all that move in time, and their number.
    pub fn first_units(&self) -> Vec<usize> {
        let units = |p: usize| if self.is_stepping(p) { self.populations[p].units } else { 0 };
        let ends = (0..self.populations.len()).scan(0, |sum, p| {
            *sum += units(p);
            Some(*sum)
        });
        std::iter::once(0).chain(ends).collect()
    }

    /// From which unit a connection leads to which.
    fn joined(&self, first: &[usize], all: usize) -> Vec<Vec<bool>> {
        let mut joined = vec![vec![false; all]; all];
        let inside = |c: &&Connection| c.carries_activity() && !self.is_clamped(c.pre);
        for c in self.connections.iter().filter(inside) {
            let units = self.populations[c.pre].units;
            let each = Mat::from_fn(self.dtype, units, units, |r, k| f64::from(u8::from(r == k)));
            let mut to = Mat::zeros(self.dtype, units, c.factors(self.populations[c.post].units));
            c.wiring.forward(&c.weight, each.view(), to.view_mut());
            for i in 0..units {
                for k in
                    (0..self.populations[c.post].units).filter(|&k| c.pool.is_some() || to.get(i, k) != 0.0)
                {
                    joined[first[c.pre] + i][first[c.post] + k] = true;
                }
            }
        }
        joined
    }
}

/// A variable's tangents, from those of the drive and of the states before.
fn along(slope: &Slope, drive: &Mat, before: &Mat, units: usize) -> Mat {
    let mut to = Mat::zeros(drive.dtype(), drive.rows(), units);
    add_product(to.view_mut(), slope.drive.view(), drive.view());
    for state in 0..before.cols() / units {
        dispatch!(to.dtype(), T => for r in 0..before.rows() {
            let columns = state * units..(state + 1) * units;
            let slopes = &slope.states.view().row::<T>(r % slope.states.rows())[columns.clone()];
            let before = &before.view().row::<T>(r)[columns];
            let mut to = to.view_mut();
            let to = to.row_mut::<T>(r).iter_mut();
            to.zip(slopes.iter().zip(before)).for_each(|(to, (&a, &x))| *to += a * x);
        });
    }
    to
}

/// Replaces the columns from `first` on.
fn put_columns(to: &mut Mat, part: &Mat, first: usize) {
    dispatch!(to.dtype(), T => for r in 0..part.rows() {
        let mut row = to.rows_view_mut(r..r + 1);
        row.slice_mut::<T>()[first..first + part.cols()].copy_from_slice(part.view().row::<T>(r));
    });
}

/// One row, as often as there are directions.
fn repeated(row: View<'_>, rows: usize) -> Mat {
    let mut all = Mat::zeros(row.dtype(), 0, row.cols());
    if row.rows() > 0 {
        (0..rows).for_each(|_| all.append_rows(row));
    }
    all
}
