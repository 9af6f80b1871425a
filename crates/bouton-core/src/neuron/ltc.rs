//! Liquid time-constant units (Hasani et al. 2021; conductances of Lechner et al. 2020): a membrane that leaks and is drawn to the reversal
//! potentials of what opens its conductances, C dv/dt = g(v_l − v) + Σ b(E − v). With D = Σ b and N = Σ bE, the two ports, held over
//! a step, an implicit Euler step in v is
//!
//!   v ← (C/dt · v + g·v_l + N)/(C/dt + g + D):
//!
//! a mean of v, v_l and all E with positive weights, so that it never leaves their range, whatever dt. That is the fused step of
//! the ncps library without its ε; its unfolds are `time.substeps`, its numbers start as here.

use super::{
    ElementwisePopulation, Neuron, NeuronMethod, Now, Population, StateVar, Surrogate, UnitForm, UnitTraits,
    linear,
};
use crate::Result;
use crate::axis::{Cite, Place};
use crate::own::{Own, OwnSpec, OwnTable};
use crate::synapse::SignOfZero;
use bouton_kernels::Real;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Where leaks stay.
const LEAK: (f64, f64) = (1e-5, 1e3);
/// Where capacitances stay.
const CAPACITANCE: (f64, f64) = (1e-6, 1e3);
/// Where potentials stay.
const POTENTIAL: (f64, f64) = (-1e3, 1e3);

/// Liquid time-constant units (`[neuron.ltc]`), which take conductances (`[wiring.conductance]`) and no biases. A population that is an
/// output without a choice of its own is linear.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct Ltc {
    /// Conductance g of the leak. Default: drawn from 0.001 to 1, learned.
    pub g_leak: OwnSpec,
    /// Potential v_l that it leaks to. Default: drawn from −0.2 to 0.2, learned.
    pub v_leak: OwnSpec,
    /// Capacitance C, in the unit of `time.dt` times that of conductances. Default: drawn from 0.4 to 0.6, learned.
    pub capacitance: OwnSpec,
}

impl Default for Ltc {
    fn default() -> Self {
        let learned = |low, high| {
            OwnSpec::Table(OwnTable { uniform: Some([low, high]), learned: true, ..OwnTable::default() })
        };
        Self { g_leak: learned(0.001, 1.0), v_leak: learned(-0.2, 0.2), capacitance: learned(0.4, 0.6) }
    }
}

impl NeuronMethod for Ltc {
    fn check(&self, at: &Place, _: f64) -> Result<()> {
        self.g_leak.check(at, "g-leak", LEAK)?;
        self.v_leak.check(at, "v-leak", POTENTIAL)?;
        self.capacitance.check(at, "capacitance", CAPACITANCE)
    }

    fn cites(&self) -> Vec<Cite> {
        vec![Cite::of("hasani2021"), Cite::of("lechner2020")]
    }

    fn traits(&self) -> UnitTraits {
        UnitTraits { ports: 2, ..UnitTraits::STEPPING }
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
        // Tests of units show them conductances of either sign: no denominator comes near zero here.
        vec![Self { capacitance: OwnSpec::learned(5.0, CAPACITANCE.into()), ..Self::default() }]
    }

    fn population(&self, output: bool) -> Box<dyn Population> {
        if output { linear() } else { Box::new(ElementwisePopulation(*self)) }
    }
}

impl Neuron<3, 3, 2, 1> for Ltc {
    const OUTPUT_IS_STATE: bool = false;
    const IN_TIME: bool = true;

    fn states(&self) -> [StateVar; 1] {
        [StateVar { name: "v", start: 0.0 }]
    }

    fn own(&self) -> [Own; 3] {
        [
            self.g_leak.own("g-leak", LEAK),
            self.v_leak.own("v-leak", POTENTIAL),
            self.capacitance.own("capacitance", CAPACITANCE),
        ]
    }

    fn initial_output(&self) -> f64 {
        0.0
    }

    #[inline(always)]
    fn prepare<T: Real>(&self, now: Now<T>, [g, v_leak, capacitance]: [T; 3]) -> [T; 3] {
        let inertia = capacitance / now.step;
        [inertia, g * v_leak, inertia + g]
    }

    #[inline(always)]
    fn step<T: Real>(&self, [inertia, leak, stiffness]: [T; 3], [d, n]: [T; 2], [v]: [T; 1]) -> ([T; 1], T) {
        let v = (inertia * v + leak + n) / (stiffness + d);
        ([v], v)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Alone it goes to its leak, C/g the time constant to first order; an open conductance holds it near E, however long the step.
    #[test]
    fn membranes_stay_between_their_potentials() {
        let unit = Ltc::default();
        let at = |dt: f64, ports: [f64; 2], v: f64| {
            let c = unit.prepare(Now { step: dt, nudge_gain: 0.0 }, [0.5, -0.1, 0.4]);
            unit.step(c, ports, [v]).1
        };
        let v = (0..8000).fold(0.3, |v, _| at(1e-4, [0.0, 0.0], v));
        assert!((v - (-0.1 + 0.4 * (-1.0_f64).exp())).abs() < 1e-4, "{v}");
        for dt in [1e-6, 1e-3, 1.0, 1e3, 1e8] {
            let v = at(dt, [2.0, 2.0], 0.3);
            assert!((0.3..1.0).contains(&v), "{dt}: {v}");
        }
        // The fixed point of the equation itself: g(v_l − v) + b(E − v) = 0.
        assert!((at(1e12, [2.0, 2.0], 0.3) - (0.5 * -0.1 + 2.0) / 2.5).abs() < 1e-11);
    }
}
