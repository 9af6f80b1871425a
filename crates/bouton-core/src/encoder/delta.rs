//! Delta modulation: events where the input has moved by a threshold θ, on a channel for up and one for down (send-on-delta, Miskowicz
//! 2006; the pixels of Lichtsteiner, Posch & Delbruck 2008).
//!
//!   r_0 = x_0,  n_t = trunc((x_t − r_{t−1})/θ),  up_t = max(n_t, 0),  down_t = max(−n_t, 0),  r_t = r_{t−1} + θ·n_t
//!
//! so that x_0 and the events together are the signal, within one threshold: |x_0 + θ·Σ (up − down) − x_t| < θ at every step.

use super::{EncoderMethod, Steps, in_steps, sequence};
use crate::axis::Cite;
use crate::rng::Key;
use bouton_kernels::{Elem, View, ViewMut, dispatch};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Events of change (`[encoder.delta]`): of a sequence of n columns 2n are shown, up and down side by side. A jump by several
/// thresholds is as many events in one step.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Delta {
    /// Threshold θ, in the unit of the samples. Default 0.1.
    #[serde(default = "tenth")]
    #[schemars(extend("exclusiveMinimum" = 0, "maximum" = 1e6, "x-hint" = "0.1 is usual for numbers of 0 to 1"))]
    pub threshold: f64,
    /// Number of equal parts that a sample is cut into first, as in `rows`. Default: the steps of the task, which then has to be a
    /// sequence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("minimum" = 2, "maximum" = 10_000_000, "x-hint" = "the height of images, for their rows"))]
    pub steps: Option<usize>,
}

fn tenth() -> f64 {
    0.1
}

impl Delta {
    fn events<T: Elem>(&self, own: Steps, x: View<'_>, mut out: ViewMut<'_>) {
        let samples = x.rows();
        for sample in 0..samples {
            let x = x.row::<T>(sample);
            let mut reference: Vec<f64> = x[..own.columns].iter().map(|x| x.to_f64()).collect();
            for (t, now) in x.chunks_exact(own.columns).enumerate() {
                let row = out.row_mut::<T>(t * samples + sample);
                for ((x, reference), to) in now.iter().zip(&mut reference).zip(row.chunks_exact_mut(2)) {
                    let events = ((x.to_f64() - *reference) / self.threshold).trunc();
                    *reference += events * self.threshold;
                    (to[0], to[1]) = (T::from_f64(events.max(0.0)), T::from_f64((-events).max(0.0)));
                }
            }
        }
    }
}

impl EncoderMethod for Delta {
    fn cites(&self) -> Vec<Cite> {
        vec![Cite::of("miskowicz2006"), Cite::of("lichtsteiner2008")]
    }

    fn shown(&self, own: Steps) -> Option<Steps> {
        let own = sequence(own, self.steps)?;
        Some(Steps { columns: 2 * own.columns, ..own })
    }

    fn cut(&self, own: Steps) -> Steps {
        in_steps(own, self.steps)
    }

    fn keeps_steps(&self, own: Steps) -> bool {
        self.cut(own) == own
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
        vec![Self { threshold: 0.3, steps: None }, Self { threshold: 0.2, steps: Some(4) }]
    }
}
