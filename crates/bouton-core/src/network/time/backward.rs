//! The way back: the adjoint of the way forth, loops from the last step to the first.

use super::{Carry, Path, Recurrence, Sent, Timing, Trace};
use crate::network::{Connection, Grad, GradSink, Network, ParamId, PopId, add_at};
use crate::neuron::{Ctx, StepGradients};
use crate::wiring::Curved;
use bouton_kernels::{Mat, View, ViewMut, WeightMat, add_rows, dispatch};

/// Gradients with respect to the outputs of every step, and to where the first step began.
struct Outputs {
    g: Vec<Mat>,
    carry: Carry,
    /// Gradients of drives within their step alone, of populations that remember something and send no more than these.
    same_step: Vec<Option<Mat>>,
    /// What each unit gets from itself, by connection, where a rule keeps no more of it.
    own_weights: Vec<Option<WeightMat>>,
}

impl Network {
    /// The way back: replaces the drives in `trace` by the gradients of a loss whose gradient with respect to outputs of populations
    /// at every step of the data is in `errors`, and with respect to where the last step left the network in `later`. Returns the
    /// same for where the first step began.
    pub fn back(
        &self,
        time: &Timing,
        trace: &mut Trace,
        errors: &[(PopId, Mat)],
        later: Option<&Carry>,
        path: Path,
    ) -> Carry {
        let mut outputs = self.errors_at_outputs(time, trace, errors, later);
        if path.recurrence == Recurrence::Own {
            let own = |c: &Connection| (c.pre == c.post).then(|| self.weights_to_itself(c));
            outputs.own_weights = self.connections.iter().map(own).collect();
        }
        let ctx = Ctx { step: time.dt() };
        for pop in (0..self.populations.len()).filter(|&p| self.is_stepping(p)) {
            let node = &self.populations[pop];
            trace.own[pop] = Mat::zeros(self.dtype, node.own.len(), node.units);
        }
        for pops in self.loops().iter().rev() {
            if self.remembers(pops) {
                if path.sent == Sent::SameStep {
                    self.begin_same_step(pops, trace, &mut outputs);
                }
                for t in (0..trace.steps).rev() {
                    for &pop in pops.iter().rev() {
                        self.back_step(pop, &ctx, t, trace, &mut outputs);
                        self.return_inside(pop, pops, t, trace, &mut outputs, path);
                    }
                }
            } else {
                self.back_all(pops[0], trace, &outputs.g[pops[0]]);
            }
            for &pop in pops {
                self.send_back(pop, pops, trace, &mut outputs, path);
            }
        }
        outputs.carry
    }

    fn errors_at_outputs(
        &self,
        time: &Timing,
        trace: &Trace,
        errors: &[(PopId, Mat)],
        later: Option<&Carry>,
    ) -> Outputs {
        let (samples, steps, every) = (trace.samples, trace.steps, time.clock.substeps);
        let all = || 0..self.populations.len();
        let zeros = |p: PopId, rows: usize, cols: usize| {
            Mat::zeros(self.dtype, if self.is_stepping(p) { rows } else { 0 }, cols)
        };
        let units = |p: PopId| self.populations[p].units;
        let mut g: Vec<Mat> = all().map(|p| zeros(p, steps * samples, units(p))).collect();
        for (pop, err) in errors {
            for t in 0..steps / every {
                let at = trace.at((t + 1) * every - 1);
                add_rows(g[*pop].rows_view_mut(at), err.rows_view(trace.at(t)));
            }
        }
        let states = |p: PopId| self.populations[p].num_states() * units(p);
        let mut carry = Carry {
            h: all().map(|p| zeros(p, samples, states(p))).collect(),
            out: all().map(|p| zeros(p, trace.past * samples, units(p))).collect(),
        };
        for (p, later) in later.into_iter().flat_map(|later| later.out.iter().enumerate()) {
            // What reached back beyond the first step of the next section is the output of the last steps of this one, or lies
            // before it.
            let (kept, there) = (trace.past.min(steps) * samples, later.rows());
            if there > 0 {
                let end = steps * samples;
                add_rows(g[p].rows_view_mut(end - kept..end), later.rows_view(there - kept..there));
                add_rows(carry.out[p].rows_view_mut(kept..there), later.rows_view(0..there - kept));
            }
        }
        if let Some(later) = later {
            carry.h.clone_from(&later.h);
        }
        let own_weights = self.connections.iter().map(|_| None).collect();
        Outputs { g, carry, same_step: all().map(|_| None).collect(), own_weights }
    }

