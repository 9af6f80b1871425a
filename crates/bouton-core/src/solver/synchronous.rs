//! Synchronous sweeps: all populations at once, from the states of the sweep before (Jacobi).

use super::{Plan, Solver, SolverMethod, SolverSpec, SolverTraits};
use crate::axis::Cite;
use crate::network::Network;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

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

impl SolverMethod for Synchronous {
    fn cites(&self) -> Vec<Cite> {
        Vec::new()
    }

    fn traits(&self) -> SolverTraits {
        SolverTraits { tolerance: self.tolerance, blocks: false, history: 0, relaxes: false }
    }

    fn examples() -> Vec<Self> {
        vec![Self::default(), Self { tolerance: Some(1e-8) }]
    }

    fn plain(&self) -> SolverSpec {
        SolverSpec::Synchronous(Self::default())
    }

    fn build(&self, network: &Network) -> Solver {
        Solver { tolerance: self.tolerance, ..Solver::plain(Plan::synchronous(network)) }
    }
}
