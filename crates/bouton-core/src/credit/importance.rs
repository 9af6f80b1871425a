//! Importance of every parameter, sample by sample, in one pass over batches.
//!
//! A dense weight's gradient for one sample is δ_j a_i, so Σ_x (δ_j a_i)² = Σ_x δ_j² a_i²: the squares of the factors
//! of a whole batch multiply to the sum of squared gradients. Likewise for absolute values. Labels of one batch share the
//! a_i: their δ_j² are summed first, Σ_x a_i² Σ_y δ_j², so that the exact Fisher information takes one product.

use super::{Batch, Credit, GradSink};
use crate::anchor::{Fisher, Importance};
use crate::error::Result;
use crate::network::{Grad, Network, ParamId};
use crate::objective::{Head, Objective, TargetView, Targets};
use crate::rng::Key;
use crate::synapse::Draw;
use crate::wiring::Wiring;
use bouton_kernels::{Elem, Mat, Real, View, ViewMut, add_columns, dispatch, gemm_tn, scale_all};
use rayon::prelude::*;
use std::collections::HashMap;
use std::ops::Range;
use std::sync::OnceLock;

/// What is summed over samples.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sum {
    Squares,
    Absolutes,
}

/// Sums squares or absolute values of per-sample gradients.
struct PerSample {
    sum: Sum,
    total: HashMap<ParamId, Mat>,
    /// Mapped factors (a, δ) that wait for more δ of the same a, and the address of these a.
    open: HashMap<ParamId, (usize, Mat, Mat)>,
}

/// Rows of a weight that one task of a thread sums up.
const BAND: usize = 64;

/// Values that one task of a thread maps.
const SHARE: usize = 1 << 14;

impl PerSample {
    fn map(&self, x: View<'_>) -> Mat {
        let mut mat = Mat::zeros(x.dtype(), x.rows(), x.cols());
        self.add_mapped(&mut mat, x);
        mat
    }

    /// sum += x² or |x|.
    fn add_mapped(&self, sum: &mut Mat, x: View<'_>) {
        dispatch!(x.dtype(), T => {
            let parts = sum.slice_mut::<T>().par_chunks_mut(SHARE).zip(x.slice::<T>().par_chunks(SHARE));
            parts.for_each(|(sum, x)| match self.sum {
                Sum::Squares => sum.iter_mut().zip(x).for_each(|(s, &x)| *s += x * x),
                Sum::Absolutes => sum.iter_mut().zip(x).for_each(|(s, &x)| *s += x.abs()),
            });
        });
    }

    /// Multiplies what waits.
    fn close(&mut self) {
        for (id, (_, pre, g)) in std::mem::take(&mut self.open) {
            self.multiply(id, &pre, &g);
        }
    }

    fn multiply(&mut self, id: ParamId, pre: &Mat, g: &Mat) {
        let sum = self.total.entry(id).or_insert_with(|| Mat::zeros(g.dtype(), g.cols(), pre.cols()));
        let bands: Vec<_> = sum.view_mut().chunks_mut(BAND).enumerate().collect();
        bands.into_par_iter().for_each(|(i, band)| {
            gemm_tn(g.view(), i * BAND..i * BAND + band.rows(), pre.view(), band);
        });
    }

    fn units(&mut self, id: ParamId, channels: usize, g: View<'_>) {
        let mapped = self.map(by_channel(g, channels).view());
        let sum = self.total.entry(id).or_insert_with(|| Mat::zeros(g.dtype(), 1, channels));
        add_columns(mapped.view(), 1.0, sum.view_mut());
    }
}

impl PerSample {
    /// A weight that is used at several places has a gradient that is a sum for every sample.
    fn sample_by_sample(&mut self, id: ParamId, wiring: &dyn Wiring, pre: View<'_>, g: View<'_>) {
        let (rows, cols) = wiring.weight_shape();
        let zeros = || Mat::zeros(g.dtype(), rows, cols);
        let one = |r: usize| {
            let mut gradient = zeros();
            wiring.backward_weight(
                pre.rows_range(r..r + 1),
                g.rows_range(r..r + 1),
                0..rows,
                gradient.view_mut(),
            );
            gradient
        };
        for from in (0..g.rows()).step_by(BAND) {
            let gradients: Vec<Mat> = (from..(from + BAND).min(g.rows()))
                .into_par_iter()
                .map(|r| self.map(one(r).view()))
                .collect();
            let sum = self.total.entry(id).or_insert_with(zeros);
            for gradient in &gradients {
                add_columns(gradient.view().folded(rows * cols), 1.0, sum.view_mut().folded(rows * cols));
            }
        }
    }
}

