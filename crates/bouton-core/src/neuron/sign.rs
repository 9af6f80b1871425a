//! Sign units: s = sign(d), with a surrogate slope on the way back.
//!
//! window: 1 where |d| ≤ 1 (straight-through, Courbariaux et al. 2016);  triangle: 2 − 2|d| there (Liu et al. 2018);
//! swish: β(2 − βd tanh(βd/2))/(1 + cosh βd) with β = 5 (Darabi et al. 2019).

use super::{
    ElementwisePopulation, Neuron, NeuronMethod, Now, Population, StateVar, UnitForm, UnitTraits, linear,
};
use crate::Result;
use crate::axis::{Cite, Place};
use crate::own::Own;
use crate::synapse::SignOfZero;
use bouton_kernels::Real;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What stands for the slope of the sign.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Surrogate {
    /// 1 where |d| ≤ 1.
    #[default]
    Window,
    /// 2 − 2|d| where |d| ≤ 1.
    Triangle,
    /// The derivative of a smooth sign.
    Swish,
}

/// Feed-forward sign units (`[neuron.sign]`); the output population is linear.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct Sign {
    /// What stands for the slope on the way back.
    pub surrogate: Surrogate,
    /// Output at a drive of zero.
    pub zero: SignOfZero,
}

impl NeuronMethod for Sign {
    fn check(&self, _: &Place, _: f64) -> Result<()> {
        Ok(())
    }

    fn cites(&self) -> Vec<Cite> {
        vec![Cite::of("courbariaux2016")]
    }

    fn traits(&self) -> UnitTraits {
        let exact_signs = self.zero == SignOfZero::Plus;
        UnitTraits { exact_signs, surrogate: true, bounded: [true, false], ..UnitTraits::FEEDFORWARD }
    }

    fn sign_keys(&mut self) -> Option<(&mut SignOfZero, &mut Surrogate)> {
        Some((&mut self.zero, &mut self.surrogate))
    }

    fn form(&self) -> Option<UnitForm> {
        Some(UnitForm::Sign(self.zero))
    }

    fn smoothen(&mut self) -> bool {
        false
    }

    fn examples() -> Vec<Self> {
        let of = |(surrogate, zero)| Self { surrogate, zero };
        let slopes = [Surrogate::Window, Surrogate::Triangle, Surrogate::Swish];
        slopes.into_iter().zip([SignOfZero::Plus, SignOfZero::Zero, SignOfZero::Plus]).map(of).collect()
    }

    fn population(&self, output: bool) -> Box<dyn Population> {
        if output { linear() } else { Box::new(ElementwisePopulation(*self)) }
    }
}

/// Slope parameter of the swish surrogate.
const SWISH: f64 = 5.0;

impl Surrogate {
    #[inline(always)]
    fn slope<T: Real>(self, d: T) -> T {
        let constant = T::constant;
        let inside = (constant(1.0) - d.abs()).heaviside();
        match self {
            Self::Window => inside,
            Self::Triangle => inside * (constant(2.0) - constant(2.0) * d.abs()),
            Self::Swish => {
                // (2 − x tanh(x/2))/(1 + cosh x) = (2 − x t)(1 − t²)/2 with t = tanh(x/2).
                let x = constant(SWISH) * d;
                let t = (constant(0.5) * x).tanh();
                constant(0.5 * SWISH) * (constant(2.0) - x * t) * (constant(1.0) - t * t)
            }
        }
    }
}

impl Neuron<0, 0, 1, 0> for Sign {
    const OUTPUT_IS_STATE: bool = false;
    const IN_TIME: bool = true;

    fn states(&self) -> [StateVar; 0] {
        []
    }

    fn own(&self) -> [Own; 0] {
        []
    }

    fn initial_output(&self) -> f64 {
        0.0
    }

    #[inline(always)]
    fn prepare<T: Real>(&self, _: Now<T>, _: [T; 0]) -> [T; 0] {
        []
    }

    #[inline(always)]
    fn step<T: Real>(&self, _: [T; 0], [drive]: [T; 1], _: [T; 0]) -> ([T; 0], T) {
        let d = drive;
        // slope(d)·d is stripped of the slope's own derivative: grafting d·k where k is the slope as a constant.
        let k = self.surrogate.slope(d).with_gradient_of(T::constant(0.0));
        ([], self.zero.sign(d).with_gradient_of(k * d))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bouton_kernels::Dual;

    fn at(surrogate: Surrogate, d: f64) -> (f64, f64) {
        let unit = Sign { surrogate, zero: SignOfZero::Plus };
        let out = unit.step([], [Dual::<f64, 1>::var(d, 0)], []).1;
        (out.re, out.eps[0])
    }

    #[test]
    fn values_are_signs_and_slopes_those_of_the_surrogate() {
        for (d, sign, slope) in [(-1.5, -1.0, 0.0), (-0.25, -1.0, 1.0), (0.0, 1.0, 1.0), (1.0, 1.0, 1.0)] {
            assert_eq!(at(Surrogate::Window, d), (sign, slope), "{d}");
        }
        assert_eq!(at(Surrogate::Triangle, 0.25), (1.0, 1.5));
        assert_eq!(at(Surrogate::Triangle, -1.25), (-1.0, 0.0));
        let x = 5.0 * 0.3_f64;
        let swish = 5.0 * (2.0 - x * (x / 2.0).tanh()) / (1.0 + x.cosh());
        assert!((at(Surrogate::Swish, 0.3).1 - swish).abs() < 1e-12);
    }
}