    /// Room for the gradients within steps of all of a loop but the output.
    fn begin_same_step(&self, pops: &[PopId], trace: &Trace, outputs: &mut Outputs) {
        for &pop in pops.iter().filter(|&&pop| pop != self.output()) {
            let (rows, drives) = (trace.steps * trace.samples, self.populations[pop].drives());
            outputs.same_step[pop] = Some(Mat::zeros(self.dtype, rows, drives));
        }
    }

    /// Back through all steps of a population that remembers nothing.
    fn back_all(&self, pop: PopId, trace: &mut Trace, g_out: &Mat) {
        let drive =
            std::mem::replace(&mut trace.drive[pop], Mat::zeros(self.dtype, g_out.rows(), g_out.cols()));
        let Trace { drive: g_drive, own, .. } = trace;
        let mut none = Mat::zeros(self.dtype, 0, 0);
        let g = StepGradients {
            out: g_out.view(),
            state: none.view_mut(),
            drive: g_drive[pop].view_mut(),
            own: self.learned(pop, &mut own[pop]),
        };
        let empty = Mat::zeros(self.dtype, 0, 0);
        self.populations[pop].backward_in_time(&Ctx::default(), drive.view(), empty.view(), g);
    }

    /// Back through step `t` of a population.
    fn back_step(&self, pop: PopId, ctx: &Ctx, t: usize, trace: &mut Trace, outputs: &mut Outputs) {
        let (now, node) = (trace.at(t), &self.populations[pop]);
        let drive = trace.drive[pop].rows_view(now.clone()).to_mat();
        let Trace { drive: g_drive, h, own, .. } = trace;
        let before = if h[pop].is_empty() { h[pop].view() } else { h[pop].rows_view(now.clone()) };
        let out = outputs.g[pop].rows_view(now.clone());
        if let Some(same_step) = &mut outputs.same_step[pop] {
            let mut nothing_later = Mat::zeros(self.dtype, before.rows(), before.cols());
            let drive_of_step = same_step.rows_view_mut(now.clone());
            let g = StepGradients { out, state: nothing_later.view_mut(), drive: drive_of_step, own: None };
            node.backward_in_time(ctx, drive.view(), before, g);
        }
        let g = StepGradients {
            out,
            state: outputs.carry.h[pop].view_mut(),
            drive: g_drive[pop].rows_view_mut(now),
            own: self.learned(pop, &mut own[pop]),
        };
        node.backward_in_time(ctx, drive.view(), before, g);
    }

