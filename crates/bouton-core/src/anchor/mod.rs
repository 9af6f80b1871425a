//! Quadratic anchors: what keeps a parameter near the values that earlier tasks needed.
//!
//! Every anchor adds k Σ_t Ω_t (θ − θ_t)² to the loss, hence 2k (Ω θ − P) with Ω = Σ_t Ω_t and P = Σ_t Ω_t θ_t to the
//! gradient: two matrices per parameter hold any number of tasks. They differ in how a task's importance Ω_t is
//! measured, how it joins the earlier ones, and where the anchor then lies.

mod ewc;
mod mas;
mod si;

pub use ewc::{Ewc, Fisher, OnlineEwc};
pub use mas::Mas;
pub use si::{Path, PathGradient, SynapticIntelligence};

use crate::axis::{Cite, axis};
use bouton_kernels::{Elem, Mat, Real, View, ViewMut, dispatch, vectorize};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

axis! {
    /// The anchor of a recipe: `[anchor.<name>]`.
    #[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
    #[serde(rename_all = "kebab-case", deny_unknown_fields)]
    pub enum AnchorSpec: AnchorMethod [
        /// Nothing is held.
        #[default]
        None = Nothing
    ] {
        /// Elastic weight consolidation, one penalty per task (Kirkpatrick et al. 2017).
        Ewc(Ewc),
        /// Elastic weight consolidation with one decaying penalty (Schwarz et al. 2018).
        OnlineEwc(OnlineEwc),
        /// Synaptic intelligence (Zenke, Poole & Ganguli 2017).
        Si(SynapticIntelligence),
        /// Memory aware synapses (Aljundi et al. 2018).
        Mas(Mas),
    }
}

/// What a recipe's anchor says of itself, in its own file.
pub trait AnchorMethod: std::fmt::Debug {
    /// The publications that it comes from.
    fn cites(&self) -> Vec<Cite>;
    /// What it wants of the other axes.
    fn needs(&self) -> AnchorNeeds;
    /// Settings for the tests of every member, in which each word and each switch occurs.
    fn examples() -> Vec<Self>
    where
        Self: Sized;
    /// The anchor itself, if there is one.
    fn build(&self) -> Option<Box<dyn Anchor>>;
}

/// What an anchor wants of the other axes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AnchorNeeds {
    /// Whether it holds anything: then tasks have to end, and weights must not be samples.
    pub holds: bool,
    /// Whether it measures gradients sample by sample.
    pub per_sample: bool,
    /// Whether it measures the Fisher information, which only a log-likelihood has.
    pub log_likelihood: bool,
}

impl AnchorNeeds {
    /// Tasks that end, and nothing else.
    pub const TASKS: Self = Self { holds: true, per_sample: false, log_likelihood: false };
    /// Gradients sample by sample, at the end of a task.
    pub const SAMPLES: Self = Self { per_sample: true, ..Self::TASKS };
}

/// No anchor.
#[derive(Debug)]
struct Nothing;

impl AnchorMethod for Nothing {
    fn cites(&self) -> Vec<Cite> {
        Vec::new()
    }

    fn needs(&self) -> AnchorNeeds {
        AnchorNeeds { holds: false, per_sample: false, log_likelihood: false }
    }

    fn examples() -> Vec<Self> {
        vec![Self]
    }

    fn build(&self) -> Option<Box<dyn Anchor>> {
        None
    }
}

impl AnchorSpec {
    /// The anchor itself, if there is one.
    pub fn build(&self) -> Option<Box<dyn Anchor>> {
        self.method().build()
    }
}

/// How the importance of a finished task is measured.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Importance {
    /// Mean squared gradient over some samples of the task, at the end of it.
    Fisher(Fisher, Option<usize>),
    /// Mean |∂‖output‖²/∂θ| over some samples of the task, at the end of it.
    Sensitivity(Option<usize>),
    /// Along the way: −∫ g dθ, over the squared distance travelled plus ξ.
    Path(Path),
}

/// An anchor.
pub trait Anchor: Send + Sync + std::fmt::Debug {
    /// k of the penalty k Σ Ω (θ − θ*)².
    fn strength(&self) -> f64;
    /// How a task's importance is measured.
    fn importance(&self) -> Importance;
    /// Total importance after a task of importance `new`.
    fn merge_importance(&self, old: f64, new: f64) -> f64;
    /// Whether all importance moves to where the last task ended, instead of each task's staying where it was.
    fn recentres(&self) -> bool;
    /// Whether importances are shuffled within each parameter: the control that should not help.
    fn shuffles(&self) -> bool;
    /// Whether the hidden weight of a binary synapse is held, instead of the weight that the loss sees.
    fn hidden(&self) -> bool;
}

/// What an anchor keeps of one parameter.
#[derive(Clone, Debug)]
pub struct ConsolidationState {
    /// Ω, importance.
    pub importance: Mat,
    /// P = Σ Ω_t θ_t.
    pub weighted_target: Mat,
    /// −∫ g dθ since the task began; empty for anchors that measure at the end.
    pub path: Mat,
    /// θ when the task began; empty for anchors that measure at the end.
    pub start: Mat,
}

