//! Gradients over steps of time: backpropagation through time, or e-prop, which is the same way back without the connections.
//!
//! Samples are independent, so a batch is worked on in shards, one thread each, and a sequence in sections: with *checkpoints* each
//! section is computed again on the way back, which costs a second way forth and keeps only the states between; *truncated*, the
//! gradient stops where a section begins. Gradients of weights are sums over all rows, in the order of the shards.

use super::outcome::{accumulate_grads_objective, loss_and_error_of, stacked};
use super::{Batch, Credit, GradCollector, GradSink, PhaseStates, Step, auxiliary, shards};
use crate::error::{Error, Result};
use crate::network::{
    Carry, Grad, LastSteps, Network, Path, PopId, Rates, Reading, Role, Timing, Trace, sample_by_sample,
    step_by_step,
};
use crate::objective::{Objective, Target};
use crate::rng::Key;
use bouton_kernels::{Mat, View, add_rows, scale_all};
use std::ops::Range;

/// The rule itself.
#[derive(Clone, Copy, Debug)]
pub(super) struct ThroughTime {
    pub path: Path,
    /// Steps of the data in a section; none: all.
    pub section: Option<usize>,
    /// Whether gradients go from section to section.
    pub exact: bool,
}

impl ThroughTime {
    /// All steps at once.
    pub fn whole(path: Path) -> Self {
        Self { path, section: None, exact: true }
    }

    fn sections(self, steps: usize) -> Vec<Range<usize>> {
        let size = self.section.unwrap_or(steps).max(1);
        (0..steps).step_by(size).map(|t| t..(t + size).min(steps)).collect()
    }

    /// Through all sections: what was said, where each began if they are `kept`, and the last one.
    fn forth(
        self,
        network: &Network,
        seen: &Seen<'_>,
        kept: bool,
    ) -> (Said, Vec<Option<LastSteps>>, Option<Trace>) {
        let (mut said, mut starts, mut last) = (Said::new(network, seen), vec![None], None);
        for section in self.sections(seen.time.shown.steps) {
            let start = starts.last().and_then(Option::as_ref);
            let trace = network.run(seen.time, seen.section(&section), seen.samples, start);
            said.add(network, seen.time, &trace);
            if !kept {
                starts.clear();
            }
            starts.push(Some(trace.last(seen.section(&section))));
            last = Some(trace);
        }
        (said, starts, last)
    }

    fn shard(
        self,
        network: &Network,
        seen: &Seen<'_>,
        objective: &dyn Objective,
        scale: f64,
    ) -> (GradCollector, Step) {
        let (said, starts, last) = self.forth(network, seen, true);
        let (errors, step) = seen.judge(network, objective, &said);
        (self.back(network, seen, (starts, last), &errors, scale, None), step)
    }

    /// Back through all sections, from the last one on, which has its trace; `shown` receives what goes back to what was seen.
    fn back(
        self,
        network: &Network,
        seen: &Seen<'_>,
        (starts, mut last): (Vec<Option<LastSteps>>, Option<Trace>),
        errors: &Errors,
        scale: f64,
        mut shown: Option<&mut Mat>,
    ) -> GradCollector {
        let (time, samples) = (seen.time, seen.samples);
        let sections = self.sections(time.shown.steps);
        let rows = |s: usize| seen.section(&sections[s]);
        let (mut sink, mut later) = (GradCollector::default(), None::<Carry>);
        for s in (0..sections.len()).rev() {
            let mut trace =
                last.take().unwrap_or_else(|| network.run(time, rows(s), samples, starts[s].as_ref()));
            let here = errors.of(&sections[s], samples);
            let carry = network.back(time, &mut trace, &here, later.as_ref(), self.path);
            later = self.exact.then_some(carry);
            network.accumulate_grads_in_time(time, rows(s), &trace, scale, &mut sink);
            if let Some(shown) = &mut shown {
                // What goes back beyond the first step of a section is what it delayed, or lies before all of them.
                let (g, end) = (network.back_to_input(time, &trace), sections[s].end * samples);
                let first = if self.exact { 0 } else { sections[s].start * samples };
                let kept = g.rows().min(end - first);
                add_rows(shown.rows_view_mut(end - kept..end), g.rows_view(g.rows() - kept..g.rows()));
            }
        }
        sink
    }

