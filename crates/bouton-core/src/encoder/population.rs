//! Population coding (Bohte, Kok & La Poutré 2002): a value x is spread over n Gaussian receptive fields, wider than their distance.
//!
//!   a_i = exp(−(x − c_i)²/2σ²),  c_i = min + (i − 3/2)·d,  i = 1 … n,  d = span/(n − 2),  σ = d/β
//!
//! The outermost fields are centred half a distance beyond the range. Shown is a_i at every step, or one spike at step (T − 1)(1 − a_i),
//! rounded, and none of fields with a_i < 0.1.

use super::{EncoderMethod, Steps};
use crate::axis::Cite;
use crate::rng::Key;
use bouton_kernels::{Elem, View, ViewMut, dispatch};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The activation under which a field sends no spike.
const SILENT: f64 = 0.1;

/// What is shown of the fields' activations.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Code {
    /// The activations, at every step.
    Constant,
    /// One spike of each field, the earlier the larger its activation.
    Latency,
}

/// Values spread over receptive fields (`[encoder.population]`): of n columns `fields`·n are shown, those of a value side by side. Of
/// sequences, each step takes `steps` steps.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Population {
    /// Number of steps T, for each step of a sample.
    #[schemars(extend("minimum" = 1, "maximum" = 10_000_000, "x-hint" = "10 to 100 are usual, 1 of sequences"))]
    pub steps: usize,
    /// What is shown of them.
    pub code: Code,
    /// Fields n of a value. Default 8.
    #[serde(default = "eight")]
    #[schemars(extend("minimum" = 3, "maximum" = 65_536, "x-hint" = "8 to 12 are usual"))]
    pub fields: usize,
    /// Where the range of values begins. Default 0.
    #[serde(default)]
    #[schemars(extend("minimum" = -1e9, "maximum" = 1e9, "x-hint" = "0 for pixels, -1 for signed ones"))]
    pub min: f64,
    /// Its length. Default 1.
    #[serde(default = "one")]
    #[schemars(extend("exclusiveMinimum" = 0, "maximum" = 1e9, "x-hint" = "1 for pixels, 2 for signed ones"))]
    pub span: f64,
    /// Distances between centres in standard deviations of a field, β. Default 1.5.
    #[serde(default = "sharp")]
    #[schemars(extend("exclusiveMinimum" = 0, "maximum" = 1000, "x-hint" = "1 to 2 are usual"))]
    pub beta: f64,
}

fn eight() -> usize {
    8
}

fn one() -> f64 {
    1.0
}

fn sharp() -> f64 {
    1.5
}

impl Population {
    /// Activation of field `i`, from 0.
    fn activation(&self, i: usize, x: f64) -> f64 {
        let distance = self.span / (self.fields - 2) as f64;
        let away = (x - self.min - (i as f64 - 0.5) * distance) * self.beta / distance;
        (-0.5 * away * away).exp()
    }

    /// What field `i` shows of `x` at step `t` of T.
    fn at(&self, t: usize, i: usize, x: f64) -> f64 {
        let (a, last) = (self.activation(i, x), (self.steps - 1) as f64);
        match self.code {
            Code::Constant => a,
            Code::Latency => f64::from(u8::from(a >= SILENT && (last * (1.0 - a)).round() == t as f64)),
        }
    }

    fn show<T: Elem>(&self, own: Steps, x: View<'_>, mut out: ViewMut<'_>) {
        let samples = x.rows();
        for row in 0..out.rows() {
            let (step, x) = (row / samples, x.row::<T>(row % samples));
            let first = step / self.steps * own.columns;
            for (j, to) in out.row_mut::<T>(row).iter_mut().enumerate() {
                let x = x[first + j / self.fields].to_f64();
                *to = T::from_f64(self.at(step % self.steps, j % self.fields, x));
            }
        }
    }
}

impl EncoderMethod for Population {
    fn cites(&self) -> Vec<Cite> {
        vec![Cite::of("bohte2002")]
    }

    fn shown(&self, own: Steps) -> Option<Steps> {
        Some(Steps { steps: own.steps * self.steps, columns: own.columns * self.fields })
    }

    fn spikes(&self, _: bool) -> bool {
        self.code == Code::Latency && self.steps > 1
    }

    fn encode(&self, own: Steps, x: View<'_>, _: &dyn Fn(usize) -> Key, out: ViewMut<'_>) {
        dispatch!(x.dtype(), T => self.show::<T>(own, x, out));
    }

    fn send_back(&self, _: Steps, _: View<'_>, _: ViewMut<'_>) -> bool {
        false
    }

    fn examples() -> Vec<Self> {
        let (fields, min, span, beta) = (5, -0.5, 2.0, 1.2);
        [Code::Constant, Code::Latency].map(|code| Self { steps: 4, code, fields, min, span, beta }).to_vec()
    }
}
