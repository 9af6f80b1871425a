//! Networks that are fed while their input comes: where they are is a value that whoever feeds them keeps.

use super::{LastSteps, Timing, Trace};
use crate::error::{Error, Result};
use crate::network::Network;
use bouton_kernels::{Mat, View};

impl Network {
    /// Where `samples` sequences are before their first step.
    pub fn at_rest(&self, time: &Timing, samples: usize) -> LastSteps {
        Trace::new(self, time, samples, 0).last(Mat::zeros(self.dtype, 0, time.shown.columns).view())
    }

    /// Goes on from `state` by as many steps of the data as `x`, [steps · samples, columns], shows: the outputs of every step,
    /// [steps · samples, outputs], and where the sequences are then. One call for all steps, or one for each, come to the same bits.
    ///
    /// # Errors
    /// [`Error::Shape`] if `x` has another width than the network sees, or no whole number of steps, or if `state` is one of another
    /// network.
    pub fn stream(&self, time: &Timing, x: View<'_>, state: &LastSteps) -> Result<(Mat, LastSteps)> {
        let samples = self.samples_of(time, state)?;
        let (rows, columns) = (x.rows(), time.shown.columns);
        if x.cols() != columns || rows == 0 || !rows.is_multiple_of(samples) {
            let message = format!("{rows} rows of {} numbers for {samples} sequences", x.cols());
            let hint = format!("each step shows {columns} numbers of each of {samples} sequences");
            return Err(Error::shape(message).with_hint(hint));
        }
        let trace = self.run(time, x, samples, Some(state));
        Ok((self.outputs(time, self.output(), &trace), trace.last(x)))
    }

    /// How many sequences a state is of.
    fn samples_of(&self, time: &Timing, state: &LastSteps) -> Result<usize> {
        let shapes = |all: &LastSteps| -> Vec<_> {
            let mats = all.h.iter().chain(&all.out).chain([&all.shown]);
            mats.map(|m| (m.rows(), m.cols(), m.dtype())).collect()
        };
        let samples = state.samples;
        if samples == 0 || shapes(state) != shapes(&self.at_rest(time, samples)) {
            return Err(Error::shape("this state is none of this network")
                .with_hint("begin with the state at rest, and go on with what a step returns"));
        }
        Ok(samples)
    }
}
