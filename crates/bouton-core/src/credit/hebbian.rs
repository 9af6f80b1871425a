//! Hebbian rules of single units, of their answers y to inputs x; ⟨⟩ is the mean over samples (and places of filters).
//!
//! | rule | ΔW | where it leads linear units |
//! |---|---|---|
//! | `hebb` | ⟨y xᵀ⟩ | growth along the first principal component |
//! | `covariance` | ⟨(y − ⟨y⟩) xᵀ⟩ | the same of centred inputs |
//! | `instar` | ⟨y (x − w)⟩ | mean of the inputs that it answers (Grossberg 1976) |
//! | `oja` | ⟨y (x − y w)⟩ | w = ±e₁ (Oja 1982) |
//! | `subspace` | ⟨y xᵀ − y yᵀ W⟩ | the subspace of the first principal components (Oja 1989) |
//! | `sanger` | ⟨y xᵀ − LT(y yᵀ) W⟩ | w_i = ±e_i in order (Sanger 1989) |
//! | `bcm` | ⟨y (y − θ) xᵀ⟩, θ ← θ + (⟨y²⟩ − θ)/τ | one pattern (Bienenstock, Cooper & Munro 1982) |
//!
//! LT keeps the lower triangle with the diagonal. Weight decay, which `hebb` needs to stay finite, is the optimiser's.

use super::local::{LayerWise, Local, Pull, Response};
use super::{Credit, CreditMethod, CreditNeeds};
use crate::axis::{Cite, Place};
use crate::error::Result;
use crate::network::Network;
use crate::solver::Solver;
use bouton_kernels::{Mat, add_scaled, dispatch};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What a unit learns from its answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum HebbianRule {
    /// What fires together.
    Hebb,
    /// What fires together more than usual.
    Covariance,
    /// The mean of the inputs that it answers.
    Instar,
    /// The first principal component.
    #[default]
    Oja,
    /// The subspace of the first principal components.
    Subspace,
    /// The first principal components in order.
    Sanger,
    /// A pattern, above a threshold that follows the unit's own activity.
    Bcm,
}

/// Hebbian rules of single units (`[credit.hebbian]`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct Hebbian {
    /// Which rule. Default "oja".
    pub rule: HebbianRule,
    /// τ of the threshold of `rule = "bcm"`, in batches. Default there: 10.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("minimum" = 1, "maximum" = 1e9, "x-hint" = "faster than weights move: 1 to 100"))]
    pub tau: Option<f64>,
    /// Batches that hidden populations learn from; afterwards the output alone learns. Default: all of them.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend("minimum" = 1, "maximum" = i64::MAX, "x-hint" = "as many batches as an epoch has are usual"))]
    pub updates: Option<u64>,
}

impl CreditMethod for Hebbian {
    fn check(&self, at: &Place) -> Result<()> {
        let slides = self.rule == HebbianRule::Bcm;
        at.require(
            slides || self.tau.is_none(),
            "tau",
            "given",
            "left out: only rule = \"bcm\" has a threshold",
            "leave it out",
        )
    }

    fn cites(&self) -> Vec<Cite> {
        let of = |key| vec![Cite::of(key)];
        match self.rule {
            HebbianRule::Hebb | HebbianRule::Covariance => Vec::new(),
            HebbianRule::Instar => of("grossberg1976"),
            HebbianRule::Oja => of("oja1982"),
            HebbianRule::Subspace => of("oja1989"),
            HebbianRule::Sanger => of("sanger1989"),
            HebbianRule::Bcm => of("bienenstock1982"),
        }
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
        use HebbianRule::{Bcm, Covariance, Hebb, Instar, Oja, Sanger, Subspace};
        let of = |rule| Self { rule, tau: None, updates: None };
        let last = [Self { updates: Some(1), ..of(Oja) }, Self { tau: Some(3.0), ..of(Bcm) }];
        [Hebb, Covariance, Instar, Oja, Subspace, Sanger].map(of).into_iter().chain(last).collect()
    }

