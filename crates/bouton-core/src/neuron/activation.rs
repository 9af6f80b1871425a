//! Activations of rate units, one scalar function each.
//!
//! Every activation is written as σ(x) = clip(core(x)): the core is the identity-like part of a clipped activation, or
//! the whole of a smooth one. Over-relaxation mixes the core and clips afterwards, so that a projected sweep stays in
//! the box.

use crate::axis::{Cite, variant_name};
use bouton_kernels::{Analytic, Dual, Real};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One activation as a scalar function, so that sweeps are compiled for it.
pub trait ActivationFn: Copy + Default + Send + Sync + std::fmt::Debug + 'static {
    /// Which enum entry this is.
    const KIND: Activation;
    /// The publication that it comes from.
    const CITES: Option<&'static str>;
    /// Smallest and largest value; the box of the energy dynamics.
    const RANGE: Option<(f64, f64)>;
    /// Whether values outside `RANGE` must be clipped after the core.
    const CLIPPED: bool;
    /// The drives at which it has a kink.
    const KINKS: &'static [f64];
    /// The part of σ before clipping.
    fn core<T: Analytic>(x: T) -> T;
    /// ∫^s σ⁻¹ up to a constant, a unit's own part of the energy; `None` where it has no closed form.
    fn potential(s: f64) -> Option<f64>;

    /// Clips to `RANGE` if the activation is a clipped one.
    #[inline(always)]
    fn clip<T: Real>(x: T) -> T {
        match Self::RANGE {
            Some((low, high)) if Self::CLIPPED => x.max(T::constant(low)).min(T::constant(high)),
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
                slope * (y - T::constant(low)).heaviside() * (T::constant(high) - y).heaviside()
            }
            _ => slope,
        }
    }
}

