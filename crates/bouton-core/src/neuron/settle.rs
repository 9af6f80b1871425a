//! Settling rate units: s moves towards a fixed point of ∂Φ/∂s.
//!
//! With drive d = ∂Φ/∂s and a nudge f − k·s = −β ∂ℓ/∂s:
//! - prototypical, nudge inside:  s ← σ(d + f − k s)            (Ernoult et al. 2019; Laborieux et al. 2021)
//! - prototypical, nudge outside: s ← σ(d) + f − k s            (Ernoult et al. 2019, 2020)
//! - energy:  s ← clip(s + ε(−s + ρ'(s)(d + f − k ρ(s)))), output ρ(s)   (Scellier & Bengio 2017)
//!
//! A linear unit with the nudge inside takes the exact minimiser s = (d + f)/(1 + k). Over-relaxation mixes
//! s ← (1 − ω)s + ω·(new s) before clipping.

use super::activation::{cited, with_activation};
use super::{
    Activation, ActivationFn, ElementwisePopulation, Input, Neuron, NeuronMethod, Now, Population, StateVar,
    Surrogate, UnitDynamics, UnitForm, UnitTraits,
};
use crate::axis::variant_name;
use crate::axis::{Cite, Place};
use crate::own::Own;
use crate::synapse::SignOfZero;
use crate::{Error, Result};
use bouton_kernels::{Analytic, Real};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::marker::PhantomData;

/// Which of the dynamics of the literature a settling unit follows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Dynamics {
    /// s ← σ(∂Φ/∂s): discrete, step 1.
    #[default]
    Prototypical,
    /// ds/dt = −∂E/∂s, integrated with step `dt` and clipped to the activation's range.
    Energy,
}

/// Where the nudge of the output enters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum NudgePosition {
    /// Inside σ: weight increments equal BPTT's as β → 0, for any smooth σ.
    #[default]
    Inside,
    /// Outside σ, as in the tables of Ernoult et al. 2019 and 2020; with the shifted sigmoid this descends ¼ of the
    /// binary cross-entropy.
    Outside,
}

/// Settling rate units (`[neuron.settle]`).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct Settle {
    /// Activation σ (or ρ) of hidden units.
    pub activation: Activation,
    /// Activation of the output population; default: the same as `activation`.
    pub output: Option<Activation>,
    /// Which dynamics.
    pub dynamics: Dynamics,
    /// Step ε of the energy dynamics, in units of the membrane time constant. Default 0.5; the prototypical dynamics
    /// have no such step.
    #[schemars(extend("exclusiveMinimum" = 0, "maximum" = 1, "x-hint" = "0.2 to 0.5 are usual"))]
    pub dt: f64,
    /// Where the nudge enters.
    pub nudge: NudgePosition,
    /// Standard deviation of Gaussian noise on the drive of every unit in every step of training. Default 0.
    #[serde(skip_serializing_if = "is_zero")]
    #[schemars(extend("minimum" = 0, "maximum" = 1e6, "x-hint" = "leave it out for none"))]
    pub noise: f64,
}

fn is_zero(x: &f64) -> bool {
    *x == 0.0
}

impl Default for Settle {
    fn default() -> Self {
        Self {
            activation: Activation::default(),
            output: None,
            dynamics: Dynamics::default(),
            dt: 0.5,
            nudge: NudgePosition::default(),
            noise: 0.0,
        }
    }
}

impl Settle {
    /// Activations of hidden and of output units.
    fn activations(&self) -> [Activation; 2] {
        [self.activation, self.output.unwrap_or(self.activation)]
    }
}

impl NeuronMethod for Settle {
    fn check(&self, at: &Place, _: f64) -> Result<()> {
        let outside = self.nudge == NudgePosition::Outside && self.dynamics == Dynamics::Energy;
        if outside {
            return Err(Error::incompatible(
                "nudge = \"outside\" has no meaning for the energy dynamics, where the nudge is part of the energy",
                format!("leave {} out", at.key("nudge")),
            ));
        }
        Ok(())
    }

    fn cites(&self) -> Vec<Cite> {
        let dynamics = match self.dynamics {
            Dynamics::Prototypical => "ernoult2019",
            Dynamics::Energy => "scellier2017",
        };
        let of_dynamics = Cite::setting(dynamics, format!("dynamics = \"{}\"", variant_name(&self.dynamics)));
        std::iter::once(of_dynamics).chain(cited(self.activations())).collect()
    }

    fn traits(&self) -> UnitTraits {
        let all = self.activations();
        let prototypical = self.dynamics == Dynamics::Prototypical;
        UnitTraits {
            dynamics: UnitDynamics::Settling,
            ports: 1,
            exact_signs: false,
            surrogate: false,
            spikes: false,
            rectifies: false,
            bounded: all.map(|a| a.range().is_some()),
            nudge_outside: self.nudge == NudgePosition::Outside,
            minimises: prototypical,
            complex_step: prototypical && self.nudge == NudgePosition::Inside,
            analytic: all.into_iter().all(Activation::is_analytic),
            without_energy: all.into_iter().find(|a| a.potential(0.5).is_none()),
            moves_rest: None,
            noise: self.noise,
        }
    }

    fn sign_keys(&mut self) -> Option<(&mut SignOfZero, &mut Surrogate)> {
        None
    }

    fn form(&self) -> Option<UnitForm> {
        None
    }

