//! Rectified linear units: s = max(0, d); the output population of such a network is linear.

use super::{
    ElementwisePopulation, Neuron, NeuronMethod, Now, Population, StateVar, Surrogate, UnitForm, UnitTraits,
};
use crate::Result;
use crate::axis::{Cite, Place};
use crate::own::Own;
use crate::synapse::SignOfZero;
use bouton_kernels::Real;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Feed-forward rectified linear units (`[neuron.relu]`). No parameters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Relu {}

impl NeuronMethod for Relu {
    fn check(&self, _: &Place, _: f64) -> Result<()> {
        Ok(())
    }

    fn cites(&self) -> Vec<Cite> {
        Vec::new()
    }

    fn traits(&self) -> UnitTraits {
        UnitTraits { rectifies: true, ..UnitTraits::FEEDFORWARD }
    }

    fn sign_keys(&mut self) -> Option<(&mut SignOfZero, &mut Surrogate)> {
        None
    }

    fn form(&self) -> Option<UnitForm> {
        Some(UnitForm::Rectified)
    }

    fn smoothen(&mut self) -> bool {
        true
    }

    fn examples() -> Vec<Self> {
        vec![Self {}]
    }

    fn population(&self, output: bool) -> Box<dyn Population> {
        if output { linear() } else { Box::new(ElementwisePopulation(Rectified)) }
    }
}

/// s = max(0, d), without state.
#[derive(Clone, Copy, Debug)]
pub struct Rectified;

impl Neuron<0, 0, 1, 0> for Rectified {
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
        ([], drive.max(T::constant(0.0)))
    }
}

/// A linear population without state: the logits of a readout.
pub fn linear() -> Box<dyn Population> {
    Box::new(ElementwisePopulation(Identical))
}

#[derive(Clone, Copy, Debug)]
struct Identical;

impl Neuron<0, 0, 1, 0> for Identical {
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
        ([], drive)
    }
}