    /// What a loss from outside owes to the samples of a shard; `gradient` has their rows.
    fn send_back(
        self,
        network: &Network,
        seen: &Seen<'_>,
        gradient: Mat,
        scale: f64,
    ) -> (GradCollector, Option<Mat>) {
        let (said, starts, last) = self.forth(network, seen, true);
        let (pop, out) = &said.outs[0];
        let each = vec![(*pop, seen.owed(gradient, out))];
        let errors = Errors { each, always: Vec::new() };
        let mut shown = Mat::zeros(network.dtype, seen.x.rows(), seen.x.cols());
        let sink = self.back(network, seen, (starts, last), &errors, scale, Some(&mut shown));
        let mut input = Mat::zeros(network.dtype, seen.samples, seen.time.own.all());
        let encoder = seen.time.encoder.method();
        let passed = encoder.send_back(seen.time.own, shown.view(), input.view_mut());
        scale_all(&mut input, scale);
        (sink, passed.then_some(input))
    }

    /// The free state, of what is shown in training with a key.
    fn answer(self, network: &Network, batch: &Batch, key: Option<&Key>) -> Result<PhaseStates> {
        let parts = shards::each(batch.len(), |rows| {
            let seen = Seen::new(network, batch, rows, key)?;
            let (said, _, last) = self.forth(network, &seen, false);
            let ends = |m: &Mat| m.rows_view(m.rows() - seen.samples.min(m.rows())..m.rows()).to_mat();
            let mut out: Vec<Mat> = last.iter().flat_map(|trace| &trace.out).map(ends).collect();
            out[network.output()] = seen.answers(&said.outs[0].1);
            Ok(out)
        })?;
        Ok(PhaseStates { beta: 0.0, out: stacked(&parts), residual: vec![0.0; batch.len()] })
    }
}

/// What the units of a network said over all steps, as far as anybody judges it.
struct Said {
    /// Outputs at every step of the populations that an objective judges, the output first.
    outs: Vec<(PopId, Mat)>,
    /// Sums over steps of the outputs of the others, if there is a penalty on rates.
    sums: Vec<(PopId, Mat)>,
}

impl Said {
    fn new(network: &Network, seen: &Seen<'_>) -> Self {
        let judged = seen.judged(network);
        let zeros = |p: PopId, rows| (p, Mat::zeros(network.dtype, rows, network.populations[p].units));
        let others = network.with_role(Role::Stepping).filter(|p| !judged.contains(p));
        let sums =
            others.filter(|_| seen.time.clock.rates.is_some()).map(|p| zeros(p, seen.samples)).collect();
        Self { outs: judged.iter().map(|&p| zeros(p, 0)).collect(), sums }
    }

    fn add(&mut self, network: &Network, time: &Timing, trace: &Trace) {
        for (pop, out) in &mut self.outs {
            out.append_rows(network.outputs(time, *pop, trace).view());
        }
        for (pop, sum) in &mut self.sums {
            let out = network.outputs(time, *pop, trace);
            for t in 0..out.rows() / trace.samples.max(1) {
                add_rows(sum.view_mut(), out.rows_view(t * trace.samples..(t + 1) * trace.samples));
            }
        }
    }
}

/// Gradients with respect to outputs: of each step, and the same at every step.
struct Errors {
    each: Vec<(PopId, Mat)>,
    always: Vec<(PopId, Mat)>,
}

impl Errors {
    /// Those of a section.
    fn of(&self, steps: &Range<usize>, samples: usize) -> Vec<(PopId, Mat)> {
        let at = steps.start * samples..steps.end * samples;
        let mut here: Vec<(PopId, Mat)> =
            self.each.iter().map(|(p, err)| (*p, err.rows_view(at.clone()).to_mat())).collect();
        for (pop, err) in &self.always {
            let mut all = Mat::zeros(err.dtype(), 0, err.cols());
            steps.clone().for_each(|_| all.append_rows(err.view()));
            here.push((*pop, all));
        }
        here
    }
}

