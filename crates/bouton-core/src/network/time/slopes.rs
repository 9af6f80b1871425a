//! The Jacobian of a step of each unit alone, (h', s) = step(d, h): what its output and its states owe to its drive, to its states before
//! and to the numbers of its own.

use super::{Timing, Trace};
use crate::network::{ConnId, Network, PopId};
use crate::neuron::{Ctx, StepGradients};
use bouton_kernels::{Mat, View, ViewMut, dispatch};

/// What one of a unit's variables after a step owes to what it had before it.
#[derive(Clone, Debug)]
pub struct Slope {
    /// To the drive, [samples, units].
    pub drive: Mat,
    /// To the states before the step, [samples, S·units].
    pub states: Mat,
    /// To the numbers of the units' own, [K, units], summed over samples; zero where nobody learns them.
    pub own: Mat,
}

impl Network {
    /// The slopes of the output, then of each state, of a population at step `t` of the network, before a way back has replaced its
    /// drives.
    pub fn slopes(&self, time: &Timing, trace: &Trace, pop: PopId, t: usize) -> Vec<Slope> {
        let (node, at) = (&self.populations[pop], trace.at(t));
        let drive = trace.drive[pop].rows_view(at.clone());
        let states = node.num_states();
        let before = if states == 0 { trace.h[pop].view() } else { trace.h[pop].rows_view(at) };
        let alone = self.loops().iter().any(|pops| pops[..] == [pop] && !self.remembers(pops));
        let ctx = if alone { Ctx::default() } else { Ctx { step: time.dt() } };
        let (rows, units) = (drive.rows(), node.units);
        let learned = node.own.iter().any(|own| own.learned);
        let of = |variable: usize| {
            let one = |yes: bool| f64::from(u8::from(yes));
            let out = Mat::from_fn(self.dtype, rows, units, |_, _| one(variable == 0));
            let mut slope = Slope {
                drive: Mat::zeros(self.dtype, rows, units),
                states: Mat::from_fn(self.dtype, before.rows().min(rows), states * units, |_, c| {
                    one(c / units + 1 == variable)
                }),
                own: Mat::zeros(self.dtype, node.own.len(), units),
            };
            let g = StepGradients {
                out: out.view(),
                state: slope.states.view_mut(),
                drive: slope.drive.view_mut(),
                own: learned.then(|| slope.own.view_mut()),
            };
            node.backward_in_time(&ctx, drive, before, g);
            slope
        };
        (0..=states).map(of).collect()
    }

    /// What a connection brings at step `t` of the network, [samples, units that it comes from]; `x` is what the data showed.
    pub fn presynaptic(&self, time: &Timing, id: ConnId, trace: &Trace, x: View<'_>, t: usize) -> Mat {
        let c = &self.connections[id];
        if !self.is_clamped(c.pre) {
            return trace.out[c.pre].rows_view(trace.output_at(t, c.delay)).to_mat();
        }
        let shown = self.seen_by(c, time, trace, x);
        let from = if self.is_prompt(time, c) { t } else { self.comes_from(c, time, trace, t) };
        shown.view().rows_range(trace.at(from)).to_mat()
    }
}

/// to += a ⊙ x, row by row; one row of `a` goes with all rows of `x`.
pub(super) fn add_product(mut to: ViewMut<'_>, a: View<'_>, x: View<'_>) {
    dispatch!(to.dtype(), T => for r in 0..x.rows() {
        let factors = a.row::<T>(r % a.rows()).iter().zip(x.row::<T>(r));
        to.row_mut::<T>(r).iter_mut().zip(factors).for_each(|(to, (&a, &x))| *to += a * x);
    });
}
