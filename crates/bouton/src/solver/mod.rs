//! How a settling network reaches its fixed point.

mod complex;
mod plan;
mod relax;

pub(crate) use complex::scale_complex;
pub use plan::Plan;
pub use relax::{NudgeForce, Relaxed, Solver, readout_error};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The solver of a recipe: `[solver.<name>]`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum SolverSpec {
    /// All populations at once, from the states of the sweep before (Jacobi); the papers' mode.
    Synchronous(Synchronous),
    /// Populations of one parity, then of the other (block coordinate descent); half the sweeps.
    EvenOdd(EvenOdd),
}

impl Default for SolverSpec {
    fn default() -> Self {
        Self::Synchronous(Synchronous::default())
    }
}

/// Synchronous sweeps (`[solver.synchronous]`).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct Synchronous {
    /// A sample stops once no unit moved by more than this in a sweep. Absent: every sample takes all steps.
    pub tolerance: Option<f64>,
}

/// Even-odd sweeps (`[solver.even-odd]`).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct EvenOdd {
    /// Over-relaxation ω in (0, 2). Default 1 (none); 1.2 saves a third of the sweeps.
    pub relaxation: f64,
    /// A sample stops once no unit moved by more than this in a sweep. Absent: every sample takes all steps.
    pub tolerance: Option<f64>,
}

impl Default for EvenOdd {
    fn default() -> Self {
        Self { relaxation: 1.0, tolerance: None }
    }
}
