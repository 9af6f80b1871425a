//! Leaky integrators: y ← κy + g·d, κ = e^{−dt/τ}, g = 1 − κ or 1; without spikes, the usual readout of a spiking network.

use super::{
    ElementwisePopulation, Neuron, NeuronMethod, Now, Population, StateVar, Surrogate, UnitForm, UnitTraits,
};
use crate::Result;
use crate::axis::{Cite, Place};
use crate::own::{Own, OwnSpec};
use crate::synapse::SignOfZero;
use bouton_kernels::Real;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Where time constants stay, in the unit of `time.dt`.
pub(super) const TIME_CONSTANT: (f64, f64) = (1e-6, 1e9);

/// Leaky integrators (`[neuron.leaky]`).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct Leaky {
    /// Time constant τ, in the unit of `time.dt`. Default 20.
    pub tau: OwnSpec,
    /// Whether the input is scaled by 1 − κ, so that a constant input d leads to y = d. Default true.
    pub scaled: bool,
}

impl Default for Leaky {
    fn default() -> Self {
        Self { tau: OwnSpec::Value(20.0), scaled: true }
    }
}

impl NeuronMethod for Leaky {
    fn check(&self, at: &Place, _: f64) -> Result<()> {
        self.tau.check(at, "tau", TIME_CONSTANT)
    }

    fn cites(&self) -> Vec<Cite> {
        Vec::new()
    }

    fn traits(&self) -> UnitTraits {
        UnitTraits::STEPPING
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
        vec![
            Self { tau: OwnSpec::Table(learned), scaled: true },
            Self { tau: OwnSpec::Value(2.0), scaled: false },
        ]
    }

    fn population(&self, _: bool) -> Box<dyn Population> {
        Box::new(ElementwisePopulation(*self))
    }
}

impl Neuron<1, 2, 1, 1> for Leaky {
    const OUTPUT_IS_STATE: bool = false;
    const IN_TIME: bool = true;

    fn states(&self) -> [StateVar; 1] {
        [StateVar { name: "y", start: 0.0 }]
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
        [keep, if self.scaled { T::constant(1.0) - keep } else { T::constant(1.0) }]
    }

    #[inline(always)]
    fn step<T: Real>(&self, [keep, take]: [T; 2], [drive]: [T; 1], [y]: [T; 1]) -> ([T; 1], T) {
        let y = keep * y + take * drive;
        ([y], y)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A low-pass of 5 ms at steps of 1 ms answers a pulse by 0.18127, 0.14841, 0.12151.
    #[test]
    fn a_pulse_decays() {
        let unit = Leaky { tau: OwnSpec::Value(5.0), scaled: true };
        let c = unit.prepare(Now { step: 1.0, nudge_gain: 0.0 }, [5.0]);
        let mut y = 0.0_f64;
        for (pulse, wanted) in [(1.0, 0.181_27), (0.0, 0.148_41), (0.0, 0.121_51)] {
            y = unit.step(c, [pulse], [y]).1;
            assert!((y - wanted).abs() < 5e-6, "{y}");
        }
    }
}