    fn learned<'a>(&self, pop: PopId, sums: &'a mut Mat) -> Option<ViewMut<'a>> {
        self.populations[pop].own.iter().any(|own| own.learned).then(|| sums.view_mut())
    }

    /// What step `t` of `pop` sends back along the connections of its loop.
    fn return_inside(
        &self,
        pop: PopId,
        pops: &[PopId],
        t: usize,
        trace: &Trace,
        outputs: &mut Outputs,
        path: Path,
    ) {
        let inside = |c: &Connection| c.post == pop && pops.contains(&c.pre) && c.carries_errors();
        for (id, c) in self.connections.iter().enumerate().filter(|(_, c)| inside(c)) {
            let from_itself = c.pre == pop;
            let kept = if from_itself {
                path.recurrence != Recurrence::None
            } else {
                path.sends(pop == self.output(), c.delay)
            };
            if !kept {
                continue;
            }
            let Outputs { g: g_out, carry, same_step, own_weights } = outputs;
            let of_step = same_step[pop].as_ref().filter(|_| !from_itself);
            let g = of_step.unwrap_or(&trace.drive[pop]).rows_view(trace.at(t));
            let to = match t.checked_sub(c.delay) {
                Some(t) => g_out[c.pre].rows_view_mut(trace.at(t)),
                None => carry.out[c.pre].rows_view_mut(trace.output_at(t, c.delay)),
            };
            if let Some(curved) = c.wiring.curved() {
                let weight = own_weights[id].as_ref().unwrap_or(&c.weight);
                let pre = trace.out[c.pre].rows_view(trace.output_at(t, c.delay));
                curved.backward_input(weight, pre, g, to);
            } else if let Some(own) = &own_weights[id] {
                add_times(to, g, own.mat().view());
            } else if c.pool.is_none() {
                c.wiring.backward_input_often(&c.back(), g, to);
            } else {
                let mut scratch = Mat::zeros(self.dtype, g.rows(), c.scratch());
                let pool_cache = trace.pool_cache[id].rows_view(trace.at(t));
                c.backward_input(&c.back(), pool_cache, g, to, scratch.view_mut(), false);
            }
        }
    }

    /// What each unit of a population gets from itself along a connection, [1, units]; of a curved one, the weight of that alone.
    fn weights_to_itself(&self, c: &Connection) -> WeightMat {
        if let Some(curved) = c.wiring.curved() {
            return curved.alone(&c.weight);
        }
        let units = self.populations[c.pre].units;
        let mut all = Mat::zeros(self.dtype, units, units);
        let each = Mat::from_fn(self.dtype, units, units, |r, k| f64::from(u8::from(r == k)));
        c.wiring.backward_input(&c.back(), each.view(), all.view_mut());
        WeightMat::new(Mat::from_fn(self.dtype, 1, units, |_, i| all.get(i, i)))
    }

    /// What all steps of `pop` send back along connections from outside its loop.
    fn send_back(&self, pop: PopId, pops: &[PopId], trace: &Trace, outputs: &mut Outputs, path: Path) {
        let is_output = pop == self.output();
        let outside = |c: &&Connection| {
            c.post == pop
                && !pops.contains(&c.pre)
                && !self.is_clamped(c.pre)
                && c.carries_errors()
                && path.sends(is_output, c.delay)
        };
        for (id, c) in self.connections.iter().enumerate().filter(|(_, c)| outside(c)) {
            let pool_cache = trace.pool_cache[id].view();
            let Outputs { g: g_out, carry, same_step, .. } = &mut *outputs;
            let of_drive = same_step[pop].as_ref().unwrap_or(&trace.drive[pop]);
            if let Some(curved) = c.wiring.curved() {
                send_curved(curved, c, trace, of_drive, g_out, carry);
                continue;
            }
            let g = c.post_factors(pool_cache, of_drive.view(), false);
            let (late, end) = (c.delay.min(trace.steps) * trace.samples, trace.steps * trace.samples);
            let to = g_out[c.pre].rows_view_mut(0..end - late);
            c.wiring.par_backward_input(&c.back(), g.view().rows_range(late..end), to);
            if late > 0 {
                let kept = carry.out[c.pre].rows();
                let first = kept - c.delay * trace.samples;
                let before = carry.out[c.pre].rows_view_mut(first..first + late);
                c.wiring.backward_input(&c.back(), g.view().rows_range(0..late), before);
            }
        }
    }

    /// Hands over the gradients that [`Network::back`] left; `x` is what was seen.
    pub fn accumulate_grads_in_time(
        &self,
        time: &Timing,
        x: View<'_>,
        trace: &Trace,
        scale: f64,
        sink: &mut dyn GradSink,
    ) {
        for pop in (0..self.populations.len()).filter(|&p| self.is_stepping(p)) {
            self.accumulate_grads_of_drive(time, x, trace, pop, &trace.drive[pop], scale, sink);
            self.accumulate_grads_own(pop, &trace.own[pop], scale, sink);
        }
    }

    /// Hands over what the gradient `g` with respect to the drive of a population at every step, [steps · samples, units], comes to for
    /// its bias and the weights of what enters it.
    #[expect(clippy::too_many_arguments, reason = "where it was, and where it goes")]
    pub fn accumulate_grads_of_drive(
        &self,
        time: &Timing,
        x: View<'_>,
        trace: &Trace,
        pop: PopId,
        g: &Mat,
        scale: f64,
        sink: &mut dyn GradSink,
    ) {
        sink.add(self, ParamId::bias(pop), Grad::rows(g.view(), scale));
        for (id, c) in self.entering(pop) {
            let pool_cache = trace.pool_cache[id].view();
            if let Some(curved) = c.wiring.curved() {
                let whole = self.curved_gradient(curved, (time, c), x, trace);
                sink.add(self, ParamId::weight(id), Grad::whole(&whole, scale));
                continue;
            }
            if !self.is_clamped(c.pre) {
                let pre = trace.out[c.pre].rows_view(trace.earlier(c.delay));
                let post = c.post_factors(pool_cache, g.view(), false);
                sink.add(self, ParamId::weight(id), Grad::factors(pre, post.view(), scale));
                continue;
            }
            let shown = self.seen_by(c, time, trace, x);
            let sum = self.at_data_steps(time, c, trace, g);
            let post = c.post_factors(pool_cache, sum.as_ref().unwrap_or(g).view(), false);
            sink.add(self, ParamId::weight(id), Grad::factors(shown.view(), post.view(), scale));
        }
    }

    /// The gradient of the weight of a curved connection.
    fn curved_gradient(
        &self,
        curved: &dyn Curved,
        (time, c): (&Timing, &Connection),
        x: View<'_>,
        trace: &Trace,
    ) -> Mat {
        let (g, (rows, cols)) = (&trace.drive[c.post], c.wiring.weight_shape());
        let mut whole = Mat::zeros(self.dtype, rows, cols);
        if self.is_clamped(c.pre) {
            let (shown, sum) = (self.seen_by(c, time, trace, x), self.at_data_steps(time, c, trace, g));
            let g = sum.as_ref().unwrap_or(g).view();
            curved.backward_weight(&c.weight, shown.view(), g, whole.view_mut());
        } else {
            let pre = trace.out[c.pre].rows_view(trace.earlier(c.delay));
            curved.backward_weight(&c.weight, pre, g.view(), whole.view_mut());
        }
        whole
    }

    /// What [`Network::back`] left for what was shown, [data steps · samples, columns], through connections that carry errors; what it
    /// left for steps before the first stands above.
    pub fn back_to_input(&self, time: &Timing, x: View<'_>, trace: &Trace) -> Mat {
        let rows = trace.before.rows() + trace.steps / time.clock.substeps * trace.samples;
        let mut all = Mat::zeros(self.dtype, rows, time.shown.columns);
        for pop in (0..self.populations.len()).filter(|&p| self.is_stepping(p)) {
            let from_input = |c: &Connection| self.is_clamped(c.pre) && c.carries_errors();
            for (id, c) in self.entering(pop).filter(|(_, c)| from_input(c)) {
                let sum = self.at_data_steps(time, c, trace, &trace.drive[pop]);
                let g = sum.as_ref().unwrap_or(&trace.drive[pop]).view();
                let node = &self.populations[c.pre];
                let mut part = Mat::zeros(self.dtype, rows, node.units);
                if let Some(curved) = c.wiring.curved() {
                    let (shown, to) =
                        (self.seen_by(c, time, trace, x), part.rows_view_mut(rows - g.rows()..rows));
                    curved.backward_input(&c.weight, shown.view(), g, to);
                    add_at(&mut all, &part, node.columns.start);
                    continue;
                }
                c.par_backward_input(
                    trace.pool_cache[id].view(),
                    g,
                    part.rows_view_mut(rows - g.rows()..rows),
                );
                add_at(&mut all, &part, node.columns.start);
            }
        }
        all
    }

    /// Gradients summed over the steps of the network in each step of the data that they belong to, as [`Network::seen_by`] has them; none
    /// where the two agree.
    fn at_data_steps(&self, time: &Timing, c: &Connection, trace: &Trace, g: &Mat) -> Option<Mat> {
        if self.is_prompt(time, c) {
            return None;
        }
        let rows = trace.before.rows() + trace.steps / time.clock.substeps * trace.samples;
        let mut sum = Mat::zeros(self.dtype, rows, g.cols());
        for t in 0..trace.steps {
            let from = trace.at(self.comes_from(c, time, trace, t));
            add_rows(sum.rows_view_mut(from), g.rows_view(trace.at(t)));
        }
        Some(sum)
    }
}