/// The sum over the places of an image, sample by sample.
fn by_channel(g: View<'_>, channels: usize) -> Mat {
    let mut sums = Mat::zeros(g.dtype(), g.rows(), channels);
    for r in 0..g.rows() {
        add_columns(g.rows_range(r..r + 1).folded(channels), 1.0, sums.rows_view_mut(r..r + 1));
    }
    sums
}

impl PerSample {
    fn factors(&mut self, network: &Network, id: ParamId, pre: View<'_>, g: View<'_>) {
        let wiring = network.wiring_of(id);
        if !wiring.factorises() {
            return self.sample_by_sample(id, wiring, pre, g);
        }
        let address = dispatch!(pre.dtype(), T => pre.slice::<T>().as_ptr() as usize);
        let mut waiting = self.open.remove(&id);
        match &mut waiting {
            Some((same, _, sum)) if *same == address => self.add_mapped(sum, g),
            _ => {
                let next = (address, self.map(pre), self.map(g));
                if let Some((_, pre, g)) = waiting.replace(next) {
                    self.multiply(id, &pre, &g);
                }
            }
        }
        self.open.extend(waiting.map(|waiting| (id, waiting)));
    }
}

impl GradSink for PerSample {
    fn add(&mut self, network: &Network, id: ParamId, grad: Grad<'_>) {
        match grad {
            Grad::Factors { pre, g, .. } => self.factors(network, id, pre, g),
            Grad::Rows { g, .. } => {
                if let Some(value) = network.value(id) {
                    self.units(id, value.cols(), g);
                }
            }
            // What does not depend on samples says nothing about them.
            Grad::Whole { .. } => {}
        }
    }

    fn step(&mut self, _: &mut Network) -> Result<()> {
        Ok(())
    }
}

/// √w (p − y) of one label per sample: the squared gradient then carries the weight w.
#[derive(Debug)]
struct Label<'a> {
    /// What the network is judged by; minus the logarithm of a probability, unless outputs alone are asked for.
    objective: &'a dyn Objective,
    /// The outputs that count.
    active: Range<usize>,
    which: Which,
    /// Probabilities of the batch, the same for all of its labels.
    answer: &'a OnceLock<Mat>,
}

#[derive(Clone, Copy, Debug)]
enum Which {
    /// This one, weighted by its probability.
    Weighted(usize),
    /// Drawn from the answer.
    Drawn(u64),
    /// The true one.
    True,
    /// None: the gradient of ‖output‖².
    Norm,
}

impl Label<'_> {
    /// The label of a row with these probabilities, counted through all outputs, and its weight.
    fn of<T: Elem>(&self, p: &[T], targets: Targets<'_>, r: usize) -> (usize, f64) {
        let active = &p[self.active.clone()];
        match self.which {
            Which::Weighted(c) => (c, p[c].to_f64()),
            Which::Drawn(key) => {
                let draw = Draw { key, index: targets.samples[r] as u64 };
                (self.active.start + drawn(active, draw), 1.0)
            }
            _ => (targets.rows.class(r), 1.0),
        }
    }
}

