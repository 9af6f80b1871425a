//! SoftHebb: soft competition, Hebbian for the winner and anti-Hebbian for all others (Moraitis et al. 2022; Journé et al. 2023).
//!
//!   s = softmax(t u),  u = W x,   y = +s for the largest u, −s for others,   ΔW = Σ y (x − u W) / max |Σ y (x − u W)|
//!   each unit at a rate of its own, |‖W‖ − 1|^½
//!
//! over samples and places of filters; u stands before pooling and activation. Weights of units that win come to ‖W‖ = 1.

use super::local::{LayerWise, Local, Pull, Response};
use super::{Credit, CreditMethod, CreditNeeds};
use crate::axis::{Cite, Place};
use crate::error::Result;
use crate::network::Network;
use crate::solver::Solver;
use bouton_kernels::{Elem, Mat, dispatch};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// SoftHebb (`[credit.soft-hebb]`).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct SoftHebb {
    /// t, the inverse temperature of the competition. Default 1.
    #[schemars(extend("exclusiveMinimum" = 0, "maximum" = 1e6, "x-hint" = "0.25 to 12 are usual"))]
    pub sharpness: f64,
    /// Whether units that lose unlearn what they see, y = −s, and not learn it a little, y = +s. Default true.
    pub anti: bool,
    /// Whether a unit learns the less the nearer its weights are to length 1. Default true.
    pub adaptive: bool,
    /// Batches that hidden populations learn from; afterwards the output alone learns. Default: all of them.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("minimum" = 1, "maximum" = i64::MAX, "x-hint" = "as many batches as an epoch has are usual"))]
    pub updates: Option<u64>,
}

impl Default for SoftHebb {
    fn default() -> Self {
        Self { sharpness: 1.0, anti: true, adaptive: true, updates: None }
    }
}

impl CreditMethod for SoftHebb {
    fn check(&self, _: &Place) -> Result<()> {
        Ok(())
    }

    fn cites(&self) -> Vec<Cite> {
        vec![Cite::of("moraitis2022"), Cite::of("journe2023")]
    }

    fn needs(&self) -> CreditNeeds {
        CreditNeeds::local()
    }

    fn steps_mut(&mut self) -> Vec<&mut usize> {
        Vec::new()
    }

    fn copies(&self) -> usize {
        4
    }

    fn examples() -> Vec<Self> {
        let first = Self::default();
        vec![
            first,
            Self { anti: false, sharpness: 3.0, ..first },
            Self { adaptive: false, updates: Some(1), ..first },
        ]
    }

    fn build(&self, _: Solver, network: &Network, _: usize) -> Box<dyn Credit> {
        Box::new(LayerWise::new(Box::new(*self), self.updates, network))
    }
}

impl Local for SoftHebb {
    fn sees_drives(&self) -> bool {
        true
    }

    fn respond(&self, drives: &Mat, _: &mut Mat) -> Response {
        let (mut y, mut pull) = (drives.clone(), vec![0.0; drives.cols()]);
        dispatch!(drives.dtype(), T => for r in 0..drives.rows() {
            let u = drives.view().row::<T>(r);
            let mut view = y.view_mut();
            let s = view.row_mut::<T>(r);
            let winner = largest(u);
            soften(s, self.sharpness, u[winner]);
            for (unit, s) in s.iter_mut().enumerate() {
                if self.anti && unit != winner {
                    *s = -*s;
                }
                pull[unit] += s.to_f64() * u[unit].to_f64();
            }
        });
        Response { y, pull: Pull::Each(pull) }
    }

    fn finish(&self, change: &mut Mat, _: usize, weight: &Mat) {
        super::local::to_largest_one(change);
        if !self.adaptive {
            return;
        }
        dispatch!(change.dtype(), T => for r in 0..change.rows() {
            let length = weight.view().row::<T>(r).iter().map(|w| w.to_f64() * w.to_f64()).sum::<f64>().sqrt();
            let rate = T::from_f64(((length - 1.0).abs() + 1e-10).sqrt());
            change.view_mut().row_mut::<T>(r).iter_mut().for_each(|d| *d *= rate);
        });
    }
}

/// The first of the largest.
fn largest<T: Elem>(u: &[T]) -> usize {
    (1..u.len()).fold(0, |best, i| if u[i] > u[best] { i } else { best })
}

/// softmax(t u) in place, of which `most` is the largest.
fn soften<T: Elem>(u: &mut [T], t: f64, most: T) {
    let mut sum = 0.0;
    for u in u.iter_mut() {
        let p = (t * (u.to_f64() - most.to_f64())).exp();
        sum += p;
        *u = T::from_f64(p);
    }
    u.iter_mut().for_each(|p| *p = T::from_f64(p.to_f64() / sum));
}
