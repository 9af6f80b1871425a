//! The way forth: one product over all steps wherever nothing waits for it, and step by step inside loops.

use super::{LastSteps, Timing, Trace};
use crate::network::{ConnId, Connection, Network, PopId};
use crate::neuron::Ctx;
use bouton_kernels::{Mat, View, ViewMut, add_rows};
use std::ops::Range;

impl Network {
    /// Runs over all steps of `x`, what is seen of `samples` samples ([`Network::seen`]), from rest or from `start`.
    pub fn run(&self, time: &Timing, x: View<'_>, samples: usize, start: Option<&LastSteps>) -> Trace {
        let steps = x.rows() / samples.max(1) * time.clock.substeps;
        let mut trace = Trace::new(self, time, samples, steps);
        start.into_iter().for_each(|start| trace.begin(start));
        let ctx = Ctx { step: time.dt() };
        for pops in self.loops() {
            for &pop in &pops {
                self.arrive(time, pop, &pops, x, &mut trace);
            }
            if !self.remembers(&pops) {
                self.step_all(pops[0], &mut trace);
                continue;
            }
            for t in 0..steps {
                for &pop in &pops {
                    self.arrive_inside(pop, &pops, t, &mut trace);
                    self.step(pop, &ctx, t, &mut trace);
                }
            }
        }
        trace
    }

    /// Bias and what comes from outside the loop, at all steps.
    fn arrive(&self, time: &Timing, pop: PopId, pops: &[PopId], x: View<'_>, trace: &mut Trace) {
        let mut drive = self.biases(&self.populations[pop], trace.steps * trace.samples);
        for (id, c) in self.entering(pop).filter(|(_, c)| !pops.contains(&c.pre)) {
            if self.is_clamped(c.pre) {
                self.arrive_from_input(time, id, c, x, trace, &mut drive);
            } else {
                let (rows, Trace { out, pool_cache, .. }) = (trace.earlier(c.delay), &mut *trace);
                c.par_forward(out[c.pre].rows_view(rows), drive.view_mut(), pool_cache[id].view_mut());
            }
        }
        trace.drive[pop] = drive;
    }

    /// What the data send: computed once for each of their steps, however often the network moves in one.
    fn arrive_from_input(
        &self,
        time: &Timing,
        id: ConnId,
        c: &Connection,
        x: View<'_>,
        trace: &mut Trace,
        drive: &mut Mat,
    ) {
        let shown = self.seen_by(c, time, trace, x);
        if self.is_prompt(time, c) {
            return c.par_forward(shown.view(), drive.view_mut(), trace.pool_cache[id].view_mut());
        }
        let rows = shown.view().rows();
        let mut once = Mat::zeros(self.dtype, rows, drive.cols());
        let mut choice = Mat::zeros(self.dtype, rows, c.pool_caches());
        c.par_forward(shown.view(), once.view_mut(), choice.view_mut());
        for t in 0..trace.steps {
            let from = trace.at(self.comes_from(c, time, trace, t));
            add_rows(drive.rows_view_mut(trace.at(t)), once.rows_view(from));
        }
        trace.pool_cache[id] = choice;
    }

    /// What comes from the loop itself, at step `t`.
    fn arrive_inside(&self, pop: PopId, pops: &[PopId], t: usize, trace: &mut Trace) {
        for (id, c) in self.entering(pop).filter(|(_, c)| pops.contains(&c.pre)) {
            let (from, to) = (trace.output_at(t, c.delay), trace.at(t));
            let Trace { drive, out, pool_cache, samples, .. } = &mut *trace;
            let mut scratch = Mat::zeros(self.dtype, *samples, c.scratch());
            let pool_cache = pool_cache[id].rows_view_mut(to.clone());
            c.forward(
                out[c.pre].rows_view(from),
                drive[pop].rows_view_mut(to),
                pool_cache,
                scratch.view_mut(),
                false,
            );
        }
    }

    /// All steps of a population that remembers nothing.
    fn step_all(&self, pop: PopId, trace: &mut Trace) {
        let rows = trace.earlier(0);
        let (mut none, mut change) = (Mat::zeros(self.dtype, 0, 0), vec![0.0; rows.len()]);
        let out = trace.out[pop].rows_view_mut(rows);
        let drive = trace.drive[pop].view();
        self.populations[pop].advance(&Ctx::default(), drive, None, none.view_mut(), out, &mut change);
    }

    /// Step `t` of a population.
    fn step(&self, pop: PopId, ctx: &Ctx, t: usize, trace: &mut Trace) {
        let (now, is, mut change) = (trace.at(t), trace.output_at(t, 0), vec![0.0; trace.samples]);
        let Trace { drive, h, out, .. } = &mut *trace;
        let (before, after) = (now.clone(), now.end..now.end + now.len());
        let (drive, out) = (drive[pop].rows_view(now), out[pop].rows_view_mut(is));
        let node = &self.populations[pop];
        if h[pop].is_empty() {
            return node.advance(ctx, drive, None, h[pop].view_mut(), out, &mut change);
        }
        let (was, mut then) = pair(&mut h[pop], before, after);
        then.copy_from(was.as_view());
        node.advance(ctx, drive, None, then, out, &mut change);
    }

    /// Outputs of a population at every step of the data.
    pub fn outputs(&self, time: &Timing, pop: PopId, trace: &Trace) -> Mat {
        let (out, every) = (trace.out[pop].rows_view(trace.earlier(0)), time.clock.substeps);
        if every == 1 {
            return out.to_mat();
        }
        let mut last = Mat::zeros(self.dtype, 0, out.cols());
        for t in 1..=trace.steps / every {
            let end = t * every * trace.samples;
            last.append_rows(out.rows_range(end - trace.samples..end));
        }
        last
    }
}

/// Some rows, and later ones of the same matrix.
fn pair(mat: &mut Mat, from: Range<usize>, to: Range<usize>) -> (ViewMut<'_>, ViewMut<'_>) {
    let (was, is) = mat.view_mut().split_rows(to.start);
    (was.rows_range(from), is.rows_range(0..to.len()))
}