/// [`Network::send_back`] along a curved connection, from where its presynaptic units were.
fn send_curved(
    curved: &dyn Curved,
    c: &Connection,
    trace: &Trace,
    g: &Mat,
    g_out: &mut [Mat],
    carry: &mut Carry,
) {
    let (late, end) = (c.delay.min(trace.steps) * trace.samples, trace.steps * trace.samples);
    let pre = trace.out[c.pre].rows_view(trace.earlier(c.delay));
    let (from, to) = (g.rows_view(late..end), g_out[c.pre].rows_view_mut(0..end - late));
    curved.backward_input(&c.weight, pre.rows_range(late..end), from, to);
    if late > 0 {
        let first = carry.out[c.pre].rows() - c.delay * trace.samples;
        let before = carry.out[c.pre].rows_view_mut(first..first + late);
        curved.backward_input(&c.weight, pre.rows_range(0..late), g.rows_view(0..late), before);
    }
}

/// to += g ⊙ w, row by row.
fn add_times(mut to: ViewMut<'_>, g: View<'_>, w: View<'_>) {
    dispatch!(to.dtype(), T => for r in 0..g.rows() {
        let factors = g.row::<T>(r).iter().zip(w.row::<T>(0));
        to.row_mut::<T>(r).iter_mut().zip(factors).for_each(|(to, (&g, &w))| *to += g * w);
    });
}
