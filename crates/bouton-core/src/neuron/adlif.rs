//! Adaptive leaky integrate-and-fire units whose membrane u swings with a slow current w, in the order of symplectic Euler (Baronig et
//! al. 2025): the current follows the membrane of the same step, after its reset.
//!
//!   û = αu + (1 − α)(d − w),  z = [û ≥ θ],  u ← û(1 − z),  w ← βw + (1 − β)q(a·u + b·z)
//!
//! With α = e^{−dt/τ} and β = e^{−dt/τ_a}, subthreshold steps are a matrix of determinant αβ whatever a is: swings decay by √(αβ) a
//! step. In the forward order w sees u and z of the step before: there the determinant is αβ + (1 − α)(1 − β)qa.
//! The equations, the order and the factor q were compared with the authors' program; ranges are those of its settings for
//! spoken digits (a from 0 to 1, b from 0 to 2, τ from 5 to 25, τ_a from 60 to 300, q = 120, at steps of 1).

use super::leaky::TIME_CONSTANT;
use super::lif::THRESHOLD;
use super::membrane::{Firing, Reset, spiking_traits};
use super::spike::{Comparison, SpikeSurrogate};
use super::{ElementwisePopulation, Neuron, NeuronMethod, Now, Population, StateVar, linear};
use crate::Result;
use crate::axis::{Cite, Place};
use crate::own::{Own, OwnSpec, OwnTable};
use bouton_kernels::Real;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Where the couplings stay.
const COUPLING: (f64, f64) = (0.0, 100.0);

/// Which membrane and which spike the slow current sees.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Order {
    /// Those of the same step, after the reset (symplectic Euler).
    #[default]
    Symplectic,
    /// Those of the step before (forward Euler).
    Forward,
}

/// Leaky integrate-and-fire units whose membrane swings with a slow current (`[neuron.adlif]`). A population that is an output without
/// a choice of its own is linear.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct Adlif {
    /// Membrane time constant τ, in the unit of `time.dt`. Default: drawn from 5 to 25.
    pub tau: OwnSpec,
    /// Time constant τ_a of the slow current. Default: drawn from 60 to 300.
    pub tau_adaptation: OwnSpec,
    /// How far the membrane drives the slow current, a. Default: drawn from 0 to 1.
    pub a: OwnSpec,
    /// How far a spike does, b. Default: drawn from 0 to 2.
    pub b: OwnSpec,
    /// Factor q on a and b, which lets numbers of about 1 learn at the rate of weights. Default 120.
    #[schemars(extend("minimum" = 0, "maximum" = 1e6, "x-hint" = "60 to 120 are usual; 1 without a factor"))]
    pub scale: f64,
    /// Threshold θ. Default 1.
    pub threshold: OwnSpec,
    /// Which membrane and which spike the slow current sees.
    pub order: Order,
    /// Whether a unit exactly at its threshold fires.
    pub comparison: Comparison,
    /// What stands for the derivative of a spike.
    pub surrogate: SpikeSurrogate,
    /// What a spike does to the membrane, within its step. Default "zero".
    pub reset: Reset,
    /// Whether gradients go by way of the reset. Default false.
    pub reset_gradient: bool,
    /// Let spikes be the primitive of the surrogate, and gradients go by way of the reset, so that they can be checked against
    /// differences of the loss. Default false.
    pub smooth: bool,
}

impl Default for Adlif {
    fn default() -> Self {
        let drawn =
            |low, high| OwnSpec::Table(OwnTable { uniform: Some([low, high]), ..OwnTable::default() });
        Self {
            tau: drawn(5.0, 25.0),
            tau_adaptation: drawn(60.0, 300.0),
            a: drawn(0.0, 1.0),
            b: drawn(0.0, 2.0),
            scale: 120.0,
            threshold: OwnSpec::Value(1.0),
            order: Order::default(),
            comparison: Comparison::default(),
            surrogate: SpikeSurrogate::default(),
            reset: Reset::Zero,
            reset_gradient: false,
            smooth: false,
        }
    }
}

impl NeuronMethod for Adlif {
    fn check(&self, at: &Place, dt: f64) -> Result<()> {
        self.tau.check(at, "tau", TIME_CONSTANT)?;
        self.tau_adaptation.check(at, "tau-adaptation", TIME_CONSTANT)?;
        self.a.check(at, "a", COUPLING)?;
        self.b.check(at, "b", COUPLING)?;
        self.threshold.check(at, "threshold", THRESHOLD)?;
        let most = self.a.reach(COUPLING).1;
        let bound = self.stable_below(dt) / self.scale;
        let need =
            format!("below {bound:.4}, or swings grow from step to step (order, tau, tau-adaptation, scale)");
        let hint = "keep a or the time constants in a range, as in a = { uniform = [0, 1], learned = true, range = [0, 1] }";
        at.require(self.scale == 0.0 || most < bound, "a", format!("up to {most}"), &need, hint)
    }

