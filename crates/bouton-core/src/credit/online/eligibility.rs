//! Eligibility traces: what each synapse has done to its own unit.
//!
//!   ε_t = (∂h_t/∂h_{t−1}) ε_{t−1} + (∂h_t/∂d_t) s_{t−delay},   e_t = (∂s_t/∂h_{t−1}) ε_{t−1} + (∂s_t/∂d_t) s_{t−delay}
//!   ∂ℓ_t/∂w = L_t e_t, or L_t ē_t with ē_t = κ ē_{t−1} + e_t if the output that sends L remembers by κ
//!
//! The same sums as [`Path`] has from the other end, one number for each state, synapse and sample; weights may move in between.

use super::{Influence, Moved};
use crate::credit::GradCollector;
use crate::error::{Error, Result};
use crate::network::{ConnId, Grad, GradSink, Network, ParamId, Path, PopId, Sent, Slope};
use bouton_kernels::{Elem, Mat, View, dispatch};

/// The traces of all synapses and of the numbers of units' own, of one sequence.
#[derive(Debug)]
pub(super) struct Traces {
    path: Path,
    all: Vec<Eligibility>,
    /// κ.
    memory: f64,
}

/// What stands before a unit.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Source {
    /// Synapses of a connection.
    Synapses(ConnId),
    /// Its bias.
    Bias,
    /// A number of its own.
    Own(usize),
}

/// Traces of one population by one source.
#[derive(Debug)]
struct Eligibility {
    pop: PopId,
    source: Source,
    /// ε, [S·units, inputs].
    states: Mat,
    /// e, [units, inputs].
    now: Mat,
    /// ē.
    filtered: Mat,
}

/// What a population is told: at once, and by an output that remembers.
struct Signals {
    at_once: Vec<Mat>,
    filtered: Vec<Mat>,
}

/// Refuses what has no traces by synapse.
///
/// # Errors
/// [`Error::Incompatible`] with the connection.
pub(super) fn fits(network: &Network) -> Result<()> {
    for c in network.connections.iter().filter(|c| c.carries_activity() && c.weight.mat().rows() > 0) {
        if c.pool.is_some() || !c.wiring.factorises() {
            return Err(Error::incompatible(
                format!(
                    "updates within a sequence need a trace for each synapse, which connection {} has not",
                    c.name
                ),
                "join these populations with wiring.dense, or use credit.rtrl",
            ));
        }
        let to_output = c.post == network.output() && !network.is_clamped(c.pre);
        if to_output && c.delay > 0 {
            return Err(Error::incompatible(
                format!(
                    "connection {} tells units {} steps later what they should have done",
                    c.name, c.delay
                ),
                "leave its delay out, or use credit.rtrl",
            ));
        }
    }
    // They would part from each other.
    let output = &network.populations[network.output()];
    let parts = output.own.iter().any(|own| own.learned && own.value.mat().cols() > 1);
    if parts && output.num_states() > 0 { Err(no_single_leak()) } else { Ok(()) }
}

impl Traces {
    pub(super) fn new(network: &Network, path: Path) -> Self {
        let mut all = Vec::new();
        for pop in (0..network.populations.len()).filter(|&p| network.is_stepping(p)) {
            let node = &network.populations[pop];
            let mut add = |source, inputs| {
                let zeros = |rows| Mat::zeros(network.dtype, rows, inputs);
                let [now, filtered] = [zeros(node.units), zeros(node.units)];
                let states = zeros(node.num_states() * node.units);
                all.push(Eligibility { pop, source, states, now, filtered });
            };
            for (id, c) in network.connections.iter().enumerate() {
                if c.post == pop && c.carries_activity() && c.weight.mat().rows() > 0 {
                    add(Source::Synapses(id), c.weight.mat().cols());
                }
            }
            add(Source::Bias, 1);
            (0..node.own.len()).filter(|&k| node.own[k].learned).for_each(|k| add(Source::Own(k), 1));
        }
        Self { path, all, memory: 0.0 }
    }

