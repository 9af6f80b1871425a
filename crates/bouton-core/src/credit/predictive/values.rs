//! Values that move with what they predict:
//!
//!   ∂F/∂x = π ε + ∂ℓ/∂s + Σ Wᵀδ, δ = −σ'(d) π ε   (x = s, ε = s − σ(d))
//!   ∂F/∂x = π ε + σ'(x) (∂ℓ/∂s + Σ Wᵀδ), δ = −π ε  (s = σ(x), ε = x − d)
//!
//! the sums over the populations that a unit predicts, ∂ℓ/∂s of an objective of its own.

use super::Values;
use super::inference::{Inference, activated, hidden, squares};
use crate::credit::auxiliary;
use crate::network::{Network, Role};
use crate::neuron::Ctx;
use crate::objective::Objective;
use bouton_kernels::{Mat, add_scaled, scale_all};

impl Inference {
    pub(super) fn errors_of_values(&mut self, network: &Network, objective: &dyn Objective, values: Values) {
        let n = self.state.rows();
        for pop in network.with_role(Role::Forward) {
            network.drive(&[pop], &mut self.state, 0..n);
        }
        self.errors_of_output(network, objective);
        let precision = self.rule.precision[0];
        for pop in hidden(network) {
            let (mut error, predicted) = match values {
                Values::Output => {
                    (self.state.out[pop].clone(), activated(network, pop, &self.state.drive[pop]))
                }
                Values::Drive => (self.x[pop].clone(), self.state.drive[pop].clone()),
            };
            add_scaled(&mut error, -1.0, predicted.view());
            self.energy[pop] = 0.5 * precision * squares(&error).iter().sum::<f64>();
            scale_all(&mut error, precision);
            let mut pushed = error.clone();
            scale_all(&mut pushed, -1.0);
            match values {
                Values::Output => self.back_through_units(network, pop, &pushed),
                Values::Drive => self.delta[pop] = pushed,
            }
            self.slope[pop] = error;
        }
        self.ask_below(network, values);
    }

    /// Adds what errors above, and objectives of populations of their own, ask of values.
    fn ask_below(&mut self, network: &Network, values: Values) {
        let zeros = |m: &Mat| Mat::zeros(m.dtype(), m.rows(), m.cols());
        let mut asked: Vec<Mat> = self.state.out.iter().map(zeros).collect();
        for pop in network.with_role(Role::Forward) {
            self.send(network, pop, &mut asked);
        }
        let state = &self.state;
        let (own, loss) = auxiliary::errors(network, &state.out, &state.target, &state.samples);
        self.energy[network.output()] += loss;
        own.iter().for_each(|(pop, err)| add_scaled(&mut asked[*pop], 1.0, err.view()));
        for pop in hidden(network) {
            let g = &asked[pop];
            match values {
                Values::Output => add_scaled(&mut self.slope[pop], 1.0, g.view()),
                Values::Drive => {
                    let (x, mut unused, mut through) = (self.x[pop].view(), zeros(g), zeros(g));
                    let node = &network.populations[pop];
                    node.backward(&Ctx::default(), x, x, g.view(), unused.view_mut(), through.view_mut());
                    add_scaled(&mut self.slope[pop], 1.0, through.view());
                }
            }
        }
    }
}
