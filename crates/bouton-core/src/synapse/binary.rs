//! The binary synapse: a hidden weight collects the proposals, its sign is the weight.
//!
//! W^h ← W^h + Δ,  W^b = scale·sign(W^h); the gradient with respect to W^b is applied to W^h as it is
//! (straight-through, Courbariaux et al. 2016), or only inside |W^h| ≤ `window` (Larq); `clip` keeps |W^h| ≤ clip.

use super::{
    Draw, ElementwiseSynapse, Info, SignKeys, Site, Synapse, SynapseMethod, UpdateRule, WeightTraits,
};
use crate::Result;
use crate::axis::{Cite, Place};
use bouton_kernels::Real;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Which weight a hidden weight of exactly zero has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum SignOfZero {
    /// +1: the two states of a bit.
    #[default]
    Plus,
    /// 0, as `sign` is in PyTorch; such a network cannot be packed.
    Zero,
}

impl SignOfZero {
    /// The sign of `x`.
    #[inline(always)]
    pub fn sign<T: Real>(self, x: T) -> T {
        let two_valued = T::constant(2.0) * x.heaviside() - T::constant(1.0);
        match self {
            Self::Plus => two_valued,
            // heaviside(x) + heaviside(−x) is 2 at zero only.
            Self::Zero => two_valued * (T::constant(2.0) - x.heaviside() - (-x).heaviside()),
        }
    }
}

/// A weight of ±`scale` (`[synapse.binary]`).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct Binary {
    /// Size of the weight. Default 1; networks without normalisation need about 1/√fan_in.
    #[schemars(extend(
        "exclusiveMinimum" = 0, "maximum" = 1e6,
        "x-hint" = "1, or about 1/√fan_in without normalisation"
    ))]
    pub scale: f64,
    /// Largest |W^h| at which a proposal still counts. Default: no limit.
    #[schemars(extend("exclusiveMinimum" = 0, "maximum" = 1e6, "x-hint" = "1 is usual"))]
    pub window: Option<f64>,
    /// Bound that |W^h| is clipped to. Default: none.
    #[schemars(extend("exclusiveMinimum" = 0, "maximum" = 1e6, "x-hint" = "1 is usual"))]
    pub clip: Option<f64>,
    /// Weight of a hidden weight of zero.
    pub zero: SignOfZero,
}

impl Default for Binary {
    fn default() -> Self {
        Self { scale: 1.0, window: None, clip: None, zero: SignOfZero::Plus }
    }
}

impl Binary {
    #[inline(always)]
    fn weight<T: Real>(&self, hidden: T) -> [T; 2] {
        let hidden = match self.clip {
            Some(c) => hidden.max(T::constant(-c)).min(T::constant(c)),
            None => hidden,
        };
        [T::constant(self.scale) * self.zero.sign(hidden), hidden]
    }
}

impl UpdateRule<2> for Binary {
    const STATES: &'static [&'static str] = &["binary.hidden"];
    const INFO: Info = Info {
        latent: Some(0),
        own_step_size: false,
        stochastic: false,
        bayesian: false,
        changes_at_task_end: false,
    };

    #[inline(always)]
    fn init<T: Real>(&self, drawn: T, _: Draw) -> [T; 2] {
        self.weight(drawn)
    }

    #[inline(always)]
    fn update<T: Real>(&self, delta: T, [_, hidden]: [T; 2], _: Draw) -> [T; 2] {
        let counts = match self.window {
            Some(window) => T::select(T::constant(window) - hidden.abs(), delta, T::constant(0.0)),
            None => delta,
        };
        self.weight(hidden + counts)
    }
}

impl SynapseMethod for Binary {
    fn check(&self, _: &Place) -> Result<()> {
        Ok(())
    }

    fn cites(&self) -> Vec<Cite> {
        vec![Cite::of("courbariaux2016")]
    }

    fn traits(&self) -> WeightTraits {
        WeightTraits::bits(Self::INFO, self.scale, self.zero)
    }

    fn sign_keys(&mut self) -> Option<SignKeys<'_>> {
        let Self { zero, window, clip, .. } = self;
        Some(SignKeys { zero, window: Some(window), clip: Some(clip) })
    }

    fn device(&mut self) -> Option<&mut Option<String>> {
        None
    }

    fn examples() -> Vec<Self> {
        vec![Self::default(), Self { scale: 0.5, window: Some(1.0), clip: Some(1.0), zero: SignOfZero::Zero }]
    }

    fn build(&self, _: Site) -> Result<Box<dyn Synapse>> {
        Ok(Box::new(ElementwiseSynapse(*self)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DRAW: Draw = Draw { key: 0, index: 0 };

    #[test]
    fn the_weight_is_the_sign_of_what_was_collected() {
        let synapse = Binary { scale: 0.5, ..Binary::default() };
        let first = synapse.init(-0.25_f64, DRAW);
        assert_eq!(first, [-0.5, -0.25]);
        assert_eq!(synapse.update(0.125, first, DRAW), [-0.5, -0.125]);
        assert_eq!(synapse.update(0.25, first, DRAW), [0.5, 0.0]);
    }

    #[test]
    fn zero_has_the_sign_that_was_asked_for() {
        let sign = |zero: SignOfZero, x: f64| zero.sign(x);
        assert_eq!([-2.0, -0.0, 0.0, 3.0].map(|x| sign(SignOfZero::Plus, x)), [-1.0, 1.0, 1.0, 1.0]);
        assert_eq!([-2.0, 0.0, 3.0].map(|x| sign(SignOfZero::Zero, x)), [-1.0, 0.0, 1.0]);
    }

    #[test]
    fn window_and_clip_bound_the_hidden_weight() {
        let synapse = Binary { window: Some(1.0), clip: Some(1.25), ..Binary::default() };
        assert_eq!(synapse.update(0.5, [1.0, 1.0_f64], DRAW)[1], 1.25);
        assert_eq!(synapse.update(-0.5, [1.0, 1.25_f64], DRAW)[1], 1.25);
    }
}
