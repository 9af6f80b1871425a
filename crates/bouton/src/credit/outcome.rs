//! What a batch came to: loss, hits, and how the relaxations went.

use super::{Batch, shards};
use crate::error::Result;
use crate::network::{Network, State};
use crate::objective::{Objective, Targets, predictions};
use crate::rng::Key;
use crate::solver::{Relaxed, Solver, readout_error};
use bouton_kernels::{Mat, View};

/// Sums over the samples of a batch.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Step {
    /// Number of samples.
    pub samples: u64,
    /// Sum of the losses.
    pub loss: f64,
    /// Samples whose largest output is the target.
    pub correct: u64,
    /// The free phase.
    pub free: Relaxed,
    /// The nudged phases together.
    pub nudged: Relaxed,
    /// Samples whose complex phases did not settle, so that two real ones stood in.
    pub fallback: u64,
}

impl Step {
    /// This and another batch.
    #[must_use]
    pub fn with(self, other: &Self) -> Self {
        Self {
            samples: self.samples + other.samples,
            loss: self.loss + other.loss,
            correct: self.correct + other.correct,
            free: self.free.with(other.free),
            nudged: self.nudged.with(other.nudged),
            fallback: self.fallback + other.fallback,
        }
    }

    /// Mean loss per sample.
    pub fn mean_loss(&self) -> f64 {
        self.loss / self.samples.max(1) as f64
    }

    /// Fraction of hits.
    pub fn accuracy(&self) -> f64 {
        self.correct as f64 / self.samples.max(1) as f64
    }
}

/// Judges the present outputs: ∂ℓ/∂s of the nudged population, ∂ℓ/∂output, and the sums.
pub(super) fn judge(network: &Network, objective: &dyn Objective, state: &mut State) -> (Mat, Mat, Step) {
    let rows = state.rows();
    let (g, err, loss) = readout_error(network, objective, state, 0..rows);
    let correct = hits(objective, state.output(network.output(), 0..rows), &state.labels);
    let step = Step { samples: rows as u64, loss: loss.iter().sum(), correct, ..Step::default() };
    (g, err, step)
}

/// Judges outputs of a batch: ∂ℓ/∂output and the sums.
pub(super) fn verdict(objective: &dyn Objective, out: View<'_>, labels: &[u16]) -> (Mat, Step) {
    let (rows, samples) = (out.rows(), (0..out.rows()).collect::<Vec<_>>());
    let (mut err, mut loss) = (Mat::zeros(out.dtype(), rows, out.cols()), vec![0.0; rows]);
    objective.error(out, Targets { labels, samples: &samples }, err.view_mut(), &mut loss);
    let step = Step {
        samples: rows as u64,
        loss: loss.iter().sum(),
        correct: hits(objective, out, labels),
        ..Step::default()
    };
    (err, step)
}

/// Rows whose largest output among the active ones is the target.
fn hits(objective: &dyn Objective, out: View<'_>, labels: &[u16]) -> u64 {
    let active = |r: usize| objective.active(out.cols(), labels[r]);
    let correct = |(p, l): &(usize, &u16)| *p == usize::from(**l);
    predictions(out, active).into_iter().zip(labels).filter(correct).count() as u64
}

/// Where one phase of a rule ended, one row per sample of the batch.
#[derive(Clone, Debug)]
pub struct Settled {
    /// Strength β of the nudge or clamp; 0 in the free phase.
    pub beta: f64,
    /// Output of every population; none of the clamped input.
    pub out: Vec<Mat>,
    /// Largest change of a unit in the last sweep of each sample.
    pub residual: Vec<f64>,
}

/// The free state after at most `steps` sweeps from zero; `key` names the noise of training, its absence means quiet units.
pub(super) fn free_phase(
    network: &Network,
    batch: &Batch,
    objective: &dyn Objective,
    solver: &Solver,
    steps: usize,
    key: Option<&Key>,
) -> Result<Settled> {
    let constant = network.constant_drive(batch.x.view());
    let parts = shards::each(batch.labels.len(), |rows| {
        let mut state = State::new(network, &constant, rows.clone(), &batch.labels);
        key.into_iter().for_each(|key| state.noise(key));
        solver.relax(network, &mut state, None, steps, "free")?;
        let residual = state.change.clone();
        readout_error(network, objective, &mut state, 0..rows.len());
        Ok(Settled { beta: 0.0, out: state.out, residual })
    })?;
    let stack = |p: usize| {
        let mut all = parts[0].out[p].clone();
        parts[1..].iter().for_each(|part| all.append_rows(part.out[p].view()));
        all
    };
    let out = (0..network.populations.len()).map(stack).collect();
    Ok(Settled { beta: 0.0, out, residual: parts.iter().flat_map(|part| part.residual.clone()).collect() })
}

/// The outcome of a batch after a free phase of at most `steps` sweeps from zero.
pub(super) fn evaluate(
    network: &Network,
    batch: &Batch,
    objective: &dyn Objective,
    solver: &Solver,
    steps: usize,
) -> Result<Step> {
    let constant = network.constant_drive(batch.x.view());
    let parts = shards::each(batch.labels.len(), |rows| {
        let mut state = State::new(network, &constant, rows, &batch.labels);
        let free = solver.relax(network, &mut state, None, steps, "free")?;
        Ok(Step { free, ..judge(network, objective, &mut state).2 })
    })?;
    Ok(parts.iter().fold(Step::default(), Step::with))
}

impl Step {
    /// All sums as text that reads back to the same bits.
    pub fn to_text(&self) -> String {
        let phase = |r: &Relaxed| format!("{} {} {:?} {}", r.sweeps, r.samples, r.residual, r.unsettled);
        format!(
            "{} {:?} {} {} {} {}",
            self.samples,
            self.loss,
            self.correct,
            phase(&self.free),
            phase(&self.nudged),
            self.fallback
        )
    }
}

impl std::str::FromStr for Step {
    type Err = ();

    /// The inverse of [`Step::to_text`].
    fn from_str(text: &str) -> std::result::Result<Self, ()> {
        let words: Vec<&str> = text.split(' ').collect();
        let [samples, loss, correct, a, b, c, d, e, f, g, h, fallback] = words[..] else { return Err(()) };
        let int = |word: &str| word.parse::<u64>().map_err(|_| ());
        let float = |word: &str| word.parse::<f64>().map_err(|_| ());
        let phase = |[sweeps, samples, residual, unsettled]: [&str; 4]| {
            Ok(Relaxed {
                sweeps: int(sweeps)?,
                samples: int(samples)?,
                residual: float(residual)?,
                unsettled: int(unsettled)?,
            })
        };
        Ok(Self {
            samples: int(samples)?,
            loss: float(loss)?,
            correct: int(correct)?,
            free: phase([a, b, c, d])?,
            nudged: phase([e, f, g, h])?,
            fallback: int(fallback)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_keeps_every_bit() {
        let free = Relaxed { sweeps: 7, samples: 3, residual: 1.0 / 3.0, unsettled: 2 };
        let step =
            Step { samples: 3, loss: 0.1 + 0.2, correct: 1, free, nudged: Relaxed::default(), fallback: 2 };
        assert_eq!(step.to_text().parse(), Ok(step));
        assert_eq!("1 2".parse::<Step>(), Err(()));
    }
}
