//! Which choices mean something together.
//!
//! The rules are one list of questions about a recipe; the table of every cell is made by asking them.

mod errors;
mod feedback;
mod graph;
mod sweeps;
mod time;
mod update;

use super::{Recipe, variant_name};
use crate::credit::{Acts, CreditNeeds, Start};
use crate::neuron::{UnitDynamics, UnitTraits};
use crate::objective::{LossTraits, Outputs, TargetKind};
use crate::task::{BatchSize, Policy, Scenario};
use crate::{Error, Result};
use std::ops::Not;

/// A combination that is refused: why, and what to use instead.
type Refusal = Option<(String, &'static str)>;
/// Why a part of a network does not fit, and what to do.
type PartRefusal = Option<(String, String)>;

/// Refuses combinations that make no sense.
///
/// # Errors
/// [`Error::Incompatible`] with the alternative as hint.
pub fn compatible(recipe: &Recipe) -> Result<()> {
    let whole = recipe.population.is_empty() && recipe.connection.is_empty();
    if whole { alone(recipe).and_then(|()| graph::filled(recipe)) } else { graph::compatible(recipe) }
}

/// Refuses combinations of choices for the whole network.
fn alone(recipe: &Recipe) -> Result<()> {
    let rules = [
        targets,
        time::idle,
        neuron_and_credit,
        time::unfit,
        clamped_output,
        chain,
        jumping_units,
        feedback::complex_nudge,
        readout,
        nudge_position,
        sweeps::solver_and_neuron,
        sweeps::solver_and_credit,
        sweeps::mixing,
        online,
        hidden_activation,
        start_and_data,
        feedback::own_weights,
        strong_push,
        norm_and_dropout,
        norm_and_batch,
        feedback::own_memory,
        feedback::own_numbers,
        anchor_and_credit,
        anchor_and_draws,
        scale_of_bits,
        draws_of_weights,
        turns_of_weights,
        decay_of_raw,
        schedule_of_raw,
        update::warm_up_of_raw,
        update::gathered,
        tasks,
        replay,
        heads,
        hinge,
    ];
    match rules.iter().find_map(|rule| rule(recipe)) {
        Some((message, hint)) => Err(Error::incompatible(message, hint)),
        None => Ok(()),
    }
}

fn refusal(message: impl Into<String>, hint: &'static str) -> Refusal {
    Some((message.into(), hint))
}

/// What the units of a recipe say, if they settle.
fn settling(r: &Recipe) -> Option<UnitTraits> {
    Some(r.neuron.method().traits()).filter(UnitTraits::settles)
}

fn loss(r: &Recipe) -> LossTraits {
    r.objective.method().traits()
}

fn rule(r: &Recipe) -> CreditNeeds {
    r.credit.method().needs()
}

/// What a task gives is what an objective takes; sequences tell tasks and their accuracies apart by classes.
fn targets(r: &Recipe) -> Refusal {
    let (task, kind) = (r.task.name(), r.task.method().targets());
    if !loss(r).targets.contains(&kind) {
        let objective = variant_name(&r.objective);
        return refusal(
            format!("objective.{objective} does not compare outputs with {kind}, which task.{task} gives"),
            "choose another objective, such as objective.squared-error, which takes classes and values",
        );
    }
    if kind != TargetKind::Classes && r.sequence.method().traits().several {
        return refusal(
            format!(
                "sequence.{} is made of classified images, but task.{task} gives {kind}",
                variant_name(&r.sequence)
            ),
            "leave [sequence] out, or choose a task with classes",
        );
    }
    None
}

fn neuron_and_credit(r: &Recipe) -> Refusal {
    let (unit, credit) = (variant_name(&r.neuron), variant_name(&r.credit));
    match (r.neuron.method().traits().dynamics, rule(r).dynamics) {
        (UnitDynamics::Settling, UnitDynamics::Feedforward) => refusal(
            format!("{credit} needs a feed-forward network, but {unit} units form a recurrent one"),
            "use credit.bptt or credit.eq-prop, or neuron.relu or neuron.rate",
        ),
        (UnitDynamics::Feedforward, UnitDynamics::Settling) => refusal(
            format!("{credit} needs units that settle, but {unit} units do not"),
            "use neuron.settle, or credit.backprop",
        ),
        (UnitDynamics::Stepping, UnitDynamics::Feedforward | UnitDynamics::Settling) => refusal(
            format!("{unit} units move while their input moves, which {credit} does not go through"),
            "use credit.bptt without steps, or credit.e-prop",
        ),
        (UnitDynamics::Settling, UnitDynamics::Stepping) => refusal(
            format!("{credit} goes through steps of time, but {unit} units settle while their input stays"),
            "give credit.bptt.steps, a number of sweeps, or use neuron.lif",
        ),
        (UnitDynamics::Feedforward, UnitDynamics::Stepping) if !r.moves_in_time() => refusal(
            format!("{credit} goes through steps of time, but no units move in time"),
            "use credit.backprop, or units such as neuron.lif",
        ),
        _ => None,
    }
}

/// A linear output settles at (d + βy)/(1 + β), which has no minimum from β = −1 on.
fn strong_push(r: &Recipe) -> Refusal {
    let beta = rule(r).pushes.filter(|beta| *beta >= 1.0)?;
    let linear = settling(r)?.bounded[1].not();
    if linear && loss(r).outputs == Outputs::States {
        return refusal(
            format!("an unbounded output has no fixed point when it is pushed away with beta = {beta}"),
            "use beta below 1, or nudge = \"positive\"",
        );
    }
    None
}

fn clamped_output(r: &Recipe) -> Refusal {
    if rule(r).acts == Acts::Clamp && loss(r).outputs == Outputs::Logits {
        return refusal(
            format!(
                "{} clamps the output, but the readout of {} is not part of the dynamics",
                variant_name(&r.credit),
                variant_name(&r.objective)
            ),
            "use objective.squared-error",
        );
    }
    // A held output never asks the loss: what it is moved to is the gradient of squared errors.
    if rule(r).acts == Acts::Clamp && !r.objective.build().is_squared_error() {
        return refusal(
            format!(
                "{} holds the output nearer to the target, whatever {} says of it",
                variant_name(&r.credit),
                variant_name(&r.objective)
            ),
            "use objective.squared-error",
        );
    }
    None
}

fn chain(r: &Recipe) -> Refusal {
    if !rule(r).chain || r.network.skips.is_empty() {
        return None;
    }
    refusal(
        format!(
            "{} learns when the error reaches a population, and a skip brings it there on two ways",
            variant_name(&r.credit)
        ),
        "use credit.fixed-prediction, which is exact whatever the network, or leave network.skips out",
    )
}

fn jumping_units(r: &Recipe) -> Refusal {
    if !rule(r).smooth || !r.neuron.method().traits().surrogate {
        return None;
    }
    refusal(
        format!(
            "{} compares what a unit sends under two drives, but {} units jump between two values",
            variant_name(&r.credit),
            variant_name(&r.neuron)
        ),
        "use neuron.relu or neuron.rate, or credit.backprop with the slope that stands for theirs",
    )
}

fn readout(r: &Recipe) -> Refusal {
    settling(r)?;
    if loss(r).outputs == Outputs::Logits && r.network.layers.len() < 3 {
        return refusal(
            format!("{} reads the last hidden layer, but the network has none", variant_name(&r.objective)),
            "add a hidden layer, or use objective.squared-error",
        );
    }
    None
}

fn nudge_position(r: &Recipe) -> Refusal {
    settling(r).filter(|unit| unit.nudge_outside)?;
    if !rule(r).acts.nudges() {
        return refusal(
            format!(
                "nudge = \"outside\" has no meaning for {}, which does not nudge",
                variant_name(&r.credit)
            ),
            "leave neuron.settle.nudge out",
        );
    }
    if loss(r).outputs != Outputs::States {
        return refusal(
            format!(
                "nudge = \"outside\" adds β(y − s) to the output units, which {} does not have",
                variant_name(&r.objective)
            ),
            "use neuron.settle.nudge = \"inside\"",
        );
    }
    None
}

fn online(r: &Recipe) -> Refusal {
    if rule(r).online && r.solver.method().traits().blocks {
        return refusal(
            format!(
                "{} updates once per step of all layers, which {} sweeps do not have",
                variant_name(&r.credit),
                variant_name(&r.solver)
            ),
            "use solver.synchronous",
        );
    }
    None
}

fn hidden_activation(r: &Recipe) -> Refusal {
    let [hidden, output] = settling(r)?.bounded;
    // A readout is not a settling layer, so every settling layer has the hidden activation.
    let only_output = r.network.layers.len() == 2 && output;
    if hidden || only_output {
        return None;
    }
    refusal(
        "linear hidden units are unbounded: the network may have no fixed point to settle to",
        "use activation = \"hard-sigmoid\"; output = \"linear\" is fine",
    )
}

fn start_and_data(r: &Recipe) -> Refusal {
    let persistent = rule(r).start == Start::Persistent;
    let shown = r.task.shown();
    let augmented = shown.shift > 0 || shown.flip;
    if persistent && augmented {
        return refusal(
            "start = \"persistent\" keeps a state per sample, but shift and flip change the sample every time",
            "use start = \"zero\", or leave shift and flip out",
        );
    }
    None
}

/// The mean of one sample is the sample: every output would be 0.
fn norm_and_batch(r: &Recipe) -> Refusal {
    if r.norm.method().traits().needs_batch && r.task.batch() == BatchSize::Samples(1) {
        return refusal(
            "norm.batch takes mean and variance of a batch, but batches have one sample",
            "use norm.layer, or a larger batch",
        );
    }
    None
}

fn norm_and_dropout(r: &Recipe) -> Refusal {
    if settling(r).is_some() && r.norm.method().traits().acts {
        return refusal(
            "a normalisation stands in a single pass, but settling units move unit by unit and sample by sample",
            "leave [norm] out, or use feed-forward units, such as neuron.relu, with credit.backprop",
        );
    }
    let drops = r.network.dropout > 0.0 || r.network.input_dropout > 0.0;
    if rule(r).acts == Acts::Infer && (r.norm.method().traits().acts || drops) {
        return refusal(
            format!(
                "values of {} settle sample by sample, without normalisation and with no unit silent",
                variant_name(&r.credit)
            ),
            "leave [norm] and dropout out, or use credit.backprop",
        );
    }
    if settling(r).is_some() && drops {
        return refusal(
            "dropout silences units of a single pass, but settling units take many sweeps",
            "leave network.dropout and network.input-dropout out",
        );
    }
    None
}

fn hinge(r: &Recipe) -> Refusal {
    if loss(r).outputs == Outputs::Signs && settling(r).is_some() {
        return refusal(
            format!(
                "{} wants outputs of ±1, but settling outputs are states of units",
                variant_name(&r.objective)
            ),
            "use objective.squared-error or softmax-cross-entropy",
        );
    }
    None
}

fn anchor_and_credit(r: &Recipe) -> Refusal {
    let measures = r.anchor.method().needs().per_sample;
    if measures && !rule(r).per_sample {
        return refusal(
            format!(
                "{} measures gradients of the loss sample by sample, which {} does not give",
                variant_name(&r.anchor),
                variant_name(&r.credit)
            ),
            "use anchor.si, which needs only the updates, or credit.backprop",
        );
    }
    if r.anchor.method().needs().log_likelihood && !loss(r).log_likelihood {
        return refusal(
            format!(
                "{} needs a loss that is a log-likelihood, for the Fisher information",
                variant_name(&r.anchor)
            ),
            "use objective.softmax-cross-entropy, or anchor.si",
        );
    }
    None
}

/// Whether the weights are samples of distributions.
fn sampled(r: &Recipe) -> bool {
    r.synapse.method().traits().info.bayesian
}

fn anchor_and_draws(r: &Recipe) -> Refusal {
    if r.anchor.method().needs().holds && sampled(r) {
        return refusal(
            format!(
                "{} holds the weights that a task ended with, but {} draws them: importance and anchor point would be \
                 those of one random draw",
                variant_name(&r.anchor),
                variant_name(&r.synapse)
            ),
            "leave [anchor] out, because the distribution itself remembers, or use synapse.plain or metaplastic",
        );
    }
    None
}

/// Weights of ±1 make drives of the size √fan_in, far beyond any activation's range, unless something scales them.
fn scale_of_bits(r: &Recipe) -> Refusal {
    let unit = r.synapse.method().traits().scale == Some(1.0);
    if unit && settling(r).is_some() {
        return refusal(
            format!(
                "weights of ±1 drive settling units far beyond their range; {} has no scale",
                variant_name(&r.synapse)
            ),
            "set its scale to about 1/√fan_in",
        );
    }
    None
}

fn draws_of_weights(r: &Recipe) -> Refusal {
    let wanted = [("test-draws", r.run.test_draws), ("train-draws", r.run.train_draws)];
    if let Some((key, _)) = wanted.into_iter().find(|(_, draws)| draws.is_some() && !sampled(r)) {
        let synapse = variant_name(&r.synapse);
        return refusal(
            format!("run.{key} draws weights anew, but those of synapse.{synapse} are no distributions"),
            "leave it out, or use synapse.bayesbinn, bimu or mesu",
        );
    }
    if r.run.train_draws.is_some_and(|n| n > 1) && rule(r).online {
        return refusal(
            format!(
                "weights move after every sweep of {}, so there is nothing to average over draws",
                variant_name(&r.credit)
            ),
            "leave run.train-draws out, or use credit.eq-prop",
        );
    }
    None
}

/// What turning weights costs is told by the size of their hidden weight, on samples of one task.
fn turns_of_weights(r: &Recipe) -> Refusal {
    r.run.flip_samples?;
    let several = r.continual.joint && r.sequence.method().traits().several;
    let known = r.synapse.method().traits().has_hidden_sign() && rule(r).per_sample && loss(r).log_likelihood;
    (several || !known).then(|| {
        (
            "run.flip-samples flips binary weights by the size of their hidden weight, which is not measured here".into(),
            "leave it out, or use a synapse such as synapse.metaplastic with credit.backprop and softmax-cross-entropy",
        )
    })
}

/// Weight decay is a part of the optimiser's proposal, which synapses with step sizes of their own do not ask for.
fn decay_of_raw(r: &Recipe) -> Refusal {
    if r.optim.method().weight_decay() != 0.0 && r.synapse.method().traits().info.own_step_size {
        return refusal(
            format!(
                "{} takes the gradient itself: optim.{}.decay would do nothing",
                variant_name(&r.synapse),
                variant_name(&r.optim)
            ),
            "leave it out, or set it to 0 where the optimiser has one by default",
        );
    }
    None
}

/// The schedule's factor is on the optimiser's learning rates, of which such synapses have none.
fn schedule_of_raw(r: &Recipe) -> Refusal {
    if !r.schedule.method().is_constant() && r.synapse.method().traits().info.own_step_size {
        return refusal(
            format!(
                "{} has a step size of its own, which schedule.{} would not reach",
                variant_name(&r.synapse),
                variant_name(&r.schedule)
            ),
            "leave [schedule] out, or use a synapse that takes an optimiser's proposals, such as synapse.metaplastic",
        );
    }
    None
}

/// What only a sequence of tasks gives a meaning to.
fn tasks(r: &Recipe) -> Refusal {
    let bounded = r.sequence.method().traits().ends && !r.continual.joint;
    let per_task = r.norm.method().traits().per_task;
    if per_task && !bounded {
        return refusal(
            "norm.batch.per-task needs tasks that follow each other",
            "leave per-task out, or choose a [sequence]",
        );
    }
    if r.anchor.method().needs().holds && !bounded {
        return refusal(
            format!(
                "{} consolidates when a task ends, but there are no tasks that follow each other",
                variant_name(&r.anchor)
            ),
            "choose a [sequence] such as sequence.permuted, or leave [anchor] out",
        );
    }
    if r.anchor.method().needs().holds && r.sequence.tasks(r.task.shape().1) == 1 {
        return refusal(
            format!(
                "{} holds what earlier tasks needed, but there is one task only",
                variant_name(&r.anchor)
            ),
            "give the [sequence] two tasks or more, or leave [anchor] out",
        );
    }
    None
}

/// Replay needs a past that is gone, and samples that are met again carry no state of their own.
fn replay(r: &Recipe) -> Refusal {
    let replay = r.continual.replay.as_ref()?;
    if !r.sequence.method().traits().several || r.continual.joint {
        let why = if r.continual.joint { "mixed from the start" } else { "one task only" };
        return refusal(
            format!("continual.replay repeats samples of earlier tasks, but there are none: {why}"),
            "leave [continual.replay] out, or choose a [sequence] without continual.joint",
        );
    }
    if r.sequence.method().traits().pieces.is_some() && replay.policy == Policy::Balanced {
        return refusal(
            "policy = \"balanced\" takes a task in when it ends, but sequence.subsets has no boundaries",
            "use policy = \"reservoir\" with a size",
        );
    }
    if rule(r).start == Start::Persistent {
        return refusal(
            "start = \"persistent\" keeps a state per sample of the present task, but replay mixes in earlier ones",
            "use start = \"zero\"",
        );
    }
    None
}

/// Outputs of some tasks only are an error of some outputs only, which a clamp or a nudge outside the units is not.
fn heads(r: &Recipe) -> Refusal {
    if r.continual.scenario != Scenario::Domain && r.sequence.method().traits().pieces.is_some() {
        return refusal(
            "the parts of sequence.subsets hold the same classes, so they have no outputs of their own",
            "leave scenario out, or use sequence.split",
        );
    }
    let clamps = rule(r).acts == Acts::Clamp;
    let outside = settling(r).is_some_and(|unit| unit.nudge_outside);
    if r.continual.scenario != Scenario::Domain && (clamps || outside) {
        return refusal(
            format!(
                "{} acts on every output, but this scenario has outputs of other tasks",
                variant_name(&r.credit)
            ),
            "use scenario = \"domain\", or credit.eq-prop with neuron.settle.nudge = \"inside\"",
        );
    }
    None
}