    fn cites(&self) -> Vec<Cite> {
        vec![Cite::of("baronig2025")]
    }

    spiking_traits!();

    fn examples() -> Vec<Self> {
        let first = Self {
            tau: OwnSpec::learned(4.0, [2.0, 20.0]),
            tau_adaptation: OwnSpec::learned(9.0, [5.0, 50.0]),
            a: OwnSpec::learned(0.5, [0.0, 1.0]),
            b: OwnSpec::learned(0.7, [0.0, 2.0]),
            scale: 2.0,
            threshold: OwnSpec::learned(0.4, THRESHOLD.into()),
            surrogate: SpikeSurrogate::Sigmoid(3.0),
            reset_gradient: true,
            smooth: true,
            ..Self::default()
        };
        vec![
            first,
            Self { reset: Reset::Subtract, surrogate: SpikeSurrogate::FastSigmoid(2.0), ..first },
            Self { reset: Reset::None, surrogate: SpikeSurrogate::Arctan(2.0), ..first },
            Self { order: Order::Forward, surrogate: SpikeSurrogate::Triangle(0.9), ..first },
            Self { comparison: Comparison::Greater, reset_gradient: false, smooth: false, ..first },
            Self { order: Order::Forward, smooth: false, ..first },
        ]
    }

    fn population(&self, output: bool) -> Box<dyn Population> {
        if output { linear() } else { Box::new(ElementwisePopulation(*self)) }
    }
}

impl Adlif {
    /// The least q·a that subthreshold swings do not decay at, for the shortest time constants: the eigenvalues of a step of trace t
    /// and determinant δ are within the unit circle if |t| < 1 + δ and δ < 1.
    fn stable_below(&self, dt: f64) -> f64 {
        let [alpha, beta] =
            [self.tau, self.tau_adaptation].map(|tau| (-dt / tau.reach(TIME_CONSTANT).0).exp());
        let per = (1.0 - alpha) * (1.0 - beta);
        match self.order {
            Order::Symplectic => (1.0 + alpha) * (1.0 + beta) / per,
            Order::Forward => (1.0 - alpha * beta) / per,
        }
    }

    #[inline(always)]
    fn firing(&self) -> Firing {
        Firing {
            surrogate: self.surrogate,
            comparison: self.comparison,
            reset: self.reset,
            early: true,
            through: self.reset_gradient,
            smooth: self.smooth,
        }
    }
}

impl Neuron<5, 7, 1, 3> for Adlif {
    const OUTPUT_IS_STATE: bool = false;
    const IN_TIME: bool = true;

    fn states(&self) -> [StateVar; 3] {
        ["u", "w", "z"].map(|name| StateVar { name, start: 0.0 })
    }

    fn own(&self) -> [Own; 5] {
        [
            self.tau.own("tau", TIME_CONSTANT),
            self.tau_adaptation.own("tau-adaptation", TIME_CONSTANT),
            self.a.own("a", COUPLING),
            self.b.own("b", COUPLING),
            self.threshold.own("threshold", THRESHOLD),
        ]
    }

    fn initial_output(&self) -> f64 {
        0.0
    }

    #[inline(always)]
    fn prepare<T: Real>(&self, now: Now<T>, [tau, tau_adaptation, a, b, theta]: [T; 5]) -> [T; 7] {
        let one = T::constant(1.0);
        let [alpha, beta] = [tau, tau_adaptation].map(|tau| (-now.step / tau).exp());
        let take = (one - beta) * T::constant(self.scale);
        [alpha, one - alpha, beta, take * a, take * b, theta, one / theta]
    }

    #[inline(always)]
    fn step<T: Real>(&self, c: [T; 7], [d]: [T; 1], [u, w, z]: [T; 3]) -> ([T; 3], T) {
        let [alpha, gain, beta, a, b, theta, per] = c;
        let before = (u, z);
        let u = alpha * u + gain * (d - w);
        let z = self.firing().spike((u - theta) * per);
        let u = self.reset.after(u, theta, self.firing().seen_by_reset(z));
        let (seen, spike) = match self.order {
            Order::Symplectic => (u, z),
            Order::Forward => before,
        };
        let w = beta * w + a * seen + b * spike;
        ([u, w, z], z)
    }
}