    fn smoothen(&mut self) -> bool {
        true
    }

    fn examples() -> Vec<Self> {
        let of = |activation| Self { activation, ..Self::default() };
        let energy = |activation| Self { dynamics: Dynamics::Energy, dt: 0.4, ..of(activation) };
        let output = |a| Self { output: Some(a), noise: 0.01, ..Self::default() };
        let outside = Self { nudge: NudgePosition::Outside, ..Self::default() };
        let shallow = Self { output: Some(Activation::HardSigmoid), ..of(Activation::Linear) };
        let each = Activation::ALL.into_iter().filter(|a| *a != Activation::Linear);
        each.clone()
            .map(of)
            .chain(each.map(energy))
            .chain(Activation::ALL.map(output))
            .chain([outside, shallow])
            .collect()
    }

    fn population(&self, output: bool) -> Box<dyn Population> {
        let activation = self.activations()[usize::from(output)];
        with_activation!(activation, A => match (self.dynamics, self.nudge) {
            (Dynamics::Energy, _) => Box::new(ElementwisePopulation(EnergyUnit::<A>::new(self.dt))),
            (_, NudgePosition::Inside) => Box::new(ElementwisePopulation(PrototypicalUnit::<A, true>::default())),
            (_, NudgePosition::Outside) => Box::new(ElementwisePopulation(PrototypicalUnit::<A, false>::default())),
        })
    }
}

/// s ← σ(∂Φ/∂s), with the nudge inside or outside σ.
#[derive(Clone, Copy, Debug, Default)]
pub struct PrototypicalUnit<A, const INSIDE: bool>(PhantomData<A>);

impl<A: ActivationFn, const INSIDE: bool> Neuron<0, 3, 2, 1> for PrototypicalUnit<A, INSIDE> {
    const OUTPUT_IS_STATE: bool = true;
    const IN_TIME: bool = false;
    const ACTIVATION: Option<Activation> = Some(A::KIND);

    const ANALYTIC: bool = INSIDE && !A::CLIPPED;

    #[inline(always)]
    fn analytic<T: Analytic>(&self, input: Input<T>, s: T) -> T {
        let Input { drive, nudge_offset: f, nudge_gain: k } = input;
        if matches!(A::KIND, Activation::Linear) {
            (drive + f) / (T::constant(1.0) + k)
        } else {
            A::core(drive + f - k * s)
        }
    }

    fn states(&self) -> [StateVar; 1] {
        [StateVar { name: "s", start: 0.0 }]
    }

    fn own(&self) -> [Own; 0] {
        []
    }

    fn initial_output(&self) -> f64 {
        0.0
    }

    #[inline(always)]
    fn prepare<T: Real>(&self, now: Now<T>, _: [T; 0]) -> [T; 3] {
        [now.step, T::constant(1.0) - now.step, now.nudge_gain]
    }

    #[inline(always)]
    fn step<T: Real>(&self, [omega, keep, k]: [T; 3], [drive, f]: [T; 2], [s]: [T; 1]) -> ([T; 1], T) {
        let new = if INSIDE {
            self.analytic(Input { drive, nudge_offset: f, nudge_gain: k }, s)
        } else {
            // The clip stands inside the nudge here, so a nudged output may leave the box, as in the papers.
            A::apply(drive) + f - k * s
        };
        let mixed = keep * s + omega * new;
        let out = if INSIDE { A::clip(mixed) } else { mixed };
        ([out], out)
    }
}

/// ds/dt = −∂E/∂s with step ε, clipped to the activation's range; the output is ρ(s).
///
/// The loss is one of outputs, so the nudge acts through ρ like any drive. Scellier & Bengio (2017) write it on s, which is
/// the same for their ρ(s) = s within the range.
#[derive(Clone, Copy, Debug)]
pub struct EnergyUnit<A> {
    dt: f64,
    activation: PhantomData<A>,
}

impl<A> EnergyUnit<A> {
    /// Units with integration step `dt`, in units of the membrane time constant.
    pub fn new(dt: f64) -> Self {
        Self { dt, activation: PhantomData }
    }
}

impl<A: ActivationFn> Neuron<0, 2, 2, 1> for EnergyUnit<A> {
    const OUTPUT_IS_STATE: bool = false;
    const IN_TIME: bool = false;
    const ACTIVATION: Option<Activation> = Some(A::KIND);

    fn states(&self) -> [StateVar; 1] {
        [StateVar { name: "s", start: 0.0 }]
    }

    fn own(&self) -> [Own; 0] {
        []
    }

    fn initial_output(&self) -> f64 {
        A::apply(0.0)
    }

    #[inline(always)]
    fn prepare<T: Real>(&self, now: Now<T>, _: [T; 0]) -> [T; 2] {
        [now.step * T::constant(self.dt), now.nudge_gain]
    }

    #[inline(always)]
    fn step<T: Real>(&self, [dt, k]: [T; 2], [drive, f]: [T; 2], [s]: [T; 1]) -> ([T; 1], T) {
        let s = within::<A, T>(s + dt * (A::slope(s) * (drive + f - k * A::apply(s)) - s));
        ([s], A::apply(s))
    }
}

/// `s` within the range of its activation.
#[inline(always)]
pub(super) fn within<A: ActivationFn, T: Real>(s: T) -> T {
    match A::RANGE {
        Some((low, high)) => s.max(T::constant(low)).min(T::constant(high)),
        None => s,
    }
}
