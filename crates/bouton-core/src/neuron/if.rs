//! Integrate-and-fire units without a leak: what arrives is summed until it reaches the threshold (Gerstner et
//! al. 2014, §1.3, without the leak),
//!
//!   v ← v + g·d − θz⁻,  z = [v ≥ θ],  g = dt or 1,
//!
//! z⁻ the spike of the step before. With a constant input between 0 and θ and the subtracting reset, n steps hold ⌊n·d/θ⌋ spikes.

use super::lif::THRESHOLD;
use super::membrane::{Firing, Refractory, Reset, spiking_traits};
use super::spike::{Comparison, SpikeSurrogate};
use super::{ElementwisePopulation, Neuron, NeuronMethod, Now, Population, StateVar, linear};
use crate::Result;
use crate::axis::{Cite, Place};
use crate::own::{Own, OwnSpec};
use bouton_kernels::Real;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Integrate-and-fire units without a leak (`[neuron.if]`). A population that is an output without a choice of its own is linear.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct If {
    /// Threshold θ. Default 1.
    pub threshold: OwnSpec,
    /// Whether the input is a current that flows during a step, g = dt, and no pulse in it, g = 1. Default false.
    pub scaled: bool,
    /// Steps in which a unit is silent after a spike; its membrane moves on. Default 0.
    #[schemars(extend("minimum" = 0, "maximum" = 1_000_000, "x-hint" = "0 to 5 are usual"))]
    pub refractory: u32,
    /// Whether a unit exactly at its threshold fires.
    pub comparison: Comparison,
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

impl Default for If {
    fn default() -> Self {
        Self {
            threshold: OwnSpec::Value(1.0),
            scaled: false,
            refractory: 0,
            comparison: Comparison::default(),
            surrogate: SpikeSurrogate::default(),
            reset: Reset::default(),
            reset_gradient: false,
            smooth: false,
        }
    }
}

impl NeuronMethod for If {
    fn check(&self, at: &Place, _: f64) -> Result<()> {
        self.threshold.check(at, "threshold", THRESHOLD)
    }

    fn cites(&self) -> Vec<Cite> {
        vec![Cite::of("gerstner2014")]
    }

    spiking_traits!();

    fn examples() -> Vec<Self> {
        let first = Self {
            threshold: OwnSpec::learned(0.4, THRESHOLD.into()),
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
            Self { comparison: Comparison::Greater, reset_gradient: false, smooth: false, ..first },
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

impl Neuron<1, 4, 1, 2> for If {
    const OUTPUT_IS_STATE: bool = false;
    const IN_TIME: bool = true;

    fn states(&self) -> [StateVar; 2] {
        ["v", "z"].map(|name| StateVar { name, start: 0.0 })
    }

    fn own(&self) -> [Own; 1] {
        [self.threshold.own("threshold", THRESHOLD)]
    }

    fn initial_output(&self) -> f64 {
        0.0
    }

    #[inline(always)]
    fn prepare<T: Real>(&self, now: Now<T>, [theta]: [T; 1]) -> [T; 4] {
        let one = T::constant(1.0);
        [one, if self.scaled { now.step } else { one }, theta, one / theta]
    }

    #[inline(always)]
    fn step<T: Real>(&self, c: [T; 4], [d]: [T; 1], h: [T; 2]) -> ([T; 2], T) {
        let firing = Firing {
            surrogate: self.surrogate,
            comparison: self.comparison,
            reset: self.reset,
            early: false,
            through: self.reset_gradient,
            smooth: self.smooth,
        };
        firing.step(c, d, h)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Spikes and the last membrane under a constant input.
    fn fired(unit: If, dt: f64, input: f64, steps: usize) -> (Vec<usize>, f64) {
        let c = unit.prepare(Now { step: dt, nudge_gain: 0.0 }, [1.0]);
        let (mut h, mut fired) = ([0.0; 2], Vec::new());
        for t in 0..steps {
            let (next, z) = unit.step(c, [input], h);
            h = next;
            fired.extend((z == 1.0).then_some(t));
        }
        (fired, h[0])
    }

    /// Nothing is lost: n·d is the membrane and one threshold a spike, and a pulse stays for ever.
    #[test]
    fn spikes_count_the_input() {
        for sixteenths in [1, 3, 5, 7, 12, 15] {
            let input = f64::from(sixteenths) / 16.0;
            for steps in [1, 7, 32, 99] {
                let (spikes, v) = fired(If::default(), 1.0, input, steps);
                assert_eq!(spikes.len(), (steps as f64 * input).floor() as usize, "{input} {steps}");
                let last = f64::from(u8::from(spikes.last() == Some(&(steps - 1))));
                assert_eq!(v + (spikes.len() as f64 - last), steps as f64 * input);
            }
        }
        let unit = If::default();
        let c = unit.prepare(Now { step: 0.5, nudge_gain: 0.0 }, [1.0]);
        let first = unit.step(c, [0.75], [0.0; 2]).0;
        assert_eq!((0..50).fold(first, |h, _| unit.step(c, [0.0], h).0), [0.75, 0.0]);
    }

    /// As a current, a constant input d leads to v = d·t, however long the steps are.
    #[test]
    fn a_current_is_integrated_over_time() {
        let unit = If { scaled: true, ..If::default() };
        for (dt, steps) in [(1.0, 8), (0.25, 32), (2.0, 4)] {
            assert_eq!(fired(unit, dt, 0.0625, steps), (Vec::new(), 0.5));
        }
    }

    /// Four times a quarter is the threshold: it fires there, or one step later.
    #[test]
    fn the_comparison_decides_at_the_threshold() {
        assert_eq!(fired(If::default(), 1.0, 0.25, 9).0, [3, 7]);
        let strict = If { comparison: Comparison::Greater, ..If::default() };
        assert_eq!(fired(strict, 1.0, 0.25, 9).0, [4, 8]);
        let zero = If { reset: Reset::Zero, ..strict };
        assert_eq!(fired(zero, 1.0, 0.25, 11).0, [4, 9]);
    }
}
