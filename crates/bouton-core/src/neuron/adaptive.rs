//! Adaptive settling units: a slow state a follows the membrane s and works against it, with a strength g and a time constant
//! τ of the unit's own (a linear adaptation as in Benda & Herz 2003, beside the energy dynamics of Scellier & Bengio 2017).
//!
//!   s ← clip(s + ε(−s + ρ'(s)(d + f − k ρ(s)) − g a)),   a ← a + (ε/τ)(s − a),   output ρ(s)
//!
//! At rest a = s, where the energy has gained ½ g s²: the fixed points are still those of an energy, so that rules that compare
//! them stay exact. τ decides how a unit gets there, not where: they leave it as it is, and only a rule that goes back through
//! the sweeps learns it.

use super::activation::{cited, with_activation};
use super::settle::within;
use super::{
    Activation, ActivationFn, ElementwisePopulation, Neuron, NeuronMethod, Now, Population, StateVar,
    Surrogate, UnitDynamics, UnitForm, UnitTraits,
};
use crate::Result;
use crate::axis::{Cite, Place};
use crate::own::{Own, OwnSpec};
use crate::synapse::SignOfZero;
use bouton_kernels::Real;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::marker::PhantomData;

const STRENGTH: (f64, f64) = (0.0, 100.0);
const TIME_CONSTANT: (f64, f64) = (1.0, 1e4);

/// Settling rate units with an adaptation (`[neuron.adaptive]`).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct Adaptive {
    /// Activation ρ of hidden units.
    pub activation: Activation,
    /// Activation of the output population; default: the same as `activation`.
    pub output: Option<Activation>,
    /// Step ε, in units of the membrane time constant. Default 0.5.
    #[schemars(extend("exclusiveMinimum" = 0, "maximum" = 1, "x-hint" = "0.2 to 0.5 are usual"))]
    pub dt: f64,
    /// Strength g of the adaptation, from 0 to 100; 0 is none. Default 0.5.
    pub strength: OwnSpec,
    /// Time constant τ of the adaptation, from 1 to 10000 membrane time constants. Default 4.
    pub time_constant: OwnSpec,
}

impl Default for Adaptive {
    fn default() -> Self {
        Self {
            activation: Activation::default(),
            output: None,
            dt: 0.5,
            strength: OwnSpec::Value(0.5),
            time_constant: OwnSpec::Value(4.0),
        }
    }
}

impl Adaptive {
    /// Activations of hidden and of output units.
    fn activations(&self) -> [Activation; 2] {
        [self.activation, self.output.unwrap_or(self.activation)]
    }
}

impl NeuronMethod for Adaptive {
    fn check(&self, at: &Place, _: f64) -> Result<()> {
        self.strength.check(at, "strength", STRENGTH)?;
        self.time_constant.check(at, "time-constant", TIME_CONSTANT)
    }

    fn cites(&self) -> Vec<Cite> {
        [Cite::of("benda2003"), Cite::of("scellier2017")]
            .into_iter()
            .chain(cited(self.activations()))
            .collect()
    }