/// What a network sees of some samples, and what they should come to.
struct Seen<'a> {
    time: &'a Timing,
    x: Mat,
    samples: usize,
    target: Target,
}

impl<'a> Seen<'a> {
    fn new(network: &'a Network, batch: &Batch, rows: Range<usize>, key: Option<&Key>) -> Result<Self> {
        let time = network.time.as_ref().ok_or_else(|| {
            Error::incompatible("this network does not move in time", "use units such as neuron.lif")
        })?;
        let x = network.seen(time, batch.x.rows_view(rows.clone()), &batch.ids[rows.clone()], key);
        let target =
            targets(time, &batch.target.part(rows.clone()), network.populations[network.output()].units);
        Ok(Self { time, x, samples: rows.len(), target })
    }

    /// What is seen in some steps of the data.
    fn section(&self, steps: &Range<usize>) -> View<'_> {
        self.x.rows_view(steps.start * self.samples..steps.end * self.samples)
    }

    /// Populations that an objective judges, the output first.
    fn judged(&self, network: &Network) -> Vec<PopId> {
        let own = network.with_role(Role::Stepping).filter(|&p| network.populations[p].objective.is_some());
        std::iter::once(network.output()).chain(own).collect()
    }

    /// The outputs that are judged, one row a sample: with all steps behind each other if each has an answer.
    fn answers(&self, out: &Mat) -> Mat {
        match self.time.clock.reading {
            Reading::Each if self.time.answers_every_step => sample_by_sample(out, self.samples),
            Reading::Each => Reading::Mean.gather(out.view(), self.samples),
            reading => reading.gather(out.view(), self.samples),
        }
    }

    /// The adjoint of [`Seen::answers`] at the outputs `out` of all steps.
    fn owed(&self, g: Mat, out: &Mat) -> Mat {
        match self.time.clock.reading {
            Reading::Each if self.time.answers_every_step => step_by_step(g.view(), self.time.shown.steps),
            Reading::Each => Reading::Mean.spread(g, out.view(), self.samples),
            reading => reading.spread(g, out.view(), self.samples),
        }
    }

    /// Judges what was said: gradients with respect to outputs, and the sums.
    fn judge(&self, network: &Network, objective: &dyn Objective, said: &Said) -> (Errors, Step) {
        let reading = self.time.clock.reading;
        let read = |out: &Mat| reading.gather(out.view(), self.samples);
        let (err, mut step) =
            loss_and_error_of(network, objective, read(&said.outs[0].1).view(), &self.target);
        let mut errors = vec![err];
        if said.outs.len() > 1 {
            let mut all: Vec<Mat> =
                network.populations.iter().map(|p| Mat::zeros(network.dtype, 0, p.units)).collect();
            said.outs[1..].iter().for_each(|(pop, out)| all[*pop] = read(out));
            let samples: Vec<usize> = (0..self.target.rows()).collect();
            let (of_others, loss) = auxiliary::errors(network, &all, &self.target, &samples);
            step.loss += loss;
            errors.extend(of_others.into_iter().map(|(_, err)| err));
        }
        let spread =
            |(err, (pop, out)): (Mat, &(PopId, Mat))| (*pop, reading.spread(err, out.view(), self.samples));
        let each = errors.into_iter().zip(&said.outs).map(spread).collect();
        let (always, loss) = self.penalty(said);
        step.loss += loss;
        (Errors { each, always }, step)
    }

    /// ∂/∂s of ½·cost·Σ (f − target)² at every step, and the penalty itself, for as many rows as are judged of each sample.
    fn penalty(&self, said: &Said) -> (Vec<(PopId, Mat)>, f64) {
        let Some(Rates { cost, target }) = self.time.clock.rates else { return (Vec::new(), 0.0) };
        let steps = self.time.shown.steps as f64;
        let weight = cost * self.time.clock.reading.judged(self.time.shown.steps, 1) as f64;
        let mut loss = 0.0;
        let mut of = |(pop, sum): &(PopId, Mat)| {
            let push = Mat::from_fn(sum.dtype(), sum.rows(), sum.cols(), |r, c| {
                let above = sum.get(r, c) / steps - target;
                loss += 0.5 * weight * above * above;
                weight * above / steps
            });
            (*pop, push)
        };
        (said.sums.iter().map(&mut of).collect(), loss)
    }
}

