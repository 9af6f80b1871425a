//! Errors that settle while predictions and slopes stay those of the pass (Millidge, Tschantz & Buckley 2022):
//!
//!   ∂F/∂ε = ε + Σ Wᵀδ,   δ = −σ'(d⁰) ε,   so that at rest δ is the δ of backpropagation
//!
//! With γ = 1 an error goes up one population a step, and n − 1 steps are exact where n populations follow each other.

use super::inference::{Inference, hidden};
use crate::credit::auxiliary;
use crate::network::{Network, Role};
use crate::objective::Objective;
use bouton_kernels::{Mat, add_scaled, scale_all};

impl Inference {
    pub(super) fn errors_of_frozen(&mut self, network: &Network, objective: &dyn Objective) {
        self.errors_of_output(network, objective);
        let zeros = |m: &Mat| Mat::zeros(m.dtype(), m.rows(), m.cols());
        let mut asked: Vec<Mat> = self.state.out.iter().map(zeros).collect();
        for pop in hidden(network) {
            let mut pushed = self.x[pop].clone();
            scale_all(&mut pushed, -1.0);
            self.back_through_units(network, pop, &pushed);
        }
        for pop in network.with_role(Role::Forward) {
            self.send(network, pop, &mut asked);
        }
        let state = &self.state;
        for (pop, err) in auxiliary::errors(network, &state.out, &state.target, &state.samples).0 {
            add_scaled(&mut asked[pop], 1.0, err.view());
        }
        for pop in hidden(network) {
            add_scaled(&mut asked[pop], 1.0, self.x[pop].view());
            self.slope[pop] = std::mem::replace(&mut asked[pop], Mat::zeros(network.dtype, 0, 0));
        }
    }
}