    fn traits(&self) -> UnitTraits {
        let all = self.activations();
        UnitTraits {
            dynamics: UnitDynamics::Settling,
            ports: 1,
            exact_signs: false,
            surrogate: false,
            spikes: false,
            rectifies: false,
            bounded: all.map(|a| a.range().is_some()),
            nudge_outside: false,
            minimises: false,
            complex_step: false,
            analytic: all.into_iter().all(Activation::is_analytic),
            without_energy: all.into_iter().find(|a| a.potential(0.5).is_none()),
            moves_rest: self.strength.is_learned().then_some("strength"),
            noise: 0.0,
        }
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
        let learned =
            |value| OwnSpec::Table(OwnTable { value: Some(value), learned: true, ..OwnTable::default() });
        let drawn =
            OwnSpec::Table(OwnTable { uniform: Some([1.0, 2.0]), learned: true, ..OwnTable::default() });
        let some = OwnTable { value: Some(0.75), share: Some(0.5), ..OwnTable::default() };
        let one = OwnTable { normal: Some([1.25, 0.1]), learned: true, shared: true, ..OwnTable::default() };
        // Each activation inside once, and once at the output.
        let next = Activation::ALL.into_iter().cycle().skip(1);
        let pair = |(activation, output)| Self {
            activation,
            output: Some(output),
            time_constant: drawn,
            ..Self::default()
        };
        let partly = Self {
            strength: OwnSpec::Table(some),
            time_constant: OwnSpec::Table(one),
            dt: 0.6,
            ..Self::default()
        };
        let both = Self { strength: learned(0.5), time_constant: learned(1.5), ..Self::default() };
        Activation::ALL.into_iter().zip(next).map(pair).chain([partly, both]).collect()
    }

    fn population(&self, output: bool) -> Box<dyn Population> {
        let activation = self.activations()[usize::from(output)];
        let Self { dt, strength, time_constant, .. } = *self;
        with_activation!(activation, A => {
            let unit = AdaptiveUnit::<A> { dt, strength, time_constant, activation: PhantomData };
            Box::new(ElementwisePopulation(unit))
        })
    }
}

/// ds/dt = −∂E/∂s − g a, τ da/dt = s − a, with step ε.
#[derive(Clone, Copy, Debug)]
pub struct AdaptiveUnit<A> {
    dt: f64,
    strength: OwnSpec,
    time_constant: OwnSpec,
    activation: PhantomData<A>,
}

impl<A: ActivationFn> Neuron<2, 4, 2, 2> for AdaptiveUnit<A> {
    const OUTPUT_IS_STATE: bool = false;
    const IN_TIME: bool = false;
    const ACTIVATION: Option<Activation> = Some(A::KIND);

    fn states(&self) -> [StateVar; 2] {
        ["s", "a"].map(|name| StateVar { name, start: 0.0 })
    }

    fn own(&self) -> [Own; 2] {
        [self.strength.own("strength", STRENGTH), self.time_constant.own("time-constant", TIME_CONSTANT)]
    }

    fn initial_output(&self) -> f64 {
        A::apply(0.0)
    }

    #[inline(always)]
    fn prepare<T: Real>(&self, now: Now<T>, [g, tau]: [T; 2]) -> [T; 4] {
        let dt = now.step * T::constant(self.dt);
        [dt, dt / tau, g, now.nudge_gain]
    }

    #[inline(always)]
    fn step<T: Real>(&self, [dt, slow, g, k]: [T; 4], [drive, f]: [T; 2], [s, a]: [T; 2]) -> ([T; 2], T) {
        let new = within::<A, T>(s + dt * (A::slope(s) * (drive + f - k * A::apply(s)) - s - g * a));
        ([new, a + slow * (s - a)], A::apply(new))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::neuron::activation::Tanh;

    /// Both states move at once, each by where the other was.
    #[test]
    fn a_step_is_one_of_euler_s() {
        let unit = AdaptiveUnit::<Tanh> {
            dt: 0.5,
            strength: OwnSpec::Value(0.4),
            time_constant: OwnSpec::Value(2.0),
            activation: PhantomData,
        };
        let (strength, time_constant, drive, s, a) = (0.4, 2.0, 0.3, 0.2_f64, 0.6);
        let constants = unit.prepare(Now { step: 1.0, nudge_gain: 0.0 }, [strength, time_constant]);
        let ([new, adapted], out) = unit.step(constants, [drive, 0.0], [s, a]);
        let slope = 1.0 - s.tanh().powi(2);
        assert!((new - (s + 0.5 * (slope * drive - s - strength * a))).abs() < 1e-15);
        assert!((adapted - (a + 0.25 * (s - a))).abs() < 1e-15);
        assert!((out - new.tanh()).abs() < 1e-15);
    }
}
