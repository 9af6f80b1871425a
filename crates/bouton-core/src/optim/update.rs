//! How gradients become an update, whatever the optimiser: gathered over batches, clipped, and at a rate that rises first.
//!
//! Clipping takes every number of the gradient to ±v, or the gradient g of all parameters together to the length c:
//! g ← g·min(1, c/‖g‖) (Pascanu, Mikolov & Bengio 2013). Warm-up: rates are multiplied by (k + 1)/n in update k < n (Goyal et al.
//! 2017). Gathering: the gradient of n batches of b samples is the mean over the n·b samples, Σ_i b_i/(Σ_j b_j)·g_i.

use crate::axis::Cite;
use bouton_kernels::{Mat, ViewMut, clamp, scale_view, squared_norm};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How gradients become an update, whatever the optimiser (`[update]`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct UpdateSpec {
    /// Longest gradient of an update: a longer one, over all parameters that learn, is shortened to this length. It is what the
    /// credit rule found, after `clip-value`; weight decay and the pull of an anchor come on top. Each draw of `run.train-draws`
    /// is clipped for itself. Default: as long as it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("exclusiveMinimum" = 0, "maximum" = 1e12, "x-hint" = "1 is usual; leave it out not to clip"))]
    pub clip_norm: Option<f64>,
    /// Largest number of a gradient: those beyond ± this one are set to it, before `clip-norm`. Default: as large as they are.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("exclusiveMinimum" = 0, "maximum" = 1e12, "x-hint" = "0.5 is usual; leave it out not to clip"))]
    pub clip_value: Option<f64>,
    /// Updates n of a linear warm-up: every rate that the schedule reaches is multiplied by (k + 1)/n in update k < n, on top of
    /// the schedule's factor. The count begins with the optimiser's state: once in training, and again with every task where
    /// `continual.reset-optimiser` forgets that state. Default: none.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("minimum" = 1, "maximum" = 1_000_000_000, "x-hint" = "the updates of the first few epochs"))]
    pub warm_up: Option<u64>,
    /// Batches whose gradients are averaged for one update, as if they were one batch. What is left of them at the end of an
    /// epoch makes an update, too. Epochs, logs, checkpoints and limits count updates. Normalisation sees batch by batch, and
    /// its running means move once with each. Default: 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("minimum" = 1, "maximum" = 1_000_000, "x-hint" = "leave it out for an update after every batch"))]
    pub accumulate: Option<usize>,
}

impl UpdateSpec {
    /// Batches of an update.
    pub fn batches(&self) -> usize {
        self.accumulate.unwrap_or(1).max(1)
    }

    /// The factor on learning rates in update `k`, counted from 0 where the optimiser's state began.
    pub fn warm_up_factor(&self, k: u64) -> f64 {
        self.warm_up.map_or(1.0, |n| k.saturating_add(1).min(n) as f64 / n.max(1) as f64)
    }

    /// Whether gradients are clipped.
    pub(super) fn clips(&self) -> bool {
        self.clip_norm.is_some() || self.clip_value.is_some()
    }

    /// The publications that it comes from.
    pub fn cites(&self) -> Vec<Cite> {
        let clipped = self.clip_norm.map(|_| Cite::setting("pascanu2013", "clipped gradients"));
        let rising = self.warm_up.map(|_| Cite::setting("goyal2017", "warm-up"));
        clipped.into_iter().chain(rising).collect()
    }
}

/// What a gradient has to go through: no number beyond ± `bound`, then all of them times `scale`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Limits {
    pub(super) bound: Option<f64>,
    pub(super) scale: f64,
}

impl Limits {
    /// A gradient stays as it is.
    pub(super) const NONE: Self = Self { bound: None, scale: 1.0 };

    /// Shortens to `longest` what has this square of its length.
    pub(super) fn shorten(self, longest: f64, square: f64) -> Self {
        // A gradient of 0 has every direction: infinity times as short as it may be.
        Self { scale: (longest / square.sqrt()).min(1.0), ..self }
    }

    /// The square of the length of a gradient whose numbers are bounded.
    pub(super) fn square(self, g: &Mat) -> f64 {
        squared_norm(g.view(), self.bound)
    }

    /// Changes a gradient, or some rows of it. What is not a number stays so.
    pub(super) fn apply(self, mut g: ViewMut<'_>) {
        if let Some(bound) = self.bound {
            clamp(g.reborrow(), bound);
        }
        if self.scale != 1.0 {
            scale_view(g, self.scale);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bouton_kernels::DType;

    #[test]
    fn rates_rise_to_one_and_stay() {
        let spec = UpdateSpec { warm_up: Some(4), ..UpdateSpec::default() };
        assert_eq!(
            [0, 1, 2, 3, 4, u64::MAX].map(|k| spec.warm_up_factor(k)),
            [0.25, 0.5, 0.75, 1.0, 1.0, 1.0]
        );
        assert_eq!(UpdateSpec::default().warm_up_factor(0), 1.0);
    }

    #[test]
    fn bounds_come_before_the_length_and_leave_what_is_no_number() {
        for dtype in [DType::F32, DType::F64] {
            let g = Mat::from_f64s(dtype, 1, 3, &[8.0, -9.0, 1.0]);
            let limits = Limits { bound: Some(4.0), scale: 1.0 };
            assert_eq!(limits.square(&g), 33.0);
            let limits = limits.shorten(0.5 * 33_f64.sqrt(), 33.0);
            let mut clipped = g.clone();
            limits.apply(clipped.view_mut());
            assert_eq!((0..3).map(|i| clipped.get(0, i)).collect::<Vec<_>>(), [2.0, -2.0, 0.5]);
            assert_eq!(limits.shorten(7.0, 33.0).scale, 1.0, "a short gradient stays");
            assert_eq!(limits.shorten(7.0, 0.0).scale, 1.0, "none stays, too");
            let mut lost = Mat::from_f64s(dtype, 1, 2, &[f64::NAN, 1.0]);
            assert!(limits.square(&lost).is_nan());
            limits.apply(lost.view_mut());
            assert!(lost.get(0, 0).is_nan());
        }
    }
}