impl ConsolidationState {
    /// Nothing held yet; `theta` is where the first task begins.
    pub fn new(anchor: &dyn Anchor, theta: &Mat) -> Self {
        let zeros = || Mat::zeros(theta.dtype(), theta.rows(), theta.cols());
        let traces = matches!(anchor.importance(), Importance::Path(_));
        let empty = || Mat::zeros(theta.dtype(), 0, 0);
        Self {
            importance: zeros(),
            weighted_target: zeros(),
            path: if traces { zeros() } else { empty() },
            start: if traces { theta.clone() } else { empty() },
        }
    }

    /// Takes in a finished task that ended at `theta`, of importance `new` (ignored by anchors that trace the way).
    pub fn consolidate(&mut self, anchor: &dyn Anchor, theta: &Mat, new: Option<&Mat>) {
        let traced = match anchor.importance() {
            Importance::Path(path) => Some(path),
            _ => None,
        };
        dispatch!(theta.dtype(), T => {
            let theta = theta.slice::<T>();
            let (omega, target) = (self.importance.slice_mut::<T>(), self.weighted_target.slice_mut::<T>());
            for (i, &at) in theta.iter().enumerate() {
                let task = match (traced, new) {
                    (Some(path), _) => {
                        let (way, start) = (&mut self.path.slice_mut::<T>()[i], &mut self.start.slice_mut::<T>()[i]);
                        let task = path.importance(way.to_f64(), (at - *start).to_f64());
                        (*way, *start) = (T::constant(0.0), at);
                        task
                    }
                    (None, Some(new)) => new.slice::<T>()[i].to_f64(),
                    (None, None) => 0.0,
                };
                omega[i] = T::from_f64(anchor.merge_importance(omega[i].to_f64(), task));
                target[i] = if anchor.recentres() { omega[i] * at } else { target[i] + T::from_f64(task) * at };
            }
        });
    }
}

/// Adds the gradient of the penalty, 2k (Ω θ − P), to `gradient`.
pub(crate) fn add_penalty(
    strength: f64,
    theta: View<'_>,
    omega: View<'_>,
    weighted_target: View<'_>,
    mut gradient: ViewMut<'_>,
) {
    dispatch!(theta.dtype(), T => {
        let twice = T::constant(2.0 * strength);
        let (theta, omega, target) = (theta.slice::<T>(), omega.slice::<T>(), weighted_target.slice::<T>());
        let gradient = gradient.slice_mut::<T>();
        vectorize(#[inline(always)] move || {
            let n = gradient.len();
            let (theta, omega, target) = (&theta[..n], &omega[..n], &target[..n]);
            for i in 0..n {
                gradient[i] += twice * (omega[i] * theta[i] - target[i]);
            }
        });
    });
}

/// Adds −g (θ_new − θ_old) to `path`.
pub fn trace_path(gradient: View<'_>, old: View<'_>, new: View<'_>, mut path: ViewMut<'_>) {
    dispatch!(new.dtype(), T => trace::<T>(gradient.slice(), old.slice(), new.slice(), path.slice_mut()));
}

fn trace<T: Elem>(g: &[T], old: &[T], new: &[T], path: &mut [T]) {
    vectorize(
        #[inline(always)]
        move || {
            let n = path.len();
            let (g, old, new) = (&g[..n], &old[..n], &new[..n]);
            for i in 0..n {
                path[i] -= g[i] * (new[i] - old[i]);
            }
        },
    );
}

#[cfg(test)]
mod tests {
    use super::*;
    use bouton_kernels::DType;

    fn row(values: &[f64]) -> Mat {
        Mat::from_f64s(DType::F64, 1, values.len(), values)
    }

    /// Two tasks with their own optima: the sum of both quadratic penalties, written out.
    #[test]
    fn two_matrices_hold_any_number_of_tasks() {
        let ewc = Ewc { lambda: 3.0, ..Ewc::default() };
        let mut consolidation = ConsolidationState::new(&ewc, &row(&[0.0, 0.0]));
        consolidation.consolidate(&ewc, &row(&[1.0, -1.0]), Some(&row(&[0.5, 2.0])));
        consolidation.consolidate(&ewc, &row(&[2.0, 0.5]), Some(&row(&[0.25, 1.0])));
        let theta = [0.3, 0.7];
        let mut g = row(&[0.0, 0.0]);
        let at = row(&theta);
        add_penalty(
            ewc.strength(),
            at.view(),
            consolidation.importance.view(),
            consolidation.weighted_target.view(),
            g.view_mut(),
        );
        let by_hand = [
            3.0 * (0.5 * (theta[0] - 1.0) + 0.25 * (theta[0] - 2.0)),
            3.0 * (2.0 * (theta[1] + 1.0) + (theta[1] - 0.5)),
        ];
        for (g, hand) in g.to_f64s().iter().zip(by_hand) {
            assert!((g - hand).abs() < 1e-12);
        }
    }

    #[test]
    fn an_online_anchor_lies_where_the_last_task_ended() {
        let online = OnlineEwc { lambda: 1.0, decay: 0.5, ..OnlineEwc::default() };
        let mut consolidation = ConsolidationState::new(&online, &row(&[0.0]));
        consolidation.consolidate(&online, &row(&[1.0]), Some(&row(&[4.0])));
        consolidation.consolidate(&online, &row(&[3.0]), Some(&row(&[1.0])));
        assert_eq!(
            (consolidation.importance.to_f64s(), consolidation.weighted_target.to_f64s()),
            (vec![3.0], vec![9.0])
        );
    }
}