    /// What the loss owes to the outputs of all populations at this step.
    fn signals(&self, moved: &Moved<'_>, errors: &[(PopId, Mat)]) -> Result<Signals> {
        let network = moved.network;
        let zeros = || network.populations.iter().map(|p| Mat::zeros(network.dtype, 1, p.units)).collect();
        let mut signals = Signals { at_once: zeros(), filtered: zeros() };
        for (pop, err) in errors {
            bouton_kernels::add_rows(signals.at_once[*pop].view_mut(), err.view());
        }
        for pop in (0..network.populations.len()).rev().filter(|&p| network.is_stepping(p)) {
            let is_output = pop == network.output();
            if is_output {
                let from = signals.at_once[pop].clone();
                self.send(moved, pop, &from, &mut signals.filtered)?;
            } else if self.path.sent == Sent::SameStep {
                let (from, later) = (signals.at_once[pop].clone(), signals.filtered[pop].clone());
                self.send(moved, pop, &from, &mut signals.at_once)?;
                self.send(moved, pop, &later, &mut signals.filtered)?;
            }
        }
        Ok(signals)
    }

    /// Sends what is owed to the output of a population to those that drive it.
    fn send(&self, moved: &Moved<'_>, pop: PopId, from: &Mat, to: &mut [Mat]) -> Result<()> {
        let (network, last) = (moved.network, moved.trace.steps - 1);
        let slope = &moved.slopes[last][pop][0].drive;
        let g = Mat::from_fn(network.dtype, 1, from.cols(), |_, i| from.get(0, i) * slope.get(0, i));
        let sends = |delay| self.path.sends(pop == network.output(), delay);
        for (id, c) in network.connections.iter().enumerate() {
            if c.post != pop
                || c.pre == pop
                || network.is_clamped(c.pre)
                || !c.carries_errors()
                || !sends(c.delay)
            {
                continue;
            }
            let learns = self.all.iter().any(|e| e.pop == c.pre);
            if self.memory != 0.0
                && pop != network.output()
                && learns
                && g.to_f64s().iter().any(|g| *g != 0.0)
            {
                return Err(Error::incompatible(
                    format!(
                        "{} remembers, and connection {} tells of it what no trace has kept",
                        network.populations[network.output()].name,
                        c.name
                    ),
                    "use an output without memory, credit.e-prop or credit.rtrl",
                ));
            }
            let mut scratch = Mat::zeros(network.dtype, 1, c.scratch());
            let choice =
                moved.trace.pool_cache[id].rows_view(if c.pool.is_some() { last..last + 1 } else { 0..0 });
            c.backward_input(&c.back(), choice, g.view(), to[c.pre].view_mut(), scratch.view_mut(), false);
        }
        Ok(())
    }
}

/// κ of an output that sums what arrives with one leak, the same for all units.
fn memory(slopes: &[Slope]) -> Result<f64> {
    let [out, states @ ..] = slopes else { return Ok(0.0) };
    let [state] = states else {
        return if states.is_empty() { Ok(0.0) } else { Err(no_single_leak()) };
    };
    let leak = state.states.get(0, 0);
    let leaks = state.states.to_f64s();
    let same = leaks.iter().all(|l| *l == leak) && out.states.to_f64s() == leaks;
    let alike = out.drive.to_f64s() == state.drive.to_f64s();
    if same && alike { Ok(leak) } else { Err(no_single_leak()) }
}

fn no_single_leak() -> Error {
    Error::incompatible(
        "updates within a sequence need an output that remembers by a single leak, the same for all of its units",
        "use neuron.leaky with one time constant there, or credit.rtrl",
    )
}

