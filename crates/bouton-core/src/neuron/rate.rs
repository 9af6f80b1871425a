//! Rate units of a single pass: s = σ(d), for any activation σ; the output population of such a network is linear unless it is told
//! otherwise.

use super::activation::{cited, with_activation};
use super::{
    Activation, ActivationFn, ElementwisePopulation, Neuron, NeuronMethod, Now, Population, StateVar,
    Surrogate, UnitForm, UnitTraits,
};
use crate::Result;
use crate::axis::{Cite, Place};
use crate::own::Own;
use crate::synapse::SignOfZero;
use bouton_kernels::Real;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::marker::PhantomData;

/// Feed-forward rate units (`[neuron.rate]`).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct Rate {
    /// Activation σ of hidden units. Default "tanh".
    pub activation: Activation,
    /// Activation of the output population. Default "linear".
    pub output: Activation,
}

impl Default for Rate {
    fn default() -> Self {
        Self { activation: Activation::Tanh, output: Activation::Linear }
    }
}

impl NeuronMethod for Rate {
    fn check(&self, _: &Place, _: f64) -> Result<()> {
        Ok(())
    }

    fn cites(&self) -> Vec<Cite> {
        cited([self.activation, self.output]).collect()
    }

    fn traits(&self) -> UnitTraits {
        let bounded = [self.activation, self.output].map(|a| a.range().is_some());
        UnitTraits { bounded, ..UnitTraits::FEEDFORWARD }
    }

    fn sign_keys(&mut self) -> Option<(&mut SignOfZero, &mut Surrogate)> {
        None
    }

    fn form(&self) -> Option<UnitForm> {
        match self.activation {
            Activation::Tanh => Some(UnitForm::Tanh),
            Activation::Sigmoid => Some(UnitForm::Sigmoid),
            _ => None,
        }
        .filter(|_| self.output == Activation::Linear)
    }

    fn smoothen(&mut self) -> bool {
        true
    }

    fn examples() -> Vec<Self> {
        let outputs = Activation::ALL.into_iter().rev();
        Activation::ALL
            .into_iter()
            .zip(outputs)
            .map(|(activation, output)| Self { activation, output })
            .collect()
    }

    fn population(&self, output: bool) -> Box<dyn Population> {
        let activation = if output { self.output } else { self.activation };
        with_activation!(activation, A => Box::new(ElementwisePopulation(RateUnit::<A>::default())))
    }
}

/// s = σ(d), without state.
#[derive(Clone, Copy, Debug, Default)]
struct RateUnit<A>(PhantomData<A>);

impl<A: ActivationFn> Neuron<0, 0, 1, 0> for RateUnit<A> {
    const OUTPUT_IS_STATE: bool = false;
    const IN_TIME: bool = true;

    fn states(&self) -> [StateVar; 0] {
        []
    }

    fn own(&self) -> [Own; 0] {
        []
    }

    fn initial_output(&self) -> f64 {
        0.0
    }

    #[inline(always)]
    fn prepare<T: Real>(&self, _: Now<T>, _: [T; 0]) -> [T; 0] {
        []
    }

    #[inline(always)]
    fn step<T: Real>(&self, _: [T; 0], [drive]: [T; 1], _: [T; 0]) -> ([T; 0], T) {
        ([], A::apply(drive))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Hidden units have the one activation, the output the other.
    #[test]
    fn each_population_has_its_own_activation() {
        let unit = Rate { activation: Activation::Tanh, output: Activation::Sigmoid };
        assert_eq!(unit.traits().bounded, [true, true]);
        let value = |x: f64| RateUnit::<super::super::activation::Tanh>::default().step([], [x], []).1;
        assert_eq!(value(0.3), 0.3_f64.tanh());
        assert_eq!((unit.form(), Rate::default().form()), (None, Some(UnitForm::Tanh)));
    }
}
