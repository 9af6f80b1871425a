//! Current-based leaky integrate-and-fire units: a synaptic current between the input and the membrane (Gerstner et al. 2014, §1.3,
//! with exponential currents).
//!
//!   i ← α_s i + d,  v ← αv + g·i − θz⁻,  z = [v ≥ θ],  α = e^{−dt/τ},  α_s = e^{−dt/τ_s},  g = 1 − α or 1,
//!
//! z⁻ the spike of the step before. The input jumps into the current first, and the membrane sees the current of the same step.

use super::leaky::TIME_CONSTANT;
use super::lif::THRESHOLD;
use super::membrane::{Firing, Integration, Reset, spiking_traits};
use super::spike::{Comparison, SpikeSurrogate};
use super::{ElementwisePopulation, Neuron, NeuronMethod, Now, Population, StateVar, linear};
use crate::Result;
use crate::axis::{Cite, Place, is_default};
use crate::own::{Own, OwnSpec};
use bouton_kernels::Real;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Current-based leaky integrate-and-fire units (`[neuron.cuba-lif]`). A population that is an output without a choice of its own is
/// linear.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct CubaLif {
    /// Time constant τ_s of the synaptic current, in the unit of `time.dt`. Default 5.
    pub tau_synapse: OwnSpec,
    /// Membrane time constant τ, in the unit of `time.dt`. Default 20.
    pub tau: OwnSpec,
    /// Threshold θ. Default 1.
    pub threshold: OwnSpec,
    /// How time constants become factors of a step. Default "exponential".
    #[serde(skip_serializing_if = "is_default")]
    pub method: Integration,
    /// Whether the current is scaled by 1 − α, so that a constant current i leads to v = i. Default false.
    pub scaled: bool,
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

impl Default for CubaLif {
    fn default() -> Self {
        Self {
            tau_synapse: OwnSpec::Value(5.0),
            tau: OwnSpec::Value(20.0),
            threshold: OwnSpec::Value(1.0),
            method: Integration::default(),
            scaled: false,
            comparison: Comparison::default(),
            surrogate: SpikeSurrogate::default(),
            reset: Reset::default(),
            early_reset: false,
            reset_gradient: false,
            smooth: false,
        }
    }
}

impl NeuronMethod for CubaLif {
    fn check(&self, at: &Place, dt: f64) -> Result<()> {
        self.method.check(at, "tau-synapse", &self.tau_synapse, TIME_CONSTANT, dt)?;
        self.method.check(at, "tau", &self.tau, TIME_CONSTANT, dt)?;
        self.threshold.check(at, "threshold", THRESHOLD)
    }

    fn cites(&self) -> Vec<Cite> {
        vec![Cite::of("gerstner2014")]
    }

    spiking_traits!();

    fn examples() -> Vec<Self> {
        use crate::own::OwnTable;
        let learned =
            |value| OwnSpec::Table(OwnTable { value: Some(value), learned: true, ..OwnTable::default() });
        let first = Self {
            tau_synapse: learned(2.0),
            tau: learned(4.0),
            threshold: learned(0.4),
            surrogate: SpikeSurrogate::Sigmoid(3.0),
            reset_gradient: true,
            smooth: true,
            ..Self::default()
        };
        let euler = Self {
            method: Integration::Euler,
            tau: OwnSpec::learned(4.0, [2.0, 50.0]),
            tau_synapse: OwnSpec::Value(2.0),
            ..first
        };
        vec![
            first,
            Self { reset: Reset::Zero, surrogate: SpikeSurrogate::FastSigmoid(2.0), scaled: true, ..first },
            Self { reset: Reset::None, surrogate: SpikeSurrogate::Arctan(2.0), ..first },
            Self { surrogate: SpikeSurrogate::Triangle(0.9), reset_gradient: false, smooth: false, ..first },
            Self { early_reset: true, ..euler },
            Self { comparison: Comparison::Greater, smooth: false, ..euler },
        ]
    }

    fn population(&self, output: bool) -> Box<dyn Population> {
        if output { linear() } else { Box::new(ElementwisePopulation(*self)) }
    }
}

impl CubaLif {
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

impl Neuron<3, 5, 1, 3> for CubaLif {
    const OUTPUT_IS_STATE: bool = false;
    const IN_TIME: bool = true;

    fn states(&self) -> [StateVar; 3] {
        ["i", "v", "z"].map(|name| StateVar { name, start: 0.0 })
    }

    fn own(&self) -> [Own; 3] {
        [
            self.tau_synapse.own("tau-synapse", TIME_CONSTANT),
            self.tau.own("tau", TIME_CONSTANT),
            self.threshold.own("threshold", THRESHOLD),
        ]
    }

    fn initial_output(&self) -> f64 {
        0.0
    }

    #[inline(always)]
    fn prepare<T: Real>(&self, now: Now<T>, [tau_synapse, tau, theta]: [T; 3]) -> [T; 5] {
        let (one, alpha) = (T::constant(1.0), self.method.keep(now.step, tau));
        let gain = if self.scaled { one - alpha } else { one };
        [self.method.keep(now.step, tau_synapse), alpha, gain, theta, one / theta]
    }

    #[inline(always)]
    fn step<T: Real>(&self, c: [T; 5], [d]: [T; 1], [i, v, z]: [T; 3]) -> ([T; 3], T) {
        let [keep, alpha, gain, theta, per] = c;
        let i = keep * i + d;
        let v = self.firing().charge([alpha, gain, theta], i, [v, z]);
        let z = self.firing().spike((v - theta) * per);
        ([i, v, z], z)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// After one pulse, before any spike: v_t = Σ_k α^{t−k} α_s^k = (α^{t+1} − α_s^{t+1})/(α − α_s), the difference of two exponentials.
    #[test]
    fn a_pulse_makes_the_difference_of_two_exponentials() {
        let unit = CubaLif { threshold: OwnSpec::Value(1e6), ..CubaLif::default() };
        let c = unit.prepare(Now { step: 1.0, nudge_gain: 0.0 }, [5.0, 20.0, 1e6]);
        let (slow, fast) = ((-1.0_f64 / 20.0).exp(), (-1.0_f64 / 5.0).exp());
        let mut h = [0.0; 3];
        for t in 0..40 {
            h = unit.step(c, [f64::from(u8::from(t == 0))], h).0;
            let wanted = (slow.powi(t + 1) - fast.powi(t + 1)) / (slow - fast);
            assert!((h[1] - wanted).abs() < 1e-12, "{t}: {} {wanted}", h[1]);
        }
    }
}
