//! What membranes of spiking units share: how a time constant becomes a factor of a step, what a spike does to its membrane, and how
//! long it silences it.
//!
//!   v ← αv + g·I − θz⁻  (`subtract`),  α(v − θz⁻) + g·I  (the same, early),  αv(1 − z⁻) + g·I  (`zero`),
//!
//! z⁻ the spike of the step before. α = e^{−dt/τ} is exact for an input that stays within a step, α = 1 − dt/τ its Euler step.

use super::spike::{Comparison, SpikeSurrogate};
use super::{Neuron, Now, StateVar};
use crate::Result;
use crate::axis::Place;
use crate::own::{Own, OwnSpec};
use bouton_kernels::Real;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How a time constant becomes the factor that a step keeps.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Integration {
    /// α = e^{−dt/τ}, exact whatever the step.
    #[default]
    Exponential,
    /// α = 1 − dt/τ, a step of Euler; time constants have to be dt or more.
    Euler,
}

impl Integration {
    /// What a step of length `dt` keeps.
    #[inline(always)]
    pub(super) fn keep<T: Real>(self, dt: T, tau: T) -> T {
        match self {
            Self::Exponential => (-dt / tau).exp(),
            Self::Euler => T::constant(1.0) - dt / tau,
        }
    }

    /// Refuses a time constant called `name` outside of `range`, and one that a step of `dt` overshoots.
    ///
    /// # Errors
    /// [`crate::Error::Config`] with the key and a hint.
    pub(super) fn check(
        self,
        at: &Place,
        name: &str,
        tau: &OwnSpec,
        range: (f64, f64),
        dt: f64,
    ) -> Result<()> {
        tau.check(at, name, range)?;
        let least = tau.reach(range).0;
        let found = if tau.is_learned() { format!("learned down to {least}") } else { least.to_string() };
        let need = format!("at least {dt}, the length of a step, for Euler steps");
        let hint =
            format!("use method = \"exponential\", a shorter time.dt, or keep it there: range = [{dt}, …]");
        at.require(self == Self::Exponential || least >= dt, name, found, &need, &hint)
    }
}

/// What a spike does to the membrane.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Reset {
    /// The threshold θ is subtracted.
    #[default]
    Subtract,
    /// The membrane starts again from zero.
    Zero,
    /// Nothing.
    None,
}

impl Reset {
    /// The membrane `v` less what spike `z` takes off it.
    #[inline(always)]
    pub(super) fn after<T: Real>(self, v: T, theta: T, z: T) -> T {
        match self {
            Self::Subtract => v - theta * z,
            Self::Zero => v * (T::constant(1.0) - z),
            Self::None => v,
        }
    }
}

/// What every unit with a threshold answers, whose setting `smooth` makes its spikes the primitive of their surrogate.
macro_rules! spiking_traits {
    () => {
        fn traits(&self) -> crate::neuron::UnitTraits {
            crate::neuron::UnitTraits {
                surrogate: !self.smooth,
                spikes: !self.smooth,
                bounded: [true, false],
                ..crate::neuron::UnitTraits::STEPPING
            }
        }

        fn sign_keys(&mut self) -> Option<(&mut crate::synapse::SignOfZero, &mut crate::neuron::Surrogate)> {
            None
        }

        fn form(&self) -> Option<crate::neuron::UnitForm> {
            None
        }

        fn smoothen(&mut self) -> bool {
            self.smooth = true;
            true
        }
    };
}
pub(super) use spiking_traits;

/// How a unit fires and goes on.
#[derive(Clone, Copy, Debug)]
pub(super) struct Firing {
    pub surrogate: SpikeSurrogate,
    pub comparison: Comparison,
    pub reset: Reset,
    /// Whether a reset stands before the leak.
    pub early: bool,
    /// Whether gradients go by way of the reset.
    pub through: bool,
    /// Whether spikes are the primitive of the surrogate.
    pub smooth: bool,
}

impl Firing {
    /// The membrane `v` after spike `z` and a step under the current, with the factors α, g and the threshold θ.
    #[inline(always)]
    pub fn charge<T: Real>(&self, [alpha, gain, theta]: [T; 3], current: T, [v, z]: [T; 2]) -> T {
        let z = self.seen_by_reset(z);
        match self.reset {
            Reset::Subtract if self.early => alpha * (v - theta * z) + gain * current,
            Reset::Subtract => alpha * v + gain * current - theta * z,
            Reset::Zero => alpha * v * (T::constant(1.0) - z) + gain * current,
            Reset::None => alpha * v + gain * current,
        }
    }

    /// The spike of a unit that is `x` thresholds above its threshold.
    #[inline(always)]
    pub fn spike<T: Real>(&self, x: T) -> T {
        self.surrogate.spike(x, self.comparison, self.smooth)
    }

    /// A spike as the reset has it: with its gradient or without.
    #[inline(always)]
    pub fn seen_by_reset<T: Real>(&self, z: T) -> T {
        if self.through || self.smooth { z } else { z.with_gradient_of(T::constant(0.0)) }
    }

    /// A step of a unit with nothing but a membrane, with the factors α, g, θ and 1/θ.
    #[inline(always)]
    pub fn step<T: Real>(&self, [alpha, gain, theta, per]: [T; 4], d: T, [v, z]: [T; 2]) -> ([T; 2], T) {
        let v = self.charge([alpha, gain, theta], d, [v, z]);
        let z = self.spike((v - theta) * per);
        ([v, z], z)
    }
}

/// A unit of membrane and spike with a count r of silent steps after a spike; its membrane moves on meanwhile.
#[derive(Clone, Copy, Debug)]
pub(super) struct Refractory<N>(pub N, pub u32);

impl<N: Neuron<K, C, 1, 2>, const K: usize, const C: usize> Neuron<K, C, 1, 3> for Refractory<N> {
    const OUTPUT_IS_STATE: bool = false;
    const IN_TIME: bool = true;

    fn states(&self) -> [StateVar; 3] {
        ["v", "r", "z"].map(|name| StateVar { name, start: 0.0 })
    }

    fn own(&self) -> [Own; K] {
        self.0.own()
    }

    fn initial_output(&self) -> f64 {
        self.0.initial_output()
    }

    #[inline(always)]
    fn prepare<T: Real>(&self, now: Now<T>, own: [T; K]) -> [T; C] {
        self.0.prepare(now, own)
    }

    #[inline(always)]
    fn step<T: Real>(&self, c: [T; C], input: [T; 1], [v, r, z]: [T; 3]) -> ([T; 3], T) {
        let ([v, _], z) = self.0.step(c, input, [v, z]);
        let (r, z) = silenced(self.1, r, z);
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
