//! Where free phases start: from zero, from the batch before, or from what each sample settled to last time.

use super::Start;
use crate::error::Result;
use crate::network::{Network, Role, State, Visitor};
use bouton_kernels::Mat;
use std::ops::Range;

/// Free states kept between batches.
#[derive(Debug, Default)]
pub(super) struct WarmStart {
    start: Option<Start>,
    out: Vec<Mat>,
    h: Vec<Mat>,
}

impl WarmStart {
    /// A memory for `samples` training samples, if `start` needs one.
    pub fn new(start: Start, network: &Network, samples: usize) -> Self {
        if start == Start::Zero {
            return Self::default();
        }
        let rows = |used: bool| if used { samples } else { 0 };
        let mats = |used: &dyn Fn(usize) -> bool| -> Vec<Mat> {
            let mat = |p: usize| Mat::zeros(network.dtype, rows(used(p)), network.populations[p].units);
            (0..network.populations.len()).map(mat).collect()
        };
        let settles = |p: usize| network.populations[p].role == Role::Settling;
        let mut out = mats(&settles);
        // A sample that was never seen is at rest.
        out.iter_mut().zip(&network.populations).for_each(|(mat, p)| mat.fill(p.model.initial_output()));
        Self {
            start: Some(start),
            out,
            h: mats(&settles)
                .iter()
                .zip(&network.populations)
                .map(|(mat, p)| p.initial_states(mat))
                .collect(),
        }
    }

    /// Row of the memory that belongs to row `r` of a shard.
    fn place(&self, ids: &[usize], rows: &Range<usize>, r: usize) -> usize {
        if self.start == Some(Start::PreviousBatch) { rows.start + r } else { ids[r] }
    }

    /// Starts the rows of a shard from what is remembered.
    pub fn recall(&self, state: &mut State, ids: &[usize], rows: Range<usize>) {
        if self.start.is_none() {
            return;
        }
        for r in 0..rows.len() {
            let at = self.place(ids, &rows, r);
            copy_rows(&self.out, at, &mut state.out, r);
            copy_rows(&self.h, at, &mut state.h, r);
        }
    }

    /// Remembers the free states of a shard.
    pub fn keep(&mut self, state: &State, ids: &[usize], rows: Range<usize>) {
        if self.start.is_none() {
            return;
        }
        for r in 0..rows.len() {
            let at = self.place(ids, &rows, r);
            copy_rows(&state.out, r, &mut self.out, at);
            copy_rows(&state.h, r, &mut self.h, at);
        }
    }

    /// Shows what is remembered to `visitor`.
    pub fn visit(&mut self, visitor: &mut Visitor<'_>) -> Result<()> {
        for (name, mats) in [("out", &mut self.out), ("state", &mut self.h)] {
            for (p, mat) in mats.iter_mut().enumerate().filter(|(_, m)| m.rows() > 0) {
                visitor(&format!("memory.{name}.{p}"), mat)?;
            }
        }
        Ok(())
    }
}

fn copy_rows(from: &[Mat], i: usize, to: &mut [Mat], j: usize) {
    for (from, to) in from.iter().zip(to).filter(|(from, to)| from.rows() > 0 && to.rows() > 0) {
        to.rows_view_mut(j..j + 1).copy_from(from.rows_view(i..i + 1));
    }
}
