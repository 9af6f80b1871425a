//! What a network sees of some samples over steps of time, what it says, and how that is judged.

use super::outcome::{loss_and_error_weighed, weigh};
use super::three_factor::of_drawn_answers;
use super::{Batch, Step, auxiliary};
use crate::encoder::Spans;
use crate::error::{Error, Result};
use crate::network::{Network, PopId, Rates, Reading, Role, Timing, Trace, sample_by_sample, step_by_step};
use crate::objective::{Objective, Target};
use crate::rng::Key;
use bouton_kernels::{Mat, View, add_rows};
use std::ops::Range;

/// What the units of a network said over all steps, as far as anybody judges it.
pub(super) struct Said {
    /// Outputs at every step of the populations that an objective judges, the output first.
    pub outs: Vec<(PopId, Mat)>,
    /// Sums over steps of the outputs of the others, if there is a penalty on rates.
    sums: Vec<(PopId, Mat)>,
}

impl Said {
    pub fn new(network: &Network, seen: &Seen<'_>) -> Self {
        let judged = seen.judged(network);
        let zeros = |p: PopId, rows| (p, Mat::zeros(network.dtype, rows, network.populations[p].units));
        let others = network.with_role(Role::Stepping).filter(|p| !judged.contains(p));
        let sums =
            others.filter(|_| seen.time.clock.rates.is_some()).map(|p| zeros(p, seen.samples)).collect();
        Self { outs: judged.iter().map(|&p| zeros(p, 0)).collect(), sums }
    }

