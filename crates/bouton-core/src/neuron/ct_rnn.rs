//! Rate units in continuous time (Funahashi & Nakamura 1993): τ dr/dt = −r + tanh(d), over a step in which d stays
//!
//!   r ← κr + (1 − κ) tanh(d),  κ = e^{−dt/τ}.
//!
//! Joined with themselves they are a continuous-time recurrent network; under e-prop with random feedback their traces are those of
//! RFLO (Murray 2019), whose dt/τ is 1 − κ here.

use super::leaky::TIME_CONSTANT;
use super::{
    ElementwisePopulation, Neuron, NeuronMethod, Now, Population, StateVar, Surrogate, UnitForm, UnitTraits,
    linear,
};
use crate::Result;
use crate::axis::{Cite, Place};
use crate::own::{Own, OwnSpec};
use crate::synapse::SignOfZero;
use bouton_kernels::Real;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Rate units in continuous time (`[neuron.ct-rnn]`). A population that is an output without a choice of its own is linear.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct CtRnn {
    /// Time constant τ, in the unit of `time.dt`. Default 10.
    pub tau: OwnSpec,
}

impl Default for CtRnn {
    fn default() -> Self {
        Self { tau: OwnSpec::Value(10.0) }
    }
}

impl NeuronMethod for CtRnn {
    fn check(&self, at: &Place, _: f64) -> Result<()> {
        self.tau.check(at, "tau", TIME_CONSTANT)
    }

    fn cites(&self) -> Vec<Cite> {
        vec![Cite::of("funahashi1993")]
    }

    fn traits(&self) -> UnitTraits {
        UnitTraits { bounded: [true, false], ..UnitTraits::STEPPING }
    }

    fn sign_keys(&mut self) -> Option<(&mut SignOfZero, &mut Surrogate)> {
        None
    }

    fn form(&self) -> Option<UnitForm> {
        None
    }

    fn smoothen(&mut self) -> bool {
        true
    }

    fn examples() -> Vec<Self> {
        use crate::own::OwnTable;
        let learned = OwnTable { value: Some(3.0), learned: true, ..OwnTable::default() };
        vec![Self { tau: OwnSpec::Table(learned) }, Self { tau: OwnSpec::Value(2.0) }]
    }

    fn population(&self, output: bool) -> Box<dyn Population> {
        if output { linear() } else { Box::new(ElementwisePopulation(*self)) }
    }
}

impl Neuron<1, 2, 1, 1> for CtRnn {
    const OUTPUT_IS_STATE: bool = false;
    const IN_TIME: bool = true;

    fn states(&self) -> [StateVar; 1] {
        [StateVar { name: "r", start: 0.0 }]
    }

    fn own(&self) -> [Own; 1] {
        [self.tau.own("tau", TIME_CONSTANT)]
    }

    fn initial_output(&self) -> f64 {
        0.0
    }

    #[inline(always)]
    fn prepare<T: Real>(&self, now: Now<T>, [tau]: [T; 1]) -> [T; 2] {
        let keep = (-now.step / tau).exp();
        [keep, T::constant(1.0) - keep]
    }

    #[inline(always)]
    fn step<T: Real>(&self, [keep, take]: [T; 2], [drive]: [T; 1], [r]: [T; 1]) -> ([T; 1], T) {
        let r = keep * r + take * drive.tanh();
        ([r], r)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// r(t) = (1 − e^{−t/τ}) tanh(d) under a constant drive, whatever the step.
    #[test]
    fn a_constant_drive_is_answered_as_in_continuous_time() {
        let unit = CtRnn::default();
        for (dt, steps) in [(1.0, 8), (0.5, 16), (8.0, 1)] {
            let c = unit.prepare(Now { step: dt, nudge_gain: 0.0 }, [10.0]);
            let r = (0..steps).fold(0.0_f64, |r, _| unit.step(c, [0.7], [r]).1);
            assert!((r - (1.0 - (-0.8_f64).exp()) * 0.7_f64.tanh()).abs() < 1e-14, "{dt}: {r}");
        }
    }
}
