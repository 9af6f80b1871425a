//! What a batch came to: loss, sums behind the metrics, and how the relaxations went.

use super::{Batch, auxiliary, shards};
use crate::error::Result;
use crate::network::{Grad, GradSink, Network, ParamId, State};
use crate::objective::{Metric, Objective, Sums, Target, Targets};
use crate::rng::Key;
use crate::solver::{RelaxationStats, Solver, readout_error};
use bouton_kernels::{Elem, Mat, View, dispatch};

/// Sums over the samples of a batch.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Step {
    /// Number of samples.
    pub samples: u64,
    /// Sum of the losses.
    pub loss: f64,
    /// Sum of what weights of samples or steps are above 1; 0 where all count alike.
    pub surplus: f64,
    /// Sum of rewards, of rules that learn from them.
    pub rewards: f64,
    /// Sums behind the metrics.
    pub sums: Sums,
    /// ∂ℓ/∂θ of every own parameter θ of the objective, summed over samples.
    pub objective: Vec<f64>,
    /// The free phase.
    pub free: RelaxationStats,
    /// The nudged phases together.
    pub nudged: RelaxationStats,
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
            surplus: self.surplus + other.surplus,
            rewards: self.rewards + other.rewards,
            sums: self.sums.with(&other.sums),
            objective: added(self.objective, &other.objective),
            free: self.free.with(other.free),
            nudged: self.nudged.with(other.nudged),
            fallback: self.fallback + other.fallback,
        }
    }

    /// Such a sum as a mean by the weights of samples; 0 where nothing counts.
    fn mean_of(&self, sum: f64) -> f64 {
        let all = self.samples as f64 + self.surplus;
        if all > 0.0 { sum / all } else { 0.0 }
    }

    /// Mean loss per sample, weighted if they have weights.
    pub fn mean_loss(&self) -> f64 {
        self.mean_of(self.loss)
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
pub(super) fn loss_and_error(
    network: &Network,
    objective: &dyn Objective,
    state: &mut State,
) -> (Mat, Mat, Step) {
    let rows = state.rows();
    let (g, err, loss) = readout_error(network, objective, state, 0..rows);
    let sums =
        Sums::of_outputs(objective, state.output(network.output(), 0..rows), state.target.view(0..rows));
    let own = network.objective_values();
    let targets = Targets { rows: state.target.view(0..rows), samples: &state.samples, own: &own };
    let objective = own_gradient(objective, state.output(network.output(), 0..rows), targets);
    let (_, auxiliary_loss) = auxiliary::errors(network, &state.out, &state.target, &state.samples);
    let loss = loss.iter().sum::<f64>() + auxiliary_loss;
    let step = Step { samples: rows as u64, loss, sums, objective, ..Step::default() };
    (g, err, step)
}

/// Judges outputs of a batch: ∂ℓ/∂output and the sums.
pub(super) fn loss_and_error_of(
    network: &Network,
    objective: &dyn Objective,
    out: View<'_>,
    target: &Target,
) -> (Mat, Step) {
    loss_and_error_weighed(network, objective, out, target, None)
}

/// The same with a weight for each row.
pub(super) fn loss_and_error_weighed(
    network: &Network,
    objective: &dyn Objective,
    out: View<'_>,
    target: &Target,
    weights: Option<&[f64]>,
) -> (Mat, Step) {
    let (rows, samples) = (out.rows(), (0..out.rows()).collect::<Vec<_>>());
    let (mut err, mut loss) = (Mat::zeros(out.dtype(), rows, out.cols()), vec![0.0; rows]);
    let own = network.objective_values();
    let targets = Targets { rows: target.view(0..rows), samples: &samples, own: &own };
    objective.error(out, targets, err.view_mut(), &mut loss);
    let sums = Sums::of_outputs(objective, out, targets.rows);
    let (of_rows, surplus) = match weights {
        None => (own_gradient(objective, out, targets), 0.0),
        Some(weights) => {
            weigh(&mut err, &mut loss, weights);
            let of_row = |r: usize| -> Vec<f64> {
                let targets = Targets { rows: targets.rows.row(r), samples: &samples[r..=r], own: &own };
                let g = own_gradient(objective, out.rows_range(r..r + 1), targets);
                g.into_iter().map(|g| g * weights[r]).collect()
            };
            let sum = (0..rows).fold(vec![0.0; own.len()], |sum, r| added(sum, &of_row(r)));
            (sum, weights.iter().map(|weight| weight - 1.0).sum())
        }
    };
    let loss = loss.iter().sum();
    (err, Step { samples: rows as u64, loss, surplus, sums, objective: of_rows, ..Step::default() })
}

/// Errors and losses, each row times its weight.
pub(super) fn weigh(err: &mut Mat, loss: &mut [f64], weights: &[f64]) {
    loss.iter_mut().zip(weights).for_each(|(loss, weight)| *loss *= weight);
    dispatch!(err.dtype(), T => for (r, weight) in weights.iter().enumerate() {
        let weight = <T as Elem>::from_f64(*weight);
        err.view_mut().row_mut::<T>(r).iter_mut().for_each(|e| *e *= weight);
    });
}

fn own_gradient(objective: &dyn Objective, out: View<'_>, targets: Targets<'_>) -> Vec<f64> {
    let mut sums = vec![0.0; targets.own.len()];
    objective.own_gradient(out, targets, &mut sums);
    sums
}

fn added(mut sums: Vec<f64>, more: &[f64]) -> Vec<f64> {
    sums.resize(sums.len().max(more.len()), 0.0);
    sums.iter_mut().zip(more).for_each(|(sum, x)| *sum += x);
    sums
}

/// Hands over the gradient of the mean loss with respect to the objective's own parameters, which the dynamics know nothing of:
/// it belongs to the free state, whatever the rule.
pub(super) fn accumulate_grads_objective(network: &Network, step: &Step, sink: &mut dyn GradSink) {
    for (k, g) in step.objective.iter().enumerate() {
        let g = Mat::from_f64s(network.dtype, 1, 1, &[*g]);
        sink.add(network, ParamId::objective(k), Grad::whole(&g, step.mean_of(1.0)));
    }
}

/// Where one phase of a rule ended, one row per sample of the batch.
#[derive(Clone, Debug)]
pub struct PhaseStates {
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
) -> Result<PhaseStates> {
    let constant = network.constant_drive(batch.x.view());
    let parts = shards::each(batch.len(), |rows| {
        let mut state = State::new(network, &constant, rows.clone(), &batch.target);
        key.into_iter().for_each(|key| state.noise(key));
        solver.relax(network, &mut state, None, steps, "free")?;
        let residual = state.change.clone();
        readout_error(network, objective, &mut state, 0..rows.len());
        Ok((state.out, residual))
    })?;
    let (outs, residuals): (Vec<_>, Vec<_>) = parts.into_iter().unzip();
    Ok(PhaseStates { beta: 0.0, out: stacked(&outs), residual: residuals.concat() })
}

/// The outputs of all populations of some shards below each other.
pub(super) fn stacked(shards: &[Vec<Mat>]) -> Vec<Mat> {
    let mut all = shards[0].clone();
    for shard in &shards[1..] {
        all.iter_mut().zip(shard).for_each(|(all, part)| all.append_rows(part.view()));
    }
    all
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
        Ok(Step { free, ..loss_and_error(network, objective, &mut state).2 })
    })?;
    Ok(parts.iter().fold(Step::default(), Step::with))
}

