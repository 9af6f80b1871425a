//! How a settling network reaches its fixed point.

mod anderson;
mod complex;
mod even_odd;
mod plan;
mod relax;
mod synchronous;

pub use anderson::AndersonMixing;
pub use even_odd::EvenOdd;
pub use plan::Plan;
pub use relax::{Nudging, RelaxationStats, Solver, readout_error};
pub use synchronous::Synchronous;

use crate::axis::{Cite, axis};
use crate::network::Network;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

axis! {
    /// The solver of a recipe: `[solver.<name>]`.
    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
    #[serde(rename_all = "kebab-case", deny_unknown_fields)]
    pub enum SolverSpec: SolverMethod {
        /// All populations at once, from the states of the sweep before (Jacobi); the papers' mode.
        Synchronous(Synchronous),
        /// Populations of one parity, then of the other (block coordinate descent); half the sweeps.
        EvenOdd(EvenOdd),
        /// Even-odd sweeps that extrapolate from the last ones while the energy does not rise; for hard samples.
        Anderson(AndersonMixing),
    }
}

impl Default for SolverSpec {
    fn default() -> Self {
        Self::Synchronous(Synchronous::default())
    }
}

/// What a recipe's solver says of itself, in its own file.
pub trait SolverMethod: std::fmt::Debug {
    /// The publications that it comes from.
    fn cites(&self) -> Vec<Cite>;
    /// What the other axes may ask.
    fn traits(&self) -> SolverTraits;
    /// Settings for the tests of every member, in which each word and each switch occurs.
    fn examples() -> Vec<Self>
    where
        Self: Sized;
    /// The same groups of populations, without over-relaxation, mixing or early stop.
    fn plain(&self) -> SolverSpec;
    /// The solver of `network`.
    fn build(&self, network: &Network) -> Solver;
}

/// What the other axes may ask of a solver.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SolverTraits {
    /// Where a sample stops; `None` if it takes all steps.
    pub tolerance: Option<f64>,
    /// Whether a sweep goes through groups of populations that do not drive each other, each to its exact minimum.
    pub blocks: bool,
    /// Sweeps that free phases mix, guarded by an energy; 0 if they do not.
    pub history: usize,
    /// Whether sweeps are over-relaxed.
    pub relaxes: bool,
}

impl SolverSpec {
    /// Where a sample stops; `None` if it takes all steps.
    pub fn tolerance(&self) -> Option<f64> {
        self.method().traits().tolerance
    }
}
