//! Reward-modulated learning by three factors: what each unit remembers of its input, times how far a reward was above what is usual.
//!
//!   a ~ p = softmax(y/τ),  R = 1 if a is the class, else 0,  ∂ℓ/∂y ≈ −(R − b) (1_a − p)/τ,  b ← ρ b + (1 − ρ) ⟨R⟩
//!
//! The answer is drawn, and nothing is known of other answers: on average that is the gradient of the expected reward p_y (REINFORCE,
//! Williams 1992), whatever the baseline b. It reaches units as learning signals of [`EProp`](super::EProp) do, and meets their
//! eligibility there (Gerstner et al. 2018).

use super::through_time::{ThroughTime, goes_forth_by};
use super::{Batch, Credit, CreditMethod, CreditNeeds, GradCollector, GradSink, PhaseStates, Step};
use crate::axis::{Cite, Place};
use crate::error::Result;
use crate::network::{Network, Path, Visitor};
use crate::neuron::UnitDynamics;
use crate::objective::{Objective, TargetView};
use crate::rng::Key;
use crate::solver::Solver;
use bouton_kernels::{DType, Elem, Mat, View, dispatch};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Reward-modulated learning by three factors (`[credit.three-factor]`).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct ThreeFactor {
    /// ρ: what the usual reward keeps of itself from batch to batch. Default 0.9.
    #[schemars(extend("minimum" = 0, "exclusiveMaximum" = 1, "x-hint" = "0.9 averages some ten batches"))]
    pub baseline: f64,
}

impl Default for ThreeFactor {
    fn default() -> Self {
        Self { baseline: 0.9 }
    }
}

/// The rule, and what reward is usual.
#[derive(Debug)]
struct ThreeFactorRule {
    rho: f64,
    /// b, [1, 1].
    usual: Mat,
}

impl ThreeFactorRule {
    fn way(&self) -> ThroughTime {
        ThroughTime { usual_reward: Some(self.usual.get(0, 0)), ..ThroughTime::whole(Path::E_PROP) }
    }
}

/// Replaces an error by that of an answer drawn for each row, by the numbers of its key; the sum of their rewards.
pub(super) fn of_drawn_answers(
    objective: &dyn Objective,
    own: &[f64],
    out: View<'_>,
    (targets, usual): (TargetView<'_>, f64),
    key: &dyn Fn(usize) -> Key,
    err: &mut Mat,
) -> f64 {
    let colder = 1.0 / objective.softmax(own).unwrap_or(1.0);
    err.view_mut().copy_from(out);
    objective.to_probabilities(err.view_mut(), own);
    let mut rewards = 0.0;
    dispatch!(err.dtype(), T => for r in 0..err.rows() {
        let mut view = err.view_mut();
        let p = view.row_mut::<T>(r);
        let answer = drawn(p, key(r).stream().uniform());
        let reward = f64::from(u8::from(answer == targets.class(r)));
        rewards += reward;
        p[answer] -= T::from_f64(1.0);
        let by = T::from_f64((reward - usual) * colder);
        p.iter_mut().for_each(|p| *p *= by);
    });
    rewards
}

/// The answer whose share of 1 a uniform number falls into.
fn drawn<T: Elem>(p: &[T], at: f64) -> usize {
    let mut sum = 0.0;
    let mut below = |p: &T| {
        sum += p.to_f64();
        sum <= at
    };
    p.iter().take_while(|p| below(p)).count().min(p.len() - 1)
}

impl Credit for ThreeFactorRule {
    fn learn(
        &mut self,
        network: &mut Network,
        batch: &Batch,
        objective: &dyn Objective,
        sink: &mut dyn GradSink,
        key: &Key,
    ) -> Result<Step> {
        let step = self.way().learn(network, batch, objective, sink, key)?;
        if step.samples > 0 {
            let mean = step.rewards / step.samples as f64;
            let usual = self.rho * self.usual.get(0, 0) + (1.0 - self.rho) * mean;
            self.usual = Mat::from_f64s(DType::F64, 1, 1, &[usual]);
        }
        Ok(step)
    }

    goes_forth_by!(way);

    fn send_back(
        &self,
        network: &Network,
        batch: &Batch,
        gradient: &Mat,
        key: Option<&Key>,
    ) -> Result<(GradCollector, Option<Mat>)> {
        self.way().send_back(network, batch, gradient, key)
    }

    fn visit(&mut self, visitor: &mut Visitor<'_>) -> Result<()> {
        visitor("credit.usual-reward", &mut self.usual)
    }
}

impl CreditMethod for ThreeFactor {
    fn check(&self, _: &Place) -> Result<()> {
        Ok(())
    }

    fn cites(&self) -> Vec<Cite> {
        vec![Cite::of("williams1992"), Cite::of("gerstner2018")]
    }

    fn needs(&self) -> CreditNeeds {
        CreditNeeds { exact: false, rewards: true, ..CreditNeeds::gradient(UnitDynamics::Stepping) }
    }

    fn steps_mut(&mut self) -> Vec<&mut usize> {
        Vec::new()
    }

    fn copies(&self) -> usize {
        4
    }

    fn examples() -> Vec<Self> {
        vec![Self::default(), Self { baseline: 0.5 }]
    }

    fn build(&self, _: Solver, _: &Network, _: usize) -> Box<dyn Credit> {
        Box::new(ThreeFactorRule { rho: self.baseline, usual: Mat::zeros(DType::F64, 1, 1) })
    }
}