/// Targets of the rows that are judged: those of the samples, or one for every step of them.
fn targets(time: &Timing, of_samples: &Target, outputs: usize) -> Target {
    if time.clock.reading != Reading::Each {
        return of_samples.clone();
    }
    let steps = time.shown.steps;
    match of_samples {
        Target::Values(values) if values.cols() == steps * outputs => {
            Target::Values(step_by_step(values.view(), steps))
        }
        _ => of_samples.repeat(steps),
    }
}

impl Credit for ThroughTime {
    fn learn(
        &mut self,
        network: &mut Network,
        batch: &Batch,
        objective: &dyn Objective,
        sink: &mut dyn GradSink,
        key: &Key,
    ) -> Result<Step> {
        let here: &Network = network;
        let rows =
            here.time.as_ref().map_or(1, |time| time.clock.reading.judged(time.shown.steps, batch.len()));
        let scale = 1.0 / rows as f64;
        let done = shards::each(batch.len(), |rows| {
            let seen = Seen::new(here, batch, rows, Some(key))?;
            Ok(self.shard(here, &seen, objective, scale))
        })?;
        // A sum for each shard, whatever the number of steps.
        for (id, _, _) in here.parameters() {
            for (sums, _) in &done {
                sums.gradients.get(&id).into_iter().for_each(|sum| sink.add(here, id, Grad::whole(sum, 1.0)));
            }
        }
        let step = done.iter().fold(Step::default(), |sum, (_, step)| sum.with(step));
        accumulate_grads_objective(network, &step, sink);
        sink.step(network)?;
        Ok(step)
    }

    fn evaluate(&self, network: &Network, batch: &Batch, objective: &dyn Objective) -> Result<Step> {
        let steps = shards::each(batch.len(), |rows| {
            let seen = Seen::new(network, batch, rows, None)?;
            Ok(seen.judge(network, objective, &self.forth(network, &seen, false).0).1)
        })?;
        Ok(steps.iter().fold(Step::default(), Step::with))
    }

    /// The outputs that are judged, one row a sample, with all steps behind each other if each has an answer; of other populations those
    /// of the last step.
    fn free(&self, network: &Network, batch: &Batch, _: &dyn Objective) -> Result<PhaseStates> {
        self.answer(network, batch, None)
    }

    fn free_in_training(
        &self,
        network: &mut Network,
        batch: &Batch,
        _: &dyn Objective,
        key: &Key,
    ) -> Result<PhaseStates> {
        self.answer(network, batch, Some(key))
    }

    fn send_back(
        &self,
        network: &Network,
        batch: &Batch,
        gradient: &Mat,
        key: Option<&Key>,
    ) -> Result<(GradCollector, Option<Mat>)> {
        let scale = 1.0 / batch.len() as f64;
        let done = shards::each(batch.len(), |rows| {
            let seen = Seen::new(network, batch, rows.clone(), key)?;
            Ok(ThroughTime::send_back(*self, network, &seen, gradient.rows_view(rows).to_mat(), scale))
        })?;
        let (mut sum, mut input) =
            (GradCollector::default(), Some(Mat::zeros(network.dtype, 0, network.features())));
        for (sums, part) in &done {
            sums.gradients.iter().for_each(|(id, g)| sum.add(network, *id, Grad::whole(g, 1.0)));
            input = input.zip(part.as_ref()).map(|(mut all, part)| {
                all.append_rows(part.view());
                all
            });
        }
        Ok((sum, input))
    }
}