    /// Takes in what was said from step `first` of the data on.
    pub fn add(&mut self, network: &Network, seen: &Seen<'_>, first: usize, trace: &Trace) {
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
pub(super) struct Errors {
    pub each: Vec<(PopId, Mat)>,
    pub always: Vec<(PopId, Mat)>,
}

impl Errors {
    /// Those of a section.
    pub fn of(&self, steps: &Range<usize>, seen: &Seen<'_>) -> Vec<(PopId, Mat)> {
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
pub(super) struct Seen<'a> {
    pub time: &'a Timing,
    pub x: Mat,
    pub samples: usize,
    target: Target,
    spans: Option<Spans>,
    /// What the rows count that are judged of a sample, on average over the batch.
    counts: f64,
    /// The places of the samples among all.
    ids: Vec<usize>,
    /// The usual reward and the key of answers, where they are drawn and rewarded.
    pub rewarded: Option<(f64, Key)>,
}

impl<'a> Seen<'a> {
    pub fn new(
        time: &'a Timing,
        network: &Network,
        batch: &Batch,
        rows: Range<usize>,
        key: Option<&Key>,
    ) -> Self {
        let x = network.seen(time, batch.x.rows_view(rows.clone()), &batch.ids[rows.clone()], key);
        let spans = batch.spans.as_ref().map(|spans| spans.take(&rows.clone().collect::<Vec<_>>()));
        let outputs = network.populations[network.output()].units;
        let target = targets(time, &batch.target.part(rows.clone()), spans.as_ref(), outputs);
        let spans = time.clock.reading.narrowed(spans, time.shown.steps, rows.len());
        let counts = counted(time, batch) / batch.len() as f64;
        let ids = batch.ids[rows.clone()].to_vec();
        Self { time, x, samples: rows.len(), target, spans, counts, ids, rewarded: None }
    }

    /// What is seen in some steps of the data.
    pub fn section(&self, steps: &Range<usize>) -> View<'_> {
        self.x.rows_view(steps.start * self.samples..steps.end * self.samples)
    }

    /// Populations that an objective judges, the output first.
    pub fn judged(&self, network: &Network) -> Vec<PopId> {
        let own = network.with_role(Role::Stepping).filter(|&p| network.populations[p].objective.is_some());
        std::iter::once(network.output()).chain(own).collect()
    }

    /// The outputs that are judged, one row a sample: with all steps behind each other if each has an answer.
    pub fn answers(&self, out: &Mat) -> Mat {
        let lengths = self.lengths();
        match self.time.clock.reading {
            Reading::Each if self.time.answers_every_step => {
                let mut all = out.clone();
                self.spans.iter().for_each(|spans| spans.clear_beyond(0, &mut all));
                sample_by_sample(&all, self.samples)
            }
            reading => reading.of_sample().gather(out.view(), self.samples, lengths),
        }
    }

    /// The adjoint of [`Seen::answers`] at the outputs `out` of all steps.
    pub fn owed(&self, g: Mat, out: &Mat) -> Mat {
        let lengths = self.lengths();
        match self.time.clock.reading {
            Reading::Each if self.time.answers_every_step => {
                let mut all = step_by_step(g.view(), self.time.shown.steps);
                self.spans.iter().for_each(|spans| spans.clear_beyond(0, &mut all));
                all
            }
            reading => reading.of_sample().spread(g, out.view(), self.samples, lengths),
        }
    }

    /// Steps of each sample's own, if they are not all.
    fn lengths(&self) -> Option<&[usize]> {
        self.spans.as_ref().map(|spans| &spans.lengths[..])
    }

    /// Judges what was said: gradients with respect to outputs, and the sums.
    pub fn judge(&self, network: &Network, objective: &dyn Objective, said: &Said) -> (Errors, Step) {
        let reading = self.time.clock.reading;
        let judged = self.spans.as_ref().map(|spans| spans.judged(reading.every_step()));
        let weights = judged.as_ref().map(|(_, weights)| &weights[..]);
        let target = judged.as_ref().map(|(rows, _)| self.target.take(rows));
        let target = target.as_ref().unwrap_or(&self.target);
        let read = |out: &Mat| {
            let all = reading.gather(out.view(), self.samples, self.lengths());
            if let Some((rows, _)) = &judged { all.take_rows(rows) } else { all }
        };
        let out = read(&said.outs[0].1);
        let (mut err, mut step) = loss_and_error_weighed(network, objective, out.view(), target, weights);
        if let Some((usual, key)) = &self.rewarded {
            let row = |r: usize| judged.as_ref().map_or(r, |(rows, _)| rows[r]);
            let draws = |r: usize| {
                let (t, s) = (row(r) / self.samples, row(r) % self.samples);
                key.of("answer", self.ids[s] as u64).of("step", t as u64)
            };
            let (own, rows) = (network.objective_values(), (target.view(0..out.rows()), *usual));
            step.rewards = of_drawn_answers(objective, &own, out.view(), rows, &draws, &mut err);
            weights.into_iter().for_each(|weights| weigh(&mut err, &mut [], weights));
        }
        let read_others = said.outs[1..].iter().map(|(pop, out)| (*pop, read(out)));
        let (of_others, loss) = of_others(network, read_others, target, weights);
        step.loss += loss;
        let errors = std::iter::once(err).chain(of_others.into_iter().map(|(_, err)| err));
        let spread = |(err, (pop, out)): (Mat, &(PopId, Mat))| {
            let err =
                if let Some((rows, _)) = &judged { placed(&err, rows, self.target.rows()) } else { err };
            (*pop, reading.spread(err, out.view(), self.samples, self.lengths()))
        };
        let each = errors.zip(&said.outs).map(spread).collect();
        let (always, loss) = self.penalty(said);
        step.loss += loss;
        (Errors { each, always }, step)
    }

    /// Steps of a sample's own.
    pub fn length(&self, s: usize) -> usize {
        self.lengths().map_or(self.time.shown.steps, |lengths| lengths[s])
    }

    /// How much sample `s` is judged at step `t` of the data, by readings that need no other step.
    pub fn weight_at(&self, s: usize, t: usize) -> f64 {
        weight_at(self.time, self.spans.as_ref(), s, t)
    }

    /// Judges what sample `s` says at step `t`, `outs` being that of the populations of [`Said`], one row each.
    pub fn judge_at(
        &self,
        network: &Network,
        objective: &dyn Objective,
        outs: &[(PopId, Mat)],
        (s, t): (usize, usize),
    ) -> (Vec<(PopId, Mat)>, Step) {
        let row = if self.time.clock.reading.every_step() { t * self.samples + s } else { s };
        let target = self.target.take(&[row]);
        let weight = self.spans.as_ref().map(|_| [self.weight_at(s, t)]);
        let weights = weight.as_ref().map(|weight| &weight[..]);
        let (err, mut step) = loss_and_error_weighed(network, objective, outs[0].1.view(), &target, weights);
        let (of_others, loss) = of_others(network, outs[1..].iter().cloned(), &target, weights);
        step.loss += loss;
        let errors = std::iter::once((outs[0].0, err)).chain(of_others).collect();
        (errors, step)
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

/// How a network moves in time.
pub(super) fn timing(network: &Network) -> Result<&Timing> {
    network.time.as_ref().ok_or_else(|| {
        Error::incompatible("this network does not move in time", "use units such as neuron.lif")
    })
}

/// Sections of so many steps, the last one perhaps shorter; none: all at once.
pub(super) fn sections(size: Option<usize>, steps: usize) -> Vec<Range<usize>> {
    let size = size.unwrap_or(steps).max(1);
    (0..steps).step_by(size).map(|t| t..(t + size).min(steps)).collect()
}

/// What the objectives of other populations say to the rows of their outputs that are judged.
fn of_others(
    network: &Network,
    outs: impl Iterator<Item = (PopId, Mat)>,
    target: &Target,
    weights: Option<&[f64]>,
) -> (Vec<(PopId, Mat)>, f64) {
    let mut all: Vec<Mat> =
        network.populations.iter().map(|p| Mat::zeros(network.dtype, 0, p.units)).collect();
    outs.for_each(|(pop, out)| all[pop] = out);
    let samples: Vec<usize> = (0..target.rows()).collect();
    auxiliary::weighed(network, &all, target, &samples, weights)
}

/// What the rows count that are judged in a batch.
pub(super) fn counted(time: &Timing, batch: &Batch) -> f64 {
    let reading = time.clock.reading;
    match judged_spans(time, batch) {
        None => reading.judged(time.shown.steps, batch.len()) as f64,
        Some(spans) => spans.judged(reading.every_step()).1.iter().sum(),
    }
}

/// The steps of each sample's own that its reading judges, if they are not all.
pub(super) fn judged_spans(time: &Timing, batch: &Batch) -> Option<Spans> {
    time.clock.reading.narrowed(batch.spans.clone(), time.shown.steps, batch.len())
}

/// How much sample `s` is judged at step `t` of the data, by readings that need no other step.
pub(super) fn weight_at(time: &Timing, spans: Option<&Spans>, s: usize, t: usize) -> f64 {
    let end = spans.map_or(time.shown.steps, |spans| spans.lengths[s]);
    match time.clock.reading {
        reading if reading.every_step() => spans.map_or(1.0, |spans| spans.at(s, t)),
        _ if t + 1 == end => spans.map_or(1.0, |spans| spans.of(s)),
        _ => 0.0,
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

/// Targets of the rows that are judged: those of the samples, or one for every step of them, its own class if it has one.
fn targets(time: &Timing, of_samples: &Target, spans: Option<&Spans>, outputs: usize) -> Target {
    if !time.clock.reading.every_step() {
        return of_samples.clone();
    }
    let steps = time.shown.steps;
    if let (Target::Classes(_), Some(classes)) = (of_samples, spans.and_then(Spans::step_by_step)) {
        return Target::Classes(classes);
    }
    match of_samples {
        Target::Values(values) if values.cols() == steps * outputs => {
            Target::Values(step_by_step(values.view(), steps))
        }
        _ => of_samples.repeat(steps),
    }
}
