//! Threshold crossings, as spiking sequential MNIST is shown (Bellec et al. 2018): n thresholds θ_k = k/(n − 1) from 0 to 1, and for
//! each of them a spike when the input rises over it and one, on another channel, when it falls back.
//!
//!   up_{k,t} = [x_{t−1} ≤ θ_k < x_t],  down_{k,t} = [x_t ≤ θ_k < x_{t−1}],  touch_t = [x_t ≥ 1]
//!
//! What is 1 crosses no threshold of 1: that one has a channel alone, which spikes as long as it is touched. 40 thresholds of a pixel
//! are 79 channels. The first step crosses nothing. `cue` steps more follow, in which a last channel spikes and no other.

use super::{EncoderMethod, Steps, in_steps, sequence};
use crate::axis::Cite;
use crate::rng::Key;
use bouton_kernels::{Elem, View, ViewMut, dispatch};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Crossings of thresholds (`[encoder.threshold]`): of n thresholds each column of a sequence has 2n − 1 channels side by side, n − 1 up,
/// n − 1 down, the touch of 1.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Threshold {
    /// Thresholds n, evenly from 0 to 1. Default 40.
    #[serde(default = "forty")]
    #[schemars(extend("minimum" = 2, "maximum" = 65_536, "x-hint" = "40 are usual"))]
    pub thresholds: usize,
    /// Number of equal parts that a sample is cut into first, as in `rows`. Default: the steps of the task, which then has to be a
    /// sequence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("minimum" = 2, "maximum" = 10_000_000, "x-hint" = "784 for the pixels of MNIST"))]
    pub steps: Option<usize>,
    /// Steps after the sample in which a channel of their own asks for the answer. Default 0: there is no such channel.
    #[serde(default)]
    #[schemars(extend("minimum" = 0, "maximum" = 10_000_000, "x-hint" = "56 after the 784 pixels of MNIST are usual"))]
    pub cue: usize,
}

fn forty() -> usize {
    40
}

impl Threshold {
    /// Channels of a column.
    fn channels(&self) -> usize {
        2 * self.thresholds - 1
    }

    /// Whether `channel` of a column spikes when it goes from `before` to `now`.
    fn spikes_at(&self, channel: usize, before: f64, now: f64) -> bool {
        let most = self.thresholds - 1;
        let threshold = (channel % most) as f64 / most as f64;
        match channel / most {
            0 => before <= threshold && threshold < now,
            1 => now <= threshold && threshold < before,
            _ => now >= 1.0,
        }
    }

    fn events<T: Elem>(&self, own: Steps, x: View<'_>, mut out: ViewMut<'_>) {
        let (samples, spike) = (x.rows(), |on: bool| T::from_f64(f64::from(u8::from(on))));
        for row in 0..out.rows() {
            let (t, x) = (row / samples, x.row::<T>(row % samples));
            let to = out.row_mut::<T>(row);
            if t >= own.steps {
                to.fill(spike(false));
                to[own.columns * self.channels()] = spike(true);
                continue;
            }
            for (i, to) in to.iter_mut().enumerate() {
                let (column, channel) = (i / self.channels(), i % self.channels());
                let at = |t: usize| x[t * own.columns + column].to_f64();
                // The channel of the cue stands behind the last column.
                *to = spike(column < own.columns && self.spikes_at(channel, at(t.max(1) - 1), at(t)));
            }
        }
    }
}

impl EncoderMethod for Threshold {
    fn cites(&self) -> Vec<Cite> {
        vec![Cite::of("bellec2018")]
    }

    fn shown(&self, own: Steps) -> Option<Steps> {
        let own = sequence(own, self.steps)?;
        let asks = usize::from(self.cue > 0);
        Some(Steps { steps: own.steps + self.cue, columns: own.columns * self.channels() + asks })
    }

    fn cut(&self, own: Steps) -> Steps {
        in_steps(own, self.steps)
    }

    fn keeps_steps(&self, own: Steps) -> bool {
        self.cut(own) == own && self.cue == 0
    }

    fn spikes(&self, _: bool) -> bool {
        true
    }

    fn encode(&self, own: Steps, x: View<'_>, _: &dyn Fn(usize) -> Key, out: ViewMut<'_>) {
        let own = self.cut(own);
        dispatch!(x.dtype(), T => self.events::<T>(own, x, out));
    }

    fn send_back(&self, _: Steps, _: View<'_>, _: ViewMut<'_>) -> bool {
        false
    }

    fn examples() -> Vec<Self> {
        vec![Self { thresholds: 5, steps: None, cue: 2 }, Self { thresholds: 3, steps: Some(4), cue: 0 }]
    }
}
