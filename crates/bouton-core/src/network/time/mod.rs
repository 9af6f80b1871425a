//! What a network does over steps of time, and the way back through them.
//!
//!   forth: d_t = b + Σ W s_{t−delay},  (h_t, s_t) = step(d_t, h_{t−1})
//!   back:  the adjoint of all of it, or of what a local rule keeps of it ([`Path`])
//!
//! Rows are steps and samples, all samples of a step together, so that a connection from populations that are done is one product
//! over all steps; only what a loop needs from its own last step is computed step by step. A loop is a run of populations that
//! connections lead back through, and a population alone otherwise.

mod backward;
mod clock;
mod forward;
mod path;
mod reading;
mod slopes;
mod stream;
mod tangent;
mod trace;

pub use clock::{Clock, Rates, Timing};
pub use path::{Path, Recurrence, Sent};
pub use reading::{Reading, sample_by_sample, step_by_step};
pub use slopes::Slope;
pub use tangent::{Directions, Tangent};
pub use trace::{Carry, LastSteps, Trace};

use super::verbs::Shown;
use super::{ConnId, Connection, Network, PopId, Role};
use bouton_kernels::View;

impl Network {
    /// Whether it moves step by step while its input moves.
    pub fn steps_in_time(&self) -> bool {
        self.time.is_some()
    }

    /// Populations that move once a step, in loops.
    pub(super) fn loops(&self) -> Vec<Vec<PopId>> {
        let mut loops: Vec<Vec<PopId>> = Vec::new();
        for pop in self.with_role(Role::Stepping) {
            // Whether a connection from here on leads back to before this population.
            let back = |c: &Connection| c.carries_activity() && c.post < pop && c.pre >= pop;
            let joins = self.connections.iter().any(back);
            match loops.last_mut().filter(|_| joins) {
                Some(last) => last.push(pop),
                None => loops.push(vec![pop]),
            }
        }
        loops
    }

    /// Connections whose activity enters a population.
    fn entering(&self, pop: PopId) -> impl Iterator<Item = (ConnId, &Connection)> {
        let all = self.connections.iter().enumerate();
        all.filter(move |(_, c)| c.post == pop && c.carries_activity())
    }

    /// Whether populations have to be computed step by step.
    fn remembers(&self, pops: &[PopId]) -> bool {
        let inside = |c: &Connection| c.carries_activity() && pops.contains(&c.pre) && pops.contains(&c.post);
        pops.iter().any(|&p| self.populations[p].num_states() > 0) || self.connections.iter().any(inside)
    }

    /// Steps of the data before the first whose input matters.
    fn past_shown(&self, time: &Timing) -> usize {
        let delays = self.connections.iter().filter(|c| self.is_clamped(c.pre)).map(|c| c.delay);
        delays.max().unwrap_or(0).div_ceil(time.clock.substeps)
    }

    /// Whether a connection from the data brings at each step of the network what that step of the data shows.
    pub(super) fn is_prompt(&self, time: &Timing, c: &Connection) -> bool {
        time.clock.substeps == 1 && c.delay == 0
    }

    /// What is seen by a connection from the data; where it does not come promptly, what steps before the first showed stands above.
    pub(super) fn seen_by<'x>(&self, c: &Connection, time: &Timing, trace: &Trace, x: View<'x>) -> Shown<'x> {
        if trace.before.is_empty() || self.is_prompt(time, c) {
            return self.shown(c.pre, x);
        }
        let mut all = trace.before.clone();
        all.append_rows(x);
        if let Shown::Part(part) = self.shown(c.pre, all.view()) {
            return Shown::Part(part);
        }
        Shown::Part(all)
    }

    /// Step among those of [`Network::seen_by`] from which a connection brings something at step `t` of the network.
    pub(super) fn comes_from(&self, c: &Connection, time: &Timing, trace: &Trace, t: usize) -> usize {
        let before = trace.before.rows() / trace.samples.max(1);
        (before * time.clock.substeps + t - c.delay) / time.clock.substeps
    }

    /// Steps before the first whose outputs matter.
    fn past(&self) -> usize {
        let delays = self.connections.iter().filter(|c| !self.is_clamped(c.pre)).map(|c| c.delay);
        delays.max().unwrap_or(0)
    }
}
