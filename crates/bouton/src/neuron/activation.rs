//! Activations of settling units, one scalar function each.
//!
//! Every activation is written as σ(x) = clip(core(x)): the core is the identity-like part of a clipped activation, or
//! the whole of a smooth one. Over-relaxation mixes the core and clips afterwards, so that a projected sweep stays in
//! the box.

use bouton_kernels::{Analytic, Dual, Real};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The activation σ of a population.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Activation {
    /// clip(x, 0, 1) (Scellier & Bengio 2017).
    HardSigmoid,
    /// clip(x/2, 0, 1) (Laborieux et al. 2021, CIFAR-10).
    HalfHardSigmoid,
    /// 1/(1 + exp(−4(x − ½))) (Ernoult et al. 2019).
    #[default]
    ShiftedSigmoid,
    /// 1/(1 + exp(−x)).
    Sigmoid,
    /// tanh(x).
    Tanh,
    /// ½z/(1+e^{−z}) + (1−½z)/(1+e^{−(z−2)}), a smooth clip(x/2, 0, 1) (Laborieux & Zenke 2022).
    DSilu,
    /// g(x) − g(x−1), g(x) = x/(1+e^{−3x}) (Scellier et al. 2023).
    SiluStep,
    /// clip(x, 0, 6).
    Relu6,
    /// x.
    Linear,
}

impl Activation {
    /// Whether σ continues into the complex plane: all that is not clipped.
    pub fn is_analytic(self) -> bool {
        self.is_smooth()
    }

    /// Whether σ is differentiable everywhere.
    pub fn is_smooth(self) -> bool {
        !matches!(self, Self::HardSigmoid | Self::HalfHardSigmoid | Self::Relu6)
    }

    /// ∫^s σ⁻¹ up to a constant, a unit's own part of the energy; `None` where it has no closed form.
    pub fn potential(self, s: f64) -> Option<f64> {
        let entropy = |p: f64| if p > 0.0 { p * p.ln() } else { 0.0 };
        Some(match self {
            Self::HardSigmoid | Self::Relu6 | Self::Linear => 0.5 * s * s,
            Self::HalfHardSigmoid => s * s,
            Self::Sigmoid => entropy(s) + entropy(1.0 - s),
            Self::ShiftedSigmoid => 0.5 * s + 0.25 * (entropy(s) + entropy(1.0 - s)),
            Self::Tanh => 0.5 * (entropy(1.0 + s) + entropy(1.0 - s)),
            Self::DSilu | Self::SiluStep => return None,
        })
    }

    /// Smallest and largest value; `None` if there are none.
    pub fn range(self) -> Option<(f64, f64)> {
        with_activation!(self, A => A::RANGE)
    }

    /// The drives at which σ has a kink.
    pub fn kinks(self) -> &'static [f64] {
        match self {
            Self::HardSigmoid => &[0.0, 1.0],
            Self::HalfHardSigmoid => &[0.0, 2.0],
            Self::Relu6 => &[0.0, 6.0],
            _ => &[],
        }
    }
}

/// One activation as a scalar function, so that sweeps are compiled for it.
pub trait ActivationFn: Copy + Default + Send + Sync + std::fmt::Debug + 'static {
    /// Which enum entry this is.
    const KIND: Activation;
    /// Smallest and largest value; the box of the energy dynamics.
    const RANGE: Option<(f64, f64)>;
    /// Whether values outside `RANGE` must be clipped after the core.
    const CLIPPED: bool = false;
    /// The part of σ before clipping.
    fn core<T: Analytic>(x: T) -> T;

    /// Clips to `RANGE` if the activation is a clipped one.
    #[inline(always)]
    fn clip<T: Real>(x: T) -> T {
        match Self::RANGE {
            Some((low, high)) if Self::CLIPPED => x.max(T::lit(low)).min(T::lit(high)),
            _ => x,
        }
    }

    /// σ(x).
    #[inline(always)]
    fn apply<T: Real>(x: T) -> T {
        Self::clip(Self::core(x))
    }

    /// σ'(x) on the closed range: a unit that sits exactly on a border still feels its drive.
    #[inline(always)]
    fn slope<T: Real>(x: T) -> T {
        let slope = Self::core(Dual::<T, 1>::var(x, 0)).eps[0];
        match Self::RANGE {
            Some((low, high)) if Self::CLIPPED => {
                let y = Self::core(x);
                slope * (y - T::lit(low)).heaviside() * (T::lit(high) - y).heaviside()
            }
            _ => slope,
        }
    }
}

