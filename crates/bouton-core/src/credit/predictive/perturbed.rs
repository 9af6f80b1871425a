//! Errors as variables: each unit adds an error of its own to what it would send, and what is far above feels it at once
//! (Goemaere et al. 2025),
//!
//!   s = σ(d) + ε,   F = Σ ½π‖ε‖² + π_out ℓ(s_out),   ∂F/∂ε = π ε + ∂(π_out ℓ)/∂s,   ∂F/∂W = Σ δ s_preᵀ,   δ = −σ'(d) π ε
//!
//! ∂ℓ/∂s goes back through all populations, weights learn from their own alone. Weights see the drives that the last gradient of the
//! errors was taken at, which saves a pass: after one step from rest those of hidden populations learn γ·backpropagation.

use super::inference::{Inference, activated, hidden, squares};
use crate::credit::auxiliary;
use crate::network::{Network, Role};
use crate::objective::Objective;
use bouton_kernels::{Mat, add_scaled, scale_all};

impl Inference {
    pub(super) fn errors_of_errors(&mut self, network: &Network, objective: &dyn Objective, last: bool) {
        if !last {
            self.pass_with_errors(network, objective);
        }
        let precision = self.rule.precision[0];
        for pop in hidden(network) {
            let mut pushed = self.x[pop].clone();
            scale_all(&mut pushed, -precision);
            self.back_through_units(network, pop, &pushed);
        }
    }

    /// A pass there and back: ∂F/∂ε of every hidden population.
    fn pass_with_errors(&mut self, network: &Network, objective: &dyn Objective) {
        let n = self.state.rows();
        for pop in network.with_role(Role::Forward) {
            network.drive(&[pop], &mut self.state, 0..n);
            if pop != network.output() {
                self.energy[pop] = 0.5 * self.rule.precision[0] * squares(&self.x[pop]).iter().sum::<f64>();
                let mut out = activated(network, pop, &self.state.drive[pop]);
                add_scaled(&mut out, 1.0, self.x[pop].view());
                self.state.out[pop] = out;
                self.state.invalidate_pool_caches(network, |p| p == pop);
            }
        }
        self.errors_of_output(network, objective);
        let zeros = |m: &Mat| Mat::zeros(m.dtype(), m.rows(), m.cols());
        let mut g: Vec<Mat> = self.state.out.iter().map(zeros).collect();
        let state = &self.state;
        let (own, loss) = auxiliary::errors(network, &state.out, &state.target, &state.samples);
        self.energy[network.output()] += loss;
        own.iter().for_each(|(pop, err)| add_scaled(&mut g[*pop], 1.0, err.view()));
        self.send(network, network.output(), &mut g);
        for pop in hidden(network).rev() {
            let of_pop = std::mem::replace(&mut g[pop], Mat::zeros(network.dtype, 0, 0));
            self.back_through_units(network, pop, &of_pop);
            self.send(network, pop, &mut g);
            let mut slope = of_pop;
            add_scaled(&mut slope, self.rule.precision[0], self.x[pop].view());
            self.slope[pop] = slope;
        }
    }
}
