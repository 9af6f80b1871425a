//! Gradients over steps of time: backpropagation through time, or e-prop, which is the same way back without the connections.
//!
//! Samples are independent, so a batch is worked on in shards, one thread each, and a sequence in sections: with *checkpoints* each
//! section is computed again on the way back, which costs a second way forth and keeps only the states between; *truncated*, the
//! gradient stops where a section begins. Gradients of weights are sums over all rows, in the order of the shards.

use super::memory::{MemoryBound, StepCosts};
use super::outcome::{accumulate_grads_objective, loss_and_error_weighed, stacked};
use super::{Batch, Credit, GradCollector, GradSink, PhaseStates, Step, auxiliary, shards};
use crate::encoder::Spans;
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
    /// What a batch may take, which chooses the sections.
    pub memory: Option<MemoryBound>,
}

impl ThroughTime {
    /// All steps at once.
    pub fn whole(path: Path) -> Self {
        Self { path, section: None, exact: true, memory: None }
    }

    /// The same with sections that fit so many samples into its memory.
    ///
    /// # Errors
    /// [`Error::Config`] with the least that would do.
    fn within(self, network: &Network, samples: usize) -> Result<Self> {
        let (Some(memory), Some(time)) = (self.memory, &network.time) else { return Ok(self) };
        let section = step_costs(network, time, samples).section(time.shown.steps, memory);
        let section = section.map_err(|least| {
            let message =
                format!("credit.bptt.memory = \"{memory}\" is too little for batches of {samples} samples");
            Error::config(message)
                .with_hint(format!("give it at least \"{least}\", or make the batches smaller"))
        })?;
        Ok(Self { section: Some(section), ..self })
    }

