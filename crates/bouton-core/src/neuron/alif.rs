//! Leaky integrate-and-fire units with an adaptive threshold (Bellec et al. 2018, 2020): every spike raises it, and it falls back
//! with a time constant of its own, often seconds. That is the long memory of an LSNN.
//!
//!   v ← αv + g·d − θz⁻,  a ← ρa + z⁻,  z = [v ≥ θ + βa],  ρ = e^{−dt/τ_a}

use super::leaky::TIME_CONSTANT;
use super::lif::THRESHOLD;
use super::membrane::{Firing, Integration, Reset, silenced, spiking_traits};
use super::spike::{Comparison, SpikeSurrogate};
use super::{ElementwisePopulation, Neuron, NeuronMethod, Now, Population, StateVar, linear};
use crate::Result;
use crate::axis::{Cite, Place, is_default};
use crate::own::{Own, OwnSpec};
use bouton_kernels::Real;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

const STRENGTH: (f64, f64) = (-1e6, 1e6);

/// Leaky integrate-and-fire units with an adaptive threshold (`[neuron.alif]`). A population that is an output without a choice of
/// its own is linear.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct Alif {
    /// Membrane time constant τ, in the unit of `time.dt`. Default 20.
    pub tau: OwnSpec,
    /// Threshold θ at rest. Default 1.
    pub threshold: OwnSpec,
    /// How much a spike raises the threshold, β; `{ value = 0.07, share = 0.5 }` lets half of the units adapt. Default 0.07.
    pub beta: OwnSpec,
    /// Time constant τ_a of the adaptation. Default 200.
    pub tau_adaptation: OwnSpec,
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

impl Default for Alif {
    fn default() -> Self {
        Self {
            tau: OwnSpec::Value(20.0),
            threshold: OwnSpec::Value(1.0),
            beta: OwnSpec::Value(0.07),
            tau_adaptation: OwnSpec::Value(200.0),
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

impl NeuronMethod for Alif {
    fn check(&self, at: &Place, dt: f64) -> Result<()> {
        self.method.check(at, "tau", &self.tau, TIME_CONSTANT, dt)?;
        self.threshold.check(at, "threshold", THRESHOLD)?;
        self.beta.check(at, "beta", STRENGTH)?;
        self.method.check(at, "tau-adaptation", &self.tau_adaptation, TIME_CONSTANT, dt)
    }

    fn cites(&self) -> Vec<Cite> {
        vec![Cite::of("bellec2018"), Cite::of("bellec2020")]
    }

    spiking_traits!();

    fn examples() -> Vec<Self> {
        use crate::own::OwnTable;
        let learned =
            |value| OwnSpec::Table(OwnTable { value: Some(value), learned: true, ..OwnTable::default() });
        let first = Self {
            tau: learned(4.0),
            threshold: learned(0.4),
            beta: learned(0.3),
            tau_adaptation: learned(9.0),
            surrogate: SpikeSurrogate::Sigmoid(3.0),
            reset_gradient: true,
            smooth: true,
            ..Self::default()
        };
        let euler = Self {
            method: Integration::Euler,
            tau: OwnSpec::learned(4.0, [2.0, 50.0]),
            tau_adaptation: OwnSpec::Value(9.0),
            ..first
        };
        let some = OwnSpec::Table(OwnTable { value: Some(0.3), share: Some(0.5), ..OwnTable::default() });
        vec![
            first,
            Self { reset: Reset::Zero, surrogate: SpikeSurrogate::FastSigmoid(2.0), scaled: true, ..first },
            Self { reset: Reset::None, surrogate: SpikeSurrogate::Arctan(2.0), beta: some, ..first },
            Self { surrogate: SpikeSurrogate::Triangle(0.9), refractory: 2, ..first },
            Self { early_reset: true, ..euler },
            Self { comparison: Comparison::Greater, reset_gradient: false, smooth: false, ..euler },
            Self { smooth: false, ..first },
        ]
    }

    fn population(&self, output: bool) -> Box<dyn Population> {
        if output { linear() } else { Box::new(ElementwisePopulation(*self)) }
    }
}

impl Alif {
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

impl Neuron<4, 6, 1, 4> for Alif {
    const OUTPUT_IS_STATE: bool = false;
    const IN_TIME: bool = true;

    fn states(&self) -> [StateVar; 4] {
        ["v", "a", "r", "z"].map(|name| StateVar { name, start: 0.0 })
    }

    fn own(&self) -> [Own; 4] {
        [
            self.tau.own("tau", TIME_CONSTANT),
            self.threshold.own("threshold", THRESHOLD),
            self.beta.own("beta", STRENGTH),
            self.tau_adaptation.own("tau-adaptation", TIME_CONSTANT),
        ]
    }

    fn initial_output(&self) -> f64 {
        0.0
    }

    #[inline(always)]
    fn prepare<T: Real>(&self, now: Now<T>, [tau, theta, beta, tau_adaptation]: [T; 4]) -> [T; 6] {
        let (alpha, one) = (self.method.keep(now.step, tau), T::constant(1.0));
        let gain = if self.scaled { one - alpha } else { one };
        [alpha, gain, theta, one / theta, beta, self.method.keep(now.step, tau_adaptation)]
    }

    #[inline(always)]
    fn step<T: Real>(
        &self,
        [alpha, gain, theta, per, beta, rho]: [T; 6],
        [d]: [T; 1],
        [v, a, r, z]: [T; 4],
    ) -> ([T; 4], T) {
        let v = self.firing().charge([alpha, gain, theta], d, [v, z]);
        let a = rho * a + z;
        let z = self.firing().spike((v - theta - beta * a) * per);
        let (r, z) = silenced(self.refractory, r, z);
        ([v, a, r, z], z)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// After a spike at step 1, a = 1 at step 2 and falls by ρ from then on.
    #[test]
    fn a_spike_raises_the_threshold_one_step_later() {
        let unit = Alif { reset: Reset::None, ..Alif::default() };
        let own = [1e9, 1.0, 0.5, 10.0];
        let c = unit.prepare(Now { step: 1.0, nudge_gain: 0.0 }, own);
        let (mut h, mut seen) = ([0.0; 4], Vec::new());
        for d in [1.2, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0] {
            let (next, z) = unit.step(c, [d], h);
            h = next;
            seen.push((z, h[1]));
        }
        let rho = (-0.1_f64).exp();
        assert_eq!(seen[0], (1.0, 0.0));
        assert_eq!(seen[1], (0.0, 1.0));
        assert!((seen[2].1 - rho).abs() < 1e-15);
        // 1.2 is above 1 + 0.5 a again when a has fallen below 0.4: nine steps after the rise.
        assert!(seen[2..].iter().all(|(z, _)| *z == 0.0));
    }
}
