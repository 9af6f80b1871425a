//! Gradients over steps of time: backpropagation through time, or e-prop, which is the same way back without the connections.
//!
//! Samples are independent, so a batch is worked on in shards, one thread each, and a sequence in sections: with *checkpoints* each
//! section is computed again on the way back, which costs a second way forth and keeps only the states between; *truncated*, the
//! gradient stops where a section begins. Gradients of weights are sums over all rows, in the order of the shards.

use super::memory::{MemoryBound, StepCosts};
use super::outcome::{accumulate_grads_objective, stacked};
use super::seen::{Errors, Said, Seen, counted, sections, timing};
use super::{Batch, Credit, GradCollector, GradSink, PhaseStates, Step, shards};
use crate::error::{Error, Result};
use crate::network::{Carry, Grad, LastSteps, Network, Path, Role, Timing, Trace};
use crate::objective::Objective;
use crate::rng::Key;
use bouton_kernels::{Mat, add_rows, scale_all};

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
    /// The reward that is usual, where answers are drawn and rewarded; none: errors are those of the objective.
    pub usual_reward: Option<f64>,
}

impl ThroughTime {
    /// All steps at once.
    pub fn whole(path: Path) -> Self {
        Self { path, section: None, exact: true, memory: None, usual_reward: None }
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

    /// Through all sections: what was said, where each began if they are `kept`, and the last one.
    fn forth(
        self,
        network: &Network,
        seen: &Seen<'_>,
        kept: bool,
    ) -> (Said, Vec<Option<LastSteps>>, Option<Trace>) {
        let (mut said, mut starts, mut last) = (Said::new(network, seen), vec![None], None);
        for section in sections(self.section, seen.time.shown.steps) {
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
        let sections = sections(self.section, time.shown.steps);
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
        let time = timing(network)?;
        let parts = shards::each(batch.len(), |rows| {
            let seen = Seen::new(time, network, batch, rows, key);
            let (said, _, last) = self.forth(network, &seen, false);
            let ends = |m: &Mat| m.rows_view(m.rows() - seen.samples.min(m.rows())..m.rows()).to_mat();
            let mut out: Vec<Mat> = last.iter().flat_map(|trace| &trace.out).map(ends).collect();
            out[network.output()] = seen.answers(&said.outs[0].1);
            Ok(out)
        })?;
        Ok(PhaseStates { beta: 0.0, out: stacked(&parts), residual: vec![0.0; batch.len()] })
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

/// The way forth of a rule that leaves it to another: `$way` makes that of `self`.
macro_rules! goes_forth_by {
    ($way:ident) => {
        fn evaluate(&self, network: &Network, batch: &Batch, objective: &dyn Objective) -> Result<Step> {
            self.$way().evaluate(network, batch, objective)
        }

        fn free(&self, network: &Network, batch: &Batch, objective: &dyn Objective) -> Result<PhaseStates> {
            self.$way().free(network, batch, objective)
        }

        fn free_in_training(
            &self,
            network: &mut Network,
            batch: &Batch,
            objective: &dyn Objective,
            key: &Key,
        ) -> Result<PhaseStates> {
            self.$way().free_in_training(network, batch, objective, key)
        }
    };
}
pub(super) use goes_forth_by;

impl Credit for ThroughTime {
    fn learn(
        &mut self,
        network: &mut Network,
        batch: &Batch,
        objective: &dyn Objective,
        sink: &mut dyn GradSink,
        key: &Key,
    ) -> Result<Step> {
        network.draw_feedback(key);
        let (here, rule): (&Network, _) = (network, self.within(network, batch.len())?);
        let time = timing(here)?;
        let counts = counted(time, batch);
        // A batch of which nothing is judged teaches nothing.
        let scale = if counts > 0.0 { 1.0 / counts } else { 0.0 };
        let done = shards::each(batch.len(), |rows| {
            let mut seen = Seen::new(time, here, batch, rows, Some(key));
            seen.rewarded = rule.usual_reward.map(|usual| (usual, key.clone()));
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
        let (rule, time) = (self.loosely_within(network, batch.len()), timing(network)?);
        let steps = shards::each(batch.len(), |rows| {
            let seen = Seen::new(time, network, batch, rows, None);
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
        let time = timing(network)?;
        let done = shards::each(batch.len(), |rows| {
            let seen = Seen::new(time, network, batch, rows.clone(), key);
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
