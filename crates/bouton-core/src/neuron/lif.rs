//! Leaky integrate-and-fire units (Lapicque 1907; in the discrete form of Bellec et al. 2018):
//!
//!   v ← αv + g·d − θz⁻,  z = [v ≥ θ],  α = e^{−dt/τ},  g = 1 − α or 1,
//!
//! z⁻ the spike of the step before. After a spike a refractory unit is silent for some steps, though its membrane moves on.

use super::leaky::TIME_CONSTANT;
use super::membrane::{Firing, Integration, Refractory, Reset, spiking_traits};
use super::spike::{Comparison, SpikeSurrogate};
use super::{ElementwisePopulation, Neuron, NeuronMethod, Now, Population, StateVar, linear};
use crate::Result;
use crate::axis::{Cite, Place, is_default};
use crate::own::{Own, OwnSpec};
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
    /// How time constants become factors of a step. Default "exponential".
    #[serde(skip_serializing_if = "is_default")]
    pub method: Integration,
    /// Whether the input is scaled by 1 − α, so that a constant input d leads to v = d. Default false.
    pub scaled: bool,
    /// Steps in which a unit is silent after a spike. Default 0.
    #[schemars(extend("minimum" = 0, "maximum" = 1_000_000, "x-hint" = "0 to 5 are usual"))]
    pub refractory: u32,
    /// Whether a unit exactly at its threshold fires. Default "greater-equal".
    #[serde(skip_serializing_if = "is_default")]
    pub comparison: Comparison,
    /// What stands for the derivative of a spike.
    pub surrogate: SpikeSurrogate,
    /// What a spike does to the membrane.
    pub reset: Reset,
    /// Whether the threshold is subtracted before the leak, α(v − θz⁻), and not after it, αv − θz⁻; other resets know no such
    /// difference. Default false.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub early_reset: bool,
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
            method: Integration::default(),
            scaled: false,
            refractory: 0,
            comparison: Comparison::default(),
            surrogate: SpikeSurrogate::default(),
            reset: Reset::default(),
            early_reset: false,
            reset_gradient: false,
            smooth: false,
        }
    }
}

impl NeuronMethod for Lif {
    fn check(&self, at: &Place, dt: f64) -> Result<()> {
        self.method.check(at, "tau", &self.tau, TIME_CONSTANT, dt)?;
        self.threshold.check(at, "threshold", THRESHOLD)
    }

    fn cites(&self) -> Vec<Cite> {
        vec![Cite::of("bellec2018")]
    }

    spiking_traits!();

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
        let euler = Self { method: Integration::Euler, tau: OwnSpec::learned(4.0, [2.0, 50.0]), ..first };
        vec![
            first,
            Self { reset: Reset::Zero, surrogate: SpikeSurrogate::FastSigmoid(2.0), scaled: true, ..first },
            Self { reset: Reset::None, surrogate: SpikeSurrogate::Arctan(2.0), ..first },
            Self { surrogate: SpikeSurrogate::Triangle(0.9), refractory: 2, ..first },
            Self { early_reset: true, ..euler },
            Self { comparison: Comparison::Greater, reset_gradient: false, smooth: false, ..euler },
            Self { smooth: false, ..first },
        ]
    }

    fn population(&self, output: bool) -> Box<dyn Population> {
        match self.refractory {
            _ if output => linear(),
            0 => Box::new(ElementwisePopulation(*self)),
            _ => Box::new(ElementwisePopulation(Refractory(*self, self.refractory))),
        }
    }
}

impl Lif {
    #[inline(always)]
    fn firing(&self) -> Firing {
        Firing {
            surrogate: self.surrogate,
            comparison: self.comparison,
            reset: self.reset,
            early: self.early_reset,
            through: self.reset_gradient,
            smooth: self.smooth,
        }
    }
}

impl Neuron<2, 4, 1, 2> for Lif {
    const OUTPUT_IS_STATE: bool = false;
    const IN_TIME: bool = true;

    fn states(&self) -> [StateVar; 2] {
        ["v", "z"].map(|name| StateVar { name, start: 0.0 })
    }

    fn own(&self) -> [Own; 2] {
        [self.tau.own("tau", TIME_CONSTANT), self.threshold.own("threshold", THRESHOLD)]
    }

    fn initial_output(&self) -> f64 {
        0.0
    }

    #[inline(always)]
    fn prepare<T: Real>(&self, now: Now<T>, [tau, theta]: [T; 2]) -> [T; 4] {
        let (alpha, one) = (self.method.keep(now.step, tau), T::constant(1.0));
        let gain = if self.scaled { one - alpha } else { one };
        [alpha, gain, theta, one / theta]
    }

    #[inline(always)]
    fn step<T: Real>(&self, c: [T; 4], [d]: [T; 1], h: [T; 2]) -> ([T; 2], T) {
        self.firing().step(c, d, h)
    }
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
        let unit = Refractory(Lif::default(), 4);
        let fired = steps(&unit, 5.0, 30);
        assert_eq!(fired, [0, 5, 10, 15, 20, 25]);
    }
}
