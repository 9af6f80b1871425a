//! A sample in equal parts, one a step: the rows of an image one after the other, or its pixels ("sequential MNIST", Le, Jaitly &
//! Hinton 2015).

use super::{EncoderMethod, Steps, in_steps, parts, parts_back};
use crate::axis::Cite;
use crate::rng::Key;
use bouton_kernels::{View, ViewMut};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Equal parts, one a step (`[encoder.rows]`).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Rows {
    /// Number of parts, which has to divide the numbers of a sample: 28 for the rows of MNIST, 784 for its pixels.
    #[schemars(extend("minimum" = 1, "maximum" = 10_000_000, "x-hint" = "the height of images, for their rows"))]
    pub steps: usize,
}

impl EncoderMethod for Rows {
    fn cites(&self) -> Vec<Cite> {
        vec![Cite::of("le2015")]
    }

    fn shown(&self, own: Steps) -> Option<Steps> {
        let cut = self.cut(own);
        (cut.all() == own.all()).then_some(cut)
    }

    fn cut(&self, own: Steps) -> Steps {
        in_steps(own, Some(self.steps))
    }

    fn keeps_steps(&self, own: Steps) -> bool {
        self.steps == own.steps
    }

    fn spikes(&self, samples: bool) -> bool {
        samples
    }

    fn encode(&self, own: Steps, x: View<'_>, _: &dyn Fn(usize) -> Key, out: ViewMut<'_>) {
        parts(self.cut(own), x, out);
    }

    fn send_back(&self, own: Steps, g: View<'_>, to: ViewMut<'_>) -> bool {
        parts_back(self.cut(own), g, to);
        true
    }

    fn examples() -> Vec<Self> {
        vec![Self { steps: 4 }]
    }
}
