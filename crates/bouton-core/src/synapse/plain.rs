//! The plain synapse: w ← w + Δ.

use super::{
    Draw, ElementwiseSynapse, Info, SignKeys, Site, Synapse, SynapseMethod, UpdateRule, WeightTraits,
};
use crate::Result;
use crate::axis::{Cite, Place};
use bouton_kernels::Real;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A real-valued weight (`[synapse.plain]`). No parameters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Plain {}

impl UpdateRule<1> for Plain {
    const STATES: &'static [&'static str] = &[];
    const INFO: Info = Info {
        latent: None,
        own_step_size: false,
        stochastic: false,
        bayesian: false,
        changes_at_task_end: false,
    };

    #[inline(always)]
    fn init<T: Real>(&self, drawn: T, _: Draw) -> [T; 1] {
        [drawn]
    }

    #[inline(always)]
    fn update<T: Real>(&self, delta: T, [weight]: [T; 1], _: Draw) -> [T; 1] {
        [weight + delta]
    }
}
impl SynapseMethod for Plain {
    fn check(&self, _: &Place) -> Result<()> {
        Ok(())
    }

    fn cites(&self) -> Vec<Cite> {
        Vec::new()
    }

    fn traits(&self) -> WeightTraits {
        WeightTraits::real(Self::INFO, false)
    }

    fn sign_keys(&mut self) -> Option<SignKeys<'_>> {
        None
    }

    fn device(&mut self) -> Option<&mut Option<String>> {
        None
    }

    fn examples() -> Vec<Self> {
        vec![Self {}]
    }

    fn build(&self, _: Site) -> Result<Box<dyn Synapse>> {
        Ok(Box::new(ElementwiseSynapse(*self)))
    }
}
