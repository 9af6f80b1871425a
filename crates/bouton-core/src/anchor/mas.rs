//! Memory aware synapses: Ω_t = E_x |∂‖f(x)‖²/∂θ|, how much the output would move.
//!
//! L + λ Σ Ω (θ − θ*)². Aljundi et al., ECCV 2018. The mean is over samples, each with its own absolute gradient.

use super::{Anchor, AnchorMethod, AnchorNeeds, Importance};
use crate::axis::Cite;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Memory aware synapses (`[anchor.mas]`).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct Mas {
    /// Strength λ. Default 1.
    #[schemars(extend("minimum" = 0, "maximum" = 1e15, "x-hint" = "1 is usual"))]
    pub lambda: f64,
    /// Weight α of the earlier tasks in αΩ + (1 − α)Ω_t; absent: importances add up, as in the paper.
    #[schemars(extend("minimum" = 0, "exclusiveMaximum" = 1, "x-hint" = "0.5 is usual"))]
    pub alpha: Option<f64>,
    /// Samples of the task that take part, in file order. Default: all.
    #[schemars(extend("minimum" = 1, "maximum" = 1_000_000_000, "x-hint" = "leave it out for all samples"))]
    pub samples: Option<usize>,
}

impl Default for Mas {
    fn default() -> Self {
        Self { lambda: 1.0, alpha: None, samples: None }
    }
}

impl Anchor for Mas {
    fn strength(&self) -> f64 {
        self.lambda
    }

    fn importance(&self) -> Importance {
        Importance::Sensitivity(self.samples)
    }

    fn merge_importance(&self, old: f64, new: f64) -> f64 {
        self.alpha.map_or(old + new, |a| a * old + (1.0 - a) * new)
    }

    fn recentres(&self) -> bool {
        true
    }

    fn shuffles(&self) -> bool {
        false
    }

    fn hidden(&self) -> bool {
        false
    }
}

impl AnchorMethod for Mas {
    fn cites(&self) -> Vec<Cite> {
        vec![Cite::of("aljundi2018")]
    }

    fn needs(&self) -> AnchorNeeds {
        AnchorNeeds::SAMPLES
    }

    fn examples() -> Vec<Self> {
        vec![Self::default(), Self { alpha: Some(0.5), samples: Some(7), ..Self::default() }]
    }

    fn build(&self) -> Option<Box<dyn Anchor>> {
        Some(Box::new(*self))
    }
}
