//! Leaky integrate-and-fire units (Lapicque 1907; in the discrete form of Bellec et al. 2018):
//!
//!   v ← αv + g·d − θz⁻,  z = [v ≥ θ],  α = e^{−dt/τ},  g = 1 − α or 1,
//!
//! z⁻ the spike of the step before. After a spike a refractory unit is silent for some steps, though its membrane moves on.

use super::leaky::TIME_CONSTANT;
use super::spike::{Reset, SpikeSurrogate};
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

/// Where thresholds stay.
pub(super) const THRESHOLD: (f64, f64) = (1e-6, 1e6);

/// Leaky integrate-and-fire units (`[neuron.lif]`). A population that is an output without a choice of its own is linear.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct Lif {
    /// Membrane time constant τ, in the unit of `time.dt`. Default 20.
    pub tau: OwnSpec,
    /// Threshold θ. Default 1.
    pub threshold: OwnSpec,
    /// Whether the input is scaled by 1 − α, so that a constant input d leads to v = d. Default false.
    pub scaled: bool,
    /// Steps in which a unit is silent after a spike. Default 0.
    #[schemars(extend("minimum" = 0, "maximum" = 1_000_000, "x-hint" = "0 to 5 are usual"))]
    pub refractory: u32,
    /// What stands for the derivative of a spike.
    pub surrogate: SpikeSurrogate,
    /// What a spike does to the membrane.
    pub reset: Reset,
    /// Whether gradients go by way of the reset. Default false.
    pub reset_gradient: bool,
    /// Let spikes be the primitive of the surrogate, and gradients go by way of the reset, so that they can be checked against
    /// differences of the loss. Default false.
    pub smooth: bool,
}

impl Default for Lif {
    fn default() -> Self {
        Self {
            tau: OwnSpec::Value(20.0),
            threshold: OwnSpec::Value(1.0),
            scaled: false,
            refractory: 0,
            surrogate: SpikeSurrogate::default(),
            reset: Reset::default(),
            reset_gradient: false,
            smooth: false,
        }
    }
}

impl NeuronMethod for Lif {
    fn check(&self, at: &Place) -> Result<()> {
        self.tau.check(at, "tau", TIME_CONSTANT)?;
        self.threshold.check(at, "threshold", THRESHOLD)
    }

    fn cites(&self) -> Vec<Cite> {
        vec![Cite::of("bellec2018")]
    }

    fn traits(&self) -> UnitTraits {
        UnitTraits {
            surrogate: !self.smooth,
            spikes: !self.smooth,
            bounded: [true, false],
            ..UnitTraits::STEPPING
        }
    }

    fn sign_keys(&mut self) -> Option<(&mut SignOfZero, &mut Surrogate)> {
        None
    }

    fn form(&self) -> Option<UnitForm> {
        None
    }

    fn smoothen(&mut self) -> bool {
        self.smooth = true;
        true
    }

    fn examples() -> Vec<Self> {
        use crate::own::OwnTable;
        let learned =
            |value| OwnSpec::Table(OwnTable { value: Some(value), learned: true, ..OwnTable::default() });
        let first = Self {
            tau: learned(4.0),
            threshold: learned(0.4),
            surrogate: SpikeSurrogate::Sigmoid(3.0),
            reset_gradient: true,
            smooth: true,
            ..Self::default()
        };
        vec![
            first,
            Self { reset: Reset::Zero, surrogate: SpikeSurrogate::FastSigmoid(2.0), scaled: true, ..first },
            Self { reset: Reset::None, surrogate: SpikeSurrogate::Arctan(2.0), ..first },
            Self { surrogate: SpikeSurrogate::Triangle(0.9), refractory: 2, ..first },
            Self { reset_gradient: false, smooth: false, ..first },
            Self { smooth: false, ..first },
        ]
    }

    fn population(&self, output: bool) -> Box<dyn Population> {
        match self.refractory {
            _ if output => linear(),
            0 => Box::new(ElementwisePopulation(*self)),
            _ => Box::new(ElementwisePopulation(Refractory(*self))),
        }
    }
}

impl Lif {
    fn own_numbers(&self) -> [Own; 2] {
        [self.tau.own("tau", TIME_CONSTANT), self.threshold.own("threshold", THRESHOLD)]
    }

    #[inline(always)]
    fn constants<T: Real>(&self, dt: T, [tau, theta]: [T; 2]) -> [T; 4] {
        let alpha = (-dt / tau).exp();
        let gain = if self.scaled { T::constant(1.0) - alpha } else { T::constant(1.0) };
        [alpha, gain, theta, T::constant(1.0) / theta]
    }
}