impl Influence for Traces {
    fn follow(&mut self, moved: &Moved<'_>) -> Result<()> {
        let Moved { network, time, x, trace, slopes } = moved;
        let output = network.output();
        for (t, slopes) in slopes.iter().enumerate() {
            self.memory = memory(&slopes[output])?;
            for of in &mut self.all {
                let Eligibility { pop, source, .. } = *of;
                let pre = match source {
                    Source::Synapses(id) => network.presynaptic(time, id, trace, *x, t),
                    Source::Bias | Source::Own(_) => Mat::from_f64s(network.dtype, 1, 1, &[1.0]),
                };
                let injected = |slope: &Slope| match source {
                    Source::Own(k) => slope.own.rows_view(k..k + 1).to_mat(),
                    _ => slope.drive.clone(),
                };
                let injected: Vec<Mat> = slopes[pop].iter().map(injected).collect();
                of.follow(&slopes[pop], &injected, pre.view(), self.memory);
            }
        }
        Ok(())
    }

    fn credit(&self, moved: &Moved<'_>, errors: &[(PopId, Mat)], sums: &mut GradCollector) -> Result<()> {
        let (network, signals) = (moved.network, self.signals(moved, errors)?);
        for (pop, node) in network.populations.iter().enumerate() {
            let mut own = Mat::zeros(network.dtype, node.own.len(), node.units);
            for of in self.all.iter().filter(|of| of.pop == pop) {
                let g = of.times(&signals.at_once[pop], &signals.filtered[pop]);
                match of.source {
                    Source::Synapses(id) => sums.add(network, ParamId::weight(id), Grad::whole(&g, 1.0)),
                    Source::Bias => {
                        sums.add(
                            network,
                            ParamId::bias(pop),
                            Grad::rows(g.reshaped(1, node.units).view(), 1.0),
                        );
                    }
                    Source::Own(k) => own.rows_view_mut(k..k + 1).copy_from(g.reshaped(1, node.units).view()),
                }
            }
            network.accumulate_grads_own(pop, &own, 1.0, sums);
        }
        Ok(())
    }
}

impl Eligibility {
    /// Along a step of which these are the slopes, the drive or a number of the units' own counting `injected` times `pre`.
    fn follow(&mut self, slopes: &[Slope], injected: &[Mat], pre: View<'_>, memory: f64) {
        let (units, states) = (self.now.rows(), slopes.len() - 1);
        dispatch!(self.now.dtype(), T => {
            let inputs = self.now.cols();
            let (x, kappa) = (pre.row::<T>(0), T::from_f64(memory));
            let mut before = vec![T::from_f64(0.0); states * inputs];
            for i in 0..units {
                let all = self.states.slice_mut::<T>();
                for (s, kept) in before.chunks_exact_mut(inputs).enumerate() {
                    kept.copy_from_slice(&all[(s * units + i) * inputs..][..inputs]);
                }
                let moved = |variable: usize, to: &mut [T]| {
                    let by = injected[variable].slice::<T>()[i];
                    to.iter_mut().zip(x).for_each(|(to, &x)| *to = by * x);
                    for (s, kept) in before.chunks_exact(inputs).enumerate() {
                        let along = slopes[variable].states.slice::<T>()[s * units + i];
                        to.iter_mut().zip(kept).for_each(|(to, &kept)| *to += along * kept);
                    }
                };
                for s in 0..states {
                    moved(s + 1, &mut all[(s * units + i) * inputs..][..inputs]);
                }
                let now = &mut self.now.slice_mut::<T>()[i * inputs..][..inputs];
                moved(0, now);
                let filtered = self.filtered.slice_mut::<T>()[i * inputs..][..inputs].iter_mut();
                filtered.zip(now).for_each(|(bar, &mut e)| *bar = kappa * *bar + e);
            }
        });
    }

    /// L e + L̄ ē, [units, inputs].
    fn times(&self, at_once: &Mat, filtered: &Mat) -> Mat {
        let (mut g, inputs) = (self.now.clone(), self.now.cols());
        dispatch!(g.dtype(), T => {
            let signals = at_once.slice::<T>().iter().zip(filtered.slice::<T>());
            let rows = g.slice_mut::<T>().chunks_exact_mut(inputs).zip(self.filtered.slice::<T>().chunks_exact(inputs));
            for ((to, bar), (&l, &l_bar)) in rows.zip(signals) {
                to.iter_mut().zip(bar).for_each(|(e, &bar)| *e = l * *e + l_bar * bar);
            }
        });
        g
    }
}
