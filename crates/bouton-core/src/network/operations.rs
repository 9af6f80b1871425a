//! What synapses do while a network answers, and how often its units say nothing, as NeuroBench counts them (Yik et al. 2025):
//!
//!   dense = Σ_t Σ_i f_i,   effective = Σ_t Σ_{i: s_i(t) ≠ 0} f⁺_i,   sparsity = zeros / all activations
//!
//! with f_i the weights that lead on from unit i and f⁺_i those of them that are not zero. An effective operation is an accumulation
//! (AC) where a connection carried −1, 0 and 1 alone, and a multiplication with accumulation (MAC) where it carried anything else.
//! Biases and the dynamics of units are no synaptic operations; what the data show counts once for each of their steps.

use super::{Connection, Network, PopId, Timing, Trace};
use crate::encoder::Spans;
use bouton_kernels::{DType, Elem, Mat, View, WeightMat, dispatch};

/// What was counted, summed over samples.
#[derive(Clone, Debug)]
pub struct Operations {
    /// Samples that were counted.
    pub samples: usize,
    /// Of every connection that has weights and carries activity.
    pub connections: Vec<Conveyed>,
    /// Of every population that computes.
    pub populations: Vec<Activations>,
}

/// What a connection carried.
#[derive(Clone, Debug)]
pub struct Conveyed {
    /// Its name.
    pub name: String,
    /// Operations if no activity and no weight were zero.
    pub dense: f64,
    /// Operations of activity that is not zero with weights that are not.
    pub effective: f64,
    /// Whether all that it carried is −1, 0 or 1.
    pub binary: bool,
    id: usize,
    /// Weights that lead on from each unit, and those of them that are not zero.
    leads: [Vec<f64>; 2],
}

/// What units said.
#[derive(Clone, Debug)]
pub struct Activations {
    /// Name of the population.
    pub name: String,
    /// How many outputs were zero.
    pub zeros: u64,
    /// How many there were.
    pub all: u64,
    pop: PopId,
}

impl Operations {
    /// Of no samples yet.
    pub fn new(network: &Network) -> Self {
        let carried = |(id, c): (usize, &Connection)| {
            let leads = network.leads(c);
            let has = c.carries_activity() && leads[0].iter().any(|n| *n > 0.0);
            let name = c.name.clone();
            has.then_some(Conveyed { name, dense: 0.0, effective: 0.0, binary: true, id, leads })
        };
        let computes = (0..network.populations.len()).filter(|&pop| !network.is_clamped(pop));
        let said =
            |pop: PopId| Activations { name: network.populations[pop].name.clone(), zeros: 0, all: 0, pop };
        Self {
            samples: 0,
            connections: network.connections.iter().enumerate().filter_map(carried).collect(),
            populations: computes.map(said).collect(),
        }
    }

    /// Counts what a network did in a single pass over `x`, which left its populations at `out`.
    pub fn add_pass(&mut self, network: &Network, x: View<'_>, out: &[Mat]) {
        self.samples += x.rows();
        for carried in &mut self.connections {
            let pre = network.connections[carried.id].pre;
            if network.is_clamped(pre) {
                carried.add(network.shown(pre, x).view(), 0..x.rows());
            } else {
                carried.add(out[pre].view(), 0..x.rows());
            }
        }
        self.populations.iter_mut().for_each(|said| said.add(out[said.pop].view(), 0..x.rows()));
    }

    /// Counts what a network did over the steps of `x`, what is seen of samples that `spans` tells of; steps beyond their ends do not
    /// count.
    pub fn add_steps(
        &mut self,
        network: &Network,
        time: &Timing,
        x: View<'_>,
        trace: &Trace,
        spans: Option<&Spans>,
    ) {
        let (samples, every) = (trace.samples, time.clock.substeps);
        self.samples += samples;
        let own = |t: usize| {
            let of = move |s: &usize| spans.is_none_or(|spans| t / every < spans.lengths[*s]);
            (0..samples).filter(of)
        };
        for carried in &mut self.connections {
            let c = &network.connections[carried.id];
            if network.is_clamped(c.pre) {
                let rows = (0..trace.steps).step_by(every).flat_map(|t| {
                    let from = network.comes_from(c, time, trace, t);
                    let from = if network.is_prompt(time, c) { t } else { from };
                    own(t).map(move |s| from * samples + s)
                });
                carried.add(network.seen_by(c, time, trace, x).view(), rows);
            } else {
                let first = trace.earlier(c.delay).start;
                let rows = (0..trace.steps).flat_map(|t| own(t).map(move |s| first + t * samples + s));
                carried.add(trace.out[c.pre].view(), rows);
            }
        }
        let first = trace.earlier(0).start;
        for said in &mut self.populations {
            let rows = (0..trace.steps).flat_map(|t| own(t).map(move |s| first + t * samples + s));
            said.add(trace.out[said.pop].view(), rows);
        }
    }
}

impl Conveyed {
    fn add(&mut self, activity: View<'_>, rows: impl Iterator<Item = usize>) {
        let [all, there] = &self.leads;
        let dense: f64 = all.iter().sum();
        dispatch!(activity.dtype(), T => for row in rows {
            self.dense += dense;
            for (s, n) in activity.row::<T>(row).iter().zip(there).filter(|(s, _)| s.to_f64() != 0.0) {
                self.effective += n;
                self.binary &= s.to_f64().abs() == 1.0;
            }
        });
    }
}

impl Activations {
    fn add(&mut self, outputs: View<'_>, rows: impl Iterator<Item = usize>) {
        dispatch!(outputs.dtype(), T => for row in rows {
            let row = outputs.row::<T>(row);
            self.all += row.len() as u64;
            self.zeros += row.iter().filter(|s| s.to_f64() == 0.0).count() as u64;
        });
    }
}

impl Network {
    /// Weights that lead on from each presynaptic unit of a connection, and those of them that are not zero.
    fn leads(&self, c: &Connection) -> [Vec<f64>; 2] {
        let [pre, post] = [self.populations[c.pre].units, c.factors(self.populations[c.post].units)];
        let weight = c.weight.mat();
        let count = |there: &dyn Fn(f64) -> bool| {
            let there = |row, col| f64::from(u8::from(there(weight.get(row, col))));
            let there = WeightMat::new(Mat::from_fn(DType::F64, weight.rows(), weight.cols(), there));
            c.wiring.fan_out(&there, [pre, post])
        };
        [count(&|_| true), count(&|w| w != 0.0)]
    }
}