impl Neuron<2, 4, 1, 2> for Lif {
    const OUTPUT_IS_STATE: bool = false;
    const IN_TIME: bool = true;

    fn states(&self) -> [StateVar; 2] {
        ["v", "z"].map(|name| StateVar { name, start: 0.0 })
    }

    fn own(&self) -> [Own; 2] {
        self.own_numbers()
    }

    fn initial_output(&self) -> f64 {
        0.0
    }

    #[inline(always)]
    fn prepare<T: Real>(&self, now: Now<T>, own: [T; 2]) -> [T; 4] {
        self.constants(now.step, own)
    }

    #[inline(always)]
    fn step<T: Real>(&self, [alpha, gain, theta, per]: [T; 4], [d]: [T; 1], [v, z]: [T; 2]) -> ([T; 2], T) {
        let v = self.reset.charge([alpha, gain, theta], d, [v, z], self.reset_gradient || self.smooth);
        let z = self.surrogate.spike((v - theta) * per, self.smooth);
        ([v, z], z)
    }
}

/// The same with a count r of silent steps.
#[derive(Clone, Copy, Debug)]
struct Refractory(Lif);

impl Neuron<2, 4, 1, 3> for Refractory {
    const OUTPUT_IS_STATE: bool = false;
    const IN_TIME: bool = true;

    fn states(&self) -> [StateVar; 3] {
        ["v", "r", "z"].map(|name| StateVar { name, start: 0.0 })
    }

    fn own(&self) -> [Own; 2] {
        self.0.own_numbers()
    }

    fn initial_output(&self) -> f64 {
        0.0
    }

    #[inline(always)]
    fn prepare<T: Real>(&self, now: Now<T>, own: [T; 2]) -> [T; 4] {
        self.0.constants(now.step, own)
    }

    #[inline(always)]
    fn step<T: Real>(
        &self,
        [alpha, gain, theta, per]: [T; 4],
        [d]: [T; 1],
        [v, r, z]: [T; 3],
    ) -> ([T; 3], T) {
        let v = self.0.reset.charge([alpha, gain, theta], d, [v, z], self.0.reset_gradient || self.0.smooth);
        let z = self.0.surrogate.spike((v - theta) * per, self.0.smooth);
        let (r, z) = silenced(self.0.refractory, r, z);
        ([v, r, z], z)
    }
}

/// Steps that are left of a silence, and the spike that gets through.
#[inline(always)]
pub(super) fn silenced<T: Real>(steps: u32, r: T, z: T) -> (T, T) {
    let (one, zero) = (T::constant(1.0), T::constant(0.0));
    let free = (T::constant(0.5) - r).heaviside();
    let z = free * z;
    // A smooth spike of whatever height begins no silence of its own: counts are whole steps, without a gradient.
    let fired = (z - T::constant(0.5)).heaviside();
    let left = (r - one).max(zero).with_gradient_of(zero);
    (fired * T::constant(f64::from(steps)) + (one - fired) * left, z)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Spike steps of a unit under a constant current.
    fn steps<N: Neuron<2, 4, 1, S>, const S: usize>(unit: &N, current: f64, steps: usize) -> Vec<usize> {
        let c = unit.prepare(Now { step: 1.0, nudge_gain: 0.0 }, [20.0, 1.0]);
        let (mut h, mut fired) = ([0.0; S], Vec::new());
        for t in 0..steps {
            let (next, z) = unit.step(c, [current], h);
            h = next;
            fired.extend((z == 1.0).then_some(t));
        }
        fired
    }

    /// v_t = I(1 − αᵗ)/(1 − α) before the first spike, and the threshold leaves once after it.
    #[test]
    fn a_constant_current_makes_it_spike_at_the_steps_of_its_equation() {
        let (alpha, current) = ((-0.05_f64).exp(), 0.2);
        let first = (1..).find(|&t| current * (1.0 - alpha.powi(t)) / (1.0 - alpha) >= 1.0).unwrap();
        let fired = steps(&Lif::default(), current, 60);
        assert_eq!(fired[0] + 1, first as usize);
        assert!(fired.len() > 5);
        let silent = Lif { reset: Reset::None, ..Lif::default() };
        assert_eq!(steps(&silent, current, 60).len(), 60 - fired[0], "without a reset it goes on firing");
    }

    #[test]
    fn a_refractory_unit_is_silent_for_so_many_steps() {
        let unit = Refractory(Lif { refractory: 4, ..Lif::default() });
        let fired = steps(&unit, 5.0, 30);
        assert_eq!(fired, [0, 5, 10, 15, 20, 25]);
    }
}
