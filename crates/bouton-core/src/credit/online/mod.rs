//! Credit that goes forward in time: what every weight has done so far is carried along, so that weights may move while a sequence lasts.
//!
//!   J_t = D_t J_{t−1} + F_t,   ∂ℓ_t/∂θ = (∂ℓ_t/∂s_t) J_t
//!
//! with D the Jacobian of a step and F what parameters do within it. Rules differ in what they keep of J: all of it ([`full`]), a
//! mixture of rank one ([`rank_one`]), or the part of each synapse and its own unit ([`eligibility`]). The weights of a section's
//! updates are those of its beginning; what was carried along under earlier weights stays as it was.

mod eligibility;
mod full;
mod rank_one;

use super::outcome::accumulate_grads_objective;
use super::seen::{Seen, judged_spans, sections, timing, weight_at};
use super::through_time::{ThroughTime, goes_forth_by};
use super::{Batch, Credit, GradCollector, GradSink, PhaseStates, Step, shards};
use crate::error::Result;
use crate::network::{Grad, LastSteps, Network, Path, PopId, Slope, Timing, Trace};
use crate::objective::Objective;
use crate::rng::Key;
use bouton_kernels::{Mat, View};
use rayon::prelude::*;
use std::ops::Range;
use std::sync::Arc;

/// What a rule keeps of the influence of parameters on states.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Kept {
    /// All of it, or of units that a parameter reaches by so many steps along connections.
    Full { hops: Option<usize> },
    /// A product of two vectors that is right on average.
    RankOne,
    /// Of each unit what its own synapses did to it.
    Eligibility(Path),
}

/// The rule.
#[derive(Clone, Copy, Debug)]
pub(super) struct Online {
    pub kept: Kept,
    /// Steps of the data between updates; none: one at the end.
    pub every: Option<usize>,
}

/// What a network did in one step of the data, of one sequence.
struct Moved<'a> {
    network: &'a Network,
    time: &'a Timing,
    /// What the data showed, [1, columns].
    x: View<'a>,
    trace: &'a Trace,
    /// By step of the network within it, population and variable.
    slopes: Vec<Vec<Vec<Slope>>>,
}

impl<'a> Moved<'a> {
    fn new(network: &'a Network, time: &'a Timing, x: View<'a>, trace: &'a Trace) -> Self {
        let of = |t: usize, p: usize| {
            if network.is_stepping(p) { network.slopes(time, trace, p, t) } else { Vec::new() }
        };
        let pops = network.populations.len();
        let slopes = (0..trace.steps).map(|t| (0..pops).map(|p| of(t, p)).collect()).collect();
        Self { network, time, x, trace, slopes }
    }
}

/// What is carried along one sequence.
trait Influence: Send + std::fmt::Debug {
    /// Takes in what the network did.
    fn follow(&mut self, moved: &Moved<'_>) -> Result<()>;
    /// Adds the gradient of a loss whose gradient with respect to outputs after the step is in `errors`.
    fn credit(&self, moved: &Moved<'_>, errors: &[(PopId, Mat)], sums: &mut GradCollector) -> Result<()>;
}

/// Where one sequence is.
#[derive(Debug)]
struct Follower {
    state: Option<LastSteps>,
    influence: Box<dyn Influence>,
}

/// The samples of a thread.
struct Shard<'a> {
    seen: Seen<'a>,
    /// The place of the first sample in its batch.
    first: usize,
    /// Which units each parameter may be known to, if not to all.
    reached: Option<Arc<Vec<Mat>>>,
    followers: Vec<Option<Follower>>,
}

impl Shard<'_> {
    /// Takes all samples through some steps; those that end there are left.
    fn section(
        &mut self,
        rule: &Online,
        network: &Network,
        objective: &dyn Objective,
        steps: &Range<usize>,
        key: &Key,
    ) -> Result<(GradCollector, Step)> {
        let (mut sums, mut total) = (GradCollector::default(), Step::default());
        let ends = steps.end == self.seen.time.shown.steps;
        for s in 0..self.seen.samples {
            let new = || {
                rule.follower(network, self.reached.as_ref(), &key.of("influence", (self.first + s) as u64))
            };
            let mut follower = self.followers[s].take().unwrap_or_else(new);
            for t in steps.clone().take_while(|&t| t < self.seen.length(s)) {
                let step = follower.step(network, objective, &self.seen, (s, t), &mut sums)?;
                total = step.iter().fold(total, Step::with);
            }
            self.followers[s] = (!ends).then_some(follower);
        }
        Ok((sums, total))
    }
}