    fn build(&self, _: Solver, network: &Network, _: usize) -> Box<dyn Credit> {
        let local = Plain { rule: self.rule, tau: self.tau.unwrap_or(10.0) };
        Box::new(LayerWise::new(Box::new(local), self.updates, network))
    }
}

/// A rule of the table.
#[derive(Clone, Copy, Debug)]
struct Plain {
    rule: HebbianRule,
    tau: f64,
}

impl Local for Plain {
    fn sees_drives(&self) -> bool {
        false
    }

    fn respond(&self, answers: &Mat, theta: &mut Mat) -> Response {
        let y = answers.clone();
        let each = |f: &dyn Fn(f64) -> f64| Pull::Each(sums(answers, f));
        match self.rule {
            HebbianRule::Hebb => Response { y, pull: Pull::Nothing },
            HebbianRule::Covariance => Response { y: centred(y), pull: Pull::Nothing },
            HebbianRule::Instar => Response { y, pull: each(&|y| y) },
            HebbianRule::Oja => Response { y, pull: each(&|y| y * y) },
            HebbianRule::Subspace => Response { y, pull: Pull::Among(products(answers, |_, _| true)) },
            HebbianRule::Sanger => Response { y, pull: Pull::Among(products(answers, |i, k| k <= i)) },
            HebbianRule::Bcm => Response { y: above(answers, theta, self.tau), pull: Pull::Nothing },
        }
    }
}

/// Σ f(y) over rows, of each unit.
fn sums(y: &Mat, f: &dyn Fn(f64) -> f64) -> Vec<f64> {
    let mut sums = vec![0.0; y.cols()];
    dispatch!(y.dtype(), T => for r in 0..y.rows() {
        let row = y.view().row::<T>(r).iter();
        sums.iter_mut().zip(row).for_each(|(sum, y)| *sum += f(bouton_kernels::Elem::to_f64(*y)));
    });
    sums
}

/// y − ⟨y⟩.
fn centred(mut y: Mat) -> Mat {
    let means: Vec<f64> = sums(&y, &|y| y).into_iter().map(|sum| -sum / y.rows().max(1) as f64).collect();
    let mean = Mat::from_f64s(y.dtype(), 1, y.cols(), &means);
    (0..y.rows()).for_each(|r| bouton_kernels::add_rows(y.rows_view_mut(r..r + 1), mean.view()));
    y
}

/// Σ y_i y_k over rows, for some pairs of units.
fn products(y: &Mat, some: impl Fn(usize, usize) -> bool) -> Mat {
    let (all, units) = (y.to_f64s(), y.cols());
    let mut sum = vec![0.0; units * units];
    for row in all.chunks_exact(units.max(1)) {
        for (i, sum) in sum.chunks_exact_mut(units).enumerate() {
            sum.iter_mut().zip(row).for_each(|(sum, y)| *sum += row[i] * y);
        }
    }
    Mat::from_fn(
        bouton_kernels::DType::F64,
        units,
        units,
        |i, k| if some(i, k) { sum[i * units + k] } else { 0.0 },
    )
}

/// y (y − θ), by the threshold before this batch, which moves on towards ⟨y²⟩.
fn above(y: &Mat, theta: &mut Mat, tau: f64) -> Mat {
    let before = theta.clone();
    let squares = sums(y, &|y| y * y);
    let mean = Mat::from_fn(theta.dtype(), 1, theta.cols(), |_, k| squares[k] / y.rows().max(1) as f64);
    bouton_kernels::scale_all(theta, 1.0 - 1.0 / tau);
    add_scaled(theta, 1.0 / tau, mean.view());
    Mat::from_fn(y.dtype(), y.rows(), y.cols(), |r, k| y.get(r, k) * (y.get(r, k) - before.get(0, k)))
}
