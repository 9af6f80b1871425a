//! Even-odd sweeps: populations of one parity, then of the other, each at its exact minimum given the other (block coordinate
//! descent). Scellier, Ernoult, Kendall & Kumar 2023.

use super::{Plan, Solver, SolverMethod, SolverSpec, SolverTraits};
use crate::axis::Cite;
use crate::network::Network;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Even-odd sweeps (`[solver.even-odd]`).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct EvenOdd {
    /// Over-relaxation ω in (0, 2). Default 1 (none); 1.2 saves a third of the sweeps.
    #[schemars(extend(
        "exclusiveMinimum" = 0, "exclusiveMaximum" = 2,
        "x-hint" = "1 is none; 1.2 is a good pool_cache"
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

impl SolverMethod for EvenOdd {
    fn cites(&self) -> Vec<Cite> {
        vec![Cite::setting("scellier2023", "even-odd sweeps")]
    }

    fn traits(&self) -> SolverTraits {
        SolverTraits { tolerance: self.tolerance, blocks: true, history: 0, relaxes: self.relaxation != 1.0 }
    }

    fn examples() -> Vec<Self> {
        vec![Self::default(), Self { relaxation: 1.2, tolerance: Some(1e-8) }]
    }

    fn plain(&self) -> SolverSpec {
        SolverSpec::EvenOdd(Self::default())
    }

    fn build(&self, network: &Network) -> Solver {
        let plain = Solver::plain(Plan::even_odd(network));
        Solver { omega: self.relaxation, tolerance: self.tolerance, ..plain }
    }
}
