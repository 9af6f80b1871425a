//! The same images turned by another angle for every task.

use super::{SequenceMethod, SequenceSpec, SequenceTraits};
use crate::axis::{Cite, Place};
use crate::error::{Error, Result};
use crate::task::part::InputTransform;
use crate::task::{Dataset, Part, TaskSpec};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// Turned images (`[sequence.rotated]`).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Rotated {
    /// Angle of each task in degrees, counter-clockwise.
    #[schemars(extend("minimum" = -36_000, "maximum" = 36_000, "x-hint" = "angles are in degrees"))]
    pub degrees: Vec<f64>,
}

impl SequenceMethod for Rotated {
    fn check(&self, at: &Place, _: &TaskSpec) -> Result<()> {
        at.require(!self.degrees.is_empty(), "degrees", "empty", "a list of angles", "[0, 45, 90]")?;
        let seen = |(i, d): &(usize, &f64)| self.degrees[..*i].iter().any(|e| (*d - e) % 360.0 == 0.0);
        self.degrees.iter().enumerate().find(seen).map_or(Ok(()), |(_, d)| {
            let key = at.key("degrees");
            Err(Error::config(format!("{key} repeats {d}: the task would be an earlier one"))
                .with_hint("name every angle once; 360 degrees are a whole turn"))
        })
    }

    fn cites(&self) -> Vec<Cite> {
        vec![Cite::setting("vandeven2019", "scenarios of continual learning")]
    }

    fn traits(&self) -> SequenceTraits {
        SequenceTraits::TASKS
    }

    fn widths(&self, classes: usize) -> Vec<usize> {
        vec![classes; self.degrees.len()]
    }

    fn shape(&self, shape: [usize; 3]) -> [usize; 3] {
        shape
    }

    fn parts(&self, sets: &[Arc<Dataset>], _: u64) -> Vec<Part> {
        let whole = Part::whole(sets[0].clone());
        self.degrees
            .iter()
            .map(|&degrees| Part { transform: InputTransform::Rotated(degrees), ..whole.clone() })
            .collect()
    }

    fn smoke(&self) -> SequenceSpec {
        SequenceSpec::Rotated(self.clone())
    }

    fn examples() -> Vec<Self> {
        vec![Self { degrees: vec![0.0, 45.0] }]
    }
}