impl Step {
    /// Everything but the gradient as words that read back to the same bits: `samples=3 loss=0.5 fallback=0 free=7,3,0.1,2 nudged=… hits=1`.
    pub fn to_text(&self) -> String {
        let phase =
            |r: &RelaxationStats| format!("{},{},{:?},{}", r.sweeps, r.samples, r.residual, r.unsettled);
        let surplus =
            if self.surplus == 0.0 { String::new() } else { format!(" surplus={:?}", self.surplus) };
        format!(
            "samples={} loss={:?}{surplus} fallback={} free={} nudged={} {}",
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
            "surplus" => self.surplus = text.parse().ok()?,
            "fallback" => self.fallback = text.parse().ok()?,
            "free" => self.free = phase(text)?,
            "nudged" => self.nudged = phase(text)?,
            sum => self.sums.read(sum, text)?,
        }
        Some(())
    }
}

fn phase(text: &str) -> Option<RelaxationStats> {
    let [sweeps, samples, residual, unsettled] = text.split(',').collect::<Vec<_>>().try_into().ok()?;
    Some(RelaxationStats {
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
        let free = RelaxationStats { sweeps: 7, samples: 3, residual: 1.0 / 3.0, unsettled: 2 };
        let mut sums = Sums::default();
        sums.read("hits", "1").and(sums.read("squares", "0.1,0.30000000000000004")).unwrap();
        let step = Step { samples: 3, loss: 0.1 + 0.2, sums, free, fallback: 2, ..Step::default() };
        assert_eq!(step.to_text().parse(), Ok(step.clone()));
        let weighed = Step { surplus: -0.7, ..step };
        assert_eq!(weighed.to_text().parse(), Ok(weighed));
        assert_eq!(Step::default().to_text().parse(), Ok(Step::default()));
        for garbled in ["1 2", "samples=x", "free=1,2", "hits=a"] {
            assert_eq!(garbled.parse::<Step>(), Err(()), "{garbled}");
        }
    }
}