    /// The same where nothing is learned, and batches may be larger: as little as there can be if it is too much.
    fn loosely_within(self, network: &Network, samples: usize) -> Self {
        self.within(network, samples).unwrap_or(Self { section: Some(1), ..self })
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
            said.add(network, seen, section.start, &trace);
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
            let here = errors.of(&sections[s], seen);
            let carry = network.back(time, &mut trace, &here, later.as_ref(), self.path);
            later = self.exact.then_some(carry);
            network.accumulate_grads_in_time(time, rows(s), &trace, scale, &mut sink);
            if let Some(shown) = &mut shown {
                // What goes back beyond the first step of a section is what it delayed, or lies before all of them.
                let (g, end) = (network.back_to_input(time, rows(s), &trace), sections[s].end * samples);
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

    /// Takes in what was said from step `first` of the data on.
    fn add(&mut self, network: &Network, seen: &Seen<'_>, first: usize, trace: &Trace) {
        for (pop, out) in &mut self.outs {
            out.append_rows(network.outputs(seen.time, *pop, trace).view());
        }
        for (pop, sum) in &mut self.sums {
            let mut out = network.outputs(seen.time, *pop, trace);
            seen.spans.iter().for_each(|spans| spans.clear_beyond(first, &mut out));
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
    fn of(&self, steps: &Range<usize>, seen: &Seen<'_>) -> Vec<(PopId, Mat)> {
        let at = steps.start * seen.samples..steps.end * seen.samples;
        let mut here: Vec<(PopId, Mat)> =
            self.each.iter().map(|(p, err)| (*p, err.rows_view(at.clone()).to_mat())).collect();
        for (pop, err) in &self.always {
            let mut all = Mat::zeros(err.dtype(), 0, err.cols());
            steps.clone().for_each(|_| all.append_rows(err.view()));
            seen.spans.iter().for_each(|spans| spans.clear_beyond(steps.start, &mut all));
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
    spans: Option<Spans>,
    /// What the rows count that are judged of a sample, on average over the batch.
    counts: f64,
}

impl<'a> Seen<'a> {
    fn new(network: &'a Network, batch: &Batch, rows: Range<usize>, key: Option<&Key>) -> Result<Self> {
        let time = network.time.as_ref().ok_or_else(|| {
            Error::incompatible("this network does not move in time", "use units such as neuron.lif")
        })?;
        let x = network.seen(time, batch.x.rows_view(rows.clone()), &batch.ids[rows.clone()], key);
        let target =
            targets(time, &batch.target.part(rows.clone()), network.populations[network.output()].units);
        let spans = batch.spans.as_ref().map(|spans| spans.take(&rows.clone().collect::<Vec<_>>()));
        let counts = counted(time, batch) / batch.len() as f64;
        Ok(Self { time, x, samples: rows.len(), target, spans, counts })
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
        let lengths = self.lengths();
        match self.time.clock.reading {
            Reading::Each if self.time.answers_every_step => {
                let mut all = out.clone();
                self.spans.iter().for_each(|spans| spans.clear_beyond(0, &mut all));
                sample_by_sample(&all, self.samples)
            }
            Reading::Each => Reading::Mean.gather(out.view(), self.samples, lengths),
            reading => reading.gather(out.view(), self.samples, lengths),
        }
    }

    /// The adjoint of [`Seen::answers`] at the outputs `out` of all steps.
    fn owed(&self, g: Mat, out: &Mat) -> Mat {
        let lengths = self.lengths();
        match self.time.clock.reading {
            Reading::Each if self.time.answers_every_step => {
                let mut all = step_by_step(g.view(), self.time.shown.steps);
                self.spans.iter().for_each(|spans| spans.clear_beyond(0, &mut all));
                all
            }
            Reading::Each => Reading::Mean.spread(g, out.view(), self.samples, lengths),
            reading => reading.spread(g, out.view(), self.samples, lengths),
        }
    }

    /// Steps of each sample's own, if they are not all.
    fn lengths(&self) -> Option<&[usize]> {
        self.spans.as_ref().map(|spans| &spans.lengths[..])
    }

    /// Judges what was said: gradients with respect to outputs, and the sums.
    fn judge(&self, network: &Network, objective: &dyn Objective, said: &Said) -> (Errors, Step) {
        let reading = self.time.clock.reading;
        let judged = self.spans.as_ref().map(|spans| spans.judged(reading == Reading::Each));
        let weights = judged.as_ref().map(|(_, weights)| &weights[..]);
        let target = judged.as_ref().map(|(rows, _)| self.target.take(rows));
        let target = target.as_ref().unwrap_or(&self.target);
        let read = |out: &Mat| {
            let all = reading.gather(out.view(), self.samples, self.lengths());
            if let Some((rows, _)) = &judged { all.take_rows(rows) } else { all }
        };
        let (err, mut step) =
            loss_and_error_weighed(network, objective, read(&said.outs[0].1).view(), target, weights);
        let mut errors = vec![err];
        if said.outs.len() > 1 {
            let mut all: Vec<Mat> =
                network.populations.iter().map(|p| Mat::zeros(network.dtype, 0, p.units)).collect();
            said.outs[1..].iter().for_each(|(pop, out)| all[*pop] = read(out));
            let samples: Vec<usize> = (0..target.rows()).collect();
            let (of_others, loss) = auxiliary::weighed(network, &all, target, &samples, weights);
            step.loss += loss;
            errors.extend(of_others.into_iter().map(|(_, err)| err));
        }
        let spread = |(err, (pop, out)): (Mat, &(PopId, Mat))| {
            let err =
                if let Some((rows, _)) = &judged { placed(&err, rows, self.target.rows()) } else { err };
            (*pop, reading.spread(err, out.view(), self.samples, self.lengths()))
        };
        let each = errors.into_iter().zip(&said.outs).map(spread).collect();
        let (always, loss) = self.penalty(said);
        step.loss += loss;
        (Errors { each, always }, step)
    }

    /// ∂/∂s of ½·cost·Σ (f − target)² at every step, and the penalty itself, as often as the rows count that are judged of a sample.
    fn penalty(&self, said: &Said) -> (Vec<(PopId, Mat)>, f64) {
        let Some(Rates { cost, target }) = self.time.clock.rates else { return (Vec::new(), 0.0) };
        let weight = cost * self.counts;
        let mut loss = 0.0;
        let mut of = |(pop, sum): &(PopId, Mat)| {
            let push = Mat::from_fn(sum.dtype(), sum.rows(), sum.cols(), |r, c| {
                let steps = self.lengths().map_or(self.time.shown.steps, |lengths| lengths[r]) as f64;
                let above = sum.get(r, c) / steps - target;
                loss += 0.5 * weight * above * above;
                weight * above / steps
            });
            (*pop, push)
        };
        (said.sums.iter().map(&mut of).collect(), loss)
    }
}

/// Bytes of a step of the data: drives, states, outputs and their gradients, in each step of the network; and of where a section begins.
fn step_costs(network: &Network, time: &Timing, samples: usize) -> StepCosts {
    let (mut step, mut start) = (0, 0);
    let past = network.connections.iter().map(|c| c.delay).max().unwrap_or(0);
    for node in network.with_role(Role::Stepping).map(|p| &network.populations[p]) {
        let states = node.num_states() * node.units;
        step += 2 * node.units + node.drives() + states;
        start += states + past * node.units;
    }
    let bytes = (samples * network.dtype.size()) as u64;
    StepCosts { step: (step * time.clock.substeps) as u64 * bytes, start: start as u64 * bytes }
}

/// What the rows count that are judged in a batch.
fn counted(time: &Timing, batch: &Batch) -> f64 {
    let reading = time.clock.reading;
    match &batch.spans {
        None => reading.judged(time.shown.steps, batch.len()) as f64,
        Some(spans) => spans.judged(reading == Reading::Each).1.iter().sum(),
    }
}

/// The adjoint of [`Mat::take_rows`] from a matrix of `all` rows.
fn placed(taken: &Mat, rows: &[usize], all: usize) -> Mat {
    let mut placed = Mat::zeros(taken.dtype(), all, taken.cols());
    for (from, &to) in rows.iter().enumerate() {
        placed.rows_view_mut(to..to + 1).copy_from(taken.rows_view(from..from + 1));
    }
    placed
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
        let (here, rule): (&Network, _) = (network, self.within(network, batch.len())?);
        let counts = here.time.as_ref().map_or(1.0, |time| counted(time, batch));
        // A batch of which nothing is judged teaches nothing.
        let scale = if counts > 0.0 { 1.0 / counts } else { 0.0 };
        let done = shards::each(batch.len(), |rows| {
            let seen = Seen::new(here, batch, rows, Some(key))?;
            Ok(rule.shard(here, &seen, objective, scale))
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
        let rule = self.loosely_within(network, batch.len());
        let steps = shards::each(batch.len(), |rows| {
            let seen = Seen::new(network, batch, rows, None)?;
            Ok(seen.judge(network, objective, &rule.forth(network, &seen, false).0).1)
        })?;
        Ok(steps.iter().fold(Step::default(), Step::with))
    }

    /// The outputs that are judged, one row a sample, with all steps behind each other if each has an answer; of other populations those
    /// of the last step.
    fn free(&self, network: &Network, batch: &Batch, _: &dyn Objective) -> Result<PhaseStates> {
        self.loosely_within(network, batch.len()).answer(network, batch, None)
    }

    fn free_in_training(
        &self,
        network: &mut Network,
        batch: &Batch,
        _: &dyn Objective,
        key: &Key,
    ) -> Result<PhaseStates> {
        self.loosely_within(network, batch.len()).answer(network, batch, Some(key))
    }

    fn send_back(
        &self,
        network: &Network,
        batch: &Batch,
        gradient: &Mat,
        key: Option<&Key>,
    ) -> Result<(GradCollector, Option<Mat>)> {
        let (rule, scale) = (self.within(network, batch.len())?, 1.0 / batch.len() as f64);
        let done = shards::each(batch.len(), |rows| {
            let seen = Seen::new(network, batch, rows.clone(), key)?;
            Ok(Self::send_back(rule, network, &seen, gradient.rows_view(rows).to_mat(), scale))
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