impl Objective for Label<'_> {
    fn error(&self, out: View<'_>, targets: Targets<'_>, mut err: ViewMut<'_>, loss: &mut [f64]) {
        if matches!(self.which, Which::Norm) {
            err.fill(0.0);
            return dispatch!(out.dtype(), T => for r in 0..out.rows() {
                let (out, err) = (&out.row::<T>(r)[self.active.clone()], &mut err.row_mut::<T>(r)[self.active.clone()]);
                err.iter_mut().zip(out).for_each(|(e, &o)| *e = T::constant(2.0) * o);
            });
        }
        let head = Head { objective: self.objective, active: self.active.clone() };
        let p = self.answer.get_or_init(|| {
            let mut p = out.to_mat();
            head.to_probabilities(p.view_mut(), targets.own);
            p
        });
        dispatch!(out.dtype(), T => {
            let of = |r: usize| self.of(p.view().row::<T>(r), targets, r);
            let (labels, weights): (Vec<u16>, Vec<f64>) =
                (0..out.rows()).map(of).map(|(label, weight)| (label as u16, weight)).unzip();
            head.error(out, Targets { rows: TargetView::Classes(&labels), ..targets }, err.reborrow(), loss);
            for (r, weight) in weights.iter().enumerate() {
                err.row_mut::<T>(r).iter_mut().for_each(|e| *e *= T::constant(weight.sqrt()));
            }
        });
    }

    fn error_complex(&self, _: View<'_>, _: Targets<'_>, _: ViewMut<'_>) -> bool {
        false
    }

    fn is_squared_error(&self) -> bool {
        false
    }
}

fn drawn<T: Elem>(p: &[T], draw: Draw) -> usize {
    let mut left: f64 = draw.uniform(0);
    let last = p.len() - 1;
    p.iter()
        .position(|p| {
            left -= p.to_f64();
            left < 0.0
        })
        .unwrap_or(last)
}

/// The importance of every parameter over `batches` to what `objective` judges, of which only the `active` outputs count. The network answers as in
/// evaluation.
pub fn measure(
    credit: &dyn Credit,
    network: &Network,
    importance: Importance,
    objective: &dyn Objective,
    active: Option<Range<usize>>,
    batches: impl Iterator<Item = Batch>,
    key: &Key,
) -> Result<HashMap<ParamId, Mat>> {
    let sum = if matches!(importance, Importance::Sensitivity(_)) { Sum::Absolutes } else { Sum::Squares };
    let mut sink = PerSample { sum, total: HashMap::new(), open: HashMap::new() };
    let outputs = active.unwrap_or(0..network.populations[network.output()].units);
    let (mut samples, mut count) = (0, 0);
    for batch in batches {
        (samples, count) = (samples + batch.len(), count + 1);
        let answer = OnceLock::new();
        let label = |which| Label { objective, active: outputs.clone(), which, answer: &answer };
        let pass = |which, sink: &mut dyn GradSink| credit.gradients(network, &batch, &[&label(which)], sink);
        match importance {
            Importance::Fisher(Fisher::Exact, _) => {
                let labels: Vec<Label<'_>> = outputs.clone().map(|c| label(Which::Weighted(c))).collect();
                let labels: Vec<&dyn Objective> = labels.iter().map(|l| l as _).collect();
                credit.gradients(network, &batch, &labels, &mut sink)?;
            }
            Importance::Fisher(Fisher::Sampled, _) => {
                pass(Which::Drawn(key.of("label", count).number()), &mut sink)?;
            }
            Importance::Fisher(Fisher::Empirical, _) => pass(Which::True, &mut sink)?,
            Importance::Fisher(Fisher::Batched, _) => {
                let mut mean = super::GradCollector::default();
                pass(Which::True, &mut mean)?;
                add_squares(&mut sink.total, &mean.gradients);
            }
            Importance::Sensitivity(_) => pass(Which::Norm, &mut sink)?,
            Importance::Path(_) => {}
        }
        sink.close();
    }
    let batched = matches!(importance, Importance::Fisher(Fisher::Batched, _));
    let n = if batched { count as f64 } else { samples as f64 };
    sink.total.values_mut().for_each(|mat| scale_all(mat, 1.0 / n));
    Ok(sink.total)
}

fn add_squares(total: &mut HashMap<ParamId, Mat>, mean: &HashMap<ParamId, Mat>) {
    for (id, g) in mean {
        let sum = total.entry(*id).or_insert_with(|| Mat::zeros(g.dtype(), g.rows(), g.cols()));
        dispatch!(g.dtype(), T => for (s, &g) in sum.slice_mut::<T>().iter_mut().zip(g.slice::<T>()) {
            *s += g * g;
        });
    }
}
