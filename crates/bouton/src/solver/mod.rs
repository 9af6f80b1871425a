//! How a settling network reaches its fixed point.

mod anderson;
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
    /// Even-odd sweeps that extrapolate from the last ones while the energy does not rise; for hard samples.
    Anderson(AndersonMixing),
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
    #[schemars(extend(
        "exclusiveMinimum" = 0, "maximum" = 1e6,
        "x-hint" = "leave it out to take every sweep; 1e-4 is a start"
    ))]
    pub tolerance: Option<f64>,
}

/// Even-odd sweeps (`[solver.even-odd]`).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct EvenOdd {
    /// Over-relaxation ω in (0, 2). Default 1 (none); 1.2 saves a third of the sweeps.
    #[schemars(extend(
        "exclusiveMinimum" = 0, "exclusiveMaximum" = 2,
        "x-hint" = "1 is none; 1.2 is a good choice"
    ))]
    pub relaxation: f64,
    /// A sample stops once no unit moved by more than this in a sweep. Absent: every sample takes all steps.
    #[schemars(extend(
        "exclusiveMinimum" = 0, "maximum" = 1e6,
        "x-hint" = "leave it out to take every sweep; 1e-4 is a start"
    ))]
    pub tolerance: Option<f64>,
}

impl Default for EvenOdd {
    fn default() -> Self {
        Self { relaxation: 1.0, tolerance: None }
    }
}

/// Even-odd sweeps with energy-guarded Anderson mixing in free phases (`[solver.anderson]`); nudged phases, which take few
/// sweeps, are plain even-odd ones.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct AndersonMixing {
    /// Sweeps that a step looks back at before it starts over. Default 5.
    #[schemars(extend(
        "minimum" = 1, "maximum" = 100,
        "x-hint" = "5 is usual; so many states of every sample are kept"
    ))]
    pub memory: usize,
    /// A sample stops once no unit of its second group moved by more than this in a sweep. Absent: every sample takes all
    /// steps.
    #[schemars(extend(
        "exclusiveMinimum" = 0, "maximum" = 1e6,
        "x-hint" = "leave it out to take every sweep; 1e-4 is a start"
    ))]
    pub tolerance: Option<f64>,
}

impl Default for AndersonMixing {
    fn default() -> Self {
        Self { memory: 5, tolerance: None }
    }
}

impl SolverSpec {
    /// Where a sample stops; `None` if it takes all steps.
    pub fn tolerance(&self) -> Option<f64> {
        match self {
            Self::Synchronous(s) => s.tolerance,
            Self::EvenOdd(s) => s.tolerance,
            Self::Anderson(s) => s.tolerance,
        }
    }

    /// The same groups of populations, without over-relaxation, mixing or early stop.
    #[must_use]
    pub fn plain(&self) -> Self {
        match self {
            Self::Synchronous(_) => Self::default(),
            Self::EvenOdd(_) | Self::Anderson(_) => Self::EvenOdd(EvenOdd::default()),
        }
    }
}