impl Follower {
    /// One step of the data; what came of it if it is judged.
    fn step(
        &mut self,
        network: &Network,
        objective: &dyn Objective,
        seen: &Seen<'_>,
        (s, t): (usize, usize),
        sums: &mut GradCollector,
    ) -> Result<Option<Step>> {
        let row = t * seen.samples + s;
        let x = seen.x.rows_view(row..row + 1);
        let trace = network.run(seen.time, x, 1, self.state.as_ref());
        let moved = Moved::new(network, seen.time, x, &trace);
        self.influence.follow(&moved)?;
        let judged = (seen.weight_at(s, t) > 0.0).then(|| {
            let said = |p: PopId| (p, network.outputs(seen.time, p, &trace));
            let outs: Vec<_> = seen.judged(network).into_iter().map(said).collect();
            seen.judge_at(network, objective, &outs, (s, t))
        });
        if let Some((errors, _)) = &judged {
            self.influence.credit(&moved, errors, sums)?;
        }
        self.state = Some(trace.last(x));
        Ok(judged.map(|(_, step)| step))
    }
}

impl Online {
    fn follower(&self, network: &Network, reached: Option<&Arc<Vec<Mat>>>, key: &Key) -> Follower {
        let influence: Box<dyn Influence> = match self.kept {
            Kept::Full { .. } => Box::new(full::Full::new(network, reached.cloned())),
            Kept::RankOne => Box::new(rank_one::RankOne::new(network, key)),
            Kept::Eligibility(path) => Box::new(eligibility::Traces::new(network, path)),
        };
        Follower { state: None, influence }
    }

    /// The way forth alone.
    fn forth(&self) -> ThroughTime {
        ThroughTime::whole(Path::BPTT)
    }
}

impl Credit for Online {
    fn learn(
        &mut self,
        network: &mut Network,
        batch: &Batch,
        objective: &dyn Objective,
        sink: &mut dyn GradSink,
        key: &Key,
    ) -> Result<Step> {
        network.draw_feedback(key);
        let time = timing(network)?.clone();
        if let Kept::Eligibility(_) = self.kept {
            eligibility::fits(network)?;
        }
        let reached = match self.kept {
            Kept::Full { hops: Some(hops) } => Some(Arc::new(full::reached(network, hops))),
            _ => None,
        };
        let shard = |rows: Range<usize>| Shard {
            first: rows.start,
            reached: reached.clone(),
            followers: rows.clone().map(|_| None).collect(),
            seen: Seen::new(&time, network, batch, rows, Some(key)),
        };
        let mut all: Vec<Shard<'_>> = shards::split(batch.len()).into_iter().map(shard).collect();
        let mut total = Step::default();
        let spans = judged_spans(&time, batch);
        for steps in sections(self.every, time.shown.steps) {
            let here: &Network = network;
            let work = |shard: &mut Shard<'_>| shard.section(self, here, objective, &steps, key);
            let done: Result<Vec<_>> = all.par_iter_mut().map(work).collect();
            let of = |s: usize| steps.clone().map(|t| weight_at(&time, spans.as_ref(), s, t)).sum::<f64>();
            let (done, counts) = (done?, (0..batch.len()).map(of).sum::<f64>());
            if counts == 0.0 {
                continue;
            }
            for (id, _, _) in here.parameters() {
                let sums = done.iter().filter_map(|(sums, _)| sums.gradients.get(&id));
                sums.for_each(|sum| sink.add(here, id, Grad::whole(sum, 1.0 / counts)));
            }
            let step = done.iter().fold(Step::default(), |sum, (_, step)| sum.with(step));
            accumulate_grads_objective(here, &step, sink);
            sink.step(network)?;
            total = total.with(&step);
        }
        Ok(total)
    }

    goes_forth_by!(forth);
}