macro_rules! activation {
    ($name:ident, $range:expr, $clipped:expr, |$x:ident| $core:expr) => {
        #[doc = concat!("[`Activation::", stringify!($name), "`] as a function.")]
        #[derive(Clone, Copy, Debug, Default)]
        pub struct $name;

        impl ActivationFn for $name {
            const KIND: Activation = Activation::$name;
            const RANGE: Option<(f64, f64)> = $range;
            const CLIPPED: bool = $clipped;
            #[inline(always)]
            fn core<T: Analytic>($x: T) -> T {
                $core
            }
        }
    };
}

activation!(HardSigmoid, Some((0.0, 1.0)), true, |x| x);
activation!(HalfHardSigmoid, Some((0.0, 1.0)), true, |x| x * T::lit(0.5));
activation!(ShiftedSigmoid, Some((0.0, 1.0)), false, |x| ((x - T::lit(0.5)) * T::lit(4.0)).sigmoid());
activation!(Sigmoid, Some((0.0, 1.0)), false, |x| x.sigmoid());
activation!(Tanh, Some((-1.0, 1.0)), false, |x| x.tanh());
activation!(DSilu, Some((0.0, 1.0)), false, |x| {
    let half = x * T::lit(0.5);
    half * x.sigmoid() + (T::lit(1.0) - half) * (x - T::lit(2.0)).sigmoid()
});
activation!(SiluStep, Some((0.0, 1.0)), false, |x| {
    let below = x - T::lit(1.0);
    x * (x * T::lit(3.0)).sigmoid() - below * (below * T::lit(3.0)).sigmoid()
});
activation!(Relu6, Some((0.0, 6.0)), true, |x| x);
activation!(Linear, None, false, |x| x);

/// Evaluates `$body` with `$name` bound to the type of the activation `$kind`.
macro_rules! with_activation {
    ($kind:expr, $name:ident => $body:expr) => {
        match $kind {
            $crate::neuron::Activation::HardSigmoid => {
                type $name = $crate::neuron::activation::HardSigmoid;
                $body
            }
            $crate::neuron::Activation::HalfHardSigmoid => {
                type $name = $crate::neuron::activation::HalfHardSigmoid;
                $body
            }
            $crate::neuron::Activation::ShiftedSigmoid => {
                type $name = $crate::neuron::activation::ShiftedSigmoid;
                $body
            }
            $crate::neuron::Activation::Sigmoid => {
                type $name = $crate::neuron::activation::Sigmoid;
                $body
            }
            $crate::neuron::Activation::Tanh => {
                type $name = $crate::neuron::activation::Tanh;
                $body
            }
            $crate::neuron::Activation::DSilu => {
                type $name = $crate::neuron::activation::DSilu;
                $body
            }
            $crate::neuron::Activation::SiluStep => {
                type $name = $crate::neuron::activation::SiluStep;
                $body
            }
            $crate::neuron::Activation::Relu6 => {
                type $name = $crate::neuron::activation::Relu6;
                $body
            }
            $crate::neuron::Activation::Linear => {
                type $name = $crate::neuron::activation::Linear;
                $body
            }
        }
    };
}
pub(crate) use with_activation;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slopes_equal_central_differences() {
        for kind in [
            Activation::ShiftedSigmoid,
            Activation::Sigmoid,
            Activation::Tanh,
            Activation::DSilu,
            Activation::SiluStep,
            Activation::Linear,
        ] {
            for i in -30..=30 {
                let (x, e) = (f64::from(i) * 0.13, 1e-6);
                with_activation!(kind, A => {
                    let numeric = (A::apply(x + e) - A::apply(x - e)) / (2.0 * e);
                    assert!((A::slope(x) - numeric).abs() < 1e-8, "{kind:?} at {x}");
                });
            }
        }
    }

    #[test]
    fn clipped_units_feel_their_drive_on_the_border_but_not_beyond() {
        assert_eq!(HardSigmoid::slope(0.0), 1.0);
        assert_eq!(HardSigmoid::slope(-1e-9), 0.0);
        assert_eq!(HalfHardSigmoid::slope(2.0), 0.5);
        assert_eq!(HardSigmoid::apply(3.0), 1.0);
        assert_eq!(Relu6::apply(7.0), 6.0);
    }

    #[test]
    fn known_values() {
        assert_eq!(ShiftedSigmoid::apply(0.5), 0.5);
        assert!((DSilu::apply(2.0) - Real::sigmoid(2.0f64)).abs() < 1e-15);
        assert!(
            (SiluStep::apply(0.5) - 0.5 * (Real::sigmoid(1.5f64) + Real::sigmoid(-1.5f64))).abs() < 1e-15
        );
    }
}
