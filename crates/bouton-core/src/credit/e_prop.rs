//! e-prop: what each unit remembers of its own input, times what the output says that it should have done (Bellec et al. 2020).
//!
//!   ε_t = (∂h_t/∂h_{t−1}) ε_{t−1} + (∂h_t/∂d_t) s_{t−delay},  e_t = (∂s_t/∂h_t) ε_t,  ∂ℓ/∂W ≈ Σ_t L_t e_t,  L = Bᵀ ∂ℓ/∂y
//!
//! The derivatives are those of the postsynaptic unit alone, for any model of a unit. They are the same for all of its synapses, so
//! the sum can be turned round: with λ the adjoint of one unit's own dynamics under L, it is Σ_t (∂h_t/∂d_t) λ_t s_{t−delay}, a
//! product like that of any other rule, without a trace for every synapse. Without loops and with the readout next to the units it
//! is the gradient itself.
//!
//! Which signals come back is a choice of connections: those that the readout's own weights carry (symmetric), or with `carries =
//! "activity"` there, a connection from the output with `carries = "errors"` (random). Units that the output neither reads nor
//! teaches by such a connection do not learn.

use super::online::{Kept, Online};
use super::through_time::ThroughTime;
use super::{Carried, Credit, CreditMethod, CreditNeeds};
use crate::axis::{Cite, Place};
use crate::error::Result;
use crate::network::{Network, Path};
use crate::neuron::UnitDynamics;
use crate::solver::Solver;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// e-prop (`[credit.e-prop]`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct EProp {
    /// Updates after every so many steps of the data, each by the mean loss of what was judged since the last one, the influence of all
    /// earlier steps included. Default: one update at the end of the sequence.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(extend(
        "minimum" = 1, "maximum" = 10_000_000,
        "x-hint" = "1 learns at every step; leave it out to learn at the end"
    ))]
    pub every: Option<usize>,
}

impl CreditMethod for EProp {
    fn check(&self, _: &Place) -> Result<()> {
        Ok(())
    }

    fn cites(&self) -> Vec<Cite> {
        vec![Cite::of("bellec2020")]
    }

    fn needs(&self) -> CreditNeeds {
        let carries = if self.every.is_some() { Carried::Eligibility } else { Carried::Nothing };
        CreditNeeds {
            exact: false,
            online: self.every.is_some(),
            carries,
            ..CreditNeeds::gradient(UnitDynamics::Stepping)
        }
    }

    fn steps_mut(&mut self) -> Vec<&mut usize> {
        Vec::new()
    }

    fn copies(&self) -> usize {
        4
    }

    fn examples() -> Vec<Self> {
        vec![Self { every: None }, Self { every: Some(2) }]
    }

    fn build(&self, _: Solver, _: &Network, _: usize) -> Box<dyn Credit> {
        match self.every {
            None => Box::new(ThroughTime::whole(Path::E_PROP)),
            every => Box::new(Online { kept: Kept::Eligibility(Path::E_PROP), every }),
        }
    }
}