/// Makes the enum of activations and the type behind each from one list: doc line, citation, range, whether it is clipped to that,
/// the part of σ before clipping, ∫^s σ⁻¹ up to a constant (nothing where it has no closed form), and the drives of its kinks.
macro_rules! activations {
    // The dollar sign of the macro that is made.
    ($d:tt $(
        $(#[$meta:meta])*
        $name:ident {
            cites: $cites:expr,
            range: $range:expr,
            clipped: $clipped:expr,
            core: |$x:ident| $core:expr,
            potential: |$s:pat_param| $potential:expr,
            kinks: $kinks:expr,
        }
    )*) => {
        /// The activation σ of a population.
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
        #[serde(rename_all = "kebab-case")]
        pub enum Activation {
            $($(#[$meta])* $name,)*
        }

        impl Activation {
            /// Every activation.
            pub const ALL: [Self; [$(stringify!($name)),*].len()] = [$(Self::$name),*];
        }

        $(
            #[doc = concat!("[`Activation::", stringify!($name), "`] as a function.")]
            #[derive(Clone, Copy, Debug, Default)]
            pub struct $name;

            impl ActivationFn for $name {
                const KIND: Activation = Activation::$name;
                const CITES: Option<&'static str> = $cites;
                const RANGE: Option<(f64, f64)> = $range;
                const CLIPPED: bool = $clipped;
                const KINKS: &'static [f64] = $kinks;

                #[inline(always)]
                fn core<T: Analytic>($x: T) -> T {
                    $core
                }

                fn potential($s: f64) -> Option<f64> {
                    $potential
                }
            }
        )*

        /// Evaluates a body with a name bound to the type of an activation.
        macro_rules! with_activation {
            ($d kind:expr, $d alias:ident => $d body:expr) => {
                match $d kind {
                    $($crate::neuron::Activation::$name => {
                        type $d alias = $crate::neuron::activation::$name;
                        $d body
                    })*
                }
            };
        }
    };
}

activations! { $
    /// clip(x, 0, 1) (Scellier & Bengio 2017).
    HardSigmoid {
        cites: Some("scellier2017"),
        range: Some((0.0, 1.0)),
        clipped: true,
        core: |x| x,
        potential: |s| Some(0.5 * s * s),
        kinks: &[0.0, 1.0],
    }
    /// clip(x/2, 0, 1) (Laborieux et al. 2021, CIFAR-10).
    HalfHardSigmoid {
        cites: Some("laborieux2021"),
        range: Some((0.0, 1.0)),
        clipped: true,
        core: |x| x * T::constant(0.5),
        potential: |s| Some(s * s),
        kinks: &[0.0, 2.0],
    }
    /// 1/(1 + exp(−4(x − ½))) (Ernoult et al. 2019).
    #[default]
    ShiftedSigmoid {
        cites: Some("ernoult2019"),
        range: Some((0.0, 1.0)),
        clipped: false,
        core: |x| ((x - T::constant(0.5)) * T::constant(4.0)).sigmoid(),
        potential: |s| Some(0.5 * s + 0.25 * (entropy(s) + entropy(1.0 - s))),
        kinks: &[],
    }
    /// 1/(1 + exp(−x)).
    Sigmoid {
        cites: None,
        range: Some((0.0, 1.0)),
        clipped: false,
        core: |x| x.sigmoid(),
        potential: |s| Some(entropy(s) + entropy(1.0 - s)),
        kinks: &[],
    }
    /// tanh(x).
    Tanh {
        cites: None,
        range: Some((-1.0, 1.0)),
        clipped: false,
        core: |x| x.tanh(),
        potential: |s| Some(0.5 * (entropy(1.0 + s) + entropy(1.0 - s))),
        kinks: &[],
    }
    /// ½z/(1+e^{−z}) + (1−½z)/(1+e^{−(z−2)}), a smooth clip(x/2, 0, 1) (Laborieux & Zenke 2022).
    DSilu {
        cites: Some("laborieux2022"),
        range: Some((0.0, 1.0)),
        clipped: false,
        core: |x| {
            let half = x * T::constant(0.5);
            half * x.sigmoid() + (T::constant(1.0) - half) * (x - T::constant(2.0)).sigmoid()
        },
        potential: |_| None,
        kinks: &[],
    }
    /// g(x) − g(x−1), g(x) = x/(1+e^{−3x}) (Scellier et al. 2023).
    SiluStep {
        cites: Some("scellier2023"),
        range: Some((0.0, 1.0)),
        clipped: false,
        core: |x| {
            let below = x - T::constant(1.0);
            x * (x * T::constant(3.0)).sigmoid() - below * (below * T::constant(3.0)).sigmoid()
        },
        potential: |_| None,
        kinks: &[],
    }
    /// clip(x, 0, 6).
    Relu6 {
        cites: None,
        range: Some((0.0, 6.0)),
        clipped: true,
        core: |x| x,
        potential: |s| Some(0.5 * s * s),
        kinks: &[0.0, 6.0],
    }
    /// x.
    Linear {
        cites: None,
        range: None,
        clipped: false,
        core: |x| x,
        potential: |s| Some(0.5 * s * s),
        kinks: &[],
    }
}
pub(crate) use with_activation;

/// p ln p.
fn entropy(p: f64) -> f64 {
    if p > 0.0 { p * p.ln() } else { 0.0 }
}

impl Activation {
    /// Whether σ continues into the complex plane: all that is not clipped.
    pub fn is_analytic(self) -> bool {
        self.is_smooth()
    }

    /// Whether σ is differentiable everywhere.
    pub fn is_smooth(self) -> bool {
        with_activation!(self, A => !A::CLIPPED)
    }

    /// ∫^s σ⁻¹ up to a constant, a unit's own part of the energy; `None` where it has no closed form.
    pub fn potential(self, s: f64) -> Option<f64> {
        with_activation!(self, A => A::potential(s))
    }

    /// Smallest and largest value; `None` if there are none.
    pub fn range(self) -> Option<(f64, f64)> {
        with_activation!(self, A => A::RANGE)
    }

    /// The drives at which σ has a kink.
    pub fn kinks(self) -> &'static [f64] {
        with_activation!(self, A => A::KINKS)
    }

    /// Whether σ' = 4σ(1 − σ), a logistic function steep enough for a slope of 1 at ½.
    pub fn is_logistic_of_slope_four(self) -> bool {
        let holds = |x: f64| {
            let (y, slope) = with_activation!(self, A => (A::apply(x), A::slope(x)));
            (slope - 4.0 * y * (1.0 - y)).abs() < 1e-9
        };
        [-1.0, 0.1, 0.5, 0.7, 2.0].into_iter().all(holds)
    }

    /// The publication that it comes from.
    pub fn cites(self) -> Option<&'static str> {
        with_activation!(self, A => A::CITES)
    }
}

/// The publications that the activations of hidden and of output units come from.
pub(super) fn cited(activations: [Activation; 2]) -> impl Iterator<Item = Cite> {
    let [hidden, output] = activations;
    let different = std::iter::once(hidden).chain((output != hidden).then_some(output));
    different.filter_map(|a| Some(Cite::setting(a.cites()?, format!("activation \"{}\"", variant_name(&a)))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slopes_equal_central_differences() {
        for kind in Activation::ALL.into_iter().filter(|a| a.is_smooth()) {
            for i in -30..=30 {
                let (x, e) = (f64::from(i) * 0.13, 1e-6);
                with_activation!(kind, A => {
                    let numeric = (A::apply(x + e) - A::apply(x - e)) / (2.0 * e);
                    assert!((A::slope(x) - numeric).abs() < 1e-8, "{kind:?} at {x}");
                });
            }
        }
    }

    /// Slopes jump where kinks are listed and nowhere else, and only clipped activations have them.
    #[test]
    fn kinks_are_where_they_are_said_to_be() {
        for kind in Activation::ALL {
            let jumps = with_activation!(kind, A => {
                let slope = |x: f64| (A::apply(x + 1e-7) - A::apply(x - 1e-7)) / 2e-7;
                // No drive of the grid is a multiple of ten steps away from where an activation would have its kink.
                let at = |i: i32| f64::from(i) * 0.01 + 0.005;
                let edges = (-900..900).filter(|&i| (slope(at(i)) - slope(at(i - 1))).abs() > 0.2);
                edges.map(|i| at(i) - 0.005).collect::<Vec<f64>>()
            });
            let near = jumps.iter().zip(kind.kinks()).all(|(found, said)| (found - said).abs() < 1e-9);
            assert!(jumps.len() == kind.kinks().len() && near, "{kind:?}: {jumps:?}");
            assert_eq!(kind.is_smooth(), jumps.is_empty(), "{kind:?}");
        }
    }

    #[test]
    fn values_fill_their_range_and_potentials_integrate_the_inverse() {
        for kind in Activation::ALL {
            let value = |x: f64| with_activation!(kind, A => A::apply(x));
            if let Some((low, high)) = kind.range() {
                let all = (-4000..=4000).map(|i| value(f64::from(i) * 0.01));
                let (least, most) = all.fold((f64::MAX, f64::MIN), |(a, b), y| (a.min(y), b.max(y)));
                assert!(least < low + 1e-3 && most > high - 1e-3, "{kind:?}: {least} to {most}");
                // A smooth one may swing beyond by a little.
                assert!(least > low - 0.11 && most < high + 0.11, "{kind:?}: {least} to {most}");
            } else {
                assert!(value(1e6) > 1e5 && value(-1e6) < -1e5, "{kind:?}");
            }
            for x in [0.13, 0.4, 0.77] {
                let (s, e) = (value(x), 1e-6);
                let potential = |s: f64| kind.potential(s);
                if let (Some(up), Some(down)) = (potential(s + e), potential(s - e)) {
                    assert!(((up - down) / (2.0 * e) - x).abs() < 1e-6, "{kind:?} at {x}");
                }
            }
        }
    }

    #[test]
    fn clipped_units_feel_their_drive_on_the_border_but_not_beyond() {
        assert_eq!(HardSigmoid::slope(0.0), 1.0);
        assert_eq!(
            (HardSigmoid::slope(-1e-9), HardSigmoid::slope(1.0), HardSigmoid::slope(1.0 + 1e-9)),
            (0.0, 1.0, 0.0)
        );
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
