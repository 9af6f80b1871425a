//! Relaxation in complex numbers: real parts in the first half of the rows, imaginary parts in the second.
//!
//! Wirings are real, so they take both halves as samples; units, soft pooling and the objective couple the halves.

use super::{Nudging, Solver};
use crate::network::{Network, Role, State};
use crate::objective::Objective;
use bouton_kernels::is_finite;

impl Solver {
    /// Relaxes a complex state for at most `steps` sweeps and returns the largest change of a unit in the last one, infinite
    /// if a state left every bound. Samples stop together.
    pub fn relax_complex(
        &self,
        network: &Network,
        state: &mut State,
        objective: &dyn Objective,
        steps: usize,
    ) -> f64 {
        let (rows, n) = (0..state.rows(), state.rows() / 2);
        let mut nudge = Nudging::new(network, objective, state);
        let mut change = 0.0;
        for _ in 0..steps {
            state.change.fill(0.0);
            for block in &self.plan.0 {
                self.advance(network, state, block, Some(&mut nudge), rows.clone());
            }
            // NaN is lost by a maximum.
            let finite = state.change[..n].iter().all(|c| c.is_finite());
            change =
                if finite { state.change[..n].iter().copied().fold(0.0, f64::max) } else { f64::INFINITY };
            if !finite || self.tolerance.is_some_and(|t| change <= t) {
                break;
            }
        }
        let all = network.with_role(Role::Settling).all(|p| is_finite(state.out[p].view()));
        if all { change } else { f64::INFINITY }
    }
}
