//! Competition of ranked units (Krotov & Hopfield 2019): the winner learns, a unit further down the ranks unlearns.
//!
//!   I = Σ_j sign(W_j)|W_j|^{p−1} x_j,   g = 1 for the largest I, −Δ for the k-th largest, 0 for others
//!   ΔW = Σ g (x − I W) / max |Σ g (x − I W)|   over a batch, the largest change of the whole matrix being 1
//!
//! Weights of a unit that wins come to ‖W‖_p = 1. Ties go to the first of the units.

use super::local::{LayerWise, Local, Pull, Response};
use super::{Credit, CreditMethod, CreditNeeds};
use crate::axis::{Cite, Place};
use crate::error::Result;
use crate::network::Network;
use crate::solver::Solver;
use bouton_kernels::{Elem, Mat, dispatch};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Competition of ranked units (`[credit.krotov-hopfield]`).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct KrotovHopfield {
    /// p, the norm in which weights come to length 1. Default 2.
    #[schemars(extend("minimum" = 1, "maximum" = 16, "x-hint" = "2 or 3 are usual"))]
    pub p: f64,
    /// k, the rank of the unit that unlearns. Default 2.
    #[schemars(extend("minimum" = 2, "maximum" = 65_536, "x-hint" = "2 to 7 are usual"))]
    pub rank: usize,
    /// Δ, how much it unlearns. Default 0.4.
    #[schemars(extend("minimum" = 0, "maximum" = 1e6, "x-hint" = "0.4 is usual"))]
    pub strength: f64,
    /// Batches that hidden populations learn from; afterwards the output alone learns. Default: all of them.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("minimum" = 1, "maximum" = i64::MAX, "x-hint" = "as many batches as an epoch has are usual"))]
    pub updates: Option<u64>,
}

impl Default for KrotovHopfield {
    fn default() -> Self {
        Self { p: 2.0, rank: 2, strength: 0.4, updates: None }
    }
}

impl CreditMethod for KrotovHopfield {
    fn check(&self, _: &Place) -> Result<()> {
        Ok(())
    }

    fn cites(&self) -> Vec<Cite> {
        vec![Cite::of("krotov2019")]
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
        vec![Self::default(), Self { p: 3.0, rank: 3, strength: 0.2, updates: Some(1) }]
    }

    fn build(&self, _: Solver, network: &Network, _: usize) -> Box<dyn Credit> {
        Box::new(LayerWise::new(Box::new(*self), self.updates, network))
    }
}

impl Local for KrotovHopfield {
    fn sees_drives(&self) -> bool {
        true
    }

    fn lens(&self, weight: &Mat) -> Option<Mat> {
        let lens = |w: f64| w.signum() * w.abs().powf(self.p - 1.0);
        (self.p != 2.0).then(|| {
            Mat::from_fn(weight.dtype(), weight.rows(), weight.cols(), |r, c| lens(weight.get(r, c)))
        })
    }

    fn respond(&self, drives: &Mat, _: &mut Mat) -> Response {
        let mut y = Mat::zeros(drives.dtype(), drives.rows(), drives.cols());
        let mut pull = vec![0.0; drives.cols()];
        let rank = self.rank.min(drives.cols());
        dispatch!(drives.dtype(), T => for r in 0..drives.rows() {
            let row = drives.view().row::<T>(r);
            let mut order: Vec<usize> = (0..row.len()).collect();
            let larger = |a: &usize, b: &usize| row[*b].to_f64().total_cmp(&row[*a].to_f64()).then(a.cmp(b));
            order.select_nth_unstable_by(rank - 1, larger);
            order[..rank].sort_unstable_by(larger);
            let mut view = y.view_mut();
            let to = view.row_mut::<T>(r);
            let loser = (rank > 1).then(|| (order[rank - 1], -self.strength));
            for (unit, g) in std::iter::once((order[0], 1.0)).chain(loser) {
                to[unit] = T::from_f64(g);
                pull[unit] += g * row[unit].to_f64();
            }
        });
        Response { y, pull: Pull::Each(pull) }
    }

    fn finish(&self, change: &mut Mat, _: usize, _: &Mat) {
        super::local::to_largest_one(change);
    }
}
