//! What a batch came to: loss, sums behind the metrics, and how the relaxations went.

use super::{Batch, shards};
use crate::error::Result;
use crate::network::{Network, State};
use crate::objective::{Metric, Objective, Sums, Target, Targets};
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
    /// Sums behind the metrics.
    pub sums: Sums,
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
            sums: self.sums.with(&other.sums),
            free: self.free.with(other.free),
            nudged: self.nudged.with(other.nudged),
            fallback: self.fallback + other.fallback,
        }
    }

    /// Mean loss per sample.
    pub fn mean_loss(&self) -> f64 {
        self.loss / self.samples.max(1) as f64
    }

    /// All metrics of its targets.
    pub fn metrics(&self) -> impl Iterator<Item = (&'static Metric, f64)> {
        self.sums.metrics(self.samples)
    }

    /// The metric called `name`; none if it is not of its kind of target.
    pub fn value(&self, name: &str) -> Option<f64> {
        self.metrics().find(|(metric, _)| metric.name == name).map(|(_, value)| value)
    }

    /// The metric by which networks are compared; none if nothing was compared.
    pub fn score(&self) -> Option<(&'static Metric, f64)> {
        self.metrics().next()
    }
}

/// Judges the present outputs: ∂ℓ/∂s of the nudged population, ∂ℓ/∂output, and the sums.
pub(super) fn judge(network: &Network, objective: &dyn Objective, state: &mut State) -> (Mat, Mat, Step) {
    let rows = state.rows();
    let (g, err, loss) = readout_error(network, objective, state, 0..rows);
    let sums =
        Sums::of_outputs(objective, state.output(network.output(), 0..rows), state.target.view(0..rows));
    let step = Step { samples: rows as u64, loss: loss.iter().sum(), sums, ..Step::default() };
    (g, err, step)
}

/// Judges outputs of a batch: ∂ℓ/∂output and the sums.
pub(super) fn verdict(objective: &dyn Objective, out: View<'_>, target: &Target) -> (Mat, Step) {
    let (rows, samples) = (out.rows(), (0..out.rows()).collect::<Vec<_>>());
    let (mut err, mut loss) = (Mat::zeros(out.dtype(), rows, out.cols()), vec![0.0; rows]);
    let targets = target.view(0..rows);
    objective.error(out, Targets { rows: targets, samples: &samples }, err.view_mut(), &mut loss);
    let sums = Sums::of_outputs(objective, out, targets);
    let step = Step { samples: rows as u64, loss: loss.iter().sum(), sums, ..Step::default() };
    (err, step)
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
    let parts = shards::each(batch.len(), |rows| {
        let mut state = State::new(network, &constant, rows.clone(), &batch.target);
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
    let parts = shards::each(batch.len(), |rows| {
        let mut state = State::new(network, &constant, rows, &batch.target);
        let free = solver.relax(network, &mut state, None, steps, "free")?;
        Ok(Step { free, ..judge(network, objective, &mut state).2 })
    })?;
    Ok(parts.iter().fold(Step::default(), Step::with))
}

impl Step {
    /// Everything as words that read back to the same bits: `samples=3 loss=0.5 fallback=0 free=7,3,0.1,2 nudged=… hits=1`.
    pub fn to_text(&self) -> String {
        let phase = |r: &Relaxed| format!("{},{},{:?},{}", r.sweeps, r.samples, r.residual, r.unsettled);
        format!(
            "samples={} loss={:?} fallback={} free={} nudged={} {}",
            self.samples,
            self.loss,
            self.fallback,
            phase(&self.free),
            phase(&self.nudged),
            self.sums.to_text()
        )
    }

    fn read(&mut self, name: &str, text: &str) -> Option<()> {
        match name {
            "samples" => self.samples = text.parse().ok()?,
            "loss" => self.loss = text.parse().ok()?,
            "fallback" => self.fallback = text.parse().ok()?,
            "free" => self.free = phase(text)?,
            "nudged" => self.nudged = phase(text)?,
            sum => self.sums.read(sum, text)?,
        }
        Some(())
    }
}

fn phase(text: &str) -> Option<Relaxed> {
    let [sweeps, samples, residual, unsettled] = text.split(',').collect::<Vec<_>>().try_into().ok()?;
    Some(Relaxed {
        sweeps: sweeps.parse().ok()?,
        samples: samples.parse().ok()?,
        residual: residual.parse().ok()?,
        unsettled: unsettled.parse().ok()?,
    })
}

impl std::str::FromStr for Step {
    type Err = ();

    /// The inverse of [`Step::to_text`]; words that are missing are zero.
    fn from_str(text: &str) -> std::result::Result<Self, ()> {
        let mut step = Self::default();
        for word in text.split_whitespace() {
            let (name, value) = word.split_once('=').ok_or(())?;
            step.read(name, value).ok_or(())?;
        }
        Ok(step)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_keeps_every_bit() {
        let free = Relaxed { sweeps: 7, samples: 3, residual: 1.0 / 3.0, unsettled: 2 };
        let mut sums = Sums::default();
        sums.read("hits", "1").and(sums.read("squares", "0.1,0.30000000000000004")).unwrap();
        let step = Step { samples: 3, loss: 0.1 + 0.2, sums, free, nudged: Relaxed::default(), fallback: 2 };
        assert_eq!(step.to_text().parse(), Ok(step));
        assert_eq!(Step::default().to_text().parse(), Ok(Step::default()));
        for garbled in ["1 2", "samples=x", "free=1,2", "hits=a"] {
            assert_eq!(garbled.parse::<Step>(), Err(()), "{garbled}");
        }
    }
}
