//! Gate units: s = 1 where |d| > θ, else 0, with a surrogate slope on the way back.
//!
//! The slope is that of |d| in a window around the threshold: sign(d) where θ/2 < |d| < 3θ/2, else 0. Both ends of the drive
//! switch such a unit on. Released code of Cottart et al., github.com/kellian-cottart/active-continual-learning-bayesianbinn.

use super::{
    ElementwisePopulation, Neuron, NeuronMethod, Now, Population, StateVar, Surrogate, UnitForm, UnitTraits,
    linear,
};
use crate::Result;
use crate::axis::{Cite, Place};
use crate::own::Own;
use crate::synapse::SignOfZero;
use bouton_kernels::Real;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Feed-forward gate units (`[neuron.gate]`); the output population is linear.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct Gate {
    /// θ: size of the drive beyond which a unit is on, above 0. Default 1.
    #[schemars(extend("exclusiveMinimum" = 0, "maximum" = 1e6, "x-hint" = "1 is usual"))]
    pub threshold: f64,
}

impl Default for Gate {
    fn default() -> Self {
        Self { threshold: 1.0 }
    }
}

impl NeuronMethod for Gate {
    fn check(&self, _: &Place, _: f64) -> Result<()> {
        Ok(())
    }

    fn cites(&self) -> Vec<Cite> {
        vec![Cite::of("bimu")]
    }

    fn traits(&self) -> UnitTraits {
        UnitTraits { surrogate: true, bounded: [true, false], ..UnitTraits::FEEDFORWARD }
    }

    fn sign_keys(&mut self) -> Option<(&mut SignOfZero, &mut Surrogate)> {
        None
    }

    fn form(&self) -> Option<UnitForm> {
        Some(UnitForm::Gate(self.threshold))
    }

    fn smoothen(&mut self) -> bool {
        false
    }

    fn examples() -> Vec<Self> {
        vec![Self::default()]
    }

    fn population(&self, output: bool) -> Box<dyn Population> {
        if output { linear() } else { Box::new(ElementwisePopulation(*self)) }
    }
}

impl Neuron<0, 0, 1, 0> for Gate {
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
        let (size, one) = (drive.abs(), T::constant(1.0));
        // `heaviside` is 1 at zero, where the unit is still off.
        let on = one - (T::constant(self.threshold) - size).heaviside();
        let off_window =
            ((size - T::constant(self.threshold)).abs() - T::constant(0.5 * self.threshold)).heaviside();
        let inside = (one - off_window).with_gradient_of(T::constant(0.0));
        ([], on.with_gradient_of(inside * size))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bouton_kernels::Dual;

    #[test]
    fn both_ends_of_the_drive_are_on_and_slopes_stand_around_the_threshold() {
        let at = |threshold: f64, d: f64| {
            let out = Gate { threshold }.step([], [Dual::<f64, 1>::var(d, 0)], []).1;
            (out.re, out.eps[0])
        };
        for (d, out, slope) in [
            (0.0, 0.0, 0.0),
            (0.5, 0.0, 0.0),
            (0.75, 0.0, 1.0),
            (1.0, 0.0, 1.0),
            (1.25, 1.0, 1.0),
            (1.5, 1.0, 0.0),
        ] {
            assert_eq!(at(1.0, d), (out, slope), "{d}");
            assert_eq!(at(1.0, -d), (out, if slope == 0.0 { 0.0 } else { -slope }), "-{d}");
            assert_eq!(at(4.0, 4.0 * d).0, out);
        }
    }
}
